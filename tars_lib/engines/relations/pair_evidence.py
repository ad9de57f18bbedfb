"""Ties between the repos: pairs at the same moment, leads, and changes that come together.

The correlation and the temporal engine judge the same evidence, so it is gathered once and may be handed to both.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from tars_lib.engines.relations.aligned_metrics import Movement, movement_of
from tars_lib.engines.relations.joint_changes import (
    Change,
    JointChange,
    joint_changes,
    metric_changes,
    repo_changes,
    without_changes,
)
from tars_lib.model.history import from_micros
from tars_lib.model.names import Dependency
from tars_lib.model.organisation import OrgData
from tars_lib.stats.pairs.direct_edges import direct_edges
from tars_lib.stats.pairs.discovery import Discoveries, discovered_pairs
from tars_lib.stats.pairs.lagged_correlation import PairTests
from tars_lib.stats.series.nuisance_design import CURVATURE_COLUMNS
from tars_lib.stats.series.prewhitening import MIN_SAMPLES, Panel, whitened_panel
from tars_lib.stats.series.robust import without_extremes

ALPHA = 0.05
"""False discovery rate over the pairs; the project's usual level."""
MAX_LAG = 14
"""Largest lag in samples: two weeks of daily ones."""


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """Relations found in the repos' movements.

    Attributes
    ----------
    movement : Movement
        Its metrics are those that at least two repos can be compared in.
    panels : tuple of Panel
        One a metric of the movement, lasting changes taken out.
    pairs, leads : Discoveries or None
        Significant pairs at the same moment, and with a lag of 1..max_lag; None where refused.
    is_direct : ndarray of bool
        For each of `leads`.
    changes : tuple of Change
    groups : tuple of JointChange
    calls : Calls
    max_lag : int
    reason : str or None
        Why nothing could be tested.
    """

    movement: Movement
    panels: tuple[Panel, ...]
    pairs: Discoveries | None
    leads: Discoveries | None
    is_direct: NDArray[np.bool_]
    changes: tuple[Change, ...]
    groups: tuple[JointChange, ...]
    calls: Calls
    max_lag: int
    reason: str | None

    def time(self, row: int) -> datetime:
        """Time of a row of the movement."""
        return from_micros(int(self.movement.times[row]))


class Calls:
    """Calls between repos, by column; a caller depends on its callees."""

    def __init__(self, repos: Iterable[str], dependencies: Iterable[Dependency]) -> None:
        column = {repo: position for position, repo in enumerate(repos)}
        self.callees: dict[int, set[int]] = defaultdict(set)
        self.callers: dict[int, set[int]] = defaultdict(set)
        for edge in dependencies:
            caller, callee = column.get(edge.caller), column.get(edge.callee)
            if caller is not None and callee is not None and caller != callee:
                self.callees[caller].add(callee)
                self.callers[callee].add(caller)

    def __bool__(self) -> bool:
        return bool(self.callees)

    def above(self, column: int) -> frozenset[int]:
        """Every repo that calls this one, directly or through others: where its trouble arrives."""
        return _reached(column, self.callers)

    def below(self, column: int) -> frozenset[int]:
        """Every repo that this one calls, directly or through others: where its trouble may come from."""
        return _reached(column, self.callees)


