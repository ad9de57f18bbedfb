"""Incidents of PagerDuty.

https://developer.pagerduty.com/api-reference/9d0b4b12e36f9-list-incidents
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tars_lib.errors import InputError
from tars_lib.sources.exported.incidents.pagerduty import parse
from tars_lib.sources.exported.shapes import Choices, Exported
from tars_lib.sources.pulled.hosts.pages import entries_in, pulled_of, server
from tars_lib.sources.pulled.protocol import Ask, Pulled
from tars_lib.sources.pulled.web import Web
from tars_lib.text.times import SECONDS

if TYPE_CHECKING:
    from tars_lib.config.pulling.changes import PagerDutyForm

_PAGE = 100
_OFFSETS = 10_000
"""Entries that can be reached by offset, of PagerDuty's own."""
_LONGEST = timedelta(days=179)
"""Range that may be asked for at once: less than six months, of PagerDuty's own."""


def read(spec: PagerDutyForm, ask: Ask) -> Pulled:
    """Read the incidents of the range; see `Source.read`."""
    headers = {"Accept": "application/vnd.pagerduty+json;version=2"}
    with server(spec, ask, scheme="Token token=", headers=headers) as web:
        entries = list(_incidents(spec, ask, web))
    read = parse(entries, spec.label, Choices(repos=dict(spec.repos))) if entries else Exported()
    return pulled_of(read, ask, {"incidents": "/incidents"})


def _incidents(spec: PagerDutyForm, ask: Ask, web: Web) -> Iterator[Any]:
    since = ask.since
    while since < ask.until:
        until = min(since + _LONGEST, ask.until)
        span = {"since": f"{since:{SECONDS}}", "until": f"{until:{SECONDS}}", "time_zone": "UTC"}
        for offset in range(0, _OFFSETS, _PAGE):
            page = web.json("/incidents", {**span, "limit": str(_PAGE), "offset": str(offset)})
            yield from entries_in(page, "incidents", spec.label)
            if page.get("more") is not True:
                break
        else:
            raise InputError(
                f"{spec.label}: more than {_OFFSETS} incidents in {until - since}; PagerDuty gives no more at once, a "
                "shorter range is needed"
            )
        since = until
