"""Runs whose truth is planted, and the reports on them: each made once a session, however many tests and workers look at it."""

from __future__ import annotations

import contextlib
import functools
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from contract.workspaces import artefacts, cascade
from filelock import FileLock
from matplotlib.figure import Figure

from tars_lib.figures.style.narrow import render_narrow
from tars_lib.figures.style.theme import render
from tars_lib.pipeline import RUN_PREFIX, Run, analyze, load_run, write_report, write_run
from tars_lib.pipeline.loading import load_org
from tars_lib.reports.blocks.kinds import Block
from tars_lib.reports.blocks.plain_text import plain_text
from tars_lib.sources.demo import demo_root
from tars_lib.workbook.sections import figure_blocks

EPOCH, STAMP = "1767620000", "20260105-143000"
RUNS = ("demo", "cascade", "artefacts", "at-risk", "calm")
"""`demo`: a change in ledger breaks two SLAs; `cascade`: trouble goes from ledger over payments to checkout; `artefacts`:
the same scores alone; `at-risk`: the demo before its incident, with most of a budget spent; `calm`: before anything."""
_AS_OF = {"at-risk": "2026-11-02T00:00:00Z", "calm": "2026-10-20T00:00:00Z"}
_MAKERS = {"cascade": cascade, "artefacts": artefacts}


@contextlib.contextmanager
def one_drawing() -> Iterator[pytest.MonkeyPatch]:
    """Pages that are made in this process show one drawn figure for all, since two thirds of their time would be drawing.

    For what is asked about their words and files. The tests of figures draw, and so does every kernel.
    """
    drawn, narrow = _blank()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figure_blocks, "render", lambda figure: drawn)
        patch.setattr(figure_blocks, "render_narrow", lambda figure, columns: narrow)
        yield patch


@functools.cache
def _blank() -> tuple[tuple[bytes, bytes], bytes]:
    figure = Figure(figsize=(2.0, 1.0))
    return render(figure), render_narrow(figure, 1)


@contextlib.contextmanager
def drawn() -> Iterator[pytest.MonkeyPatch]:
    """Figures are drawn, also where tests of what pages say show one for all."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figure_blocks, "render", render)
        patch.setattr(figure_blocks, "render_narrow", render_narrow)
        yield patch


class RunSamples:
    """Runs and reports by name, in a folder that all workers of a session share: whoever needs one first makes it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    @functools.cache  # noqa: B019 - one object a worker
    def run(self, name: str) -> Run:
        with FileLock(self.folder / f"{name}.lock"), pytest.MonkeyPatch.context() as patch:
            runs = self.folder / name / "reports" / "runs"
            made = runs / f"{RUN_PREFIX}{STAMP}"
            if made.is_dir():
                return load_run(made)
            root = _MAKERS[name](self.folder / f"{name}-health") if name in _MAKERS else demo_root()
            patch.setenv("SOURCE_DATE_EPOCH", EPOCH)
            return load_run(write_run(analyze(load_org(root), _AS_OF.get(name)), runs, timestamp=STAMP))

    @functools.cache  # noqa: B019 - one object a worker
    def report(self, notebook: str, name: str) -> dict[str, Path]:
        """The executed notebook, the HTML page and the PDF, all figures drawn."""
        run = self.run(name)
        folder = self.folder / name / "out" / notebook
        written = self.folder / f"{name}-{notebook}.json"
        with FileLock(self.folder / f"{name}-{notebook}.lock"), drawn() as patch:
            if not written.exists():
                patch.setenv("SOURCE_DATE_EPOCH", EPOCH)
                made = write_report(notebook, run.directory, folder, ("html", "pdf"))
                written.write_text(json.dumps({form: str(path) for form, path in made.items()}), encoding="utf-8")
            return {form: Path(path) for form, path in json.loads(written.read_text(encoding="utf-8")).items()}

    def told(self, notebook: str, name: str) -> str:
        """What a notebook says of a run, drawn or not; see `shown`."""
        if (self.folder / f"{name}-{notebook}.json").exists():
            return shown(self.report(notebook, name)["notebook"], self.folder)
        (made,) = write_report(notebook, self.run(name).directory, self.folder / name / "told", ()).values()
        return shown(made, self.folder)


def shown(notebook: Path, *folders: Path) -> str:
    """What the cells of an executed notebook show, data frames left out, as text; these folders are named FOLDER."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    outputs = [output.get("data", {}) for cell in cells for output in cell.get("outputs", ())]
    # how a data frame is printed is pandas' choice, and changes with how the kernel was started
    given = [
        data.get("text/plain", "") for data in outputs if 'class="dataframe"' not in "".join(data.get("text/html", ""))
    ]
    text = "\n\n".join("".join(part) for part in given)
    for folder in folders:
        text = text.replace(str(folder), "FOLDER")
    # commands name paths as the system writes them
    text = re.sub(r"FOLDER\S*", lambda named: named[0].replace("\\", "/"), text)
    return f"{text}\n".replace("\u200b", "")


def told(blocks: Block | Iterable[Block]) -> str:
    """Blocks as a reader sees them, one white space between words."""
    listed = [blocks] if isinstance(blocks, Block) else list(blocks)
    return " ".join(" ".join(plain_text(block) for block in listed).replace("\u200b", "").split())


def cells(notebook: str, **parameters: object) -> list[Block]:
    """What the report cells of a notebook show, run in this process: no kernel, no export."""
    path = Path(__file__).resolve().parents[1] / "notebooks" / f"{notebook}.ipynb"
    names: dict[str, object] = {}
    shown: list[Block] = []
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] != "code" or "skip-execution" in cell["metadata"]["tags"]:
            continue
        source, tags = "".join(cell["source"]), cell["metadata"]["tags"]
        if "report" not in tags:
            exec(source, names)  # noqa: S102 - our own notebooks
            names |= parameters if "parameters" in tags else {"show": list}
            continue
        given = eval(source, names)  # noqa: S307 - as above
        shown += [given] if isinstance(given, Block) else given
    return shown
