"""Status pages: incidents, and planned maintenance as events. A page shows its latest 50 of each.

https://metastatuspage.com/api
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tars_lib.sources.exported.incidents.statuspage import parse
from tars_lib.sources.exported.shapes import Choices, Exported
from tars_lib.sources.pulled.hosts.pages import entries_in, label_of, outlook_of, pulled_of, server
from tars_lib.sources.pulled.protocol import Ask, Pulled, PullOutlook

if TYPE_CHECKING:
    from tars_lib.config.pulling.changes import StatuspageForm

_LISTS = {"incidents": "/api/v2/incidents.json", "scheduled_maintenances": "/api/v2/scheduled-maintenances.json"}


def read(spec: StatuspageForm, ask: Ask) -> Pulled:
    """Read the page's lists; see `Source.read`."""
    with server(spec, ask, scheme="OAuth") as web:
        found = [entry for key, path in _LISTS.items() for entry in entries_in(web.json(path), key, label_of(spec))]
    read = parse(found, label_of(spec), Choices(repos=dict(spec.repos))) if found else Exported()
    return pulled_of(read, ask, dict(_LISTS))


def look(spec: StatuspageForm, ask: Ask) -> PullOutlook:
    """Count what is published; see `Source.look`."""
    return outlook_of(read(spec, ask))
