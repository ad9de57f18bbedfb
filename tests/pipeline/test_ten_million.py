"""Ten million samples in parts, looked at a million at a time, are judged as the same samples in memory are."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import cast

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from org_samples import T0

import tars_lib as tars
from tars_lib.engines.sla.report import Breach, ComplianceResult
from tars_lib.model import samples
from tars_lib.model.slo import ratio
from tars_lib.model.slo import rows as track_rows
from tars_lib.stats.series import spans

SERVICES, COUNTS, LATE = 100, 33_500, 240
DESCRIBED = "dependencies: [{from: service-03, to: service-07}]\nrepos: {service-03: {customer_facing: true}}\n"


def shape() -> dict[str, np.ndarray]:
    """Minutes of requests, failures and latency of each service; at the end service-07 fails and is slow, then its caller."""
    rng = np.random.default_rng(16)
    total = rng.poisson(1000.0, (COUNTS, SERVICES)).astype(np.float64)
    share = np.full((COUNTS, SERVICES), 2e-4)
    latency = rng.gamma(20.0, 0.01, (COUNTS, SERVICES))
    for service, late in ((7, LATE), (3, LATE - 2)):
        share[-late:, service] = 0.4
        latency[-late:, service] *= 20.0
    return {"requests_total": total, "requests_failed": rng.binomial(total.astype(int), share), "latency_p95": latency}


def write(folder: Path, columns: dict[str, np.ndarray], times: int) -> None:
    """A file for every so many times."""
    folder.mkdir(parents=True)
    (folder.parent / "org.yaml").write_text(DESCRIBED, encoding="utf-8")
    names = [f"service-{number:02d}" for number in range(SERVICES)]
    minutes = np.datetime64(T0.replace(tzinfo=None), "us") + np.arange(len(columns["latency_p95"])) * np.timedelta64(
        1, "m"
    )
    for first in range(0, minutes.size, times):
        part = slice(first, first + times)
        tables = []
        for metric, values in columns.items():
            value = values[part].astype(np.float64).ravel()
            repo = pa.DictionaryArray.from_arrays(np.resize(np.arange(SERVICES, dtype=np.int32), value.size), names)
            kind = pa.DictionaryArray.from_arrays(np.zeros(value.size, dtype=np.int32), [metric])
            stamp = pa.array(np.repeat(minutes[part], SERVICES), pa.timestamp("us")).cast(pa.timestamp("us", "UTC"))
            tables.append(pa.table({"timestamp": stamp, "repo": repo, "metric": kind, "value": value}))
        pq.write_table(pa.concat_tables(tables), folder / f"minutes-{first:06d}.parquet")


def judged(root: Path) -> dict[str, object]:
    analysis = tars.analyze(tars.load_org(root))
    return {
        "results": analysis.sla.compliance_results,
        "breaches": analysis.sla.breaches,
        "readiness": analysis.sla.executive_readiness,
        "services": analysis.health.repository_reports,
        "alerts": analysis.alerts.alerts,
    }


@pytest.mark.thorough
def test_parts_and_memory_agree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    columns = shape()
    assert sum(values.size for values in columns.values()) >= 10_000_000
    write(tmp_path / "many" / "history", columns, COUNTS // 20)
    write(tmp_path / "one" / "history", columns, COUNTS)
    monkeypatch.setattr(samples, "HELD_ROWS", 0)
    parted = judged(tmp_path / "many")
    monkeypatch.setattr(samples, "HELD_ROWS", sys.maxsize)
    for module in (spans, track_rows, ratio):
        monkeypatch.setattr(module, "BLOCK", sys.maxsize)
    assert parted == judged(tmp_path / "one")
    breaches = {breach.sla_id: breach for breach in cast("tuple[Breach, ...]", parted["breaches"])}
    assert set(breaches) == {"availability"}
    assert breaches["availability"].root_causes[0].repo == "service-07"
    results = cast("tuple[ComplianceResult, ...]", parted["results"])
    assert all(result.windows[0].ci_low is not None for result in results[:2])
