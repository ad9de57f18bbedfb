"""SENT means received: a redirect, a page, another answer than the service's own is a failure."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from loopback import http_server, smtp_server

from tars_lib.channels.send import send
from tars_lib.errors import NotificationError
from tars_lib.playbook.documents.communication import Message

NOW = datetime(2026, 1, 5, 14, 30, tzinfo=UTC)
TEXT = Message("email", "Executives", "[SEV-1] INC-1: Checkout fails", "Status\n", "TEXT")
SLACK = Message("slack", "Engineering", "[SEV-1] INC-1: Checkout fails", "Status\n", "SLACK")
PAGE = b"<!DOCTYPE html><html><title>Please log in</title></html>"
TOKENS = "T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


def refused(message: Message, url: str) -> str:
    with pytest.raises(NotificationError, match="all 1 channels failed") as caught:
        send([message], [url], at=NOW, is_real=True, incident_id="INC-1")
    (receipt,) = caught.value.receipts
    return receipt.reason


@pytest.mark.parametrize(
    ("status", "answer", "reason"),
    [
        (202, PAGE, "not as PagerDuty does"),
        (200, b"", "not as PagerDuty does"),
        (202, b'{"status": "invalid event"}', "not as PagerDuty does"),
        (202, b'["success"]', "not as PagerDuty does"),
        (202, b'{"status": "success", "dedup_key": "other"}', "another deduplication key"),
        (202, b'{"status": "success"}', "another deduplication key"),
        (400, b'{"status": "success", "dedup_key": "INC-1"}', "refused with HTTP status 400"),
    ],
)
def test_pagerduty_has_taken_an_event_only_if_it_says_so_with_our_key(status: int, answer: bytes, reason: str) -> None:
    with http_server(status, answer) as server:
        assert reason in refused(TEXT, f"pagerduty://key@any?endpoint=http://127.0.0.1:{server.port}/")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed_whatever_stands_at_its_end(status: int) -> None:
    pytest.importorskip("apprise", reason="the extra [notify] is not installed")
    with http_server(200) as end:
        elsewhere = {"Location": f"http://127.0.0.1:{end.port}/"}
        with http_server(status, b"", elsewhere) as server:
            for url in (
                f"pagerduty://key@any?endpoint=http://127.0.0.1:{server.port}/",
                f"json://127.0.0.1:{server.port}/",
            ):
                assert refused(TEXT, url).startswith(f"redirected with HTTP status {status}")
    assert end.received == []


def test_a_web_page_is_no_receipt_for_a_json_channel() -> None:
    pytest.importorskip("apprise", reason="the extra [notify] is not installed")
    with http_server(200, PAGE) as server:
        assert refused(TEXT, f"json://127.0.0.1:{server.port}/").startswith("answered with a web page")
    with http_server(200, b"taken") as server:
        (receipt,) = send([TEXT], [f"json://127.0.0.1:{server.port}/"], at=NOW, is_real=True)
    assert receipt.reason == ""


@pytest.mark.parametrize(
    ("answer", "reason"),
    [(b"ok", ""), (PAGE, "web page"), (b"", "not as Slack does"), (b"no_service", "refused|not as Slack does")],
)
def test_slack_has_taken_a_text_only_if_it_says_ok(monkeypatch: pytest.MonkeyPatch, answer: bytes, reason: str) -> None:
    pytest.importorskip("apprise", reason="the extra [notify] is not installed")
    from apprise.plugins.slack import NotifySlack

    with http_server(200, answer) as server:
        monkeypatch.setattr(NotifySlack, "webhook_url", f"http://127.0.0.1:{server.port}/services")
        monkeypatch.setattr(NotifySlack, "request_rate_per_sec", 0)
        url = f"slack://{TOKENS}/#incidents"
        if not reason:
            (receipt,) = send([SLACK], [url], at=NOW, is_real=True)
            assert receipt.reason == ""
        else:
            assert any(part in refused(SLACK, url) for part in reason.split("|"))


@pytest.mark.parametrize("code", [b"451 try later", b"554 no"])
def test_a_letter_that_the_server_does_not_take_is_not_sent(code: bytes) -> None:
    pytest.importorskip("apprise", reason="the extra [notify] is not installed")
    with smtp_server(code) as mail:
        url = f"mailto://127.0.0.1:{mail.port}?from=tars@example.com&to=cto@example.com&mode=insecure&format=text"
        assert refused(TEXT, url)
