"""An incident with two runs, a small bundle of it made without a kernel, and a whole one made once a session."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from bundle_samples import AFTER, BEFORE, NOON, EvidenceFolder, small_payload
from click.testing import CliRunner
from filelock import FileLock
from run_samples import EPOCH, RunSamples, one_drawing

from tars_lib.cli.main import cli
from tars_lib.evidence.bundle import seal
from tars_lib.evidence.pages import complete
from tars_lib.incidents.response.acts import Writer, acknowledge, note
from tars_lib.incidents.response.observing import record_run
from tars_lib.incidents.response.opening import from_run, open_incident
from tars_lib.pipeline import load_run
from tars_lib.sources.demo import demo_root


@pytest.fixture(scope="session")
def evidence(samples: RunSamples) -> EvidenceFolder:
    """An incident that the demo's run opened and a calm run ended; nothing may write to it, and all workers share it."""
    folder = samples.folder / "evidence"
    run, calm = samples.run("demo"), samples.run("calm")
    with FileLock(samples.folder / "evidence.lock"):
        if not (folder / "written").is_file():
            _write_evidence(folder, run.directory, calm.directory)
            (folder / "written").touch()
    (incident,) = (folder / "incidents").iterdir()
    return EvidenceFolder(folder, incident.parent, incident, folder / "runs" / BEFORE, incident / AFTER)


@pytest.fixture(scope="session")
def small(evidence: EvidenceFolder) -> bytes:
    """A whole bundle but for its reports: some 20 files, sealed."""
    return seal(complete(small_payload(evidence)), "evidence")


@pytest.fixture(scope="session")
def whole(samples: RunSamples, evidence: EvidenceFolder) -> Path:
    """The bundle that the command makes of a copy of the incident, once for all workers."""
    folder, told = samples.folder / "whole" / "work", samples.folder / "whole.txt"
    with FileLock(samples.folder / "whole.lock"), one_drawing() as patch:
        if not told.is_file():
            shutil.copytree(evidence.folder, folder)
            patch.chdir(folder)
            patch.setenv("SOURCE_DATE_EPOCH", EPOCH)
            patch.setenv("TARS_ACTOR", "ada")
            # the register of this machine is another one, which the notebooks of a bundle have nothing to do with
            (samples.folder / "whole" / "elsewhere").mkdir()
            patch.setenv("TARS_INCIDENTS_DIR", str(samples.folder / "whole" / "elsewhere"))
            words = ["bundle", "create", "--incident", evidence.incident.name, "--incidents-dir", "incidents"]
            words += ["--before", "runs/tars-run-*"]
            done = CliRunner().invoke(cli, [*words, "--with-inputs", str(demo_root())])
            assert done.exit_code == 0, done.output
            told.write_text(done.stdout.strip(), encoding="utf-8")
    return folder / told.read_text(encoding="utf-8")


def _write_evidence(folder: Path, run: Path, calm: Path) -> None:
    before = Path(shutil.copytree(run, folder / "runs" / BEFORE))
    opened = open_incident(folder / "incidents", from_run(load_run(before)), "ada", NOON, load_run(before))
    writer = Writer(folder / "incidents" / opened.incident.incident_id, "ada", NOON)
    acknowledge(writer)
    record_run(writer, load_run(Path(shutil.copytree(calm, writer.folder / AFTER))))
    note(writer, "rolled back; café closed \u202e early")
