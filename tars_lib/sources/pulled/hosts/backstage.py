"""Components of a Backstage catalogue: repos with owner and tier, and who depends on whom.

https://backstage.io/docs/features/software-catalog/software-catalog-api
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from tars_lib.errors import InputError
from tars_lib.sources.exported.changes.backstage import parse
from tars_lib.sources.exported.shapes import Exported
from tars_lib.sources.pulled.hosts.pages import MAX_PAGES, entries_in, pulled_of, server
from tars_lib.sources.pulled.protocol import Ask, Pulled
from tars_lib.sources.pulled.web import Web

if TYPE_CHECKING:
    from tars_lib.config.pulling.changes import BackstageForm

_PATH = "/api/catalog/entities/by-query"
_KINDS = "?filter=kind=component&filter=kind=api&filter=kind=resource&limit=500"


def read(spec: BackstageForm, ask: Ask) -> Pulled:
    """Read the catalogue; see `Source.read`."""
    with server(spec, ask) as web:
        entries = list(_entities(spec, web))
    return pulled_of(parse(entries, spec.label) if entries else Exported(), ask, {"entities": _PATH + _KINDS})


def _entities(spec: BackstageForm, web: Web) -> Iterator[Any]:
    page = web.json(_PATH + _KINDS)
    for _ in range(MAX_PAGES):
        yield from entries_in(page, "items", spec.label)
        about = page.get("pageInfo")
        cursor = about.get("nextCursor") if isinstance(about, dict) else None
        if not isinstance(cursor, str) or not cursor:
            return
        page = web.json(_PATH, {"cursor": cursor, "limit": "500"})
    raise InputError(f"{spec.label}: more than {MAX_PAGES} pages of entities")
