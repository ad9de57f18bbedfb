"""The scripts of release, installation and size say what is so, and refuse what may not go out."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
import tomllib
from importlib.metadata import distribution
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CHANGELOG = "# Changelog\n\n## 0.2.0 (2026-12-01)\n\n- New.\n\n## 0.1.0 (unreleased)\n\n- First.\n"


def script(name: str) -> dict[str, object]:
    return runpy.run_path(str(ROOT / "scripts" / f"{name}.py"))


def test_a_release_takes_its_notes_from_its_own_section() -> None:
    notes_of = script("release")["notes_of"]
    assert notes_of(CHANGELOG, "0.2.0") == "- New."  # type: ignore[operator]
    with pytest.raises(SystemExit, match=r"'0\.1\.0 \(unreleased\)'; a date in place of 'unreleased'"):
        notes_of(CHANGELOG, "0.1.0")  # type: ignore[operator]
    with pytest.raises(SystemExit, match=r"no section on 0\.3\.0; there are: 0\.2\.0 \(2026-12-01\), 0\.1\.0"):
        notes_of(CHANGELOG, "0.3.0")  # type: ignore[operator]


def test_a_version_that_is_out_is_not_released_again() -> None:
    release = script("release")
    assert release["version_of"]('x = 1\n__version__ = "0.2.0"\n') == "0.2.0"  # type: ignore[operator]
    release["refuse_tagged"]("0.2.0", ["v0.1.0"])  # type: ignore[operator]
    with pytest.raises(SystemExit, match=r"v0\.2\.0 is tagged"):
        release["refuse_tagged"]("0.2.0", ["v0.1.0", "v0.2.0"])  # type: ignore[operator]


def test_a_release_needs_exactly_one_wheel(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="0 wheels; exactly one is needed"):
        script("release")["check_wheel"](tmp_path)  # type: ignore[operator]


def test_the_installer_counts_what_the_lock_names() -> None:
    lock = ROOT / "requirements" / "core.lock"
    assert script("install")["locked"](lock) == lock.read_text(encoding="utf-8").count("==") - sum(  # type: ignore[operator]
        line.count("==") for line in re.findall(r";.*", lock.read_text(encoding="utf-8"))
    )


def test_a_size_is_the_sum_of_the_files_that_the_package_lists() -> None:
    listed = [file.size for file in distribution("click").files or () if file.size is not None]
    assert script("size")["size"]("click") == sum(listed) > 0  # type: ignore[operator]


def test_the_sizes_name_every_dependency_and_count_what_it_alone_brings() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "size.py")],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    )
    rows = dict(re.findall(r"^([a-z][\w-]*) +[\d.]+ +([\d.]+)$", done.stdout, re.MULTILINE))
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    names = {re.match(r"[\w.-]+", text)[0].lower().replace("_", "-") for text in asked if "win32" not in text}  # type: ignore[index]
    assert set(rows) == names
    # pandas cannot do without numpy, so numpy alone brings nothing; jupyterlab brings a server that nothing else asks for
    assert float(rows["numpy"]) == 0.0
    assert float(rows["jupyterlab"]) > 10.0


def test_the_package_imports_every_library_that_it_asks_for() -> None:
    """What no feature needs is not installed."""
    modules = {
        "pyyaml": "yaml",
        "python-dateutil": "dateutil",
        "lazy-loader": "lazy_loader",
        "jupyter-client": "jupyter_client",
    }
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    source = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tars_lib").rglob("*.py"))
    unused = []
    for text in asked:
        name = re.match(r"[\w.-]+", text)[0].lower().replace("_", "-")  # type: ignore[index]
        module = modules.get(name, name)
        if name not in ("jupyterlab", "tzdata") and not re.search(
            rf"^\s*(?:import|from) {module}\b", source, re.MULTILINE
        ):
            unused.append(name)
    assert unused == [], "jupyterlab is what a reader opens notebooks with, tzdata is read by the standard library"
