"""How often calm SLAs are called at risk, and planted declines found, with what range of days.

Calm: half of the error budget is used (20,000 requests a day, the failed share varies by 25 %), and a latency is two of
its standard deviations from its objective; two SLAs, daily samples; an organisation counts when either is not COMPLIANT.
Declining: the latency of one repo, 0.3 s at first, climbs so that its mean over 30 days passes the objective of 0.5 s in
5 or 14 days; the true day is the one on which the series, continued with its noise, does.

Usage: python benchmarks/outlooks.py [--seeds 200] [--only calm|declining|calibration|speed]
"""

from __future__ import annotations

import argparse
import os
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from collections.abc import Mapping
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from tars_lib.engines.sla.report import ComplianceResult
from tars_lib.engines.sla.verdict import judge
from tars_lib.model.admission import admit
from tars_lib.model.history import DAY, from_micros
from tars_lib.model.names import Repo, SlaStatus
from tars_lib.model.organisation import OrgData
from tars_lib.model.samples import Origin, Samples
from tars_lib.model.slo import AnyPolicy, RatioPolicy, ThresholdPolicy
from tars_lib.stats.forecasting.limit_crossing import forecast_breaches

Floats = NDArray[np.float64]

WINDOW, LATENCY, OBJECTIVE = 30, 0.3, 0.5
NOISES = ((0.04, 0.0), (0.04, 0.5), (0.02, 0.5))
DECLINES = ((30, 25), (60, 25), (60, 40), (90, 40), (120, 60))
AVAILABILITY = RatioPolicy(
    sla_id="availability",
    sla_name="Availability",
    sla_type="availability",
    objective=0.999,
    total="requests_total",
    part="requests_failed",
)
QUICK = ThresholdPolicy(
    sla_id="latency",
    sla_name="Latency",
    sla_type="latency",
    objective=OBJECTIVE,
    metric="latency",
    unit="s",
    higher_is_better=False,
)


def memory(rows: int, columns: int, phi: float, rng: np.random.Generator) -> Floats:
    """AR(1) noise with unit variance, shape (rows, columns)."""
    steps = rng.normal(size=(rows + 50, columns)) * np.sqrt(1.0 - phi**2)
    made = np.zeros_like(steps)
    for row in range(1, len(steps)):
        made[row] = phi * made[row - 1] + steps[row]
    return np.asarray(made[50:])


