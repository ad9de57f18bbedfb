"""From an org-health folder to HTML and PDF with a real kernel: what leadership receives."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pypdf
import pytest
from in_process import cells_in_kernels
from pdf_texts import sheets
from run_samples import RunSamples, one_drawing

import tars_lib as tars
from tars_lib.pipeline import write_report, write_run
from tars_lib.sources.demo import demo_root

HOSTILE = ("<script>alert(1)</script>", '#read("/etc/passwd")')


class _Page(HTMLParser):
    """Collects tags, attributes and text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def page(html: Path) -> _Page:
    parsed = _Page()
    parsed.feed(html.read_text(encoding="utf-8"))
    return parsed


def pdf_text(pdf: Path) -> str:
    return " ".join(" ".join(sheet.text for sheet in sheets(pdf)).split())


def run_of(root: Path, outdir: Path) -> Path:
    return write_run(tars.analyze(tars.load_org(root)), outdir, timestamp="20260105-143000")


@pytest.fixture(scope="module")
def demo(samples: RunSamples) -> dict[str, Path]:
    return {"run": samples.run("demo").directory, **samples.report("incident_report", "demo")}


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The demo organisation with its failing repos renamed to something that wants to be code."""
    folder = tmp_path_factory.mktemp("hostile")
    root = folder / "org-health"
    org = tars.load_org(demo_root())
    tidy = org.tidy()
    names = {"ledger": HOSTILE[0], "checkout": HOSTILE[1]}
    tidy["repo"] = [names.get(str(repo), str(repo)) for repo in tidy["repo"]]
    tidy["timestamp"] = tidy["timestamp"].dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    root.mkdir()
    tidy.to_csv(root / "history.csv", index=False)
    edges = [{"from": names.get(e.caller, e.caller), "to": names.get(e.callee, e.callee)} for e in org.dependencies]
    facing = {HOSTILE[1]: {"customer_facing": True}}
    (root / "org.yaml").write_text(
        json.dumps({"name": HOSTILE[0], "dependencies": edges, "repos": facing}), encoding="utf-8"
    )
    shutil.copyfile(demo_root() / "sla-policies.yaml", root / "sla-policies.yaml")
    run = run_of(root, folder / "runs")
    with one_drawing():
        return {"run": run, **write_report("incident_report", run, folder / "report", ("html", "pdf"))}


def test_the_report_names_verdict_cause_and_change(demo: dict[str, Path]) -> None:
    for text in (" ".join(page(demo["html"]).words), pdf_text(demo["pdf"])):
        flat = " ".join(text.split())
        assert "SEV-1" in flat
        assert "Connection pool rewrite" in flat
        assert "ledger" in flat
        assert "Enable circuit breakers" in flat


def test_the_same_numbers_stand_in_command_json_html_and_pdf(demo: dict[str, Path]) -> None:
    report = json.loads((demo["run"] / "sla-intelligence-report.json").read_text(encoding="utf-8"))
    breach = next(breach for breach in report["breaches"] if breach["sla_id"] == "availability")
    value = f"{100 * breach['value']:.2f}%"
    confidence = f"{breach['root_causes'][0]['confidence']:.0%} confidence"
    headline = report["risk_narrative"]["headline"]
    assert value in headline
    assert confidence in headline
    for text in (" ".join(page(demo["html"]).words), pdf_text(demo["pdf"])):
        assert value in text.replace("\u00a0", " ").replace("\u200b", "")


def test_an_sla_without_data_is_unknown_in_the_report(demo: dict[str, Path]) -> None:
    for text in (" ".join(page(demo["html"]).words), pdf_text(demo["pdf"])):
        assert "no service reports time_to_restore" in text.replace("\u200b", "")
        assert "Unknown" in text


def test_the_html_has_no_script_and_loads_nothing(demo: dict[str, Path]) -> None:
    for tag, attributes in page(demo["html"]).tags:
        assert tag not in ("script", "iframe", "object", "embed", "link", "base", "form")
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("src", "href", "data", "poster"):
            value = attributes.get(name) or ""
            assert value.startswith(("data:image/", "#")) or not value
    policy = [a["content"] for t, a in page(demo["html"]).tags if t == "meta" and a.get("http-equiv")]
    assert any("default-src 'none'" in (content or "") for content in policy)


def test_the_pdf_is_archival_and_accessible(demo: dict[str, Path]) -> None:
    reader = pypdf.PdfReader(str(demo["pdf"]))
    assert reader.outline
    xmp = demo["pdf"].read_bytes()
    assert b"pdfaid:part>2<" in xmp
    assert b"pdfaid:conformance>A<" in xmp
    assert b"pdfuaid:part>1<" in xmp
    assert 2 <= len(reader.pages) <= 5
    for sheet in reader.pages:
        for font in (sheet["/Resources"].get("/Font") or {}).values():
            inner = font.get_object()["/DescendantFonts"][0].get_object()["/FontDescriptor"].get_object()
            assert "/FontFile3" in inner or "/FontFile2" in inner


def test_two_reports_of_one_run_have_the_same_bytes(demo: dict[str, Path], tmp_path: Path) -> None:
    with cells_in_kernels():
        again = write_report("incident_report", demo["run"], tmp_path, ("html", "pdf"))
    assert again["html"].read_bytes() == demo["html"].read_bytes()
    assert again["pdf"].read_bytes() == demo["pdf"].read_bytes()


def test_plain_papermill_and_nbconvert_give_the_same_pages(demo: dict[str, Path], tmp_path: Path) -> None:
    """What CI and analysts type: papermill with a parameters file, then nbconvert by the exporter's name."""
    notebooks = Path(__file__).resolve().parents[2] / "notebooks"
    (tmp_path / "p.yaml").write_text(f"run_dir: {json.dumps(str(demo['run']))}\nincident_id: ''\n", encoding="utf-8")
    env = os.environ | {"SOURCE_DATE_EPOCH": "1767620000", "JUPYTER_CONFIG_DIR": str(tmp_path / "jupyter")}
    for command in (
        ["papermill", str(notebooks / "incident_report.ipynb"), "out.ipynb", "-f", "p.yaml", "-k", "python3"],
        ["nbconvert", "--to", "tars-pdf", "out.ipynb"],
        ["nbconvert", "--to", "tars-html", "out.ipynb"],
    ):
        done = subprocess.run(
            [sys.executable, "-m", *command], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "out.pdf").read_bytes() == demo["pdf"].read_bytes()
    assert (tmp_path / "out.html").read_bytes() == demo["html"].read_bytes()


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_stay_text(hostile: dict[str, Path], name: str) -> None:
    parsed = page(hostile["html"])
    assert not [tag for tag, _ in parsed.tags if tag == "script"]
    shown = "".join(parsed.words).replace("\u200b", "")
    assert name in shown
    assert name in pdf_text(hostile["pdf"]).replace("\u200b", "").replace("( ", "(") or _spread(name) in _spread(
        pdf_text(hostile["pdf"])
    )
    assert "root:x:0" not in shown


