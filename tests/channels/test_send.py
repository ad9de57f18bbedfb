"""Sending to real servers on loopback: every channel gets its text, one that fails stops none, and no secret is told."""

from __future__ import annotations

import email
import email.policy
import json
import socket
from datetime import UTC, datetime

import pytest
from loopback import http_server, smtp_server

from tars_lib.channels.pagerduty import PagerDutyAction
from tars_lib.channels.send import Delivery, send
from tars_lib.errors import ConfigError, NotificationError
from tars_lib.files.json_records import dumps
from tars_lib.playbook.documents.communication import Message

NOW = datetime(2026, 1, 5, 14, 30, tzinfo=UTC)
MARKDOWN = Message(
    "escalation", "Escalation", "[SEV-1] INC-1: Checkout fails", "**Status:** Investigating\n", "MARKDOWN"
)
TEXT = Message("email", "Executives", "[SEV-1] INC-1: Checkout fails", "Status <b>: $(x)\\n\nsecond line\n", "TEXT")
SECRET = "s3cr3t-t0ken"  # noqa: S105 - a made-up one, to be looked for

# apprise imports a module that Python 3.13 no longer has, and brings its own where it is missing
OLD_MODULE = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


def closed_port() -> int:
    """A port on which nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def pagerduty(port: int) -> str:
    return f"pagerduty://{SECRET}@any?endpoint=http://127.0.0.1:{port}/v2/enqueue"


@pytest.mark.parametrize("action", list(PagerDutyAction))
def test_trigger_acknowledge_and_resolve_meet_under_the_incidents_id(action: PagerDutyAction) -> None:
    with http_server() as server:
        (receipt,) = send([TEXT], [pagerduty(server.port)], at=NOW, is_real=True, incident_id="INC-1", action=action)
    (event,) = map(json.loads, server.received)
    assert receipt.delivery is Delivery.SENT
    assert (event["dedup_key"], event["event_action"], event["routing_key"]) == ("INC-1", action.value.lower(), SECRET)
    assert ("payload" in event) is (action is PagerDutyAction.TRIGGER)


def test_a_dry_run_is_the_default_and_reaches_nobody() -> None:
    with http_server() as server:
        (receipt,) = send([TEXT], [pagerduty(server.port)], at=NOW)
    assert receipt.delivery is Delivery.DRY_RUN
    assert server.received == []


def test_a_failing_channel_does_not_stop_the_others() -> None:
    with http_server() as good, http_server(500) as bad:
        urls = [pagerduty(closed_port()), pagerduty(bad.port), pagerduty(good.port)]
        receipts = send([TEXT], urls, at=NOW, is_real=True)
    assert [receipt.delivery for receipt in receipts] == [Delivery.FAILED, Delivery.FAILED, Delivery.SENT]
    assert "not reached" in receipts[0].reason
    assert receipts[1].reason == "refused with HTTP status 500"
    assert len(good.received) == 1


def test_all_channels_failing_is_an_error_with_the_receipts() -> None:
    with pytest.raises(NotificationError, match="all 2 channels failed: 1 pagerduty: not reached") as caught:
        send([TEXT], [pagerduty(closed_port())] * 2, at=NOW, is_real=True)
    assert len(caught.value.receipts) == 2
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("urls", "message"),
    [
        ([], "no channel"),
        ([f"no url {SECRET}"], "channel 1: not a URL"),
        (["pagerduty://k@a", SECRET], "channel 2: not"),
    ],
)
def test_what_is_not_a_channel_is_refused_before_anything_is_sent(urls: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        send([TEXT], urls, at=NOW, is_real=True)
    assert SECRET not in str(caught.value)


def test_an_acknowledgement_needs_an_incident() -> None:
    with pytest.raises(ConfigError, match="acknowledge: an incident id is needed"):
        send([TEXT], ["pagerduty://k@a"], at=NOW, action=PagerDutyAction.ACKNOWLEDGE)


@OLD_MODULE
def test_json_and_mail_arrive_in_the_form_that_suits_them() -> None:
    pytest.importorskip("apprise", reason="the extra [notify] is not installed")
    with http_server() as web, smtp_server() as mail:
        urls = [
            f"json://user:{SECRET}@127.0.0.1:{web.port}/",
            f"mailto://127.0.0.1:{mail.port}?from=tars@example.com&to=cto@example.com&mode=insecure&format=text",
        ]
        receipts = send([MARKDOWN, TEXT], urls, at=NOW, is_real=True, incident_id="INC-1")
    assert [(r.channel, r.communication_id, r.delivery) for r in receipts] == [
        ("1 json", "escalation", Delivery.SENT),
        ("2 mailto", "email", Delivery.SENT),
    ]
    body = json.loads(web.received[0])
    assert body["title"] == MARKDOWN.subject
    assert "**Status:** Investigating" in body["message"]
    letter = email.message_from_bytes(mail.received[0], policy=email.policy.default)
    assert letter["Subject"] == TEXT.subject
    part = letter.get_body(("plain",))
    assert part is not None
    assert part.get_content().split() == TEXT.body.split()


@OLD_MODULE
def test_no_secret_stands_in_receipts_errors_or_logs(caplog: pytest.LogCaptureFixture) -> None:
    pytest.importorskip("apprise", reason="the extra [notify] is not installed")
    caplog.set_level(1)
    with http_server(500) as bad, http_server() as good:
        urls = [f"json://user:{SECRET}@127.0.0.1:{bad.port}/hook/{SECRET}", pagerduty(good.port)]
        receipts = send([TEXT], urls, at=NOW, is_real=True)
    assert [receipt.delivery for receipt in receipts] == [Delivery.FAILED, Delivery.SENT]
    assert SECRET not in dumps(receipts)
    with pytest.raises(ConfigError, match="channel 1 nosuch: apprise does not accept") as caught:
        send([TEXT], [f"nosuch://{SECRET}"], at=NOW)
    assert SECRET not in str(caught.value)
    assert not any(SECRET in str(record.__dict__) for record in caplog.records)
    assert SECRET not in caplog.text
