"""Status pages: incidents, and planned maintenance as events. A page shows its latest 50 of each.

https://metastatuspage.com/api
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tars_lib.sources.exported.incidents.statuspage import parse
from tars_lib.sources.exported.shapes import Choices, Exported
from tars_lib.sources.pulled.hosts.pages import entries_in, pulled_of, server
from tars_lib.sources.pulled.protocol import Ask, Pulled

if TYPE_CHECKING:
    from tars_lib.config.pulling.changes import StatuspageForm

_LISTS = {"incidents": "/api/v2/incidents.json", "scheduled_maintenances": "/api/v2/scheduled-maintenances.json"}


def read(spec: StatuspageForm, ask: Ask) -> Pulled:
    """Read the page's lists; see `Source.read`."""
    with server(spec, ask, scheme="OAuth") as web:
        entries = [entry for key, path in _LISTS.items() for entry in entries_in(web.json(path), key, spec.label)]
    read = parse(entries, spec.label, Choices(repos=dict(spec.repos))) if entries else Exported()
    return pulled_of(read, ask, dict(_LISTS))
