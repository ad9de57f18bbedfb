"""The exception tree: every refusal that a user can cause, each with the sentence it prints.

An error says what was wrong, the value, what is allowed, and where (file, row, column). Which exit code an error
ends with depends on the command that met it; that mapping lives in `tars_lib.cli.shared.shell`.
"""

from __future__ import annotations

from collections.abc import Sequence

MAX_FAULTS = 10
"""Faults of one kind that a message lists; the rest is counted. Judgement: what fits a screen."""


class TarsError(Exception):
    """Base of every error that this package raises on purpose."""

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows: the sentence alone, as on the command line. IPython asks for it by this name."""
        return [f"{type(self).__name__}: {self}"]


class ConfigError(TarsError):
    """A configuration file, option or parameter is not acceptable."""


class InputError(TarsError):
    """Input data could not be read, or breaks a rule of the input format."""


class UnknownNameError(InputError, KeyError):
    """Something was asked for by a name that nothing has; a `KeyError` too, as for any other mapping."""

    # KeyError would print the sentence in quotes
    __str__ = Exception.__str__


class NoRepositoriesError(InputError):
    """An org-health root holds no repository at all."""


class ReportError(TarsError):
    """A notebook failed, or a report could not be exported."""


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
    """Where something was found, as every message words it.

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
