"""What stands in a bundle that the command made, and that the same evidence gives the same bytes."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pypdf
import pytest
from bundle_samples import NOON, EvidenceFolder, unzipped
from click.testing import CliRunner
from run_samples import RunSamples
from warm import CELLS_HERE, COLD

from tars_lib.cli.main import cli
from tars_lib.errors import InputError, VerificationError
from tars_lib.evidence.bundle import make_bundle
from tars_lib.evidence.choice import choose, incident_around
from tars_lib.evidence.compliance import LINES
from tars_lib.evidence.gather import Request
from tars_lib.evidence.incident_part import read_part
from tars_lib.evidence.pages import complete
from tars_lib.evidence.payload import Payload
from tars_lib.evidence.runs import lay_out, read_run
from tars_lib.evidence.sealing.custody import Log, enter
from tars_lib.evidence.verification import verify, verify_bytes
from tars_lib.incidents.response.acts import Writer, note
from tars_lib.incidents.store.record import CustodyAct, CustodyEvent
from tars_lib.incidents.store.verification import verify as verify_incident

pytestmark = pytest.mark.xdist_group("whole bundle")  # made once, by whoever needs it first


@pytest.mark.slow
def test_a_bundle_of_an_incident_holds_all_that_the_playbook_asks_for(whole: Path, evidence: EvidenceFolder) -> None:
    assert verify(whole).is_intact
    files = unzipped(whole.read_bytes())
    before, after = evidence.before.name, evidence.after.name
    for name in (before, after):
        for page in ("incident_report", "executive_summary"):
            for ending in ("ipynb", "html", "pdf"):
                assert f"data/reports/{name}/{page}.{ending}" in files
        assert f"data/figures/{name}/executive_summary-01.svg" in files
        assert files[f"data/figures/{name}/executive_summary-01.png"].startswith(b"\x89PNG")
    assert f"data/reports/{before}/sla_breach.pdf" in files
    for name in ("incident.json", "timeline.jsonl"):
        there = files[f"data/incident/{evidence.incident.name}/{name}"]
        assert there == (evidence.incident / name).read_bytes()
    difference = json.loads(files["data/difference.json"])
    assert (difference["before"], difference["after"]) == (before, after)
    assert any(change["direction"] == "BETTER" for change in difference["changes"])
    inputs = json.loads(files["data/inputs.json"])["inputs"]
    assert len(inputs) >= 3
    for row in inputs:
        assert hashlib.sha256(files[f"data/{row['file']}"]).hexdigest() == row["sha256"]
    rules = json.loads(files["data/rules/sla-policies.json"])
    assert len(rules["policies"]) >= 2
    assert rules["source_sha256"] in {row["sha256"] for row in inputs}
    assert rules["sources"] == [{"path": rules["source"], "sha256": rules["source_sha256"]}]
    assert json.loads(files["data/rules/playbook.json"])["sha256"]
    made_with = json.loads(files["data/environment.json"])
    assert {"numpy", "scipy", "typst", "papermill", "python-dateutil"} <= set(made_with["packages"])
    lock = Path(__file__).resolve().parents[2] / "requirements" / "core.lock"
    assert made_with["lock"]["sha256"] == hashlib.sha256(lock.read_bytes()).hexdigest()


@pytest.mark.slow
def test_the_index_answers_every_line_and_names_files_that_are_there(whole: Path) -> None:
    files = unzipped(whole.read_bytes())
    index = json.loads(files["data/compliance-index.json"])
    assert [line["line"] for line in index["lines"]] == [line.line for line in LINES]
    assert {line["status"] for line in index["lines"]} == {"ANSWERED"}
    assert all(f"data/{path}" in files for line in index["lines"] for path in line["files"])
    leadership = [line for line in index["lines"] if line["section"].endswith("Leadership Evidence Package")]
    assert [line["field"] for line in leadership] == ["executive_readiness", "risk_narrative", "scorecard", ""]
    page = files["data/compliance-index.md"].decode()
    assert f"{len(LINES)} of {len(LINES)} lines are answered" in page


@pytest.mark.slow
def test_no_file_but_the_incidents_own_record_names_a_place_on_the_machine(whole: Path) -> None:
    home = str(whole.parents[2]).encode()
    files = unzipped(whole.read_bytes())
    named = [name for name, content in files.items() if home in content and not name.startswith("data/incident/")]
    assert named == []
    notebook = files[next(name for name in files if name.endswith("incident_report.ipynb"))]
    assert b'run_dir = \\"runs/tars-run-' in notebook
    assert not re.search(rb'"(start|end)_time": "', notebook)


@pytest.mark.slow
def test_creation_is_entered_in_the_timeline_and_not_in_the_bundle(whole: Path, evidence: EvidenceFolder) -> None:
    folder = whole.parents[2] / "incidents" / evidence.incident.name
    last = json.loads((folder / "timeline.jsonl").read_text().splitlines()[-1])
    assert (last["kind"], last["actor"]) == ("CUSTODY", "ada")
    digest = hashlib.sha256(whole.read_bytes()).hexdigest()
    assert digest in last["text"]
    assert verify_incident(folder).is_intact
    assert not any(digest.encode() in content for content in unzipped(whole.read_bytes()).values())


def test_entries_on_bundles_at_the_end_are_not_packed_so_the_state_gives_the_same_bytes(
    evidence: EvidenceFolder, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(evidence.incident, tmp_path / evidence.incident.name))
    before = read_part(folder).files
    event = CustodyEvent(CustodyAct.CREATED, "b.zip", "0" * 64, NOON, "ada", "unsigned")
    enter(Log(folder, None), event)
    assert verify_incident(folder).entries == 5
    assert read_part(folder).files == before
    note(Writer(folder, "ada", NOON + timedelta(hours=1)), "found later")
    packed = read_part(folder).files
    assert packed != before
    assert b"CUSTODY" in packed[f"incident/{folder.name}/timeline.jsonl"]


@pytest.mark.slow
def test_two_folders_time_zones_and_locales_give_the_same_bytes(samples: RunSamples, tmp_path: Path) -> None:
    made = []
    for place, zone, locale, seed in (("a", "UTC", "C", None), ("b c/d", "Asia/Kathmandu", "C.utf8", "2")):
        folder = tmp_path / place
        shutil.copytree(samples.run("calm").directory, folder / "here" / "tars-run-20260105-143000")
        env = {key: value for key, value in os.environ.items() if not key.startswith(("TARS_", "LC_", "LANG"))}
        env |= {"TZ": zone, "LC_ALL": locale, "SOURCE_DATE_EPOCH": "1767620000", "NOTEBOOK_CELLS": "here"}
        env |= {} if seed is None else {"PYTHONHASHSEED": seed}
        start = [sys.executable, "-m", "tars_lib.cli.main"] if seed is None else [COLD, CELLS_HERE]
        words = [*start, "bundle", "create", "--run-dir", "here/tars-run-*"]
        made.append((folder, subprocess.Popen(words, cwd=folder, env=env, stdout=subprocess.PIPE, text=True)))
    contents = []
    for folder, process in made:
        said, _ = process.communicate()
        assert process.returncode == 0
        contents.append((folder / said.strip()).read_bytes())
    assert contents[0] == contents[1]
    assert verify_bytes(contents[0]).is_intact
    assert json.loads((tmp_path / "a" / "release" / "executive" / "custody.jsonl").read_text())["kind"] == "CUSTODY"


def broken_run(samples: RunSamples, folder: Path, *missing: str) -> Path:
    run = Path(shutil.copytree(samples.run("calm").directory, folder / "tars-run-20260105-143000"))
    for name in missing:
        (run / name).unlink()
    return run


def test_a_run_that_is_not_whole_is_refused_and_packed_as_partial_when_told_to(
    samples: RunSamples, tmp_path: Path
) -> None:
    run = broken_run(samples, tmp_path, "org-alerts.json")
    (run / "note.txt").write_text("added", encoding="utf-8")
    with pytest.raises(VerificationError, match=r"org-alerts.json is missing and \d more faults; --allow-partial"):
        make_bundle(choose(Request(()), run=run))
    made = make_bundle(choose(Request((), allow_partial=True), run=run))
    checked = verify_bytes(made.content)
    assert checked.is_intact, "what is missing was missing when it was packed"
    assert checked.partial is not None
    assert "org-alerts.json is missing" in checked.partial
    files = unzipped(made.content)
    assert b"PARTIAL" in files["data/compliance-index.md"]
    index = json.loads(files["data/compliance-index.json"])
    assert any("note.txt is not listed" in reason for reason in index["partial"])
    assert {line["line"]: line["status"] for line in index["lines"]}["org-alerts.json"] == "MISSING"
    page = pypdf.PdfReader(io.BytesIO(files[f"data/reports/{run.name}/partial.pdf"])).pages[0].extract_text()
    assert "PARTIAL" in page
    assert "org-alerts.json is missing" in page.replace("\n", " ").replace("\u200b", "")
    assert b"PARTIAL" in files[f"data/reports/{run.name}/partial.html"]


@pytest.mark.slow
def test_every_export_of_a_partial_bundle_says_so_on_its_first_page(whole: Path) -> None:
    files = unzipped(whole.read_bytes())
    path = next(name for name in files if name.endswith("sla_breach.ipynb")).removeprefix("data/")
    reason = "tars-run-x: executive-summary.md was altered since the run was written"
    made = complete(Payload({path: files[f"data/{path}"]}, "x", NOON, partial=(reason,))).files
    stem = path.removesuffix(".ipynb")
    first = pypdf.PdfReader(io.BytesIO(made[f"{stem}.pdf"])).pages[0].extract_text()
    assert "PARTIAL" in first
    assert reason in first.replace("\n", " ").replace("\u200b", "")
    assert b"PARTIAL" in made[f"{stem}.html"]
    assert json.loads(made[path])["metadata"]["tars"]["partial"] == [reason]
    assert "PARTIAL" not in pypdf.PdfReader(io.BytesIO(files[f"data/{stem}.pdf"])).pages[0].extract_text()


def test_a_run_that_is_altered_but_can_be_read_is_laid_out_for_its_reports(samples: RunSamples, tmp_path: Path) -> None:
    run = broken_run(samples, tmp_path)
    (run / "executive-summary.md").write_text("altered", encoding="utf-8")
    packed = read_run(run, run.name)
    assert (packed.run, packed.faults) == (
        None,
        (f"{run.name}: executive-summary.md was altered since the run was written",),
    )
    assert packed.files["manifest.json"] == (run / "manifest.json").read_bytes()
    laid_out = lay_out(packed, tmp_path / "stage" / run.name)
    assert laid_out is not None
    assert laid_out.sla == samples.run("calm").sla


def test_a_run_brings_the_incident_in_whose_folder_it_stands(evidence: EvidenceFolder) -> None:
    assert incident_around(evidence.after) == evidence.incident.resolve()
    assert incident_around(evidence.before) is None
    request = choose(Request((), incident=evidence.incident))
    assert [run.name for run in request.runs] == [evidence.before.name, evidence.after.name]
    assert (request.before, request.after) == request.runs
    assert request.faults == ()


def test_a_recorded_run_that_is_gone_or_another_is_a_fault(evidence: EvidenceFolder, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(evidence.incident, tmp_path / evidence.incident.name))
    shutil.rmtree(folder / evidence.after.name)
    gone = choose(Request((), incident=folder))
    assert ["after containment is not where" in fault for fault in gone.faults] == [True]
    shutil.copytree(evidence.before, folder / evidence.after.name)
    other = choose(Request((), incident=folder))
    assert ["is not the one that was recorded" in fault for fault in other.faults] == [True]
    with pytest.raises(VerificationError, match="--allow-partial"):
        make_bundle(other)
    with pytest.raises(InputError, match="nothing to pack"):
        choose(Request(()))


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--run-dir", "none-*"),
        ("--incident", "INC-202601051200"),
        ("--run-dir", ".", "--bundle-name", "../evil"),
        ("--run-dir", ".", "--with-inputs", "nowhere"),
        ("--run-dir", ".", "--sign-key", "nowhere"),
        ("--run-dir", ".", "--playbook", "nowhere"),
    ],
)
def test_what_cannot_be_packed_is_refused_and_leaves_nothing(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(cli, ["bundle", "create", *words])
    assert done.exit_code in (1, 2)
    assert "Traceback" not in done.output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"[" * 100_000, b"a: &a [1]\nb: *a\n", b"\xff\xfe\x00", b"unheard_of: 1\n"])
def test_an_own_playbook_that_is_not_whole_is_refused_by_its_own_name_before_a_kernel_starts(
    content: bytes, samples: RunSamples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.yaml").write_bytes(content)
    began = time.monotonic()
    words = ("--run-dir", str(samples.run("demo").directory), "--playbook", "mine.yaml")
    done = CliRunner().invoke(cli, ["bundle", "create", *words])
    assert (done.exit_code, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith("error: mine.yaml")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.yaml"]
    assert time.monotonic() - began < 10


HOSTILE = (
    "=HYPERLINK('x').txt",
    "\u202egpj.exe",
    "a\nb",
    "caf\u00e9.txt",
    "<script>alert(1)<script>",
    "-rf",
    "x" * 200,
)


def test_hostile_file_names_in_a_run_get_plain_ones_and_stay_visible_text(samples: RunSamples, tmp_path: Path) -> None:
    run = broken_run(samples, tmp_path, "org-alerts.json")
    for number, name in enumerate(HOSTILE):
        (run / name).write_text(str(number), encoding="utf-8")
    made = make_bundle(choose(Request((), allow_partial=True), run=run))
    checked = verify_bytes(made.content)
    assert checked.is_intact
    files = unzipped(made.content)
    stored = [content for path, content in files.items() if path.startswith("data/runs/") and len(content) == 1]
    assert sorted(stored) == [str(number).encode() for number in range(len(HOSTILE))]
    assert all(re.fullmatch(r"[A-Za-z0-9._/-]+", path) for path in files)
    for text in (files["bag-info.txt"].decode(), files["data/compliance-index.md"].decode()):
        assert "\u202e" not in text
    assert "<script>" not in files["data/compliance-index.md"].decode()
    assert "<script>" not in files[f"data/reports/{run.name}/partial.html"].decode()
