"""An incident with two runs, a small bundle of it made without a kernel, and a whole one made once a session."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from bundle_samples import NOON, EvidenceFolder, small_payload
from click.testing import CliRunner
from run_samples import EPOCH, RunSamples

from tars_lib.cli.main import cli
from tars_lib.incidents.acts import Writer, acknowledge, note
from tars_lib.incidents.observing import record_run
from tars_lib.incidents.opening import from_run, open_incident
from tars_lib.packaging.bundle import seal
from tars_lib.packaging.complete import complete
from tars_lib.pipeline import load_run
from tars_lib.sources.demo import demo_root


@pytest.fixture(scope="session")
def evidence(samples: RunSamples, tmp_path_factory: pytest.TempPathFactory) -> EvidenceFolder:
    """An incident that the demo's run opened and a calm run ended; nothing may write to it."""
    folder = tmp_path_factory.mktemp("evidence")
    root = folder / "incidents"
    run = samples.run("demo")
    before = Path(shutil.copytree(run.directory, folder / "runs" / "tars-run-20260105-143000"))
    opened = open_incident(root, from_run(load_run(before)), "ada", NOON, load_run(before))
    writer = Writer(root / opened.incident.incident_id, "ada", NOON)
    acknowledge(writer)
    after = Path(shutil.copytree(samples.run("calm").directory, writer.folder / "tars-run-20260105-170000"))
    record_run(writer, load_run(after))
    note(writer, "rolled back; café closed \u202e early")
    return EvidenceFolder(folder, root, writer.folder, before, after)


@pytest.fixture(scope="session")
def small(evidence: EvidenceFolder) -> bytes:
    """A whole bundle but for its reports: some 30 files, sealed."""
    return seal(complete(small_payload(evidence)), "evidence")


@pytest.fixture(scope="session")
def whole(evidence: EvidenceFolder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle that the command makes of a copy of the incident: five kernels."""
    folder = Path(shutil.copytree(evidence.folder, tmp_path_factory.mktemp("whole") / "work"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("SOURCE_DATE_EPOCH", EPOCH)
        patch.setenv("TARS_ACTOR", "ada")
        words = ["bundle", "create", "--incident", evidence.incident.name, "--before", "runs/tars-run-*"]
        done = CliRunner().invoke(cli, [*words, "--with-inputs", str(demo_root())])
    assert done.exit_code == 0, done.output
    return folder / done.stdout.strip()
