"""The alerts of Alertmanager that fire now. It keeps no past: each pull adds what it sees to `incidents.csv`.

https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tars_lib.sources.exported.incidents.alertmanager import parse
from tars_lib.sources.exported.shapes import Choices, Exported
from tars_lib.sources.pulled.hosts.pages import entries_in, pulled_of, server
from tars_lib.sources.pulled.protocol import Ask, Pulled

if TYPE_CHECKING:
    from tars_lib.config.pulling.changes import AlertmanagerForm

_PATH = "/api/v2/alerts"


def read(spec: AlertmanagerForm, ask: Ask) -> Pulled:
    """Read the alerts; see `Source.read`."""
    with server(spec, ask) as web:
        entries = entries_in(web.json(_PATH), None, spec.label)
    read = parse(entries, spec.label, Choices(repo_from=spec.repo)) if entries else Exported()
    return pulled_of(read, ask, {"alerts": _PATH})