def _spread(text: str) -> str:
    """A text without the white space that line breaks in a narrow column put into it."""
    return "".join(text.split())


def test_a_calm_organisation_gets_a_status_report(tmp_path: Path) -> None:
    calm = tars.analyze(tars.load_org(demo_root()), "2026-10-20T00:00:00Z")
    assert not calm.sla.breaches
    run = write_run(calm, tmp_path / "runs")
    written = write_report("incident_report", run, tmp_path / "report", ("html",))
    text = " ".join(page(written["html"]).words)
    assert "No SLA is known to be breached" in text
    assert "Status report" in text


def test_a_wrong_run_is_refused_before_a_kernel_starts(tmp_path: Path) -> None:
    with pytest.raises(tars.InputError, match="no run directory"):
        write_report("incident_report", tmp_path, tmp_path / "report", ("html",))
    assert not (tmp_path / "report").exists()


def test_an_altered_run_is_refused_by_name(demo: dict[str, Path], tmp_path: Path) -> None:
    copy = Path(shutil.copytree(demo["run"], tmp_path / demo["run"].name))
    path = copy / "sla-intelligence-report.json"
    path.write_text(path.read_text(encoding="utf-8").replace("BREACHED", "COMPLIANT", 1), encoding="utf-8")
    with pytest.raises(tars.TarsError, match="sla-intelligence-report.json: altered"):
        tars.load_run(copy)
