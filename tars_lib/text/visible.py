"""Text as a reader must see it: nothing hidden, nothing reordered, nothing without an end.

Names come from outside. A right-to-left override, a zero-width space or a control character would make a name
look like another one (Unicode TR 36, https://www.unicode.org/reports/tr36/), so they are printed as code
points.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

# Cc control, Cf format (bidi overrides, zero-width, tags), Cs surrogates, Co private use, Cn unassigned,
# Zl and Zp line and paragraph separators.
HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})

# ASCII punctuation with a meaning inside a line of CommonMark or of GitHub's tables, https://spec.commonmark.org/0.31.2/
# an arrow ends no tag and "&" alone names nothing, so "web -> api" and "R & D" can be pasted as they are
_MARKUP = re.compile(r"([\\`*_{}\[\]<#|~!]|(?<! [-=])>|&(?=[#A-Za-z]))")
# what would begin a list, a rule, a quotation or an underlined heading at the start of a line; "1." begins one, too
_OPENING = re.compile(r"^([-+=>]|\d+(?=([.)])))")

_SPACES = re.compile(r"[\t\r\f\v]+|\n")


def visible(text: str, limit: int | None = None, drawable: Collection[int] | None = None) -> str:
    r"""Make every character of a text one that a reader sees.

    Parameters
    ----------
    limit : int, optional
        Longest result before it is cut; a cut ends with an ellipsis and the full length. None: never cut.
    drawable : collection of int, optional
        Code points that the fonts at hand can draw; others are printed as their number. None: all.

    Returns
    -------
    str
        Tabs, carriage returns and line ends become spaces; hidden and undrawable characters become
        `[U+202E]`.

    Examples
    --------
    >>> visible("invoice\u202egpj.exe")
    'invoice[U+202E]gpj.exe'
    >>> visible("rocket \U0001F680", drawable=range(128))
    'rocket [U+1F680]'
    >>> visible("x" * 10_000, limit=5)
    'xxxxx… (10,000 characters)'
    """
    full = len(text)
    is_cut = limit is not None and full > limit
    if is_cut:
        text = text[:limit].rstrip()
    text = _SPACES.sub(" ", text)
    if not (text.isascii() and text.isprintable()):
        text = "".join(char if _is_seen(char, drawable) else f"[U+{ord(char):04X}]" for char in text)
    return f"{text}… ({full:,} characters)" if is_cut else text


def markdown_text(text: str) -> str:
    r"""One line that Markdown shows as it reads: nothing in it becomes a link, a tag, a table cell, a list or a heading.

    Examples
    --------
    >>> markdown_text("<b>|x")
    '\\<b\\>\\|x'
    >>> markdown_text("web -> api, R & D")
    'web -> api, R & D'
    >>> markdown_text("- 2026-01-05")
    '\\- 2026-01-05'
    >>> markdown_text("1. first")
    '1\\. first'
    """
    escaped = _MARKUP.sub(r"\\\1", " ".join(visible(text).split()))
    return _OPENING.sub(lambda match: f"{match[1]}\\" if match[2] else f"\\{match[1]}", escaped)


def _is_seen(char: str, drawable: Collection[int] | None) -> bool:
    return unicodedata.category(char) not in HIDDEN_CATEGORIES and (drawable is None or ord(char) in drawable)
