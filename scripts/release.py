"""What a release checks: the version is new and told, and the wheel works in an empty environment.

``python scripts/release.py version`` refuses a version that has a tag or no section of its own in the changelog;
``python scripts/release.py wheel DIST`` installs the wheel of a folder into an environment with the locked libraries alone and
runs the demo there; ``python scripts/release.py notes`` prints the section of the changelog.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CHANGELOG = "CHANGELOG.md"


def version_of(source: str) -> str:
    """Return the version that the package's `__init__` states."""
    (version,) = re.findall(r'^__version__ = "([^"]+)"$', source, re.MULTILINE)
    return str(version)


def notes_of(changelog: str, version: str) -> str:
    """Return what the changelog says of a version.

    Raises
    ------
    SystemExit
        It has no section, or one that is called unreleased or is empty.
    """
    sections = re.split(r"^## ", changelog, flags=re.MULTILINE)[1:]
    told = {section.partition("\n")[0].strip(): section.partition("\n")[2].strip() for section in sections}
    for heading, text in told.items():
        name, _, rest = heading.partition(" ")
        if name == version:
            if "unreleased" in rest:
                raise SystemExit(f"error: {CHANGELOG}: {heading!r}; a date in place of 'unreleased' is needed")
            if not text:
                raise SystemExit(f"error: {CHANGELOG}: {heading!r} says nothing")
            return text
    raise SystemExit(f"error: {CHANGELOG}: no section on {version}; there are: {', '.join(told) or 'none'}")


def refuse_tagged(version: str, tags: list[str]) -> None:
    """Refuse a version that is out.

    Raises
    ------
    SystemExit
        A tag `v<version>` is there.
    """
    if f"v{version}" in tags:
        raise SystemExit(f"error: version {version}: v{version} is tagged; raise __version__ in tars_lib/__init__.py")


def check_wheel(folder: Path) -> None:
    """Install the one wheel of a folder where nothing else is, and make the demo's report with it.

    Raises
    ------
    SystemExit
        There is no wheel or more than one, or a step fails.
    """
    wheels = sorted(folder.glob("*.whl"))
    if len(wheels) != 1:
        raise SystemExit(f"error: {folder}: {len(wheels)} wheels; exactly one is needed")
    with tempfile.TemporaryDirectory() as place:
        empty = Path(place)
        venv.create(empty / "venv", with_pip=True)
        python = empty / "venv" / ("Scripts" if sys.platform == "win32" else "bin") / "python"
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        run([*install, "--require-hashes", "-r", str(ROOT / "requirements" / "core.lock")], empty)
        run([*install, "--no-deps", str(wheels[0].resolve())], empty)
        run([*install[:3], "check"], empty)
        run([str(python), "-m", "tars_lib.cli.main", "demo", "--output", "demo"], empty)
        made = {path.suffix for path in (empty / "demo").rglob("incident_report.*")}
        if not {".html", ".pdf"} <= made:
            raise SystemExit(f"error: {wheels[0].name}: the demo left {sorted(made)}, not HTML and PDF")
    print(f"{wheels[0].name} works in an empty environment")


def run(command: list[str], folder: Path) -> None:
    """Run a command in a folder; it must succeed."""
    done = subprocess.run(command, cwd=folder, check=False)  # noqa: S603 - our own commands
    if done.returncode:
        raise SystemExit(f"error: {' '.join(command)} ended with {done.returncode}")


def main(words: list[str]) -> None:
    """Do what is asked for."""
    version = version_of((ROOT / "tars_lib" / "__init__.py").read_text(encoding="utf-8"))
    match words:
        case ["version"]:
            tags = subprocess.run(["git", "tag"], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S607
            refuse_tagged(version, tags.stdout.split())
            notes_of((ROOT / CHANGELOG).read_text(encoding="utf-8"), version)
            print(version)
        case ["notes"]:
            print(notes_of((ROOT / CHANGELOG).read_text(encoding="utf-8"), version))
        case ["wheel", folder]:
            check_wheel(Path(folder))
        case _:
            raise SystemExit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
