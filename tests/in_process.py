"""Notebooks whose cells run in the process of the test: papermill drives them as ever, and no kernel is started.

A kernel costs more than what most notebooks compute. Tests that are about kernels ask for `kernels`, and whatever a test starts
as a process of its own has real ones too.
"""

from __future__ import annotations

import ast
import contextlib
import io
import itertools
import os
import threading
import traceback
from collections.abc import Iterator
from typing import Any

import pytest
from IPython.core.formatters import DisplayFormatter

from tars_lib.reports.notebooks.execute import _nbformat
from tars_lib.reports.notebooks.kernel import kernel_environment

nbformat = _nbformat()  # before papermill imports it with a grammar that takes a second to compile
from nbclient.exceptions import CellExecutionError  # noqa: E402
from papermill import engines  # noqa: E402

_ONE_AT_A_TIME = threading.RLock()
"""A working folder, an environment and matplotlib's settings belong to the whole process."""


@contextlib.contextmanager
def cells_in_process() -> Iterator[None]:
    """Have papermill run the cells of every notebook here."""
    engines.papermill_engines.register(None, InProcess)
    try:
        yield
    finally:
        engines.papermill_engines.register(None, engines.NBClientEngine)


@contextlib.contextmanager
def cells_in_kernels() -> Iterator[None]:
    """Have papermill start kernels again, for what is about them."""
    engines.papermill_engines.register(None, engines.NBClientEngine)
    try:
        yield
    finally:
        engines.papermill_engines.register(None, InProcess)


class InProcess(engines.Engine):  # type: ignore[misc]
    """What papermill calls in place of a kernel's client."""

    @classmethod
    def execute_managed_notebook(
        cls, nb_man: Any, kernel_name: str, resources: dict[str, Any] | None = None, **_: Any
    ) -> None:
        with (
            _ONE_AT_A_TIME,
            _surroundings((resources or {}).get("metadata", {}).get("path")),
            pytest.MonkeyPatch.context() as patch,
        ):
            # it would write the whole notebook twice a cell; that it is written at the end is what tests look at
            patch.setattr(nb_man, "save", lambda **_: None)
            names: dict[str, Any] = {"__name__": "__main__"}
            counts = itertools.count(1)
            for index, cell in enumerate(nb_man.nb.cells):
                nb_man.cell_start(cell, index)
                try:
                    if cell.cell_type == "code" and "skip-execution" not in cell.metadata.get("tags", ()):
                        cell.execution_count = next(counts)
                        _run(cell, names)
                except CellExecutionError as error:
                    nb_man.cell_exception(cell, cell_index=index, exception=error)
                    break
                finally:
                    nb_man.cell_complete(cell, cell_index=index)


@contextlib.contextmanager
def _surroundings(folder: str | None) -> Iterator[None]:
    """What a kernel has around it: its own working folder, and the variables that are passed to it."""
    with pytest.MonkeyPatch.context() as patch:
        for name in set(os.environ) - set(kernel_environment(os.environ)):
            patch.delenv(name)
        if folder:
            patch.delenv("TARS_INCIDENTS_DIR", raising=False)
            patch.chdir(folder)
        yield


def _run(cell: Any, names: dict[str, Any]) -> None:
    """Run a cell, and keep what it shows in the order in which it shows it."""
    formatter = DisplayFormatter()
    cell.outputs = []

    def keep(*shown: object, **_: object) -> None:
        for each in shown:
            data, metadata = formatter.format(each)
            cell.outputs.append(nbformat.v4.new_output("display_data", data, metadata=metadata))

    tree = ast.parse(cell.source)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    printed = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(printed):
        patch.setattr("IPython.display.display", keep)
        try:
            exec(compile(tree, "<cell>", "exec"), names)  # noqa: S102 - our own notebooks
            if last is not None:
                worth = eval(compile(ast.Expression(last.value), "<cell>", "eval"), names)  # noqa: S307 - as above
                if worth is not None:
                    data, metadata = formatter.format(worth)
                    shown = {"metadata": metadata, "execution_count": cell.execution_count}
                    cell.outputs.append(nbformat.v4.new_output("execute_result", data, **shown))
        except (Exception, SystemExit) as error:
            # IPython asks an error for its own traceback first
            render = getattr(error, "_render_traceback_", lambda: traceback.format_exc().split("\n"))
            told = {"ename": type(error).__name__, "evalue": str(error), "traceback": render()}
            cell.outputs.append(nbformat.v4.new_output("error", **told))
            raise CellExecutionError.from_cell_and_msg(cell, told) from error
    if printed.getvalue():
        cell.outputs.insert(0, nbformat.v4.new_output("stream", name="stdout", text=printed.getvalue()))
