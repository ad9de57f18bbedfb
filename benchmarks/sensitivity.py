"""Which constants of the root causes matter? Each is halved and doubled, those of one name together, and all is asked again.

Prints the incidents named right as they are, without request counts and without a call graph, the healthy windows without a
cause, the answers to quantiles that are wrong at a confidence of 0.6 or more, the simulated incidents in which resources
lead to the cause and to another, and those named right whose harm shows at callers, where any of these moves; the others
are listed below the table. Of a pair of constants both are moved.

    python benchmarks/sensitivity.py --dataset ../shared/data/petshop [--only NAME]... [--markdown]

About a quarter of an hour on an idle core.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import importlib
import pkgutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from petshop_dataset import Case, DatasetError, read_scenarios
from simulated_kinds import KINDS, drawn_incidents
from simulated_resources import FAULTS as RESOURCE_FAULTS
from simulated_views import VIEWS
from stress import FAULTS, of_petshop, of_simulation, score
from stress_rows import ROWS, Asked
from tables import printed

import tars_lib.engines.root_causes as package

HEALTHY_STEP = 2
"""Of the healthy windows of `stress` every second is asked, 26."""

RESOURCES_SEED = 1

RESOURCES_SETS = 6
"""Simulated incidents of each fault in which only resources are reported below the target; half as many of each fault of
`simulated_resources`."""

AT_CALLERS = ("given up", "pauses", "delay", "slow")
"""Faults that show at callers, and one that does not; as many incidents of each as of the resources."""

RATHER_SURE = 0.6
"""Confidence from which on a wrong answer to quantiles counts; they are given at most two thirds."""

QUANTILES = ("p90 alone", "p50 and p90 alone")

Figures = tuple[int, int, int, int, int, int, int, int]

Constant = float | tuple[float, ...]

FITTED = frozenset({"WEIGHTS"})
"""What is fitted is no judgement; `petshop.py calibrate` says what it is worth."""


def constants() -> dict[str, Constant]:
    """Numbers that the modules of the method define in capitals, by name."""
    found: dict[str, Constant] = {}
    for info in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        module = importlib.import_module(info.name)
        lines = Path(str(module.__file__)).read_text(encoding="utf-8").splitlines()
        own = {line.partition(" = ")[0] for line in lines if " = " in line} - FITTED
        found |= {name: value for name, value in vars(module).items() if name in own and _is_constant(name, value)}
    return found


def _is_constant(name: str, value: object) -> bool:
    parts = value if isinstance(value, tuple) else (value,)
    is_number = all(isinstance(part, int | float) and not isinstance(part, bool) for part in parts)
    return name.isupper() and bool(parts) and is_number


def scaled(value: Constant, factor: float) -> Constant:
    """So many times a constant; whole numbers stay whole, and at least 1."""
    if isinstance(value, tuple):
        return tuple(scaled(part, factor) for part in value)
    return max(1, round(value * factor)) if isinstance(value, int) else value * factor


@contextmanager
def changed(name: str, value: Constant) -> Iterator[None]:
    """Put another number in place of a constant wherever it was imported."""
    modules = [module for key, module in sys.modules.items() if key.startswith(package.__name__)]
    holders = [module for module in modules if _is_constant(name, vars(module).get(name))]
    usual = vars(holders[0])[name]
    for module in holders:
        setattr(module, name, value)
    try:
        yield
    finally:
        for module in holders:
            setattr(module, name, usual)


def figures(questions: list[Asked], resources: list[Asked], at_callers: list[Asked]) -> Figures:
    """Right as they are, without counts, without calls; quiet; sure and wrong by quantiles; right, wrong by resources; right
    of those at callers.
    """
    incidents = [one for one in questions if one.case.cause]
    healthy = [one for one in questions if not one.case.cause][::HEALTHY_STEP]
    intact, uncounted, uncalled = (ROWS[name].change for name in ("as they are", "no request counts", "no graph"))
    quantiles = [pair for row in QUANTILES for pair in score(ROWS[row].change, incidents).stated]
    by_kinds = score(intact, resources)
    return (
        score(intact, incidents).right,
        score(uncounted, incidents).right,
        score(uncalled, incidents).right,
        score(intact, healthy).quiet,
        sum(sure >= RATHER_SURE and not is_right for sure, is_right in quantiles),
        by_kinds.right,
        by_kinds.wrong,
        score(intact, at_callers).right,
    )


def of_resources() -> Iterator[Asked]:
    """Simulated incidents of each fault in which nobody but the entry reports latency."""
    for fault in RESOURCE_FAULTS:
        for i, one in enumerate(
            drawn_incidents(KINDS[f"resources: {fault}"], RESOURCES_SETS // 2, RESOURCES_SEED * 100_000)
        ):
            case = Case(f"{fault} {i}", one.frame, one.target, one.started_at, one.causes[0])
            yield Asked(case, one.baseline, one.graph, case.cause, i)


def shown(value: Constant) -> str:
    """A constant for the table."""
    return " and ".join(f"{part:g}" for part in (value if isinstance(value, tuple) else (value,)))


@click.command()
@click.option("--dataset", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--only", multiple=True, metavar="NAME", help="Only this constant; repeatable.")
@click.option("--markdown", is_flag=True, help="A table for docs/benchmarks.md.")
def main(dataset: Path, only: tuple[str, ...], markdown: bool) -> None:
    """Halve and double each constant of the root causes.

    Example: python benchmarks/sensitivity.py --dataset ../shared/data/petshop
    """
    try:
        questions = list(of_petshop(read_scenarios(dataset)))
    except DatasetError as error:
        raise click.ClickException(str(error)) from error
    resources = list(of_simulation(VIEWS["resources"], FAULTS, RESOURCES_SETS, RESOURCES_SEED))
    resources = [one for one in resources if one.case.cause] + list(of_resources())
    at_callers = list(of_simulation(VIEWS["as simulated"], AT_CALLERS, RESOURCES_SETS, RESOURCES_SEED))
    at_callers = [one for one in at_callers if one.case.cause]
    usual = figures(questions, resources, at_callers)
    names = [
        "right",
        "right, no counts",
        "right, no calls",
        "healthy quiet",
        "quantiles, sure and wrong",
        "by resources",
        "wrong by resources",
        "at callers",
    ]
    rows = [["constant", "value", *names], ["as it is", "", *map(str, usual)]]
    still = []
    for name, value in constants().items():
        if only and name not in only:
            continue
        moves = []
        for factor in (0.5, 2.0):
            other = scaled(value, factor)
            with changed(name, other):
                now = figures(questions, resources, at_callers)
            if now != usual:
                moves.append([f"{name} = {shown(value)}", shown(other), *map(str, now)])
        rows += moves
        if not moves:
            still.append(name)
    click.echo(printed([("Constants that matter when halved or doubled", rows)], markdown=markdown))
    click.echo(f"\nNothing moves with {', '.join(still)}.")


if __name__ == "__main__":
    main()