def organisation(metrics: Mapping[str, Floats], policies: tuple[AnyPolicy, ...]) -> tuple[OrgData, datetime]:
    """Daily samples, (rows, repos) each, and the time of the last."""
    names = tuple(metrics)
    rows, repos = metrics[names[0]].shape
    keys = tuple(f"repo-{place:03d}" for place in range(repos))
    each = np.arange(rows * repos)
    samples = Samples(
        keys,
        names,
        np.tile(each % repos, len(names)).astype(np.int32),
        np.repeat(np.arange(len(names)), each.size).astype(np.int32),
        np.tile(each // repos, len(names)) * DAY,
        np.concatenate([metrics[name].ravel() for name in names]),
        (Origin("made here", each.size * len(names)),),
    )
    org = OrgData(
        name="Bench", repos=tuple(Repo(key, key) for key in keys), history=admit(samples, {}), policies=policies
    )
    return org, from_micros((rows - 1) * DAY)


def calm(rows: int, repos: int, phi: float, seed: int) -> tuple[OrgData, datetime]:
    """An organisation in which nothing happens."""
    rng = np.random.default_rng(seed)
    total = rng.poisson(20_000, (rows, repos))
    share = 0.0005 * np.exp(0.25 * memory(rows, repos, phi, rng) - 0.03)
    metrics = {
        "requests_total": total.astype(np.float64),
        "requests_failed": rng.binomial(total, share).astype(np.float64),
        "latency": 0.4 + 0.05 * memory(rows, repos, phi, rng),
    }
    return organisation(metrics, (AVAILABILITY, QUICK))


def false_alarms(seeds: int) -> None:
    """Print the share of calm organisations with an SLA at risk."""
    print("calm organisations: not COMPLIANT, of which a burn-rate pair fires")
    for repos in (1, 3, 12):
        for rows in (30, 60, 120):
            for phi in (0.0, 0.5, 0.9):
                risky = firing = 0
                for seed in range(seeds):
                    org, as_of = calm(rows, repos, phi, seed)
                    results = [judge(org, policy, as_of, ()).result for policy in org.policies]
                    risky += any(result.status is not SlaStatus.COMPLIANT for result in results)
                    firing += any(rate.is_firing for result in results for rate in result.burn_rates)
                print(f"{repos:3d} repos, {rows:3d} days, AR(1) {phi:.1f}: {risky:3d} and {firing:3d} of {seeds}")


def decline(rows: int, lead: int, ahead: int, sigma: float, phi: float, seed: int) -> tuple[ComplianceResult, float]:
    """Verdict on a climbing latency that is still met, and in how many days its mean passes the objective."""
    rng = np.random.default_rng(seed)
    later = 60
    climb = np.maximum(np.arange(rows + later) - (rows - lead), 0.0)
    slope = (OBJECTIVE - LATENCY) / climb[rows + ahead - WINDOW : rows + ahead].mean()
    series = LATENCY + sigma * memory(rows + later, 1, phi, rng)[:, 0] + slope * climb
    sums = np.concatenate([[0.0], np.cumsum(series)])
    rolling = (sums[rows + 1 :] - sums[rows + 1 - WINDOW : -WINDOW]) / WINDOW
    passes = np.flatnonzero(rolling > OBJECTIVE)
    org, as_of = organisation({"latency": series[:rows, None]}, (QUICK,))
    return judge(org, QUICK, as_of, ()).result, float(passes[0] + 1 if passes.size else np.inf)


def declines(seeds: int) -> None:
    """Print how many declines are at risk before they breach, and how good the dates are."""
    print("declines: at risk; range of days holds the true day; median said and true; of those at risk")
    for rows, lead in DECLINES:
        for ahead in (5, 14):
            for sigma, phi in NOISES:
                found = [decline(rows, lead, ahead, sigma, phi, seed) for seed in range(seeds)]
                met = [(result, true) for result, true in found if result.status is not SlaStatus.BREACHED]
                told = [
                    (result.days_until_breach, true) for result, true in met if result.days_until_breach is not None
                ]
                risky = sum(result.status is SlaStatus.AT_RISK for result, _ in met)
                held = sum(days.low <= true <= (np.inf if days.high is None else days.high) for days, true in told)
                said = np.median([days.value for days, _ in told]) if told else np.nan
                real = np.median([true for _, true in told]) if told else np.nan
                print(
                    f"{rows:3d} days, climbing for {lead}, breach in {ahead:2d}, noise {sigma} AR(1) {phi:.1f}: "
                    f"{risky / max(len(met), 1):4.0%}, {held / max(len(told), 1):4.0%}, {said:.0f} and {real:.0f}"
                )


def calibration() -> None:
    """Print how often a breach came true that was given a probability, on noise whose mean is near its limit."""
    print("noise 0.3 of its standard deviations below its limit, 120 days: said, came true within 30 days, series")
    for phi in (0.5, 0.9):
        rng = np.random.default_rng(1)
        values = memory(150, 3000, phi, rng)
        sums = np.cumsum(np.concatenate([np.zeros((1, values.shape[1])), values]), axis=0)
        rolling = (sums[WINDOW:] - sums[:-WINDOW]) / WINDOW
        now, later = rolling[120 - WINDOW], rolling[121 - WINDOW :]
        met = np.flatnonzero(now <= 0.3)
        past = values[:120, met]
        found = forecast_breaches(past, np.ones_like(past), WINDOW, 30, np.full(met.size, 0.3))
        came = (later[:, met] > 0.3).any(axis=0)
        for low, high in ((0.0, 0.1), (0.1, 0.3), (0.3, 0.5), (0.5, 0.7), (0.7, 0.9), (0.9, 1.0)):
            inside = (found.probability >= low) & (found.probability < high)
            if inside.sum() >= 20:
                said, real = found.probability[inside].mean(), came[inside].mean()
                print(f"AR(1) {phi}: {said:.0%}, {real:.0%}, {inside.sum()}")


def speed() -> None:
    """Print what burn rates and forecasts add to the judgement of both SLAs."""
    print("seconds of CPU, best of 5: both SLAs, and without looking ahead")
    for repos, rows in ((50, 120), (500, 90)):
        org, as_of = calm(rows, repos, 0.5, 1)
        costs = []
        for look_ahead in (True, False):
            took = []
            for _ in range(5):
                start = time.process_time()
                for policy in org.policies:
                    judge(org, policy, as_of, (), look_ahead=look_ahead)
                took.append(time.process_time() - start)
            costs.append(min(took))
        print(f"{repos} repos x {rows} days: {costs[0]:.3f} and {costs[1]:.3f}")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=200, help="organisations of each kind; default %(default)s")
    parser.add_argument("--only", choices=("calm", "declining", "calibration", "speed"), help="one table alone")
    given = parser.parse_args()
    if given.only in (None, "calm"):
        false_alarms(given.seeds)
    if given.only in (None, "declining"):
        declines(given.seeds)
    if given.only in (None, "calibration"):
        calibration()
    if given.only in (None, "speed"):
        speed()


if __name__ == "__main__":
    main()
