"""Which verdicts would another objective, or a stretch left out, move?

The SLAs are judged twice by the same engine over the same samples: as they stand, and with the changes. Nothing is
estimated, and a verdict that can no longer be reached is UNKNOWN, with its reason, in both columns.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from tars_lib.engines.health.assess import assess_health
from tars_lib.engines.report import Stamp
from tars_lib.engines.sla.assess import assess_slas
from tars_lib.engines.sla.report import ComplianceResult, SlaReport
from tars_lib.engines.sla.verdict import judge
from tars_lib.errors import InputError, UnknownNameError
from tars_lib.model.names import Event, SlaStatus
from tars_lib.model.organisation import MAINTENANCE, OrgData
from tars_lib.model.slo import AnyPolicy
from tars_lib.model.times import read_time
from tars_lib.text.counts import plural
from tars_lib.text.quantities import value_text
from tars_lib.text.sentences import Telling, Told
from tars_lib.text.times import MINUTES

if TYPE_CHECKING:
    import pandas as pd

Time = datetime | str
Excluded = tuple[Time, Time] | tuple[Time, Time, str]
"""Begin and end of a stretch, and the repo that it concerns; without one it concerns all."""

_TITLE = "left out to see what it moves"


@dataclass(frozen=True, slots=True)
class Move:
    """A verdict before and after; `repo` null: on the SLA as a whole. A value is null where it is not known.

    `reason` is what the report says of the verdict after, null where that needs none.
    """

    sla_id: str
    sla_name: str
    repo: str | None
    before: SlaStatus
    after: SlaStatus
    value_before: float | None
    value_after: float | None
    objective_before: float
    objective_after: float
    unit: str
    reason: str | None

    @property
    def is_moved(self) -> bool:
        """Return whether the verdict is another one."""
        return self.before is not self.after


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class WhatIf(Telling):
    """Two judgements of one organisation.

    Attributes
    ----------
    before, after : SlaReport
        As it stands, and with the changes.
    slas : tuple of Move
        Every SLA as a whole, moved or not, in the order of the report.
    moves : tuple of Move
        Moved verdicts: SLAs as a whole first, then repos alone.
    changes : tuple of str
        What was changed, in sentences.
    """

    before: SlaReport
    after: SlaReport
    slas: tuple[Move, ...]
    moves: tuple[Move, ...]
    changes: tuple[str, ...]

    @property
    def frame(self) -> pd.DataFrame:
        """Moved verdicts: sla_id, repo (empty: the SLA as a whole), before, after, values and objectives, reason."""
        import pandas as pd

        names = ["sla_id", "repo", "before", "after", "value_before", "value_after"]
        names += ["objective_before", "objective_after", "unit", "reason"]
        rows = [{name: getattr(move, name) for name in names} | {"repo": move.repo or ""} for move in self.moves]
        return pd.DataFrame(rows, columns=names)

    def told(self) -> Told:
        """Return what was changed, what moved, and what it does to readiness."""
        return Told.of((*self.changes, *(_move_text(move) for move in self.moves), self._rest(), self._readiness()))

    def _rest(self) -> str:
        moved = sum(move.is_moved for move in self.slas)
        if not self.moves:
            return f"No verdict changes: all {len(self.slas)} SLAs keep theirs."
        alone = plural(len(self.moves) - moved, "verdict")
        return f"{moved} of {plural(len(self.slas), 'SLA verdict')} and {alone} on single services change."

    def _readiness(self) -> str:
        was, is_now = self.before.executive_readiness, self.after.executive_readiness
        return (
            f"Readiness: {was.tier.value} at {was.readiness_score:.0f} of 100 before, {is_now.tier.value} at "
            f"{is_now.readiness_score:.0f} after."
        )


def what_if(
    org: OrgData,
    *,
    objective: Mapping[str, float] | None = None,
    exclude: Iterable[Excluded] = (),
    as_of: Time | None = None,
) -> WhatIf:
    """Judge the SLAs anew with other objectives, or with stretches left out as if they were maintenance.

    Parameters
    ----------
    org : OrgData
    objective : mapping of str to float, optional
        SLA to its objective, in the SLA's unit.
    exclude : iterable of (begin, end) or (begin, end, repo)
        Times with a zone; the end does not belong to the stretch, but one at `as_of` takes the last samples with it, which
        stand for the time after it. Samples in it count neither as good nor as missing.
    as_of : datetime or str, optional
        Judge what was known at this time; default the last sample.

    Returns
    -------
    WhatIf

    Raises
    ------
    UnknownNameError
        If an SLA or a repo is not there; the message lists those that are.
    InputError
        If an objective or a time is not acceptable.

    Notes
    -----
    The health of the repos is not judged by SLAs and stays as it is.
    """
    known, time = org.at(None if as_of is None else read_time(as_of, "as_of"))
    if objective is not None and not isinstance(objective, Mapping):
        example = next((policy.sla_id for policy in known.policies), "availability")
        raise InputError(f"objective: {objective!r} is not allowed: a mapping is, such as {{{example!r}: 0.99}}")
    wanted = dict(objective or {})
    policies = _with_objectives(known, wanted)
    stretches = [_stretch(known, number, stretch, time) for number, stretch in enumerate(exclude)]
    changed = replace(known, policies=policies, events=(*known.events, *stretches))
    # both reports are made in one breath: no clock is asked
    stamp = Stamp(time, "")
    health = assess_health(known, time, stamp)
    before = assess_slas(known, time, health, stamp, ())
    after = assess_slas(changed, time, health, stamp, ())
    slas = tuple(_whole(was, now) for was, now in zip(before.compliance_results, after.compliance_results, strict=True))
    alone = [
        _measured(move, (known, old), (changed, new), time)
        for was, now, old, new in zip(
            before.compliance_results, after.compliance_results, known.policies, policies, strict=True
        )
        for move in _alone(was, now)
        if move.is_moved
    ]
    moves = (*(move for move in slas if move.is_moved), *alone)
    return WhatIf(before, after, slas, moves, tuple(_changes(known, policies, stretches, after)))


def objectives_of(org: OrgData, objective: float | str, sla_ids: Sequence[str] = ()) -> dict[str, float]:
    """Read one objective for several SLAs, such as ``"99.5%"``; without names for every SLA that is a share.

    Raises
    ------
    InputError
        If the text is no number or percentage, or no SLA is a share.
    UnknownNameError
        If an SLA is not there.

    Notes
    -----
    A percentage is a hundredth of the whole, in the unit of each SLA; a number is taken as it is.
    """
    number = str(objective).strip().removesuffix("%").strip()
    try:
        value = float(number)
    except ValueError as error:
        raise InputError(f"objective {objective!r}: a number or a percentage is needed, such as '99.5%'") from error
    is_percent = number != str(objective).strip()
    there = {policy.sla_id: policy for policy in org.policies}
    named = list(sla_ids) or [policy.sla_id for policy in org.policies if policy.is_share]
    if not named:
        raise InputError(f"objective {objective!r}: no SLA of {org.name} is a share; name one of {', '.join(there)}")
    if unknown := [sla_id for sla_id in named if sla_id not in there]:
        raise UnknownNameError(f"SLA {unknown[0]!r} is not there; there are: {', '.join(there) or 'none'}")
    return {sla_id: value / 100.0 * there[sla_id].whole if is_percent else value for sla_id in named}


def _with_objectives(org: OrgData, wanted: Mapping[str, float]) -> tuple[AnyPolicy, ...]:
    there = {policy.sla_id: policy for policy in org.policies}
    for sla_id, value in wanted.items():
        if sla_id not in there:
            raise UnknownNameError(f"objective: SLA {sla_id!r} is not there; there are: {', '.join(there) or 'none'}")
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise InputError(f"objective of {sla_id}: {value!r} is not allowed: a finite number is")
        policy = there[sla_id]
        if policy.is_share and not 0.0 <= value <= policy.whole:
            example = f"a share from 0 to {policy.whole:g} is, such as {0.999 * policy.whole:g}"
            raise InputError(f"objective of {sla_id}: {value:g} is not allowed: {example}")
        if policy.is_share and policy.higher_is_better and policy.whole == 100.0 and 0.0 < value <= 1.0:
            raise InputError(
                f"objective of {sla_id}: {value:g}% is not allowed: a share in % is; was {100 * value:g} meant?"
            )
        metric = org.metric(policy.needs[0])
        if policy.is_level and not metric.holds(value):
            raise InputError(f"objective of {sla_id}: {value:g} is not allowed: {metric.allowed} {metric.unit} is")
    return tuple(
        replace(policy, objective=float(wanted[policy.sla_id])) if policy.sla_id in wanted else policy
        for policy in org.policies
    )


def _stretch(org: OrgData, number: int, stretch: Sequence[Time], time: datetime) -> Event:
    where = f"exclude[{number}]"
    if isinstance(stretch, str) or len(stretch) not in (2, 3):
        raise InputError(f"{where}: {stretch!r} is not allowed: (begin, end) or (begin, end, service) is")
    begin, end = read_time(stretch[0], f"{where}, begin"), read_time(stretch[1], f"{where}, end")
    if end <= begin:
        raise InputError(f"{where}: ends at {end.isoformat()}, not after its start {begin.isoformat()}")
    if end == time and not org.stamp_at_end:
        needs = {name for policy in org.policies for name in policy.needs}
        end += timedelta(microseconds=max((org.history.interval(name) or 0 for name in needs), default=0))
    repo = None if len(stretch) == 2 else str(stretch[2])
    return Event(begin, None if repo is None else org.repo(repo).repo, MAINTENANCE, _TITLE, None, end)


def _whole(was: ComplianceResult, now: ComplianceResult) -> Move:
    values = (was.value, now.value, was.objective, now.objective, was.unit, now.reason)
    return Move(was.sla_id, was.sla_name, None, was.status, now.status, *values)


def _alone(was: ComplianceResult, now: ComplianceResult) -> Iterator[Move]:
    """Yield the repos alone that stand in one of the two lists; a repo that stands in none of them complies in both."""
    if not was.judged_repos or not now.judged_repos:
        return
    first = {result.repo: result for result in was.repo_results if result.repo is not None}
    second = {result.repo: result for result in now.repo_results if result.repo is not None}
    for repo in sorted({*first, *second}):
        old, new = first.get(repo), second.get(repo)
        before, after = (result.status if result else SlaStatus.COMPLIANT for result in (old, new))
        objectives = (was.objective, now.objective, was.unit)
        yield Move(was.sla_id, was.sla_name, repo, before, after, None, None, *objectives, new.reason if new else None)


def _measured(move: Move, before: tuple[OrgData, AnyPolicy], after: tuple[OrgData, AnyPolicy], time: datetime) -> Move:
    """Return the same with both values: a report lists no value of a repo that complies."""
    values = [
        judge(org, replace(policy, repos=(str(move.repo),)), time, (), look_ahead=False).result.value
        for org, policy in (before, after)
    ]
    return replace(move, value_before=values[0], value_after=values[1])


def _changes(
    org: OrgData, policies: Sequence[AnyPolicy], stretches: Sequence[Event], after: SlaReport
) -> Iterator[str]:
    for old, new in zip(org.policies, policies, strict=True):
        if old.objective != new.objective:
            was, now = (value_text(policy.objective, policy.unit) for policy in (old, new))
            yield f"Objective of {old.sla_name}: {now} instead of {was}."
    for stretch in stretches:
        lost = [
            f"{item.samples} of {result.sla_name}"
            for result in after.compliance_results
            for item in result.exclusions
            if item.samples and (item.repo, item.start, item.end) == (stretch.repo, stretch.timestamp, stretch.until)
        ]
        of = "all services" if stretch.repo is None else stretch.repo
        yield (
            f"Excluded from {of}: {stretch.timestamp:%Y-%m-%d %H:%M} to {stretch.until:{MINUTES}}, "
            f"samples: {', '.join(lost) or 'none in any window'}."
        )
    if not stretches and tuple(policies) == org.policies:
        yield "Nothing was changed."


def _move_text(move: Move) -> str:
    where = move.sla_name if move.repo is None else f"{move.sla_name} in {move.repo}"
    value = f"{value_text(move.value_after, move.unit)} against {value_text(move.objective_after, move.unit)}"
    because = f"; {move.reason}" if move.reason else ""
    return f"{where}: {move.before.value} before, {move.after.value} after ({value}{because})."
