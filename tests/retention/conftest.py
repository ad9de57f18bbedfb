"""The house, made once a session; each test gets a copy."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from retention_samples import CLOSED, POLICY, RUNS, reseal

from tars_lib.evidence.sealing.bag import pack
from tars_lib.incidents.response.acts import Writer, acknowledge, close, resolve
from tars_lib.incidents.response.opening import by_hand, from_run, open_incident
from tars_lib.model.names import Severity
from tars_lib.pipeline import analyze, load_run, write_run
from tars_lib.pipeline.loading import load_org
from tars_lib.sources.demo import demo_root


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A house with runs, incidents, a bundle and reports of different ages."""
    house = tmp_path_factory.mktemp("house")
    analysis = analyze(load_org(demo_root()))
    with pytest.MonkeyPatch.context() as patch:
        for run in RUNS:
            time = datetime.strptime(run, "tars-run-%Y%m%d-%H%M%S").replace(tzinfo=UTC)
            patch.setenv("SOURCE_DATE_EPOCH", str(int(time.timestamp())))
            write_run(
                analyze(analysis.org, analysis.as_of) if run == RUNS[0] else analysis, house / "runs", timestamp=run[9:]
            )
            status = house / "runs" / run / "status.json"
            reseal(house / "runs" / run, status, time)
    first = load_run(house / "runs" / RUNS[0])
    start = datetime(2027, 1, 1, tzinfo=UTC)
    open_incident(house / "incidents", from_run(first), "ada", start, first)
    made = open_incident(house / "incidents", by_hand(Severity.SEV_3, "Slow"), "ada", start + timedelta(minutes=1))
    assert made.incident.incident_id == CLOSED
    writer = Writer(house / "incidents" / CLOSED, "ada", start + timedelta(hours=1))
    acknowledge(writer)
    resolve(writer, "over")
    close(writer, "done")
    for name, day in ((f"incident-evidence-{CLOSED}", start), ("other", datetime(2027, 5, 30, tzinfo=UTC))):
        (house / "bundles").mkdir(exist_ok=True)
        (house / "bundles" / f"{name}.zip").write_bytes(pack(name, {"x.txt": b"evidence"}, {}, day))
    (house / "bundles" / f"incident-evidence-{CLOSED}.zip.minisig").write_bytes(b"signature")
    for run in RUNS[:2]:
        (house / "outputs" / run).mkdir(parents=True)
        page = house / "outputs" / run / "incident_report.html"
        page.write_text("page", encoding="utf-8")
        os.utime(page, (start.timestamp(), start.timestamp()))
    (house / "outputs" / "mine").mkdir()
    (house / "retention.yaml").write_text(POLICY, encoding="utf-8")
    return house


@pytest.fixture
def house(templates: Path, tmp_path: Path) -> Path:
    shutil.copytree(templates, tmp_path / "house")
    # the record names its run by an absolute path, which is of no account here: names count
    return tmp_path / "house"
