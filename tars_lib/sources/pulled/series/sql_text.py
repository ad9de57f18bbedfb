"""The query of a user with its two parameters in the way that a database binds them: no value is ever put into the text."""

from __future__ import annotations

import re
from collections.abc import Callable

from tars_lib.errors import ConfigError

# what may hold a colon that is none of a parameter: texts, quoted names, comments, dollar-quoted texts, casts
_PARTS = re.compile(
    r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|--[^\n]*|/\*.*?\*/|(\$\w*\$).*?\1|::|(?<![\w:]):(?P<name>[A-Za-z_]\w*)",
    re.DOTALL,
)
PARAMETERS = ("since", "until")

_READS = re.compile(r"[\s(]*(?:select|with|from|values|table)\b", re.IGNORECASE)


def bound(query: str, write: Callable[[str], str], where: str) -> tuple[str, tuple[str, ...]]:
    """Return the query as a database takes it.

    Parameters
    ----------
    query : str
        With ``:since`` and ``:until``.
    write : callable
        How a parameter is written, by its name.

    Returns
    -------
    order : tuple of str
        The parameters in the order in which they stand.

    Raises
    ------
    ConfigError
        If one of the two is missing, there is another one, several statements, or one that does not read.

    Examples
    --------
    >>> bound("select ':since' from t where a >= :since and b < :until::date", lambda name: "?", "query")
    ("select ':since' from t where a >= ? and b < ?::date", ('since', 'until'))
    """
    order: list[str] = []

    def put(part: re.Match[str]) -> str:
        name = part["name"]
        if name is None:
            return part[0]
        if name not in PARAMETERS:
            raise ConfigError(f"{where}: parameter :{name[:40]} is not known; allowed: :since, :until")
        order.append(name)
        return write(name)

    text = _PARTS.sub(put, query.strip().removesuffix(";").rstrip())
    bare = _PARTS.sub("", query.strip().removesuffix(";"))
    if ";" in bare:
        raise ConfigError(f"{where}: several statements; one query is allowed")
    if _READS.match(bare) is None:
        # others write files beside the database, which no setting of the connection forbids
        begin = (bare.split() or ["nothing"])[0][:20]
        raise ConfigError(
            f"{where}: begins with {begin}; a query that reads is allowed: select ..., with ... select ..."
        )
    missing = [f":{name}" for name in PARAMETERS if name not in order]
    if missing:
        raise ConfigError(
            f"{where}: {' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing; the query asks for a range, "
            "such as where ts >= :since and ts < :until"
        )
    return text, tuple(order)
