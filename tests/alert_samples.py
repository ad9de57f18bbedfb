"""Runs the engines that alerts build on, and gives alerts by type."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from org_samples import DAILY, STAMP, T0, Row, counts, org_of, series

from tars_lib.engines.alert_report import Alert, AlertReport
from tars_lib.engines.alerts import assess_alerts
from tars_lib.engines.health import assess_health
from tars_lib.engines.sla import assess_slas
from tars_lib.org import OrgData
from tars_lib.policies import AnyPolicy
from tars_lib.schema import AlertType, Repo
from tars_lib.sources.root import default_policies


def alerts_of(org: OrgData, as_of: datetime | None = None) -> AlertReport:
    """What the alerts engine says of an organisation."""
    known, at = org.at(as_of)
    health = assess_health(known, at, STAMP)
    return assess_alerts(known, at, health, assess_slas(known, at, health, STAMP), STAMP)


def of_type(report: AlertReport, kind: AlertType) -> list[Alert]:
    """Alerts of one type, in order of priority."""
    return [alert for alert in report.alerts if alert.type is kind]


def noise(rng: np.random.Generator, n: int, phi: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Stationary AR(1) noise of unit variance."""
    steps = rng.normal(size=n)
    values = steps.copy()
    for at in range(1, n):
        values[at] = phi * values[at - 1] + np.sqrt(1.0 - phi**2) * steps[at]
    return values


def calm_rows(seed: int, repos: int, days: int, phi: float) -> list[Row]:
    """A healthy organisation: scores around 84 to 96, requests of which 2 in 10,000 fail, latencies around 0.2 s."""
    rng = np.random.default_rng(seed)
    rows: list[Row] = []
    for n in range(repos):
        name = f"repo-{n:02d}"
        rows += series(
            name, "health_score", np.clip(rng.uniform(84, 96) + rng.uniform(0.5, 2.0) * noise(rng, days, phi), 0, 100)
        )
        total = rng.poisson(100_000, days)
        rows += counts(name, total, rng.binomial(total, 2e-4))
        rows += series(name, "latency_p95", 0.2 * np.exp(0.1 * noise(rng, days, phi)))
    return rows


def calm_org(seed: int, repos: int = 12, days: int = 60, phi: float = 0.5, **fields: Any) -> OrgData:
    """The same, judged by the packaged policies."""
    return org_of(calm_rows(seed, repos, days, phi), *default_policies(), **fields)


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
