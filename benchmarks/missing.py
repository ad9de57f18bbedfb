"""How often is a verdict another one when part of the data is lost? Ours, and the arithmetic of two other tools.

Each window is judged twice, on all of its data and after a loss of 5 to 50 %. A verdict is wrong where it says that the SLA
is met or breached and the same arithmetic says the opposite of the complete data. slo-generator divides the sums of what
arrived; sloth takes the mean of the failing share of each interval in which both counts arrived. Both are applied here to
the organisation and to each service, as ours is.

    python benchmarks/missing.py [--windows 10000] [--dataset ../shared/data/petshop] [--seed 1] [--markdown]

About a minute on an idle core.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import click
import numpy as np
from missing_windows import LOSSES, Case, from_traffic, last_time, organisation, real_traffic, simulated
from numpy.typing import NDArray
from tables import printed
from tqdm import tqdm

from tars_lib.engines.sla.report import ComplianceResult
from tars_lib.engines.sla.verdict import judge
from tars_lib.model.names import SlaStatus

Floats = NDArray[np.float64]

NOTES = """\
Certain are verdicts that no completion of what is missing would change. A peer is compared with what the same
arithmetic says of the complete data. Where whole samples are lost and at least half of the window remains,
the measured value decides, as everywhere in the field: such verdicts are wrong as often as those of the
others, stand beside coverage and bounds, and are not called certain. Where one of two counts is lost the
answer is mostly UNKNOWN: the failures that did not arrive may be none or all. A tenth of the others' wrong
verdicts is not reached: whole samples that are lost take their failures with them, so what is left cannot tell,
and the contract lets it decide from half of the window on; the last table says what another rule would cost."""
Peer = Callable[[Floats, Floats], float]


def sums_of_what_arrived(total: Floats, bad: Floats) -> float:
    """Return the good share as slo-generator has it: one sum over the other, whatever is absent from either."""
    events = np.nansum(total)
    return float(1.0 - np.nansum(bad) / events) if events > 0 else np.nan


def mean_of_rates(total: Floats, bad: Floats) -> float:
    """Return the good share as sloth has it: the mean of the ratios that could be computed."""
    rates = bad[total > 0] / total[total > 0]
    rates = rates[~np.isnan(rates)]
    return float(1.0 - rates.mean()) if rates.size else np.nan


PEERS: dict[str, Peer] = {"slo-generator": sums_of_what_arrived, "sloth": mean_of_rates}

STRICTER: dict[str, Callable[[ComplianceResult], bool]] = {
    "the contract's: half of the window": lambda _: True,
    "three quarters, or certain": lambda result: result.certain or result.windows[0].coverage >= 0.75,
    "nine tenths, or certain": lambda result: result.certain or result.windows[0].coverage >= 0.9,
    "certain alone": lambda result: result.certain,
}
"""From how much coverage the measured value decides; what else would be UNKNOWN."""


def by_peer(peer: Peer, case: Case) -> bool | None:
    """Whether the organisation or a service breaches by a peer's arithmetic; None where nothing can be divided."""
    total, part = case.total[-case.rows :], case.part[-case.rows :]
    if case.counts_good and peer is sums_of_what_arrived:
        # it is given the good count and the total
        goods = [1.0 - peer(t, g) for t, g in _scopes(total, part)]
    else:
        goods = [peer(t, b) for t, b in _scopes(total, total - part if case.counts_good else part)]
    known = [good for good in goods if not np.isnan(good)]
    return min(known) < case.objective if known else None


def _scopes(total: Floats, part: Floats) -> list[tuple[Floats, Floats]]:
    apart = [(total[:, column], part[:, column]) for column in range(total.shape[1])]
    # sums over services of what arrived at each time, as a query without a service label gives them
    whole = [np.where(np.isnan(counts).all(axis=1), np.nan, np.nansum(counts, axis=1)) for counts in (total, part)]
    return [*apart, (whole[0], whole[1])]


def ours(case: Case) -> ComplianceResult:
    """Judge a case as `tars sla` does, without its look ahead."""
    org = organisation(case)
    return judge(org, org.policies[0], last_time(case), (), look_ahead=False).result


