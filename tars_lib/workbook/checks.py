"""Parameters of notebooks, checked where they come in: papermill injects whatever stands in the file."""

from __future__ import annotations

from tars_lib.errors import InputError

_LONGEST_ID = 80


def incident_id(value: object) -> str:
    """An incident's id as given, empty where none was opened.

    Raises
    ------
    InputError
        If it is no text, or cannot be the name of a folder under `incidents/`.

    Examples
    --------
    >>> incident_id("INC-202601051430")
    'INC-202601051430'
    """
    if not isinstance(value, str):
        raise InputError(f"incident_id {value!r}: a text is allowed, such as INC-202601051430, or an empty one")
    is_name = value == value.strip() and not set(value) & set("/\\:\0\n") and value not in (".", "..")
    if not is_name or len(value) > _LONGEST_ID:
        raise InputError(
            f"incident_id {value[:_LONGEST_ID]!r}: the name of a folder is allowed, such as INC-202601051430"
        )
    return value


def whole_number(name: str, value: object, low: int, high: int) -> int:
    """A count that a notebook takes as a parameter.

    Raises
    ------
    InputError
        If it is no whole number from `low` to `high`.

    Examples
    --------
    >>> whole_number("max_repos", 8, 1, 50)
    8
    """
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InputError(f"{name} {value!r}: a whole number from {low} to {high} is allowed")
    return value
