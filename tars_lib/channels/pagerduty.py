"""PagerDuty's Events API v2: trigger, acknowledge and resolve under one deduplication key.

https://developer.pagerduty.com/docs/send-alert-event
"""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request

from tars_lib.model.names import Name

_ENDPOINTS = {
    "us": "https://events.pagerduty.com/v2/enqueue",
    "eu": "https://events.eu.pagerduty.com/v2/enqueue",
}
# Longest summary and deduplication key that the API takes.
_SUMMARY = 1024
_KEY = 255
# Seconds: judgement; a responder waits for it.
_TIMEOUT = 10


class PagerDutyAction(Name):
    """What an event does to the PagerDuty incident with its key."""

    TRIGGER = "TRIGGER"
    ACKNOWLEDGE = "ACKNOWLEDGE"
    RESOLVE = "RESOLVE"


def enqueue(url: str, subject: str, body: str, incident_id: str | None, action: PagerDutyAction) -> str:
    """Send one event.

    Parameters
    ----------
    url : str
        `pagerduty://INTEGRATION_KEY@any?region=eu`, as apprise writes it (the part after the @ is not used); `endpoint=URL`
        names another server that speaks the same protocol.
    subject, body : str
        Summary and details of a trigger.
    incident_id : str or None
        Deduplication key.
    action : PagerDutyAction

    Returns
    -------
    str
        Why it failed, without anything from the URL; empty where it was accepted.
    """
    parts = urllib.parse.urlsplit(url)
    options = dict(urllib.parse.parse_qsl(parts.query))
    region = options.get("region", "us").lower()
    endpoint = options.get("endpoint") or _ENDPOINTS.get(region, "")
    if not endpoint.startswith(("https://", "http://")):
        return "region and endpoint: us, eu, or an http(s) URL is allowed"
    event: dict[str, object] = {
        "routing_key": urllib.parse.unquote(parts.username or parts.hostname or ""),
        "event_action": action.value.lower(),
    }
    if incident_id:
        event["dedup_key"] = incident_id[:_KEY]
    if action is PagerDutyAction.TRIGGER:
        event["payload"] = {
            "summary": subject[:_SUMMARY],
            "source": "T.A.R.S. incident workbook",
            "severity": "critical",
            "custom_details": {"text": body},
        }
    request = urllib.request.Request(  # noqa: S310 - the scheme was checked above
        endpoint, json.dumps(event).encode(), {"Content-Type": "application/json"}, method="POST"
    )
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:  # noqa: S310 - same
            answer.read()
    except urllib.error.HTTPError as error:
        error.close()
        return f"refused with HTTP status {error.code}"
    except OSError as error:
        return f"not reached ({type(error).__name__})"
    return ""
