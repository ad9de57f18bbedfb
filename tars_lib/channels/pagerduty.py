"""PagerDuty's Events API v2: trigger, acknowledge and resolve under one deduplication key.

https://developer.pagerduty.com/docs/send-alert-event
"""

from __future__ import annotations

import http.client
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
# Bytes: the acknowledgement has about 100; judgement.
_LONGEST_ANSWER = 65_536


class PagerDutyAction(Name):
    """Effect of an event on the PagerDuty incident with its key."""

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
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=_TIMEOUT) as answer:
            return _acknowledged(answer.read(_LONGEST_ANSWER), incident_id)
    except urllib.error.HTTPError as error:
        error.close()
        what = "redirected" if error.code in range(300, 400) else "refused"
        return f"{what} with HTTP status {error.code}"
    except (OSError, http.client.HTTPException) as error:
        return f"not reached ({type(error).__name__})"


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follow nothing: a page elsewhere, such as a portal's, takes no event."""

    def redirect_request(self, *_: object) -> None:
        """Refuse to go on, so that the status is told."""


def _acknowledged(answer: bytes, incident_id: str | None) -> str:
    """Return why an answer is not PagerDuty's acknowledgement of this event; empty where it is."""
    try:
        said = json.loads(answer)
    except ValueError:
        said = None
    if not isinstance(said, dict) or said.get("status") != "success":
        return "answered, but not as PagerDuty does: no status of success in it"
    if incident_id and said.get("dedup_key") != incident_id[:_KEY]:
        return "answered with another deduplication key than the one that was sent"
    return ""
