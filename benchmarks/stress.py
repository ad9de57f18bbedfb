"""Root causes where the telemetry is worse than the method would like: real incidents, perturbed, with healthy windows beside.

Each row takes the incidents of the PetShop dataset and the healthy windows of its baseline and does the same to both: what
was taken away, renamed, shifted or spoiled is named in the row. Where the cause is still measured, the share of incidents in
which it is named first counts; where it is not, how often another repo is named, and how often the place next to which it
must be is. An answer that names a repo with a reserve says that the cause may lie as well in what that repo calls.

    python benchmarks/stress.py --dataset ../shared/data/petshop [--row NAME]... [--markdown]
    python benchmarks/stress.py --view "client views" [--sets 12] [--seed 1]

With --view the incidents are those of `simulated_application`, in the telemetry of that name in `simulated_views`. About a
minute on an idle core.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click
import networkx as nx
import pandas as pd
from petshop_dataset import Case, DatasetError, Scenario, read_scenarios
from petshop_score import calibration_error
from petshop_windows import healthy_windows
from simulated import clear_incidents
from simulated_application import incident
from simulated_views import VIEWS, View
from stress_rows import ROWS, Asked, Change
from tables import printed

from tars_lib.engines.root_causes.ranking import rank_root_causes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

FAULTS = ("slow", "errors", "timeouts")
"""Faults of the simulation that show at the repo itself."""

AT_CALLER = ("at the caller",)
"""Views in which a slow network shows at the repo that is called through it."""

SURE = 0.8
"""Confidence from which on a wrong name counts as confident."""

LEAD = 4
"""Samples of a simulated incident's frame before the breach."""

HEALTHY_STEP = 3
"""Of the healthy windows every third is asked, 52 of 156, so that a row stays fast."""


@dataclass
class Tally:
    """What was said in one row: incidents, right first, others first, confident and wrong, right neighbours; quiet windows.

    `reserved` are others that were named first with a reserve.
    """

    asked: int = 0
    right: int = 0
    wrong: int = 0
    reserved: int = 0
    sure_wrong: int = 0
    beside: int = 0
    healthy: int = 0
    quiet: int = 0
    wrong_in: list[str] = field(default_factory=list)
    stated: list[tuple[float, bool]] = field(default_factory=list)


