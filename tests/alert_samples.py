"""Runs the engines that alerts build on, and gives alerts by type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray
from org_samples import DAILY, STAMP, T0, org_of, series

from tars_lib.engines.alerts.assess import assess_alerts
from tars_lib.engines.alerts.report import Alert, AlertReport
from tars_lib.engines.health.assess import assess_health
from tars_lib.engines.sla.assess import assess_slas
from tars_lib.model.admission import admit
from tars_lib.model.history import DAY, to_micros
from tars_lib.model.names import AlertType, Repo
from tars_lib.model.organisation import OrgData
from tars_lib.model.samples import Origin, Samples
from tars_lib.model.slo import AnyPolicy
from tars_lib.sources.root import default_policies

Floats = NDArray[np.float64]


def alerts_of(org: OrgData, as_of: datetime | None = None) -> AlertReport:
    """What the alerts engine says of an organisation."""
    known, at = org.at(as_of)
    health = assess_health(known, at, STAMP)
    return assess_alerts(known, at, health, assess_slas(known, at, health, STAMP), STAMP)


def of_type(report: AlertReport, kind: AlertType) -> list[Alert]:
    """Alerts of one type, in order of priority."""
    return [alert for alert in report.alerts if alert.type is kind]


def noise(rng: np.random.Generator, shape: tuple[int, ...], phi: float) -> Floats:
    """Stationary AR(1) noise of unit variance, along the first axis."""
    steps = rng.normal(size=shape)
    values = steps.copy()
    for at in range(1, shape[0]):
        values[at] = phi * values[at - 1] + np.sqrt(1.0 - phi**2) * steps[at]
    return values


def calm_org(
    seed: int, repos: int = 12, days: int = 60, phi: float = 0.5, planted: Mapping[int, Floats] | None = None
) -> OrgData:
    """A healthy organisation, judged by the packaged policies.

    Scores around 84 to 96, requests of which 2 in 10,000 fail, latencies around 0.2 s, all daily. `planted` replaces
    the scores of repos by position.
    """
    rng = np.random.default_rng(seed)
    names = tuple(f"repo-{n:02d}" for n in range(repos))
    level, spread = rng.uniform(84, 96, repos), rng.uniform(0.5, 2.0, repos)
    score = np.clip(level + spread * noise(rng, (days, repos), phi), 0, 100)
    for column, values in (planted or {}).items():
        score[:, column] = values
    total = rng.poisson(100_000, (days, repos)).astype(np.float64)
    columns = {
        "health_score": score,
        "requests_total": total,
        "requests_failed": rng.binomial(total.astype(np.int64), 2e-4).astype(np.float64),
        "latency_p95": 0.2 * np.exp(0.1 * noise(rng, (days, repos), phi)),
    }
    cells = days * repos
    samples = Samples(
        names,
        tuple(columns),
        np.tile(np.arange(repos, dtype=np.int32), days * len(columns)),
        np.repeat(np.arange(len(columns), dtype=np.int32), cells),
        np.tile(np.repeat(to_micros(T0) + DAY * np.arange(days), repos), len(columns)),
        np.concatenate([values.ravel() for values in columns.values()]),
        (Origin("history.csv", cells * len(columns)),),
    )
    described = tuple(Repo(name, name) for name in names)
    return OrgData(name="Acme", repos=described, history=admit(samples, {}), policies=default_policies())


def scores(by_repo: dict[str, Sequence[float]], *policies: AnyPolicy, **fields: Any) -> OrgData:
    """An organisation of reported daily scores."""
    return org_of(
        [row for repo, values in by_repo.items() for row in series(repo, "health_score", values)], *policies, **fields
    )


def facing(name: str, **fields: Any) -> Repo:
    """A customer-facing repo."""
    return Repo(name, name, customer_facing=True, **fields)


def day(number: int) -> datetime:
    """Time of a daily sample."""
    return T0 + number * DAILY


def minutes(number: int) -> timedelta:
    """So many minutes."""
    return timedelta(minutes=number)
