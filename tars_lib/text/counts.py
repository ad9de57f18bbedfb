"""Counts with their nouns, for sentences: singular and plural agree."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from tars_lib.text.times import MINUTES


def plural(count: int, word: str, words: str | None = None) -> str:
    """Return a count with its noun; `words` is the plural where an "s" does not make it.

    Examples
    --------
    >>> plural(1, "service"), plural(3, "SLA"), plural(2, "breach", "breaches"), plural(5855, "request")
    ('1 service', '3 SLAs', '2 breaches', '5,855 requests')
    """
    return f"{count:,} {word if count == 1 else words or word + 's'}"


def verb(count: int, one: str = "is", many: str = "are") -> str:
    """Return the form of a verb that agrees with a count.

    Examples
    --------
    >>> verb(1), verb(3), verb(1, "takes", "take")
    ('is', 'are', 'takes')
    """
    return one if count == 1 else many


def listed(names: Sequence[str]) -> str:
    """Return names as a sentence lists them.

    Examples
    --------
    >>> listed(["a"]), listed(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def some_of(names: Sequence[str], most: int = 5) -> str:
    """Return the first names, and three dots where there are more.

    Examples
    --------
    >>> some_of(("a", "b", "c"), most=2)
    'a, b, ...'
    """
    return ", ".join(names[:most]) + (", ..." if len(names) > most else "")


def and_more(names: Sequence[str], most: int = 4) -> str:
    """Return the first names, and how many more there are.

    Examples
    --------
    >>> and_more(("a", "b", "c"), most=2)
    'a, b and 1 more'
    """
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def active_text(active: int, total: int, as_of: datetime) -> str:
    """Return how many of some breaches were active at the end of the data: true however old these are.

    Examples
    --------
    >>> end = datetime(2026, 11, 2, 15)
    >>> active_text(1, 1, end), active_text(2, 2, end)
    ('the breach is active as of 2026-11-02 15:00 UTC', 'both breaches are active as of 2026-11-02 15:00 UTC')
    >>> active_text(0, 1, end), active_text(0, 2, end), active_text(1, 3, end)
    ('the breach is over', 'both breaches are over', '1 of 3 breaches is active as of 2026-11-02 15:00 UTC')
    """
    when = f"active as of {as_of:{MINUTES}}"
    which = "the breach" if total == 1 else "both breaches" if total == 2 else f"all {total} breaches"
    verb = "is" if total == 1 else "are"
    if active in (0, total):
        return f"{which} {verb} {when if active else 'over'}"
    return f"{active} of {total} breaches {'is' if active == 1 else 'are'} {when}"


_WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_CLOSE = 0.08


def one_in(share: float, word: str) -> str:
    """Return a share of many as people say it; percent where no whole number is within 8 % of it.

    Examples
    --------
    >>> one_in(0.165, "request"), one_in(0.0143, "request"), one_in(0.5, "request")
    ('One in six requests', 'One in 70 requests', 'One in two requests')
    >>> one_in(0.4, "request"), one_in(1.0, "request"), one_in(0.0, "request"), one_in(0.00021, "request")
    ('40% of requests', 'All requests', 'No request', 'One in 4,800 requests')
    """
    if share <= 0.0:
        return f"No {word}"
    if share >= 1.0:
        return f"All {word}s"
    number = 1.0 / share
    digits = 0 if number < 100 else 2 - len(str(int(number)))
    whole = int(round(number, digits))
    if whole < 2 or abs(whole * share - 1.0) > _CLOSE:
        return f"{min(max(share, 0.01), 0.99):.0%} of {word}s"
    return f"One in {_WORDS[whole - 1] if whole <= len(_WORDS) else f'{whole:,}'} {word}s"


def unexplained_text(share: float | None) -> str:
    """Return how much of an impact no cause explains; None is unknown.

    Examples
    --------
    >>> unexplained_text(0.0), unexplained_text(0.004)
    ('The causes explain all of the impact', 'Less than 1% of the impact has no known cause')
    >>> unexplained_text(0.12), unexplained_text(0.999)
    ('12% of the impact has no known cause', 'More than 99% of the impact has no known cause')
    """
    if share is None:
        return "How much of the impact has a cause is unknown"
    if share <= 0.0:
        return "The causes explain all of the impact"
    said = "Less than 1%" if share < 0.01 else "More than 99%" if 0.99 < share < 1.0 else f"{share:.0%}"
    return f"{said} of the impact has no known cause"
