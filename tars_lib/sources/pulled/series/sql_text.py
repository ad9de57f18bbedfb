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


def bound(query: str, write: Callable[[str], str], where: str) -> tuple[str, tuple[str, ...]]:
    """The query as a database takes it.

    Parameters
    ----------
    query : str
        With ``:since`` and ``:until``.
    write : callable
        How a parameter is written, by its name.
    where : str
        File and key for messages.

    Returns
    -------
    query : str
    order : tuple of str
        The parameters in the order in which they stand.

    Raises
    ------
    ConfigError
        If one of the two is missing, there is another one, or several statements.

    Examples
    --------
    >>> bound("select ':since' from t where a >= :since and b < :until::date", lambda name: "?", "query")
    ("select ':since' from t where a >= ? and b < ?::date", ('since', 'until'))
    """
    order: list[str] = []

    def put(found: re.Match[str]) -> str:
        name = found["name"]
        if name is None:
            return found[0]
        if name not in PARAMETERS:
            raise ConfigError(f"{where}: parameter :{name[:40]} is not known; allowed: :since, :until")
        order.append(name)
        return write(name)

    text = _PARTS.sub(put, query.strip().removesuffix(";").rstrip())
    if ";" in _PARTS.sub("", query.strip().removesuffix(";")):
        raise ConfigError(f"{where}: several statements; one query is allowed")
    missing = [f":{name}" for name in PARAMETERS if name not in order]
    if missing:
        raise ConfigError(
            f"{where}: {' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing; the query asks for a range, "
            "such as where ts >= :since and ts < :until"
        )
    return text, tuple(order)
