"""Running a report's notebook and exporting what it shows.

papermill executes; this module decides what may be injected, with which interpreter, and what is a failure.
"""

from __future__ import annotations

import functools
import logging
import sys
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tars_lib.errors import ReportError
from tars_lib.files.atomic import make_folder, staged_folder, write_bytes
from tars_lib.reports.notebooks.parameters import check_parameters, check_ranges, declared_parameters, declared_ranges
from tars_lib.reports.pages.finished import rendered

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

_PACKAGE = Path(__file__).parents[2]

# Seconds for a kernel to answer (judgement: a cold start on a loaded machine takes about 10).
START_TIMEOUT = 120

# How jupyter_client begins to say that a kernel did not start: its only mark, the type is a bare RuntimeError.
_DIED = "Kernel died before"
_NOT_STARTED = (_DIED, "Kernel didn't respond")

# What stands for a widget among a cell's outputs.
_WIDGET = "application/vnd.jupyter.widget-view+json"
_STAGED = ".tars-report-"
_GRAMMAR = "rfc3987_syntax"
_SCHEME = "tars-report:"


class NotebookError(ReportError):
    """A cell of a notebook failed.

    Attributes
    ----------
    notebook : Path
        The executed notebook, kept for the analyst.
    cell : int or None
        0-based position of the failing cell in the executed notebook, papermill's error markers not counted;
        None where the kernel died before the first.
    source, error_name, error_value : str
        The cell's code, and the exception as the kernel reported it.
    """

    def __init__(self, notebook: Path, cell: int | None, source: str, error_name: str, error_value: str) -> None:
        self.notebook = notebook
        self.cell = cell
        self.source = source
        self.error_name = error_name
        self.error_value = error_value
        where = "before its first cell" if cell is None else f"in cell {cell + 1}"
        super().__init__(
            f"{notebook.name} failed {where}: {error_name}: {error_value}; the failed notebook is {notebook}"
        )

    def __reduce__(self) -> tuple[type[NotebookError], tuple[Path, int | None, str, str, str]]:
        """Travel between processes as what it was made of."""
        return type(self), (self.notebook, self.cell, self.source, self.error_name, self.error_value)


def find_notebook(name: str) -> Path:
    """Find a report's notebook by name.

    Parameters
    ----------
    name : str
        Such as `incident_report`, or the path of a file that ends in `.ipynb`.

    Returns
    -------
    Path
        In `notebooks/` beside the package's sources, else among those that the wheel ships.

    Raises
    ------
    ReportError
        There is none; the message lists what there is.
    """
    if name.endswith(".ipynb"):
        path = Path(name)
        if path.is_file():
            return path
        raise ReportError(f"notebook {name!r}: no such file")
    folder = _notebooks()
    names = sorted(path.stem for path in folder.glob("*.ipynb"))
    if name not in names:
        raise ReportError(f"unknown notebook {name!r}; allowed: {', '.join(names) or 'none'} (in {folder})")
    return folder / f"{name}.ipynb"


def notebook_parameters(name: str | Path) -> dict[str, Any]:
    """Return the parameters that a notebook declares, name to default; see `find_notebook`."""
    return declared_parameters(_read(find_notebook(str(name))))


def check_notebook(name: str | Path, parameters: Mapping[str, Any]) -> None:
    """Refuse parameters that a notebook does not declare, of another type or out of range; no kernel is started.

    Raises
    ------
    ReportError
        Names the parameter, the value and what is allowed.
    """
    path = find_notebook(str(name))
    content = _read(path)
    check_parameters(parameters, declared_parameters(content), path.name)
    check_ranges(parameters, declared_ranges(content), path.name)


