"""Runs whose truth is planted, and the reports on them: each made once a session, however many tests look at it."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable
from pathlib import Path

import pytest
from contract.workspaces import artefacts, cascade

from tars_lib.pipeline import Run, analyze, load_run, write_report, write_run
from tars_lib.reports.blocks import Block
from tars_lib.reports.plain import plain_text
from tars_lib.sources.demo import demo_root
from tars_lib.sources.root import load_org

EPOCH = "1767620000"
RUNS = ("demo", "cascade", "artefacts", "at-risk", "calm")
"""`demo`: a change in ledger breaks two SLAs; `cascade`: trouble goes from ledger over payments to checkout; `artefacts`:
the same scores alone; `at-risk`: the demo before its incident, with most of a budget spent; `calm`: before anything."""
_AS_OF = {"at-risk": "2026-11-02T00:00:00Z", "calm": "2026-10-20T00:00:00Z"}
_MAKERS = {"cascade": cascade, "artefacts": artefacts}


class RunSamples:
    """Runs and reports by name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @functools.cache  # noqa: B019 - one object a session
    def run(self, name: str) -> Run:
        root = _MAKERS[name](self.folder / f"{name}-health") if name in _MAKERS else demo_root()
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("SOURCE_DATE_EPOCH", EPOCH)
            analysis = analyze(load_org(root), _AS_OF.get(name))
            return load_run(write_run(analysis, self.folder / name / "reports" / "runs", timestamp="20260105-143000"))

    @functools.cache  # noqa: B019 - one object a session
    def report(self, notebook: str, name: str) -> dict[str, Path]:
        """A kernel start: the executed notebook, the HTML page and the PDF."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("SOURCE_DATE_EPOCH", EPOCH)
            return write_report(
                notebook, self.run(name).directory, self.folder / name / "out" / notebook, ("html", "pdf")
            )


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
        if cell["cell_type"] != "code":
            continue
        source, tags = "".join(cell["source"]), cell["metadata"]["tags"]
        if "report" not in tags:
            exec(source, names)  # noqa: S102 - our own notebooks
            names |= parameters if "parameters" in tags else {"show": list}
            continue
        given = eval(source, names)  # noqa: S307 - as above
        shown += [given] if isinstance(given, Block) else given
    return shown
