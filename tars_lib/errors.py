"""The exception tree: every refusal that a user can cause, each with the sentence it prints; and the warning before one.

An error says what was wrong, the value, what is allowed, and where (file, row, column). Which exit code an error
ends with depends on the command that met it; that mapping lives in `tars_lib.cli.shared.shell`.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Sequence
from typing import ParamSpec, TypeVar

_Given = ParamSpec("_Given")
_Answer = TypeVar("_Answer")
MAX_FAULTS = 10
"""Faults of one kind that a message lists; the rest is counted. Judgement: what fits a screen."""
MAX_KEPT = 1_000
"""Faults of one kind that are kept for who asks for all; judgement: a file with more of them is wrong as a whole."""


class TarsError(Exception):
    """Base of every error that this package raises on purpose.

    Attributes
    ----------
    faults : tuple of str
        Every single sentence, up to `MAX_KEPT`, where the message shows the first few or one of several.
    """

    def __init__(self, *args: object, faults: Sequence[str] = ()) -> None:
        super().__init__(*args)
        self.faults = tuple(faults)

    def _render_traceback_(self) -> list[str]:
        """Return the sentence alone, as on the command line: IPython calls this by name, for a notebook."""
        return [f"{type(self).__name__}: {self}"]


class ConfigError(TarsError):
    """A configuration file, option or parameter is not acceptable."""


class InputError(TarsError):
    """Input data could not be read, or breaks a rule of the input format.

    Attributes
    ----------
    rows : tuple of int
        Positions of the samples that are at fault, where the rest could be looked at without them.
    """

    def __init__(self, *args: object, faults: Sequence[str] = (), rows: Sequence[int] = ()) -> None:
        super().__init__(*args, faults=faults)
        self.rows = tuple(rows)


class UnknownNameError(InputError, KeyError):
    """Something was asked for by a name that nothing has; a `KeyError` too, as for any other mapping."""

    # KeyError would print the sentence in quotes
    __str__ = Exception.__str__


class NoRepositoriesError(InputError):
    """An org-health root holds no repository at all."""


class ReportError(TarsError):
    """A notebook failed, or a report could not be exported."""


class SchedulerError(TarsError):
    """Workers that were to share the work cannot be reached, or died of it."""


class VerificationError(TarsError):
    """Something that was sealed by a digest is not what it was."""


class NotificationError(TarsError):
    """Every channel of a notification failed.

    Attributes
    ----------
    receipts : tuple
        What each channel said, for the record.
    """

    def __init__(self, message: str, receipts: tuple[object, ...]) -> None:
        super().__init__(message)
        self.receipts = receipts


def place(path: object, row: int | None = None, column: str | None = None) -> str:
    """Name where something was found, as every message words it.

    Parameters
    ----------
    path : object
        File or folder, printed as given.
    row : int, optional
        1-based line of a text file, the header counted; 1-based row number for a binary file.
    column : str, optional
        Column or key.

    Returns
    -------
    str

    Examples
    --------
    >>> place("history.csv", row=3, column="value")
    'history.csv, row 3, column value'
    """
    parts = [str(path)]
    if row is not None:
        parts.append(f"row {row}")
    if column is not None:
        parts.append(f"column {column}")
    return ", ".join(parts)


def one_line(error: BaseException) -> str:
    """Return what an error says in one line; one of the operating system in its own words, with the file."""
    text = str(error)
    if isinstance(error, OSError) and error.strerror:
        text = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return " ".join(text.split())


def listed(faults: Sequence[str], total: int | None = None) -> str:
    r"""Several faults as one message, of which the first ten are shown and the rest is counted.

    Parameters
    ----------
    faults : sequence of str
        In the order in which they are shown.
    total : int, optional
        How many there are, where not all of them are at hand.

    Examples
    --------
    >>> listed(["row 3: no time", "row 5: no time"], 40)
    'row 3: no time;\nrow 5: no time;\nand 38 more'
    """
    shown = list(faults[:MAX_FAULTS])
    more = (len(faults) if total is None else total) - len(shown)
    return ";\n".join([*shown, f"and {more:,} more"] if more > 0 else shown)


def deprecated(*, since: str, until: str, use: str) -> Callable[[Callable[_Given, _Answer]], Callable[_Given, _Answer]]:
    """Mark a public function as one that goes: it works as before and warns its caller.

    Parameters
    ----------
    since : str
        Version that warns first.
    until : str
        Version in which it is gone.
    use : str
        What takes its place, as a caller would type it.

    Returns
    -------
    callable
        Decorator. The function carries the sentence as ``__deprecated__``, as those of PEP 702 do, and `until` as
        ``__until__``.

    Examples
    --------
    >>> @deprecated(since="0.2.0", until="0.3.0", use="tars_lib.why")
    ... def explain(result: str) -> str:
    ...     return result
    >>> explain.__deprecated__
    'explain is deprecated since version 0.2.0 and goes in 0.3.0; use tars_lib.why'
    """

    def mark(function: Callable[_Given, _Answer]) -> Callable[_Given, _Answer]:
        sentence = f"{function.__qualname__} is deprecated since version {since} and goes in {until}; use {use}"

        @functools.wraps(function)
        def warn(*args: _Given.args, **kwargs: _Given.kwargs) -> _Answer:
            warnings.warn(sentence, DeprecationWarning, stacklevel=2)
            return function(*args, **kwargs)

        warn.__dict__.update(__deprecated__=sentence, __until__=until)
        return warn

    return mark
