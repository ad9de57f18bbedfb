"""`tars bundle create --redact`: no page, picture, notebook, PDF or table of the bundle holds what was to be removed."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pypdf
import pytest
from click.testing import CliRunner
from redaction_samples import CUSTOMER, MAIL, RULES, SECRETS, write_case

from tars_lib.cli.main import cli
from tars_lib.evidence.bundle import make_bundle, write_bundle
from tars_lib.evidence.gather import Request
from tars_lib.evidence.verification import verify
from tars_lib.redaction.config import read_redaction
from tars_lib.redaction.payload import Redaction


def texts(path: str, content: bytes) -> str:
    """Everything that can be read in a file, pictures in notebooks as their SVG source."""
    if path.endswith(".pdf"):
        reader = pypdf.PdfReader(io.BytesIO(content))
        return "".join(page.extract_text() for page in reader.pages) + str(reader.metadata) + str(reader.xmp_metadata)
    if path.endswith(".parquet"):
        return str(pq.read_table(pa.BufferReader(content)).to_pydict().get("repo"))
    text = content.decode("utf-8", "replace")
    if path.endswith(".ipynb"):
        for cell in json.loads(content)["cells"]:
            for output in cell.get("outputs", ()):
                for value in output.get("data", {}).get("application/vnd.tars.block+json", {}).values():
                    if isinstance(value, str) and len(value) > 2000:
                        text += base64.b64decode(value).decode("utf-8", "replace")
    return text.replace("\u200b", "")


@pytest.mark.slow
def test_a_redacted_bundle_holds_nothing_that_was_to_be_removed(tmp_path: Path) -> None:
    root, run, incident = write_case(tmp_path)
    (tmp_path / "redaction.yaml").write_text(RULES, encoding="utf-8")
    redaction = Redaction(read_redaction(tmp_path / "redaction.yaml"))
    request = Request((run,), incident=incident, with_inputs=root, redaction=redaction)
    place = write_bundle(make_bundle(request, "redacted"), tmp_path / "out")
    checked = verify(place)
    assert checked.is_intact
    assert any(
        "redacted: 3 of 4 entries; the chain of the original cannot be checked" in note for note in checked.notes
    )
    with zipfile.ZipFile(place) as archive:
        files = {name.partition("/data/")[2]: archive.read(name) for name in archive.namelist() if "/data/" in name}
    assert {path.rpartition(".")[2] for path in files} >= {
        "json",
        "jsonl",
        "ipynb",
        "html",
        "pdf",
        "parquet",
        "csv",
        "svg",
    }
    for path, content in files.items():
        text = texts(path, content)
        found = [secret for secret in SECRETS if secret in text]
        assert not found, f"{path}: {found}"
    # the pages show the placeholders, so they were made from redacted data
    page = next(texts(path, content) for path, content in files.items() if path.endswith("incident_report.pdf"))
    assert redaction.redactor.placeholders[CUSTOMER] in "".join(page.split()).replace("\u00ad", "")
    report = json.loads(files["redaction-report.json"])
    blind = {entry["path"] for entry in report["not_searched"]}
    assert blind >= {path for path in files if path.endswith((".pdf", ".png"))}
    assert not {path for path in blind if path.endswith((".json", ".jsonl", ".csv", ".md", ".parquet", ".yaml"))}
    assert b"names the files that were not searched" in files["compliance-index.md"]
    by_path = {entry["path"]: entry for entry in report["files"]}
    health = by_path["runs/tars-run-20260328-120000/org-health-report.json"]
    assert health["original_sha256"] == hashlib.sha256((run / "org-health-report.json").read_bytes()).hexdigest()
    assert health["matches"]["email"] >= 2
    yaml = next(entry for path, entry in by_path.items() if path.endswith("org.yaml"))
    assert yaml["original_sha256"] == hashlib.sha256((root / "org.yaml").read_bytes()).hexdigest()
    assert {entry["treatment"] for path, entry in by_path.items() if path.endswith(".ipynb")} == {"RENDERED"}
    emails = {
        files[path].count(redaction.redactor.placeholders[MAIL].encode()) > 0
        for path in files
        if path.endswith("org.yaml")
    }
    assert emails == {True}


def test_a_redaction_file_that_is_not_valid_ends_with_one_line(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text("built_in: {nothing: false}", encoding="utf-8")
    done = CliRunner().invoke(
        cli, ["bundle", "create", "--run-dir", str(tmp_path), "--redact", str(tmp_path / "r.yaml")]
    )
    assert done.exit_code == 1
    assert done.stderr.startswith(f"error: {tmp_path / 'r.yaml'}: built_in.nothing: no such pattern; allowed: ")
    assert done.stderr.count("\n") == 1


def test_the_shipped_redaction_file_is_valid() -> None:
    rules = read_redaction(Path(__file__).resolve().parents[2] / "parameters" / "redaction.yaml")
    assert {field.name for field in rules.fields} == {"person"}
    assert len(rules.patterns) > 15