@dataclass
class Tally:
    """What was said of windows of one kind; `peers` counts (peer, wrong or unknown)."""

    windows: int = 0
    unknown: int = 0
    wrong: int = 0
    certain: int = 0
    certain_wrong: int = 0
    compliant_though_breached: int = 0
    peers: Counter[tuple[str, str]] = field(default_factory=Counter)
    stricter: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, case: Case, lost: Case, result: ComplianceResult, *, is_breached: bool) -> None:
        """Count one window: all of its data, what is left of it, and what that is judged to be."""
        self.windows += 1
        says_breached = result.status is SlaStatus.BREACHED
        is_unknown = result.status is SlaStatus.UNKNOWN
        is_wrong = not is_unknown and says_breached != is_breached
        self.unknown += is_unknown
        self.wrong += is_wrong
        self.certain += result.certain
        self.certain_wrong += result.certain and is_wrong
        self.compliant_though_breached += is_wrong and result.status is SlaStatus.COMPLIANT
        for rule, decides in STRICTER.items():
            self.stricter[rule, "unknown"] += is_unknown or not decides(result)
            self.stricter[rule, "wrong"] += is_wrong and decides(result)
        for name, peer in PEERS.items():
            before, after = by_peer(peer, case), by_peer(peer, lost)
            if after is None or before is None:
                self.peers[name, "unknown"] += 1
            elif before != after:
                self.peers[name, "wrong"] += 1


def tallies(windows: int, seed: int, dataset: Path | None) -> dict[str, Tally]:
    """Judge so many windows, each way of losing data in turn, half of them with real traffic where there is some."""
    counted = {name: Tally() for name in LOSSES}
    traffic = list(real_traffic(dataset)) if dataset is not None else []
    drawn = 0
    with tqdm(total=windows, unit="window", disable=None) as bar:
        while sum(tally.windows for tally in counted.values()) < windows:
            rng = np.random.default_rng([seed, drawn])
            kind = list(LOSSES)[drawn % len(LOSSES)]
            case = from_traffic(rng, *traffic[0]) if traffic and drawn // len(LOSSES) % 2 else simulated(rng)
            drawn += 1
            lost = LOSSES[kind](rng, case, rng.uniform(0.05, 0.5))
            truth = ours(case)
            is_untouched = np.array_equal(lost.total, case.total, True) and np.array_equal(lost.part, case.part, True)
            if truth.status is SlaStatus.UNKNOWN or is_untouched:
                continue
            counted[kind].add(case, lost, ours(lost), is_breached=truth.status is SlaStatus.BREACHED)
            bar.update()
    return counted


@click.command()
@click.option("--windows", default=10_000, show_default=True)
@click.option(
    "--dataset", type=click.Path(exists=True, file_okay=False, path_type=Path), help="PetShop, for real traffic."
)
@click.option("--seed", default=1, show_default=True)
@click.option("--markdown", is_flag=True, help="Tables for docs/benchmarks.md.")
def main(windows: int, dataset: Path | None, seed: int, markdown: bool) -> None:
    """Delete part of each window and count the verdicts that change.

    Example: python benchmarks/missing.py --windows 500
    """
    counted = tallies(windows, seed, dataset)
    mine = [["lost", "windows", "certain", "UNKNOWN", "certain and wrong", "wrong", "COMPLIANT though breached"]]
    theirs = [["lost", "ours wrong", *(f"{name} {what}" for name in PEERS for what in ("wrong", "ratio to ours"))]]
    every = _sum(list(counted.values()))
    for name, tally in (counted | {"all": every}).items():
        of = max(tally.windows, 1)
        shares = [f"{count / of:.3f}" for count in (tally.certain, tally.unknown)]
        counts = [str(count) for count in (tally.certain_wrong, tally.wrong, tally.compliant_though_breached)]
        mine.append([name, str(tally.windows), *shares, *counts])
        row = [name, f"{tally.wrong / of:.4f}"]
        for peer in PEERS:
            wrong = tally.peers[peer, "wrong"]
            row += [f"{wrong / of:.4f}", f"{wrong / tally.wrong:.0f} x" if tally.wrong else "-"]
        theirs.append(row)
    rules = [["the measured value decides from", "wrong", "UNKNOWN"]]
    rules += [
        [rule, *(f"{every.stricter[rule, what] / max(every.windows, 1):.4f}" for what in ("wrong", "unknown"))]
        for rule in STRICTER
    ]
    tables = [("Verdicts after a loss of 5 to 50 %", mine), ("Wrong verdicts, beside other arithmetic", theirs)]
    tables.append(("What a stricter rule would cost, over all losses", rules))
    click.echo(f"{printed(tables, markdown=markdown)}\n\n{NOTES}")


def _sum(several: list[Tally]) -> Tally:
    result = Tally()
    for name in vars(result):
        for tally in several:
            setattr(result, name, getattr(result, name) + getattr(tally, name))
    return result


if __name__ == "__main__":
    main()
