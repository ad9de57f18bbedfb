"""Counts with their nouns, for sentences: singular and plural agree."""

from __future__ import annotations


def plural(count: int, word: str, words: str | None = None) -> str:
    """A count with its noun; `words` is the plural where an "s" does not make it.

    Examples
    --------
    >>> plural(1, "service"), plural(3, "SLA"), plural(2, "breach", "breaches"), plural(5855, "request")
    ('1 service', '3 SLAs', '2 breaches', '5,855 requests')
    """
    return f"{count:,} {word if count == 1 else words or word + 's'}"


def still_active(active: int, total: int) -> str:
    """How many of some breaches are still active.

    Examples
    --------
    >>> still_active(1, 1), still_active(2, 2), still_active(3, 3)
    ('the breach is still active', 'both breaches are still active', 'all 3 breaches are still active')
    >>> still_active(0, 1), still_active(0, 2), still_active(1, 3)
    ('the breach is over', 'both breaches are over', '1 of 3 breaches is still active')
    """
    which = "the breach" if total == 1 else "both breaches" if total == 2 else f"all {total} breaches"
    verb = "is" if total == 1 else "are"
    if active in (0, total):
        return f"{which} {verb} {'over' if not active else 'still active'}"
    return f"{active} of {total} breaches {'is' if active == 1 else 'are'} still active"
