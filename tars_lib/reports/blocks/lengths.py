"""Bounds of a text in a report, and where a long word may break; `visible` itself is `tars_lib.text.visible`."""

from __future__ import annotations

import re

from tars_lib.text.visible import HIDDEN_CATEGORIES, visible

__all__ = ["HIDDEN_CATEGORIES", "LINE_LIMIT", "NAME_LIMIT", "TEXT_LIMIT", "breakable", "visible"]

# Longest texts in characters (judgement): a name of a few lines, a sentence, a paragraph of about a page.
NAME_LIMIT = 240
LINE_LIMIT = 500
TEXT_LIMIT = 4000

# Runs of at least so many get places to break, so that common words and names stay whole (judgement): a narrow column of a
# page holds about as many.
LONGEST_RUN = 14

# Between separators, a piece longer than the first breaks after each so many characters as the second says: a
# large type in a narrow card (judgement).
LONGEST_PIECE = 16
PIECE = 6

# A shorter end stays with what stands before it: `issue_4` is no name any more with its 4 on a line of its own (judgement).
SHORTEST_END = 3


def breakable(text: str) -> str:
    r"""Give long runs without a space places to break, as zero-width spaces.

    Examples
    --------
    >>> breakable("short-name")
    'short-name'
    >>> breakable("checkout-payment-gateway").split("\u200b")
    ['checkout-', 'payment-', 'gateway']
    >>> breakable("low_traffic/test/issue_4").split("\u200b")
    ['low_', 'traffic/', 'test/', 'issue_4']
    """
    return re.sub(rf"\S{{{LONGEST_RUN},}}", _with_breaks, text)


def _with_breaks(run: re.Match[str]) -> str:
    pieces = re.split(r"(?<=[-/._:=,])(?=[^\s/])", run.group())
    if len(pieces) > 1 and len(pieces[-1]) < SHORTEST_END:
        pieces[-2:] = ["".join(pieces[-2:])]
    return "\u200b".join(
        piece[start : start + PIECE] if len(piece) > LONGEST_PIECE else piece
        for piece in pieces
        for start in range(0, len(piece) if len(piece) > LONGEST_PIECE else 1, PIECE)
    )
