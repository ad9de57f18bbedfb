"""Install a lock file and say what happens: pip by itself is either silent for a minute or prints four lines a package.

``python scripts/install.py requirements/core.lock``
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

STEP = 10
"""Lines printed where there is no terminal to overwrite one in: one every so many packages."""


def locked(lock: Path) -> int:
    """Count the packages that a lock file names; some are for other systems."""
    return len(re.findall(r"^[\w.-]+(?:\[[\w,]+\])?==", lock.read_text(encoding="utf-8"), re.MULTILINE))


def say(text: str, *, is_passing: bool) -> None:
    """Print a line, on a terminal over the one before."""
    is_terminal = sys.stdout.isatty()
    end = "" if is_passing and is_terminal else "\n"
    sys.stdout.write(f"{chr(13) if is_terminal else ''}{text:<70}{end}" if is_terminal else f"{text}\n")
    sys.stdout.flush()


def main(lock: Path) -> int:
    """Run pip and follow it; its own words are shown where it fails."""
    count = locked(lock)
    say(f"Installing {count} packages of {lock.as_posix()}", is_passing=False)
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--disable-pip-version-check",
        "--progress-bar",
        "off",
        "-r",
        str(lock),
    ]
    said: list[str] = []
    seen = 0
    with subprocess.Popen(  # noqa: S603 - pip, with a file of our own
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8"
    ) as pip:
        assert pip.stdout is not None  # noqa: S101 - it is a pipe
        for line in pip.stdout:
            said.append(line)
            if asked := re.match(r"\s*(?:Collecting|Requirement already satisfied:) ([\w.-]+)", line):
                seen += 1
                if sys.stdout.isatty() or seen % STEP == 0:
                    say(f"  fetched {min(seen, count)} of {count}: {asked[1]}", is_passing=True)
            elif line.startswith("Installing collected packages"):
                say("  unpacking them", is_passing=True)
    if pip.returncode:
        sys.stderr.write("".join(said[-30:]))
    else:
        say("  installed", is_passing=False)
    return pip.returncode


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
