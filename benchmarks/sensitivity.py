"""Which constants of the root causes matter? Each is halved and doubled, those of one name together, and all is asked again.

Prints the incidents named right as they are and without request counts, the healthy windows without a cause, the answers to
quantiles that are wrong at a confidence of 0.6 or more, and the simulated incidents in which processor, memory or threads lead
to the cause and to another, where any of these moves; the other constants are listed below the table.

    python benchmarks/sensitivity.py --dataset ../shared/data/petshop [--only NAME]... [--markdown]

About five minutes on an idle core.
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
from petshop_dataset import DatasetError, read_scenarios
from simulated_views import VIEWS
from stress import FAULTS, of_petshop, of_simulation, score
from stress_rows import ROWS, Asked
from tables import printed

import tars_lib.engines.root_causes as package

HEALTHY_STEP = 2
"""Of the healthy windows of `stress` every second is asked, 26."""

RESOURCES_SEED = 1

RESOURCES_SETS = 6
"""Simulated incidents of each fault in which only resources are reported below the target."""

RATHER_SURE = 0.6
"""Confidence from which on a wrong answer to quantiles counts; they are given at most two thirds."""

QUANTILES = ("p90 alone", "p50 and p90 alone")

Figures = tuple[int, int, int, int, int, int]


def constants() -> dict[str, float]:
    """Numbers that the modules of the method define in capitals, by name."""
    found: dict[str, float] = {}
    for info in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        module = importlib.import_module(info.name)
        lines = Path(str(module.__file__)).read_text(encoding="utf-8").splitlines()
        own = {line.partition(" = ")[0] for line in lines if " = " in line}
        found |= {name: value for name, value in vars(module).items() if name in own and _is_constant(name, value)}
    return found


def _is_constant(name: str, value: object) -> bool:
    return name.isupper() and isinstance(value, int | float) and not isinstance(value, bool)


@contextmanager
def changed(name: str, value: float) -> Iterator[None]:
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


def figures(questions: list[Asked], resources: list[Asked]) -> Figures:
    """Right as they are, right without request counts, quiet; rather sure and wrong by quantiles; right, wrong by resources."""
    incidents = [one for one in questions if one.case.cause]
    healthy = [one for one in questions if not one.case.cause][::HEALTHY_STEP]
    intact, uncounted = ROWS["as they are"].change, ROWS["no request counts"].change
    quantiles = [pair for row in QUANTILES for pair in score(ROWS[row].change, incidents).stated]
    by_kinds = score(intact, resources)
    return (
        score(intact, incidents).right,
        score(uncounted, incidents).right,
        score(intact, healthy).quiet,
        sum(sure >= RATHER_SURE and not is_right for sure, is_right in quantiles),
        by_kinds.right,
        by_kinds.wrong,
    )


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
    resources = [one for one in resources if one.case.cause]
    usual = figures(questions, resources)
    names = [
        "right",
        "right, no counts",
        "healthy quiet",
        "quantiles, sure and wrong",
        "by resources",
        "wrong by resources",
    ]
    rows = [["constant", "value", *names], ["as it is", "", *map(str, usual)]]
    still = []
    for name, value in constants().items():
        if only and name not in only:
            continue
        moves = []
        for factor in (0.5, 2.0):
            other = max(1, round(value * factor)) if isinstance(value, int) else value * factor
            with changed(name, other):
                now = figures(questions, resources)
            if now != usual:
                moves.append([f"{name} = {value:g}", f"{other:g}", *map(str, now)])
        rows += moves
        if not moves:
            still.append(name)
    click.echo(printed([("Constants that matter when halved or doubled", rows)], markdown=markdown))
    click.echo(f"\nNothing moves with {', '.join(still)}.")


if __name__ == "__main__":
    main()
