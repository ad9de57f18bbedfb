"""The built wheel, not the checkout: what a user installs has notebooks, parameters, demo data and fonts."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pypdf
import pytest

ROOT = Path(__file__).resolve().parent.parent
LAUNCHER = "share/jupyter/labextensions/tars-incident-workbook"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_holds_what_the_commands_need_and_nothing_else(wheel: Path) -> None:
    # data for Jupyter stand beside the package, in <name>.data/data
    names = [name.partition(".data/data/")[2] or name for name in zipfile.ZipFile(wheel).namelist()]
    for needed in (
        f"{LAUNCHER}/package.json",
        f"{LAUNCHER}/static/launcher.js",
        f"{LAUNCHER}/static/notebooks/welcome.ipynb",
        "tars_lib/_notebooks/incident_report.ipynb",
        "tars_lib/_parameters/incident_report.yaml",
        "tars_lib/_parameters/sla-policies.yaml",
        "tars_lib/_demo/org-health/history.parquet",
        "tars_lib/reports/fonts/Inter-Regular.otf",
        "tars_lib/reports/templates/report.typ",
        "tars_lib/py.typed",
        "analytics/__init__.py",
    ):
        assert needed in names
    assert {name.split("/")[0].split("-")[0] for name in names} == {
        "tars_lib", "analytics", "tars_incident_workbook", "share"
    }  # fmt: skip


@pytest.mark.slow
def test_the_wheel_makes_a_report_with_text_and_fonts(wheel: Path, tmp_path: Path) -> None:
    """A wheel without its fonts would give a blank page and exit 0."""
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    code = (
        f"import sys; sys.path.insert(0, {str(site)!r}); import tars_lib; "
        f"assert tars_lib.__file__.startswith({str(site)!r}), tars_lib.__file__; "
        "from tars_lib.cli.main import cli; cli(['demo', '--output', 'out'], prog_name='tars')"
    )
    import os

    env = os.environ | {"PYTHONPATH": str(site)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    reader = pypdf.PdfReader(tmp_path / "out" / "report" / "incident_report.pdf")
    text = reader.pages[0].extract_text()
    assert "Incident report: Example Shop" in text
    assert "/Font" in reader.pages[0]["/Resources"]
