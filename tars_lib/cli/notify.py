"""`tars notify`: tell people, through the channels that the environment or a file names."""

from __future__ import annotations

import os
import re

import click

from tars_lib.cli.shell import NOTIFY, guarded, logging_options


@click.command(epilog="Example: tars notify --message 'SLA breach: checkout' --urls-file ./channels.txt --send")
@click.option("--message", help="The text to send.")
@click.option("--file", "path", type=click.Path(), help="A file with the text to send (UTF-8).")
@click.option(
    "--subject", default="T.A.R.S. incident", show_default=True, help="Subject or title, where a channel has one."
)
@click.option(
    "--url",
    "urls",
    multiple=True,
    help="Channel as an apprise URL; ${NAME} is taken from the environment, because other users can see arguments.",
)
@click.option("--urls-file", type=click.Path(), help="A file with one channel a line; lines with # are comments.")
@click.option("--incident", "incident_id", help="Incident id; PagerDuty's deduplication key.")
@click.option(
    "--action",
    type=click.Choice(["trigger", "acknowledge", "resolve"], case_sensitive=False),
    default="trigger",
    show_default=True,
    help="What PagerDuty does with the incident.",
)
@click.option("--send", "is_real", is_flag=True, help="Send; without it this is a dry run.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")
@logging_options
@guarded(NOTIFY)
def notify(
    message: str | None,
    path: str | None,
    subject: str,
    urls: tuple[str, ...],
    urls_file: str | None,
    incident_id: str | None,
    action: str,
    is_real: bool,
    as_json: bool,
    verbose: bool,
    quiet: bool,
) -> int:
    """Send a text to every channel; a dry run unless --send is given.

    Channels come from --url, --urls-file and TARS_NOTIFY_URLS (separated by white space). One that fails does not stop the
    others; 105 if all fail. Needs the extra [notify] for everything but PagerDuty.
    """
    from datetime import UTC, datetime

    from tars_lib.channels.pagerduty import PagerDutyAction
    from tars_lib.channels.send import Delivery, send
    from tars_lib.playbook.communication import Message
    from tars_lib.records import dumps

    if (message is None) == (path is None):
        raise click.UsageError("one of --message and --file is needed, not both")
    text = message if message is not None else _read(path or "")
    if not text.strip():
        raise click.UsageError("the text is empty; there is nothing to send")
    channels = [
        *(_from_environment(url) for url in urls),
        *(_from_environment(url) for url in _lines(urls_file)),
        *os.environ.get("TARS_NOTIFY_URLS", "").split(),
    ]
    receipts = send(
        [Message("notice", "everybody", " ".join(subject.split()), text, "TEXT")],
        channels,
        at=datetime.now(UTC),
        is_real=is_real,
        incident_id=incident_id,
        action=PagerDutyAction.parse(action),
    )
    if as_json:
        click.echo(dumps({"is_dry_run": not is_real, "receipts": receipts}), nl=False)
        return 0
    words = {Delivery.SENT: "sent", Delivery.FAILED: "FAILED", Delivery.DRY_RUN: "not sent"}
    for receipt in receipts:
        said = f"{words[receipt.delivery]:8}  channel {receipt.channel}"
        click.echo(f"{said}: {receipt.reason}" if receipt.reason else said)
    if not is_real and not quiet:
        click.echo("This was a dry run; add --send to send.")
    return 0


def _read(path: str) -> str:
    from pathlib import Path

    from tars_lib.errors import InputError

    try:
        return Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 text") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error


def _lines(path: str | None) -> list[str]:
    if path is None:
        return []
    lines = (line.strip() for line in _read(path).splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _from_environment(url: str) -> str:
    """The URL with each ${NAME} replaced; a name that is not set is refused."""
    from tars_lib.errors import ConfigError

    def value(found: re.Match[str]) -> str:
        if found[1] not in os.environ:
            raise ConfigError(f"${{{found[1]}}} in a channel's URL: the environment has no such variable")
        return os.environ[found[1]]

    return re.sub(r"\$\{(\w+)\}", value, url)
