"""`tars notify` as people call it."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from loopback import http_server

from tars_lib.cli.main import cli

KEY = "s3cr3t-key"


def notify(*args: object, **env: str) -> Result:
    return CliRunner().invoke(cli, ["notify", *map(str, args)], env={"TARS_NOTIFY_URLS": None, **env})


def test_without_send_it_is_a_dry_run_that_says_so() -> None:
    done = notify("--message", "x", "--url", f"pagerduty://{KEY}@a")
    assert done.exit_code == 0
    assert "not sent  channel 1 pagerduty" in done.stdout
    assert "dry run" in done.stdout
    assert KEY not in done.output


def test_channels_come_from_file_environment_and_arguments(tmp_path: Path) -> None:
    with http_server() as server:
        url = f"pagerduty://{KEY}@a?endpoint=http://127.0.0.1:{server.port}/"
        (tmp_path / "urls.txt").write_text(f"# on call\n\n{url}\n", encoding="utf-8")
        (tmp_path / "text.txt").write_text("Überblick\n", encoding="utf-8")
        done = notify(
            "--file", tmp_path / "text.txt", "--url", "pagerduty://${K}@a?endpoint=${E}", "--urls-file", tmp_path / "urls.txt",
            "--incident", "INC-1", "--send", "--json",
            TARS_NOTIFY_URLS=url, K=KEY, E=f"http://127.0.0.1:{server.port}/",
        )  # fmt: skip
    document = json.loads(done.stdout)
    assert (document["is_dry_run"], len(document["receipts"]), len(server.received)) == (False, 3, 3)
    assert json.loads(server.received[0])["payload"]["custom_details"]["text"] == "Überblick\n"
    assert KEY not in done.output


def test_all_channels_failing_ends_with_105() -> None:
    with http_server(403) as server:
        done = notify(
            "--message", "x", "--url", f"pagerduty://{KEY}@a?endpoint=http://127.0.0.1:{server.port}/", "--send"
        )
    assert done.exit_code == 105
    assert done.stderr == "error: all 1 channels failed: 1 pagerduty: refused with HTTP status 403\n"


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        ((), 2, "one of --message and --file is needed"),
        (("--message", "x", "--file", "y"), 2, "not both"),
        (("--message", "  "), 2, "the text is empty"),
        (("--message", "x"), 103, "no channel to send to"),
        (("--message", "x", "--url", "pagerduty://${NO_SUCH}@a"), 103, "no such variable"),
        (("--message", "x", "--urls-file", "none.txt"), 104, "none.txt: cannot be read"),
        (("--message", "x", "--url", "pagerduty://k@a", "--action", "resolve"), 103, "an incident id is needed"),
    ],
)
def test_refusals_have_their_codes(args: tuple[str, ...], code: int, said: str) -> None:
    done = notify(*args)
    assert done.exit_code == code
    assert said in done.stderr


def seen(tmp_path: Path, *args: str) -> tuple[int, str, str, list[bytes]]:
    """All that a call shows and sends; FILE, URLS and PORT stand for what only the test knows."""
    with http_server() as server:
        (tmp_path / "text.txt").write_text("from a file", encoding="utf-8")
        (tmp_path / "urls.txt").write_text("pagerduty://other@a\n", encoding="utf-8")
        places = {"FILE": str(tmp_path / "text.txt"), "URLS": str(tmp_path / "urls.txt")}
        words = [places.get(word, word.replace("PORT", str(server.port))) for word in args]
        done = notify(*words)
        return done.exit_code, done.stdout, done.stderr.replace(str(server.port), "PORT"), server.received


URL = "pagerduty://k@a?endpoint=http://127.0.0.1:PORT/"
CALL = {"--message": "x", "--url": URL, "--incident": "INC-1", "--send": None}
CHANGED: dict[str, dict[str, str | None]] = {
    "--message": {**CALL, "--message": "y"},
    "--file": {key: value for key, value in CALL.items() if key != "--message"} | {"--file": "FILE"},
    "--subject": {**CALL, "--subject": "Other"},
    "--url": {**CALL, "--url": "pagerduty://other@a?endpoint=http://127.0.0.1:PORT/"},
    "--incident": {**CALL, "--incident": "INC-2"},
    "--action": {**CALL, "--action": "resolve"},
    "--send": {key: value for key, value in CALL.items() if key != "--send"},
    "--json": {**CALL, "--json": None},
}


def words(call: dict[str, str | None]) -> list[str]:
    return [word for pair in call.items() for word in pair if word is not None]


@pytest.mark.parametrize("option", CHANGED)
def test_changing_one_option_changes_what_is_seen_or_sent(tmp_path: Path, option: str) -> None:
    base = seen(tmp_path, *words(CALL))
    assert base == seen(tmp_path, *words(CALL))
    assert base != seen(tmp_path, *words(CHANGED[option]))


OF_RECORD = {"--to", "--template", "--playbook", "--incidents-dir"}
"""Options that need an incident: tried in tests/incidents/test_incident_session.py."""


def test_the_remaining_options_change_what_is_seen(tmp_path: Path) -> None:
    dry = ("--message", "x", "--url", URL)
    assert seen(tmp_path, *dry) != seen(tmp_path, *dry, "--urls-file", "URLS")
    refused = ("--message", "x")
    assert seen(tmp_path, *refused) != seen(tmp_path, *refused, "--verbose")
    context = click.Context(cli)
    command = cli.get_command(context, "notify")
    assert command is not None
    named = {parameter.opts[0] for parameter in command.params}
    assert named == {*CHANGED, *OF_RECORD, "--urls-file", "--verbose", "--quiet"}
    assert seen(tmp_path, *dry) != seen(tmp_path, *dry, "--quiet"), "--quiet leaves out the hint"
