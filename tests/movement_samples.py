"""Organisations made of matrices: calm ones, and ones with planted relations and incidents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from org_samples import STAMP, T0

from tars_lib.engines.relations.correlation import assess_correlation
from tars_lib.engines.relations.correlation_report import CorrelationReport
from tars_lib.engines.relations.lead_lag import assess_temporal
from tars_lib.engines.relations.lead_lag_report import TemporalReport
from tars_lib.engines.relations.pair_evidence import Evidence, gather_evidence
from tars_lib.model.history import DAY, History, from_micros, to_micros
from tars_lib.model.names import Dependency, Repo
from tars_lib.model.organisation import OrgData

Floats = NDArray[np.float64]
INCIDENT = ("ledger", "payments", "checkout")


def matrix_org(
    matrices: Mapping[str, Floats], repos: Sequence[Repo] | None = None, step: int = DAY, **fields: Any
) -> OrgData:
    """An organisation from one matrix (T, N) a metric; NaN where nothing was reported. Repos must be sorted."""
    metrics = tuple(sorted(matrices))
    rows, columns = matrices[metrics[0]].shape
    described = tuple(repos or (Repo(f"r{n:03d}", f"r{n:03d}") for n in range(columns)))
    assert [repo.repo for repo in described] == sorted(repo.repo for repo in described)
    times = to_micros(T0) + step * np.arange(rows, dtype=np.int64)
    columns_of = [matrices[metric][:, n] for metric in metrics for n in range(columns)]
    seen = [np.isfinite(column) for column in columns_of]
    history = History(
        tuple(repo.repo for repo in described),
        metrics,
        np.concatenate([times[mask] for mask in seen]),
        np.concatenate([column[mask] for column, mask in zip(columns_of, seen, strict=True)]),
        np.concatenate(([0], np.cumsum([mask.sum() for mask in seen]))).astype(np.int64),
    )
    return OrgData("Acme", described, history, **fields)


def with_memory(shocks: Floats, phi: float) -> Floats:
    """AR(1) series from shocks; a random walk at phi 1."""
    out = np.zeros_like(shocks)
    for t in range(1, len(out)):
        out[t] = phi * out[t - 1] + shocks[t]
    return out


def noise(rows: int, columns: int, rng: np.random.Generator, phi: float = 0.0) -> Floats:
    """Stationary noise, or the end of a walk."""
    return with_memory(rng.standard_normal((rows + 200, columns)), phi)[-rows:]


def incident_org(
    lags: Sequence[int] = (0, 1, 2),
    back: int = 6,
    size: float = 25.0,
    declared: bool = True,
    seed: int = 1,
    rows: int = 90,
) -> OrgData:
    """Health of 12 repos; ledger, payments and checkout step down once, `lags` samples after the 6th sample from the end."""
    values = 85.0 + 2.0 * noise(rows, 12, np.random.default_rng(seed), 0.5)
    for column, lag in enumerate(lags):
        values[rows - back + lag :, column] -= size
    names = [*INCIDENT, *(f"z{n}" for n in range(9))]
    order = np.argsort(names)
    repos = [Repo(names[n], names[n], customer_facing=names[n] == "checkout") for n in order]
    calls = [("payments", "ledger"), ("checkout", "payments"), ("checkout", "z2"), ("z0", "z1")]
    dependencies = tuple(Dependency(*call) for call in calls) if declared else ()
    return matrix_org({"health_score": np.clip(values, 0.0, 100.0)[:, order]}, repos, dependencies=dependencies)


def end_of(org: OrgData) -> datetime:
    """Time of the last sample."""
    assert org.history.end is not None
    return from_micros(org.history.end)


def assessed(org: OrgData, max_lag: int = 14) -> tuple[Evidence, CorrelationReport, TemporalReport]:
    """Evidence and both reports."""
    evidence = gather_evidence(org, max_lag)
    correlation = assess_correlation(org, end_of(org), STAMP, evidence)
    return evidence, correlation, assess_temporal(org, end_of(org), correlation, None, STAMP, max_lag, evidence)
