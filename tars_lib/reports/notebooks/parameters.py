"""Parameters that a notebook lets its caller set: the literals of its cell tagged `parameters`.

papermill turns parameter names into code, so only names that the notebook declares pass, and a value has the
type of the literal that it replaces: `007` for a text stays a text.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

from tars_lib.errors import ReportError
from tars_lib.reports.blocks.fields import excerpt

PARAMETERS_TAG = "parameters"

_LITERALS = (str, bool, int, float, type(None))


def declared_parameters(notebook: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters that a notebook declares, with their defaults.

    Returns
    -------
    dict of str to object
        Name to literal, in order; empty where no cell is tagged `parameters`.

    Raises
    ------
    ReportError
        The cell holds something else than `name = literal`.
    """
    parameters: dict[str, Any] = {}
    for cell in notebook["cells"]:
        if cell["cell_type"] != "code" or PARAMETERS_TAG not in cell["metadata"].get("tags", ()):
            continue
        for statement in ast.parse(cell["source"]).body:
            name, value = _assignment(statement)
            try:
                parameters[name] = ast.literal_eval(value)
            except ValueError as error:
                raise ReportError(f"parameter {name!r}: default {ast.unparse(value)!r} is not a literal") from error
    return parameters


def declared_ranges(notebook: Mapping[str, Any]) -> dict[str, tuple[int, int]]:
    """Return the whole numbers that a notebook admits: its calls of ``whole_number(name, value, low, high)``.

    The notebook checks them itself, for papermill. Read here, they are checked before a kernel is started, too.

    Returns
    -------
    dict of str to (int, int)
        Parameter to lowest and highest value.
    """
    ranges: dict[str, tuple[int, int]] = {}
    for cell in notebook["cells"]:
        # a cell with a line of IPython is no Python, and holds no check
        if cell["cell_type"] != "code" or "whole_number(" not in cell["source"]:
            continue
        for node in ast.walk(ast.parse(cell["source"])):
            if not isinstance(node, ast.Call) or getattr(node.func, "attr", "") != "whole_number":
                continue
            constants = [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
            match constants:
                case [str(name), int(low), int(high)]:
                    ranges[name] = (low, high)
    return ranges


def check_ranges(given: Mapping[str, Any], ranges: Mapping[str, tuple[int, int]], notebook: str) -> None:
    """Refuse whole numbers that are out of range.

    Raises
    ------
    ReportError
        Names the parameter, the value and what is allowed.
    """
    for name, (low, high) in ranges.items():
        if name in given and not low <= given[name] <= high:
            raise ReportError(
                f"{notebook}: parameter {name!r}: got {excerpt(given[name])}; a whole number from {low} to {high} is allowed"
            )


def check_parameters(given: Mapping[str, Any], declared: Mapping[str, Any], notebook: str) -> None:
    """Refuse what a notebook does not declare, and values of another type than its defaults.

    Parameters
    ----------
    declared : mapping
        Name to default, as `declared_parameters` returns it. A default of None admits any literal; a float
        admits whole numbers.

    Raises
    ------
    ReportError
        Names the parameter, the value and what is allowed.
    """
    for name, value in given.items():
        if name not in declared:
            allowed = ", ".join(declared) or "none"
            raise ReportError(f"{notebook}: unknown parameter {excerpt(name)}; allowed: {allowed}")
        where = f"{notebook}: parameter {name!r}"
        _refuse_non_literals(value, where)
        default = declared[name]
        if default is None:
            continue
        allowed_types: tuple[type, ...] = {float: (float, int), tuple: (list, tuple), list: (list, tuple)}.get(
            type(default), (type(default),)
        )
        is_mixed_up = isinstance(value, bool) and not isinstance(default, bool)
        if is_mixed_up or not isinstance(value, allowed_types):
            raise ReportError(
                f"{where}: got {excerpt(value)} ({type(value).__name__}), expected {type(default).__name__}, "
                f"as its default {excerpt(default)}"
            )


def read_value(name: str, text: str, default: Any, notebook: str) -> Any:
    """Return a parameter's value from what was typed after `name=`, with the type of its default.

    Parameters
    ----------
    default : object
        A text stays as typed, `007` included; None takes any literal, and what is none as text.

    Raises
    ------
    ReportError
        Names the parameter, the text and what is allowed.

    Examples
    --------
    >>> read_value("incident_id", "007", "", "x"), read_value("max_paths", "12", 8, "x"), read_value("repos", "a,b", [], "x")
    ('007', 12, ['a', 'b'])
    """
    where = f"{notebook}: parameter {name!r}: got {excerpt(text)}"
    if isinstance(default, str):
        return text
    if isinstance(default, bool):
        if text.lower() not in ("true", "false"):
            raise ReportError(f"{where}, expected true or false")
        return text.lower() == "true"
    if isinstance(default, int | float):
        kind = "a whole number" if isinstance(default, int) else "a number"
        try:
            return type(default)(text)
        except ValueError as error:
            raise ReportError(f"{where}, expected {kind}, such as its default {default}") from error
    if isinstance(default, list | tuple) and not text.lstrip().startswith(("[", "(")):
        return [part.strip() for part in text.split(",") if part.strip()]
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError) as error:
        if default is None:
            return text
        raise ReportError(f"{where}, expected a literal such as its default {excerpt(default)}") from error


def _assignment(statement: ast.stmt) -> tuple[str, ast.expr]:
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target = statement.targets[0]
        if isinstance(target, ast.Name):
            return target.id, statement.value
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name) and statement.value:
        return statement.target.id, statement.value
    raise ReportError(f"parameters cell: {excerpt(ast.unparse(statement))} is not of the form name = literal")


def _refuse_non_literals(value: Any, where: str) -> None:
    if isinstance(value, Mapping):
        for key, entry in value.items():
            if not isinstance(key, str):
                raise ReportError(f"{where}: got the key {excerpt(key)}, expected text")
            _refuse_non_literals(entry, where)
    elif isinstance(value, list | tuple):
        for entry in value:
            _refuse_non_literals(entry, where)
    elif type(value) not in _LITERALS:
        raise ReportError(f"{where}: got {excerpt(value)} ({type(value).__name__}), expected a literal")
