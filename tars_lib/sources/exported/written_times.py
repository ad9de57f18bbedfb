"""Times as programs write them for people, as ISO 8601: names of months, zones in brackets, halves of a day."""

from __future__ import annotations

import re

_NAMES = (
    "january february march april may june july august september october november december",
    "jan feb mar apr may jun jul aug sep oct nov dec",
)
_MONTHS = {name: f"{number:02d}" for names in _NAMES for number, name in enumerate(names.split(), start=1)}
_CLOCK = r"(?P<hour>\d{1,2}):(?P<rest>\d{2}(?::\d{2}(?:[.,]\d+)?)?)(?: ?(?P<half>[AaPp][Mm]))?"
_ZONE = r"(?P<zone> ?(?:Z|UTC|GMT)?(?: ?[+-]\d{2}:?\d{2})?)(?: \([^()]*\))?"
_NAMED = re.compile(
    r"(?:[A-Za-z]{3,9},? )?(?:(?P<m>[A-Za-z]{3,9})\.? (?P<d>\d{1,2}),?|(?P<D>\d{1,2})[-/ ](?P<M>[A-Za-z]{3,9})\.?)"
    rf"[-/ ]?(?: )?(?P<y>\d{{4}})(?:,? (?:@ |at )?|:){_CLOCK}{_ZONE}"
)
"""`Jan 5, 2026 @ 00:00:00.000`, `Mon Jan 05 2026 00:00:00 GMT+0100 (Central European Standard Time)`,
`Mon, 05 Jan 2026 00:00:00 GMT`, `05-JAN-2026 00:00:00`, `05/Jan/2026:00:00:00 +0000`."""
_JAVA = re.compile(r"(.+(?:Z|[+-]\d{2}:?\d{2}))\[[A-Za-z_/+-]+\]")
_GO = re.compile(r"(\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}(?:\.\d+)?) ([+-]\d{4}) [A-Za-z+-]+\d*(?: m=[+-][\d.]+)?")
_UTC_WORD = re.compile(r"\s*(?:UTC|GMT)$")
_SPACED_OFFSET = re.compile(r"\s+([+-]\d{2}:?\d{2})$")


def as_iso(cell: str) -> str:
    """Return a time in a form that `datetime.fromisoformat` reads; one in no form that is known stays as it is.

    Examples
    --------
    >>> as_iso("Mon Jan 05 2026 01:00:00 GMT+0100 (Mitteleuropäische Normalzeit)"), as_iso("Jan 5, 2026 @ 13:05:00.250")
    ('2026-01-05T01:00:00+0100', '2026-01-05T13:05:00.250')
    >>> as_iso("2026-01-05 00:00:00 +0000 UTC"), as_iso("Jan 5, 2026, 1:05 PM")
    ('2026-01-05 00:00:00+0000', '2026-01-05T13:05')
    """
    java = _JAVA.fullmatch(cell)
    if java is not None:
        return java[1]
    go = _GO.fullmatch(cell)
    if go is not None:
        return go[1] + go[2]
    named = _NAMED.fullmatch(cell)
    if named is None:
        return _UTC_WORD.sub("+00:00", _SPACED_OFFSET.sub(r"\1", cell))
    month = _MONTHS.get((named["m"] or named["M"]).lower())
    hour = half_day(int(named["hour"]), named["half"])
    if month is None or hour is None:
        return cell
    zone = named["zone"].strip()
    bare = zone.removeprefix("UTC").removeprefix("GMT").strip()
    offset = bare or ("Z" if zone else "")
    return f"{named['y']}-{month}-{int(named['d'] or named['D']):02d}T{hour:02d}:{named['rest']}{offset}"


def half_day(hour: int, half: str | None) -> int | None:
    """Return the hour of the day; None where there is no such hour of a half day."""
    if half is None:
        return hour
    return hour % 12 + (12 if half.lower() == "pm" else 0) if 1 <= hour <= 12 else None
