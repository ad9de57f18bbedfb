"""Slack: apprise's own address leads to a real server on loopback; everything else is as in an incident."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from loopback import Inbox, http_server

from tars_lib.cli.main import cli
from tars_lib.incidents.response.opening import by_hand, open_incident
from tars_lib.incidents.store.journal import read_entries
from tars_lib.model.names import Severity

TOKENS = "T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
SECRET = "TIiajkdnlazkcOXrIdevi7FQ"  # noqa: S105 - the sample of Slack's own pages, to be looked for
URL = f"slack://{TOKENS}/#incidents"
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


@pytest.fixture
def slack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Inbox]:
    """A server that answers as Slack's webhooks do, under the address that apprise calls."""
    from apprise.plugins.slack import NotifySlack

    with http_server(200, b"ok") as inbox:
        monkeypatch.setattr(NotifySlack, "webhook_url", f"http://127.0.0.1:{inbox.port}/services")
        monkeypatch.setattr(NotifySlack, "request_rate_per_sec", 0)
        yield inbox


def notify(root: Path, title: str, *words: str) -> tuple[Path, str]:
    """Open an incident and send its text; its folder, and all that was said."""
    incident = open_incident(root, by_hand(Severity.SEV_1, title), "ada", datetime(2026, 1, 5, 14, 30, tzinfo=UTC))
    folder = root / incident.incident.incident_id
    done = CliRunner().invoke(
        cli, ["notify", "--incident", folder.name, "--incidents-dir", str(root), *words], env={"TARS_NOTIFY_URLS": URL}
    )
    return folder, f"{done.exit_code} {done.stdout} {done.stderr}"


def test_slack_gets_its_own_text_once_and_the_record_the_receipt_without_the_token(
    slack: Inbox, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        folder, said = notify(
            tmp_path, "Checkout fails for <a|b> & c; <!channel> <http://e|click> !here>", "--send", "--to", "Team lead"
        )
    assert said.startswith("0 sent")
    assert slack.paths == [f"/services/{TOKENS}"]
    (body,) = slack.received
    payload = json.loads(body)
    assert payload["channel"] == "#incidents"
    text = payload["attachments"][0]["text"]
    assert text.splitlines()[0] == f"<!channel> Incident in progress: *{folder.name}* SEV-1 Manual Escalation"
    # Slack's three characters are escaped once: https://api.slack.com/reference/surfaces/formatting#escaping
    assert "Checkout fails for &lt;a|b&gt; &amp; c" in text
    assert "&lt;!channel&gt; &lt;http://e|click&gt; !here&gt;" in text, "what people typed calls nobody and is no link"
    assert "Status: Investigating" in text
    assert "Next update: " in text
    sent, told = read_entries(folder)[-2:]
    assert sent.text.startswith("channel 1 slack: sent\n\n[SEV-1]")
    assert (told.kind.value, told.text.split(":")[0]) == ("ESCALATED", "notified Team lead")
    files = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.json*"))
    assert SECRET not in files + said + caplog.text


def test_a_slack_that_refuses_is_a_receipt_and_the_code_for_all_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from apprise.plugins.slack import NotifySlack

    with http_server(403, b"invalid_token") as inbox, caplog.at_level(logging.DEBUG):
        monkeypatch.setattr(NotifySlack, "webhook_url", f"http://127.0.0.1:{inbox.port}/services")
        folder, said = notify(tmp_path, "Slow", "--send")
    assert len(inbox.received) == 1
    assert said.startswith("105 ")
    last = read_entries(folder)[-1]
    assert last.text.startswith("channel 1 slack: FAILED: refused with HTTP status 403")
    assert "updated_at" not in last.data
    assert SECRET not in said + caplog.text + (folder / "timeline.jsonl").read_text(encoding="utf-8")


def test_a_dry_run_reaches_nobody_and_records_nothing(slack: Inbox, tmp_path: Path) -> None:
    folder, said = notify(tmp_path, "Slow")
    assert (slack.received, len(read_entries(folder))) == ([], 1)
    assert "This was a dry run: nothing was sent or recorded; add --send to send." in said
    assert SECRET not in said
