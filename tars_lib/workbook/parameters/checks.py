"""Parameters of notebooks, checked where they come in: papermill injects whatever stands in the file."""

from __future__ import annotations

from collections.abc import Sequence

from tars_lib.errors import InputError

_LONGEST_ID = 80
_LISTED = 10
"""Names that a refusal lists; judgement: what one reads before looking into the run."""


def known_name(parameter: str, value: object, known: Sequence[str], place: str, empty: str) -> str:
    """Return a name that a notebook takes as a parameter; empty where none is given.

    Parameters
    ----------
    parameter : str
    value : object
        What was given.
    known : sequence of str
        Names that are allowed, in the order in which they are listed; those like the one that was given come first.
    place, empty : str
        Where the names stand, and what an empty text means, for the message.

    Raises
    ------
    InputError
        Names the parameter, the value, and what is allowed.

    Examples
    --------
    >>> known_name("repo", "web", ["api", "web"], "Acme", "all")
    'web'
    >>> known_name("repo", "wbe", ["api", "web"], "Acme", "all")
    Traceback (most recent call last):
    tars_lib.errors.InputError: repo 'wbe': not in Acme; did you mean web? allowed: api, web; an empty text means all
    """
    if isinstance(value, str) and (not value or value in known):
        return value
    from difflib import get_close_matches

    # names differ from each other by case as well as by letters
    folded = {name.casefold(): name for name in reversed(known)}
    shown = repr(value)[:_LONGEST_ID]
    like = [folded[one] for one in get_close_matches(shown.strip("'").casefold(), folded, n=3)]
    meant = f"did you mean {' or '.join(like)}? " if like else ""
    more = f" and {len(known) - _LISTED} more" if len(known) > _LISTED else ""
    raise InputError(
        f"{parameter} {shown}: not in {place}; {meant}"
        f"allowed: {', '.join(known[:_LISTED]) or 'none is there'}{more}; an empty text means {empty}"
    )


def incident_id(value: object) -> str:
    """Return an incident's id as given, empty where none was opened.

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
    """Return a count that a notebook takes as a parameter.

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