@click.command()
@click.option("--dataset", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--view", type=click.Choice(list(VIEWS)), help="Simulated incidents, as this telemetry shows them.")
@click.option("--sets", default=12, show_default=True, help="Simulated incidents of each fault.")
@click.option("--seed", default=1, show_default=True, help="Of the simulation.")
@click.option("--row", "only", multiple=True, type=click.Choice(list(ROWS)), help="Only this row; repeatable.")
@click.option("--cases", "show", is_flag=True, help="Also the incidents in which another repo came first.")
@click.option("--markdown", is_flag=True, help="Tables for docs/benchmarks.md.")
def main(
    dataset: Path | None,
    view: str | None,
    sets: int,
    seed: int,
    only: tuple[str, ...],
    show: bool,
    markdown: bool,
) -> None:
    """Score root causes on perturbed incidents.

    Example: python benchmarks/stress.py --dataset ../shared/data/petshop --row "no graph"
    """
    if view is not None:
        questions = list(of_simulation(VIEWS[view], (*FAULTS, "delay") if view in AT_CALLER else FAULTS, sets, seed))
    elif dataset is not None:
        try:
            questions = list(of_petshop(read_scenarios(dataset)))
        except DatasetError as error:
            raise click.ClickException(str(error)) from error
    else:
        raise click.UsageError("give --dataset or --view")
    measured = [["what was done", "incidents", "cause first", "another first", "sure and wrong", "healthy quiet"]]
    heads = ["what was done", "incidents", "another first", "with a reserve", "sure and wrong", "told beside it"]
    hidden = [[*heads, "healthy quiet"]]
    notes: list[str] = []
    stated: list[tuple[float, bool]] = []
    count = 0
    for name in only or ROWS:
        row = ROWS[name]
        # of a target that is not measured nobody can ask
        asked_of = [one for one in questions if row.is_measured or one.culprit != one.case.target[0]]
        tally = score(row.change, asked_of)
        if not tally.asked:
            continue
        quiet = f"{tally.quiet / tally.healthy:.2f}" if tally.healthy else "-"
        count += tally.asked
        stated += tally.stated
        if row.is_measured:
            shares = [f"{tally.right / tally.asked:.2f}", str(tally.wrong), str(tally.sure_wrong)]
            measured.append([name, str(tally.asked), *shares, quiet])
        else:
            found = (tally.asked, tally.wrong - tally.reserved, tally.reserved, tally.sure_wrong, tally.beside)
            hidden.append([name, *map(str, found), quiet])
        notes += [f"{name}: {line}" for line in tally.wrong_in]
    tables = [("The cause is measured", measured), ("The cause is not measured", hidden)]
    click.echo(printed([(title, rows) for title, rows in tables if len(rows) > 1], markdown=markdown))
    sure_wrong = sum(not is_right for sure, is_right in stated if sure >= SURE)
    click.echo(
        f"\nOf {count} incidents {sure_wrong} ({sure_wrong / count:.1%}) were answered wrongly with a confidence of {SURE} or "
        f"more; expected calibration error of {len(stated)} first answers {calibration_error(stated):.3f}."
    )
    if show:
        click.echo("\n".join(notes))


def score(change: Change, questions: Iterable[Asked]) -> Tally:
    """Ask every question after the change."""
    tally = Tally()
    for asked in questions:
        changed = change(asked)
        if changed is None:
            continue
        causes = answer(changed)
        first = None if causes.empty else changed.names(causes["repo"].iloc[:1])[0]
        if not asked.case.cause:
            tally.healthy += 1
            tally.quiet += first is None
            continue
        tally.asked += 1
        unmeasured = causes.attrs["unmeasured"]
        tally.right += first == asked.case.cause
        if first is not None:
            tally.stated.append((float(causes["confidence"].iloc[0]), first == asked.case.cause))
        if first is not None and first != asked.case.cause:
            tally.wrong += 1
            tally.reserved += unmeasured is not None
            tally.sure_wrong += causes["confidence"].iloc[0] >= SURE
            tally.wrong_in.append(
                f"{asked.case.issue}: {first} ({causes['confidence'].iloc[0]:.2f}) for {asked.case.cause}"
            )
        elif first is None:
            tally.wrong_in.append(f"{asked.case.issue}: none, {causes.attrs['reason']}")
        tally.beside += unmeasured is not None and asked.case.cause in (
            unmeasured.near,
            *changed.names(unmeasured.calls),
        )
    return tally


def answer(asked: Asked) -> pd.DataFrame:
    """The causes of one question."""
    case = asked.case
    return rank_root_causes(
        case.frame, asked.baseline, case.target, asked.graph if asked.has_graph else None, case.started_at
    )


def of_petshop(scenarios: tuple[Scenario, ...]) -> Iterator[Asked]:
    """Every incident and every third healthy window."""
    for scenario in scenarios:
        incidents = {case.issue: case for case in scenario.cases}
        for i, case in enumerate(scenario.cases):
            yield Asked(case, scenario.baseline, scenario.graph, case.cause, i)
        for i, (case, past) in enumerate(healthy_windows(scenario)):
            if i % HEALTHY_STEP == 0:
                incident_of = incidents[case.issue]
                yield Asked(case, past, scenario.graph, incident_of.cause, i, incident=incident_of)


def of_simulation(view: View, faults: Sequence[str], sets: int, seed: int) -> Iterator[Asked]:
    """So many clear incidents of each fault in one kind of telemetry, and as many healthy applications as incidents."""
    drawn = [one for fault in faults for one in clear_incidents(fault, sets, seed * 100_000)]
    drawn += [incident(seed * 100_000 + i, "") for i in range(len(drawn))]
    for i, one in enumerate(drawn):
        seen = view(one)
        # what a row takes away leaves gaps, which whole numbers cannot hold
        both = pd.concat([seen.baseline, seen.frame]).astype(float)
        past, frame = both.iloc[: len(seen.baseline) - LEAD], both.iloc[len(seen.baseline) - LEAD :]
        case = Case(f"{one.fault or 'nothing'} {i}", frame, seen.target, seen.started_at, seen.cause)
        below = sorted(nx.descendants(seen.graph, seen.target[0]))
        yield Asked(case, past, seen.graph, seen.cause or below[i % len(below)], i)


if __name__ == "__main__":
    main()