def run_notebook(
    name: str | Path,
    parameters: Mapping[str, Any],
    output: Path,
    *,
    generated_at: datetime | None = None,
    cwd: Path | None = None,
    has_bar: bool = True,
) -> Path:
    """Execute a notebook with this interpreter.

    Parameters
    ----------
    parameters : mapping
        Only names that the notebook's `parameters` cell declares, of the types of its defaults.
    output : Path
        Where the executed notebook goes; its folder is made. A failed one is left there too.
    generated_at : datetime, optional
        With a zone. Pins the time that the report prints, and removes the clock times that papermill notes,
        so that two runs give the same bytes. None: times are kept.
    cwd : Path, optional
        Working folder of the kernel; None: the current one.
    has_bar : bool
        Show papermill's progress bar, one tick a cell, on a terminal.

    Raises
    ------
    ReportError
        A parameter is not declared or has another type; no kernel was started then.
    NotebookError
        A cell raised, called `sys.exit` (0 included), or the kernel died.
    """
    check_notebook(name, parameters)
    source = find_notebook(str(name))
    notebook = _read(source)
    if generated_at is not None:
        if generated_at.tzinfo is None:
            raise ReportError(f"generated_at: got {generated_at.isoformat()}, expected a time with a zone")
        tars = notebook["metadata"].setdefault("tars", {})
        tars["generated_at"] = generated_at.astimezone(UTC).isoformat()
    # papermill writes cell by cell: in a hidden folder beside the place, so that there nothing is ever half written
    with staged_folder(output.parent, _STAGED) as folder:
        working = folder / output.name
        try:
            _execute(notebook, dict(parameters), working, output, cwd, has_bar=has_bar)
        except NotebookError:
            if working.is_file():
                _keep(working, output)
            raise
        except OSError as error:
            # papermill writes after every cell, and a full disk does not say where it is
            raise OSError(error.errno, error.strerror, str(output)) from error
        executed = _keep(working, output)
    _refuse_exit(executed, output)
    if generated_at is not None:
        _forget_clock(executed, source, output)
        write_bytes(output, _written(executed))
    return output


def export(notebook: Path, formats: Iterable[str], output_dir: Path) -> dict[str, Path]:
    """Export an executed notebook in this process.

    Parameters
    ----------
    output_dir : Path
        Folder, made where it is missing; files are named after the notebook and appear whole or not at all.

    Raises
    ------
    ReportError
        A format is unknown, or the notebook failed, was not executed or shows something that is not a block.
    """
    contents = rendered(_read(notebook), formats)
    make_folder(output_dir)
    written = {form: output_dir / f"{notebook.stem}.{form}" for form in contents}
    for form, content in contents.items():
        write_bytes(written[form], content)
    return written


def _notebooks() -> Path:
    beside = _PACKAGE.parent / "notebooks"
    # The file tells a checkout from a folder of that name that happens to lie in site-packages.
    if (_PACKAGE.parent / "pyproject.toml").is_file() and beside.is_dir():
        return beside
    return _PACKAGE / "_notebooks"


def _read(path: Path) -> Any:
    return _nbformat().read(path, as_version=4)


def _written(notebook: Any) -> bytes:
    return f"{_nbformat().writes(notebook)}\n".encode()


@functools.cache
def _nbformat() -> Any:
    """nbformat, which carries no types, imported without a grammar that no notebook asks for.

    Beneath it jsonschema looks for rfc3987_syntax, which compiles a grammar of internationalised addresses on import: three
    quarters of what importing papermill costs. The schema of notebooks names no such format.
    """
    is_first = "jsonschema" not in sys.modules and _GRAMMAR not in sys.modules
    if is_first:
        # None makes an import fail, which jsonschema takes for "not installed"
        sys.modules[_GRAMMAR] = None  # type: ignore[assignment]
    try:
        import nbformat
    finally:
        if is_first:
            del sys.modules[_GRAMMAR]
    return nbformat


def _keep(working: Path, output: Path) -> Any:
    """Put what papermill wrote in its place, and return it; that of a failed notebook is for the analyst."""
    executed = _read(working)
    executed["metadata"]["papermill"]["output_path"] = str(output)
    write_bytes(output, _written(executed))
    return executed


