"""`tars notify`: tell people, through the channels that the environment or a file names."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tars_lib.cli.incident.options import Options, playbook_option
from tars_lib.cli.shared.options import incidents_option, json_option
from tars_lib.cli.shared.shell import NOTIFY, guarded, print_json
from tars_lib.errors import ConfigError, NotificationError
from tars_lib.files.limits import MAX_TEXT_BYTES

if TYPE_CHECKING:
    from tars_lib.incidents.views.case import Case


@click.command(epilog="Example: tars notify --message 'SLA breach: checkout' --urls-file ./channels.txt --send")
@click.option("--message", help="The text to send; with --incident by default one filled from its record.")
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
@click.option(
    "--incident",
    "incident_id",
    metavar="ID",
    help="Fill the text from this incident and keep the receipt in its timeline; PagerDuty's deduplication key.",
)
@click.option(
    "--template",
    type=click.Choice(("escalation", "status-page", "slack", "email", "bridge"), case_sensitive=False),
    help="Which text of the incident; default the one that suits each channel.",
)
@click.option("--to", "contact", metavar="WHO", help="Record that WHO was notified, once a channel accepts the text.")
@incidents_option
@playbook_option
@click.option(
    "--action",
    type=click.Choice(["trigger", "acknowledge", "resolve"], case_sensitive=False),
    default="trigger",
    show_default=True,
    help="What PagerDuty does with the incident.",
)
@click.option("--send", "is_real", is_flag=True, help="Send; without it this is a dry run.")
@json_option
@guarded(NOTIFY)
def notify(
    message: str | None,
    path: str | None,
    subject: str,
    urls: tuple[str, ...],
    urls_file: str | None,
    incident_id: str | None,
    template: str | None,
    contact: str | None,
    incidents_dir: Path | None,
    playbook: Path | None,
    action: str,
    is_real: bool,
    as_json: bool,
    quiet: bool,
) -> int:
    """Send a message to every channel; a dry run unless --send is given.

    With --incident the record fills the message, and the answer of each channel goes into the timeline; a dry run
    shows the message and records nothing.

    Channels come from --url, --urls-file and TARS_NOTIFY_URLS (separated by white space). One that fails does not stop the
    others; 105 if all fail. Needs the extra [notify] for everything but PagerDuty.
    """
    from tars_lib.channels.pagerduty import PagerDutyAction
    from tars_lib.channels.send import Delivery, Receipt, send
    from tars_lib.incidents.response.messages import keep_receipts, texts_for
    from tars_lib.playbook.documents.communication import Message

    has_text = message is not None or path is not None
    if (message is not None and path is not None) or not (has_text or incident_id):
        raise click.UsageError("one of --message and --file is needed, not both; or --incident ID, which fills a text")
    if template is not None and (has_text or not incident_id):
        raise click.UsageError("--template fills a text from --incident; give it without --message and --file")
    if contact is not None and not incident_id:
        raise click.UsageError("--to is kept in the record of --incident")
    record = None
    if incident_id is not None:
        record = _record_of(Options(incidents_dir, playbook), incident_id, is_needed=not has_text)
    if has_text:
        body = message if message is not None else _read(path or "")
        if not body.strip():
            raise click.UsageError("the text is empty; there is nothing to send")
        outgoing = [Message("notice", "everybody", " ".join(subject.split()), body, "TEXT")]
    else:
        assert record is not None  # noqa: S101 - it is needed where there is no text
        outgoing = texts_for(record, template)
    channels = [
        *(_from_environment(url) for url in urls),
        *(_from_environment(url) for url in _lines(urls_file)),
        *os.environ.get("TARS_NOTIFY_URLS", "").split(),
    ]
    try:
        receipts = send(
            outgoing,
            channels,
            at=datetime.now(UTC),
            is_real=is_real,
            incident_id=incident_id,
            action=PagerDutyAction.parse(action),
        )
    except NotificationError as error:
        if record is not None:
            failed = [receipt for receipt in error.receipts if isinstance(receipt, Receipt)]
            keep_receipts(record, outgoing, failed, None)
        raise
    if is_real and record is not None:
        keep_receipts(record, outgoing, receipts, contact)
    used = {receipt.communication_id for receipt in receipts}
    texts = [text for text in outgoing if record is not None and text.communication_id in used]
    if as_json:
        print_json({"is_dry_run": not is_real, "receipts": receipts} | ({"messages": texts} if texts else {}))
        return 0
    verbs = {Delivery.SENT: "sent", Delivery.FAILED: "FAILED", Delivery.DRY_RUN: "not sent"}
    for receipt in receipts:
        line = f"{verbs[receipt.delivery]:8}  channel {receipt.channel}"
        click.echo(f"{line}: {receipt.reason}" if receipt.reason else line)
    if not is_real and not quiet:
        for text in () if has_text else texts:
            click.echo(f"\n--- {text.communication_id} ({text.audience}): {text.subject}\n{text.body}")
        undone = "nothing was sent" if record is None else "nothing was sent or recorded"
        click.echo(f"This was a dry run: {undone}; add --send to send.")
    return 0


def _record_of(options: Options, incident_id: str, *, is_needed: bool) -> Case | None:
    """Return the incident, or None where the id is a deduplication key alone."""
    from tars_lib.incidents.store.register import is_incident_id

    if not is_needed and not (is_incident_id(incident_id) and (options.root / incident_id / "incident.json").is_file()):
        return None
    return options.case(incident_id)


def _read(path: str) -> str:

    from tars_lib.files.reading import read_utf8

    return read_utf8(Path(path), path, MAX_TEXT_BYTES)


def _lines(path: str | None) -> list[str]:
    if path is None:
        return []
    lines = (line.strip() for line in _read(path).splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _from_environment(url: str) -> str:
    """Return the URL with each ${NAME} replaced; a name that is not set is refused."""

    def value(match: re.Match[str]) -> str:
        if match[1] not in os.environ:
            raise ConfigError(f"${{{match[1]}}} in a channel's URL: the environment has no such variable")
        return os.environ[match[1]]

    return re.sub(r"\$\{(\w+)\}", value, url)
