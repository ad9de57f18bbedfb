"""Runs and timelines that are sealed by digests stay readable once they are redacted, and say what cannot be checked."""

from __future__ import annotations

import hashlib
import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from redaction_samples import PERSON, RULES, SECRETS, write_case

from tars_lib.errors import InputError, VerificationError
from tars_lib.evidence.redacting import redact_sources
from tars_lib.evidence.runs import read_run
from tars_lib.incidents.response.acts import Writer, note
from tars_lib.incidents.store.journal import read_entries, read_incident
from tars_lib.incidents.store.verification import verify
from tars_lib.pipeline import load_run
from tars_lib.redaction.config import read_redaction
from tars_lib.redaction.payload import Redaction
from tars_lib.redaction.sealed import redact_records
from tars_lib.reports.summaries.executive_summary import executive_summary


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    return write_case(tmp_path_factory.mktemp("case"))


def redaction(tmp_path: Path, text: str = RULES) -> Redaction:
    place = tmp_path / "redaction.yaml"
    place.write_text(text, encoding="utf-8")
    return Redaction(read_redaction(place))


def redacted(folder: Path, tmp_path: Path, text: str = RULES) -> Path:
    """The copy of a run or an incident as a bundle holds it."""
    packed = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file() and path.name != ".lock"}
    place = tmp_path / "copy" / folder.name
    place.mkdir(parents=True)
    for name, content in redact_records(packed, redaction(tmp_path, text)).items():
        (place / name).write_bytes(content)
    return place


def test_a_redacted_run_is_a_run_and_names_the_manifest_that_it_was_made_from(
    case: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    run = case[1]
    copy = redacted(run, tmp_path)
    before, after = load_run(run), load_run(copy)
    assert [breach.value for breach in after.sla.breaches] == [breach.value for breach in before.sla.breaches]
    assert sorted(after.org.history.value.tolist()) == sorted(before.org.history.value.tolist())
    named = {repo.team for repo in after.org.repos}
    assert named == {"[REDACTED-email-1]", None}
    assert {repo.repo for repo in after.org.repos} == {"[REDACTED-customer-1]", "web", "mail"}
    assert after.org.history.repos == tuple(sorted({repo.repo for repo in after.org.repos}))
    manifest = json.loads((copy / "manifest.json").read_bytes())
    assert manifest["redacted_from"] == hashlib.sha256((run / "manifest.json").read_bytes()).hexdigest()
    whole = b"".join(path.read_bytes() for path in copy.iterdir())
    assert not [secret for secret in SECRETS if secret != PERSON and secret.encode() in whole]


def test_a_file_that_was_altered_before_still_does_not_fit_its_manifest(
    case: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    spoiled = Path(shutil.copytree(case[1], tmp_path / "run"))
    alerts = spoiled / "org-alerts.json"
    alerts.write_bytes(alerts.read_bytes() + b" ")
    with pytest.raises(VerificationError, match="org-alerts.json: altered"):
        load_run(redacted(spoiled, tmp_path))


def test_a_run_without_secrets_stays_as_it_is(case: tuple[Path, Path, Path], tmp_path: Path) -> None:
    off = "built_in: {email: false, ipv4: false}"
    copy = redacted(case[1], tmp_path, off)
    assert {path.name: path.read_bytes() for path in copy.iterdir()} == {
        path.name: path.read_bytes() for path in case[1].iterdir()
    }


def test_the_summary_is_written_from_the_redacted_reports(case: tuple[Path, Path, Path], tmp_path: Path) -> None:
    runs, _ = redact_sources([read_run(case[1], "run")], None, redaction(tmp_path))
    place = tmp_path / "laid-out"
    place.mkdir()
    for name, content in runs[0].files.items():
        (place / name).write_bytes(content)
    run = load_run(place)
    assert (place / "executive-summary.md").read_text(encoding="utf-8") == executive_summary(run.health, run.sla)


def test_rules_that_make_a_run_unreadable_are_refused(case: tuple[Path, Path, Path], tmp_path: Path) -> None:
    strict = redaction(tmp_path, "fields: [{name: time, path: as_of, everywhere: false}]")
    with pytest.raises(InputError, match="not readable any more once it is redacted: .*as_of"):
        redact_sources([read_run(case[1], "run")], None, strict)


def test_verify_calls_a_redacted_timeline_redacted_and_not_broken(
    case: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    incident = case[2]
    copy = redacted(incident, tmp_path)
    found, original = verify(copy), verify(incident)
    assert original.is_intact
    assert (found.is_intact, found.is_redacted, found.head) == (True, True, original.head)
    assert "redacted: 3 of 4 entries; the chain of the original cannot be checked" in found.notes[0]
    entries = read_entries(copy)
    assert [entry.actor for entry in entries] == ["[REDACTED-person-1]", "[REDACTED-person-1]", "bob", "bob"]
    assert entries[2].text == "[REDACTED-person-1] used [REDACTED-github-token-1] at [REDACTED-ipv4-1]"
    record = read_incident(copy)
    assert record is not None
    assert record.opened_by == "[REDACTED-person-1]"
    raw = json.loads((copy / "incident.json").read_bytes())
    assert raw["redacted_from"] == {
        "record_sha256": hashlib.sha256((incident / "incident.json").read_bytes()).hexdigest(),
        "timeline_sha256": hashlib.sha256((incident / "timeline.jsonl").read_bytes()).hexdigest(),
    }


def test_what_can_still_be_compared_in_a_redacted_timeline_is_compared(
    case: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    copy = redacted(case[2], tmp_path)
    timeline = copy / "timeline.jsonl"
    lines = timeline.read_bytes().splitlines(keepends=True)
    spoiled = {
        "an entry that held nothing": [*lines[:3], lines[3].replace(b"all calm", b"all lost")],
        "a missing entry": [lines[0], *lines[2:]],
        "the end": lines[:3],
        "a torn end": [*lines[:3], lines[3][:-4]],
    }
    for what, made in spoiled.items():
        timeline.write_bytes(b"".join(made))
        assert not verify(copy).is_intact, what


def test_redaction_does_not_excuse_an_entry_that_was_altered_before(
    case: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    spoiled = Path(shutil.copytree(case[2], tmp_path / case[2].name))
    timeline = spoiled / "timeline.jsonl"
    timeline.write_bytes(timeline.read_bytes().replace(b"Grace Hopper used", b"Grace Hopper lost"))
    found = verify(redacted(spoiled, tmp_path))
    assert "entry 3 does not match its sha256" in found.faults[0]


def test_nothing_is_added_to_a_redacted_copy(case: tuple[Path, Path, Path], tmp_path: Path) -> None:
    copy = redacted(case[2], tmp_path)
    with pytest.raises(VerificationError, match="a redacted copy of the incident"):
        note(Writer(copy, "eve", datetime(2026, 4, 1, tzinfo=UTC)), "more")
    shutil.rmtree(copy)