def _execute(
    notebook: Any, parameters: dict[str, Any], working: Path, output: Path, cwd: Path | None, *, has_bar: bool
) -> None:
    """Execute with a kernel, or with a second one where the first ended before it answered: nothing has run then."""
    for is_last in (False, True):
        try:
            _execute_once(notebook, parameters, working, output, cwd, has_bar=has_bar)
        except RuntimeError as error:
            if not str(error).startswith(_NOT_STARTED):
                raise
            if is_last or not str(error).startswith(_DIED):
                raise NotebookError(output, None, "", "DeadKernelError", str(error)) from error
        else:
            return


def _execute_once(
    notebook: Any, parameters: dict[str, Any], working: Path, output: Path, cwd: Path | None, *, has_bar: bool
) -> None:
    import papermill
    from nbclient.exceptions import CellControlSignal, DeadKernelError
    from papermill.exceptions import PapermillException, PapermillExecutionError

    from tars_lib.reports.notebooks.kernel import KERNEL_NAME, ThisInterpreter

    logging.getLogger("papermill").setLevel(logging.CRITICAL)  # what fails is raised, and told in one line
    _register_files()
    try:
        papermill.execute_notebook(
            notebook,
            # papermill formats its paths, so braces are doubled
            _SCHEME + str(working.absolute()).replace("{", "{{").replace("}", "}}"),
            parameters=parameters,
            kernel_name=KERNEL_NAME,
            language="python",
            # papermill's own `cwd` changes the folder of this whole process, in which another thread may be at work
            **({} if cwd is None else {"resources": {"metadata": {"path": str(cwd)}}}),
            progress_bar=has_bar and sys.stderr.isatty(),
            start_timeout=START_TIMEOUT,
            kernel_manager_class=ThisInterpreter,
        )
    except PapermillExecutionError as error:
        raise NotebookError(output, error.cell_index, error.source, error.ename, error.evalue) from error
    except (PapermillException, CellControlSignal, DeadKernelError) as error:
        raise NotebookError(output, _last_cell(working), "", type(error).__name__, str(error)) from error


class _StayingFiles:
    """Writes for papermill, whose own handler of local files enters a folder for every write.

    That folder is the whole process's, and the one that papermill remembers from an earlier report: another thread finds
    relative paths gone, and two that write at once leave the process there.
    """

    def write(self, text: str, path: str) -> None:
        Path(path.removeprefix(_SCHEME)).write_text(text, encoding="utf-8")

    def pretty_path(self, path: str) -> str:
        return path.removeprefix(_SCHEME)


@functools.cache
def _register_files() -> None:
    from papermill.iorw import papermill_io

    papermill_io.register(_SCHEME, _StayingFiles())


def _last_cell(working: Path) -> int | None:
    """Return the position of the cell in which a kernel died: the last that papermill noted as begun."""
    if not working.is_file():
        return None
    cells = _read(working)["cells"]
    begun = [index for index, cell in enumerate(cells) if cell["metadata"].get("papermill", {}).get("start_time")]
    return begun[-1] if begun else None


def _refuse_exit(executed: Any, output: Path) -> None:
    # papermill takes sys.exit(0) for success, though the cells below never ran.
    for index, cell in enumerate(executed["cells"]):
        for result in cell.get("outputs", ()):
            if result["output_type"] == "error":
                raise NotebookError(output, index, cell["source"], result["ename"], result["evalue"])


def _forget_clock(executed: Any, source: Path, output: Path) -> None:
    """Remove what differs between two runs on one input: clock times, folders, random ids of cells and widgets."""
    executed["metadata"]["papermill"].update(
        start_time=None, end_time=None, duration=None, input_path=source.name, output_path=output.name
    )
    # a widget is dead without its kernel
    executed["metadata"].pop("widgets", None)
    for number, cell in enumerate(executed["cells"]):
        if "outputs" in cell:
            cell["outputs"] = [output for output in cell["outputs"] if _WIDGET not in output.get("data", {})]
        cell["metadata"].pop("execution", None)
        if "papermill" in cell["metadata"]:
            cell["metadata"]["papermill"].update(start_time=None, end_time=None, duration=None)
        if "injected-parameters" in cell["metadata"].get("tags", ()):
            cell["id"] = f"injected-{number}"