def gather_evidence(org: OrgData, max_lag: int = MAX_LAG) -> Evidence:
    """Test all pairs, leads and changes of an organisation.

    Parameters
    ----------
    org : OrgData
        As returned by `OrgData.at`.
    max_lag : int
        Largest lag in samples, at least 1.

    Returns
    -------
    Evidence
        With a `reason`, and nothing found, where there are fewer than 20 samples or fewer than two repos to compare.
    """
    movement = movement_of(org)
    calls = Calls(movement.repos, org.dependencies)
    none = np.zeros(0, dtype=bool)
    if not movement.metrics:
        reason = "no metric with a direction is reported: traffic alone says nothing about health"
        return Evidence(movement, (), None, None, none, (), (), calls, max_lag, reason)
    if movement.rows < MIN_SAMPLES:
        reason = f"{movement.rows} samples are too few: at least {MIN_SAMPLES} are needed"
        return Evidence(movement, (), None, None, none, (), (), calls, max_lag, reason)
    panels = tuple(whitened_panel(values, movement.seasons) for values in movement.values)
    usable = int(np.any([panel.usable for panel in panels], axis=0).sum())
    comparable = [position for position, panel in enumerate(panels) if int(panel.usable.sum()) >= 2]
    if not comparable:
        reason = f"{usable} of {len(movement.repos)} services vary enough to be compared: at least 2 in one metric are needed"
        return Evidence(movement, panels, None, None, none, (), (), calls, max_lag, reason)
    compared = Movement(
        movement.repos,
        tuple(movement.metrics[position] for position in comparable),
        tuple(movement.values[position] for position in comparable),
        movement.times,
        movement.interval,
        movement.seasons,
        movement.left_out,
    )
    kept = tuple(panels[position] for position in comparable)
    by_metric = metric_changes(compared, kept)
    changes = repo_changes(by_metric)
    downstream: Mapping[int, frozenset[int]] = {}
    if calls and len(changes) > 1:
        downstream = {change.column: calls.above(change.column) for change in changes}
    groups = joint_changes(changes, usable, compared.rows, downstream)
    steady = beside_changes(compared, kept, by_metric)
    pairs, leads = discovered_pairs(steady, 0, ALPHA), discovered_pairs(steady, max_lag, ALPHA)
    is_direct = direct_edges(steady, leads, pairs) if len(leads.tests.first) else none
    if groups:
        pairs = with_joint(pairs, discovered_pairs(kept, 0, ALPHA), groups)
    return Evidence(compared, steady, pairs, leads, is_direct, changes, groups, calls, max_lag, None)


def beside_changes(movement: Movement, panels: tuple[Panel, ...], changes: Sequence[Change]) -> tuple[Panel, ...]:
    """Return the panels with every lasting change taken out.

    A step is one event, but two series with a step each correlate at every lag, as two walks do, and noise picks one. Steps
    are judged once, as changes; a pair or a lead has to show in the rest, from which the calendar is taken only where it
    shows, as `correlate` and `lead_lag` do.
    """
    out = []
    for metric, (values, panel) in enumerate(zip(movement.values, panels, strict=True)):
        mine = [change for change in changes if change.metric == metric]
        if not mine and values.shape[1] > CURVATURE_COLUMNS:
            out.append(panel)
            continue
        # where values were pulled in, the step is fitted to what is left of it
        rest = without_changes(without_extremes(values), panel.basis, mine) if mine else values
        out.append(whitened_panel(rest, movement.seasons, only_shown=True))
    return tuple(out)


def with_joint(pairs: Discoveries, whole: Discoveries, groups: Sequence[JointChange]) -> Discoveries:
    """Return the pairs beside the changes, and for the members of a joint change those of their whole course."""
    group_of = {member.column: place for place, group in enumerate(groups) for member in group.members}

    def inside(found: Discoveries) -> NDArray[np.bool_]:
        rows = zip(found.tests.first.tolist(), found.tests.second.tolist(), strict=True)
        return np.array([a in group_of and group_of[a] == group_of.get(b) for a, b in rows], dtype=bool)

    known = set(zip(pairs.tests.first.tolist(), pairs.tests.second.tolist(), strict=True))
    rows = zip(whole.tests.first.tolist(), whole.tests.second.tolist(), strict=True)
    new = inside(whole) & ~np.array([row in known for row in rows], dtype=bool)
    if not new.any():
        return pairs
    first, second = pairs.tests, whole.tests.take(new)
    tests = PairTests(
        *(np.concatenate([getattr(first, field.name), getattr(second, field.name)]) for field in fields(PairTests))
    )
    order = np.lexsort((tests.p_value, -np.abs(tests.correlation)))
    return Discoveries(
        tests.take(order),
        np.concatenate([pairs.q_value, whole.q_value[new]])[order],
        np.concatenate([pairs.panel, whole.panel[new]])[order],
        pairs.tested,
        pairs.expected_false,
    )


def _reached(column: int, neighbours: Mapping[int, set[int]]) -> frozenset[int]:
    seen = {column}
    pending = deque([column])
    while pending:
        for other in neighbours.get(pending.popleft(), ()):
            if other not in seen:
                seen.add(other)
                pending.append(other)
    return frozenset(seen - {column})
