"""Send a text to several channels, and say for each what became of it.

A channel is a URL of apprise (https://appriseit.com/services/), such as `slack://...` or `mailto://...`. A URL holds
secrets, so a receipt names a channel by its place in the list and its scheme alone, and the logs of
the libraries, which print URLs, are silenced. PagerDuty has a module of its own: apprise knows no acknowledgement.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from tars_lib.channels.acknowledgement import answers, not_received
from tars_lib.channels.pagerduty import PagerDutyAction, enqueue
from tars_lib.errors import ConfigError, NotificationError
from tars_lib.model.names import Name
from tars_lib.playbook.documents.communication import Message

# Which form of a text a scheme takes first; the others take Markdown, then whatever is there.
_FORMS = {"slack": "SLACK", "mailto": "TEXT", "mailtos": "TEXT"}

# Loggers that print URLs, or the part of them that holds a token.
_TALKATIVE = ("apprise", "urllib3.connectionpool")

# Slack calls people by <!channel>; "@channel" is a word to it. Only what the text begins with calls: that is the playbook's.
# https://api.slack.com/reference/surfaces/formatting#special-mentions
_CALL = re.compile(r"\A@(channel|here|everyone)\b")

_REFUSED = "refused, or not reached"

_SCHEME = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*)://")


class Delivery(Name):
    """Fate of a message."""

    SENT = "SENT"
    FAILED = "FAILED"
    DRY_RUN = "DRY_RUN"


@dataclass(frozen=True, slots=True)
class Receipt:
    """Record of what one channel did.

    Attributes
    ----------
    channel : str
        Place in the list and scheme, such as "2 mailto"; never the URL.
    communication_id : str
        Which text was taken.
    delivery : Delivery
    at : datetime
    reason : str
        Empty where it was sent.
    """

    channel: str
    communication_id: str
    delivery: Delivery
    at: datetime
    reason: str = ""


def send(
    messages: Sequence[Message],
    urls: Sequence[str],
    *,
    at: datetime,
    is_real: bool = False,
    incident_id: str | None = None,
    action: PagerDutyAction = PagerDutyAction.TRIGGER,
) -> tuple[Receipt, ...]:
    """Send to every channel; one that fails does not stop the others.

    Parameters
    ----------
    messages : sequence of Message
        One text in several forms; each channel takes the form that suits it.
    urls : sequence of str
    at : datetime
        Goes into the receipts.
    is_real : bool
        False: nothing leaves this machine, and the receipts say so.
    incident_id : str, optional
        PagerDuty's deduplication key: triggers, acknowledgements and resolutions of one incident meet under it.
    action : PagerDutyAction
        For PagerDuty alone; the others send the text in any case.

    Returns
    -------
    tuple of Receipt
        In the order of the URLs.

    Raises
    ------
    ConfigError
        If there is no text or channel, a URL is not one, or a library is missing. Nothing was sent then.
    NotificationError
        If every channel failed.
    """
    if not messages:
        raise ConfigError("no text to send; one message at least is needed")
    channels = [(f"{n} {_scheme(url, n)}", url) for n, url in enumerate(urls, start=1)]
    if not channels:
        raise ConfigError("no channel to send to; one URL at least is needed")
    if action is not PagerDutyAction.TRIGGER and not incident_id:
        raise ConfigError(
            f"{action.value.lower()}: an incident id is needed, because it is PagerDuty's deduplication key"
        )
    if any(not name.endswith(" pagerduty") for name, _ in channels):
        _check_apprise([(name, url) for name, url in channels if not name.endswith(" pagerduty")])
    receipts = []
    for name, url in channels:
        message = _suited(messages, name.partition(" ")[2])
        reason = _deliver(message, url, incident_id, action) if is_real else "dry run: nothing was sent"
        delivery = Delivery.DRY_RUN if not is_real else Delivery.FAILED if reason else Delivery.SENT
        receipts.append(Receipt(name, message.communication_id, delivery, at, reason))
    if all(receipt.delivery is Delivery.FAILED for receipt in receipts):
        failures = "; ".join(f"{receipt.channel}: {receipt.reason}" for receipt in receipts)
        raise NotificationError(f"all {len(receipts)} channels failed: {failures}", tuple(receipts))
    return tuple(receipts)


def _scheme(url: str, n: int) -> str:
    match = _SCHEME.match(url)
    if match is None:
        # the text itself may be a secret and is not repeated
        raise ConfigError(f"channel {n}: not a URL; scheme://... is needed, such as mailto://user:password@example.com")
    return match[1].lower()


def _suited(messages: Sequence[Message], scheme: str) -> Message:
    wanted = _FORMS.get(scheme, "MARKDOWN")
    return next((message for message in messages if message.form == wanted), messages[0])


def _check_apprise(channels: Sequence[tuple[str, str]]) -> None:
    try:
        import apprise
    except ImportError as error:
        raise ConfigError(
            f"channel {channels[0][0]}: apprise is not installed; pip install 'tars-incident-workbook[notify]'"
        ) from error
    with _silenced():
        for name, url in channels:
            if apprise.Apprise.instantiate(url, suppress_exceptions=True) is None:
                raise ConfigError(
                    f"channel {name}: apprise does not accept this URL; see https://appriseit.com/services/"
                )


def _deliver(message: Message, url: str, incident_id: str | None, action: PagerDutyAction) -> str:
    """Deliver a message and return why that failed; empty where it did not."""
    try:
        if _SCHEME.match(url.lower()) and url.lower().startswith("pagerduty://"):
            return enqueue(url, message.subject, message.body, incident_id, action)
        return _by_apprise(message, url)
    except Exception as error:  # noqa: BLE001 - a plugin may raise anything, and must not stop the other channels
        # the message of the error may hold the URL
        return f"unexpected {type(error).__name__}"


def _by_apprise(message: Message, url: str) -> str:
    import apprise

    formats = {"TEXT": "text", "MARKDOWN": "markdown"}
    with _silenced(), answers() as heard:
        if message.form == "SLACK":
            # the text is mrkdwn, escaped once; `notify` would escape it again, and make links and calls of what people typed
            plugin = apprise.Apprise.instantiate(url)
            if plugin is not None and plugin.send(
                body=_CALL.sub(r"<!\1>", message.body),
                title=message.subject,
                body_format=apprise.NotifyFormat.MARKDOWN,
                body_passthrough=False,
            ):
                return not_received(heard, "slack")
            return not_received(heard, "slack") or _REFUSED
        target = apprise.Apprise()
        target.add(url)
        was_sent = target.notify(
            body=message.body, title=message.subject, body_format=formats.get(message.form), interpret_escapes=False
        )
    return not_received(heard, "") or ("" if was_sent else _REFUSED)


@contextmanager
def _silenced() -> Iterator[None]:
    logs = [logging.getLogger(name) for name in _TALKATIVE]
    before = [log.disabled for log in logs]
    for log in logs:
        log.disabled = True
    try:
        yield
    finally:
        for log, was_disabled in zip(logs, before, strict=True):
            log.disabled = was_disabled
