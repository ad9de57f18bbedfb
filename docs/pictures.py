"""Draws the pictures of `docs/images/pages`: page 1 of every notebook's PDF on the demo with an incident open.

Run as `python docs/pictures.py`; it needs `pdftoppm` (poppler-utils) and Pillow. They are looked at, not compared: a machine's
fonts do not matter, but its version of poppler does.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

DOCS = Path(__file__).resolve().parent
PAGES = DOCS / "images" / "pages"
AT_NIGHT = "1793633400"
"""Half an hour after the demo's last sample."""
PPI, COLOURS = 60, 24
"""Enough to see what a page is like; all of them stay under 400 kB."""


def main() -> None:
    """Make the demo, an incident, and each page; keep the first of each as a picture."""
    names = sorted(path.stem for path in (DOCS.parent / "notebooks").glob("*.ipynb"))
    PAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        runs = "outputs/demo/runs/tars-run-*"
        tars(work, "demo")
        tars(work, "incident", "open", "--from-run", runs)
        tars(work, "ack")
        # what is about incidents that are over shows one
        for name in [*(name for name in names if name != "postmortem"), "postmortem"]:
            if name == "postmortem":
                tars(work, "contain")
                tars(work, "resolve", "The deploy was rolled back")
            tars(work, "report", name, "--run", runs, "--output", "out", "--format", "pdf")
            drawn = Path(work) / name
            page = ["-f", "1", "-l", "1", "-singlefile", str(Path(work) / "out" / f"{name}.pdf"), str(drawn)]
            subprocess.run(["pdftoppm", "-png", "-r", str(PPI), *page], check=True)  # noqa: S603, S607 - our own words
            picture = Image.open(f"{drawn}.png").convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
            picture.save(PAGES / f"{name}.png", optimize=True)


def tars(work: str, *words: str) -> None:
    """Run a command in a folder of its own, at the demo's time."""
    environment = {**os.environ, "TARS_ACTOR": "ada", "SOURCE_DATE_EPOCH": AT_NIGHT, "PYTHONPATH": str(DOCS.parent)}
    command = [sys.executable, "-m", "tars_lib.cli.main", *words]
    subprocess.run(command, check=True, cwd=work, env=environment, stdout=subprocess.DEVNULL)  # noqa: S603 - as above


if __name__ == "__main__":
    main()
