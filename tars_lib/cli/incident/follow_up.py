"""`tars incident` commands for the time after: postmortem, action items, reviews, tickets."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tars_lib.cli.incident.options import (
    Options,
    echo_json,
    id_argument,
    judged,
    located,
    needed,
    now_option,
    span_of,
    text_of,
)
from tars_lib.cli.shared.options import FILE
from tars_lib.cli.shared.shell import expand
from tars_lib.errors import ConfigError
from tars_lib.text.visible import visible

if TYPE_CHECKING:
    from tars_lib.cli.incident.text import Reader
    from tars_lib.incidents.views.case import Case

_VERBS = ("add", "done")
_OUTPUT = click.option("--output", type=FILE, help="File to write; default stdout.")


@click.command(
    short_help="Fill the postmortem from the record.",
    epilog="Example: tars incident postmortem INC-202601051430 --output postmortem.md",
)
@id_argument
@_OUTPUT
@now_option
@judged
def postmortem(options: Options, incident_id: str | None, output: Path | None) -> int:
    """Fill the playbook's postmortem in Markdown: timeline with sources, cause, impact, action items, reviews.

    Without ID: the one incident that is not closed.
    """
    from tars_lib.playbook.documents.postmortem import impact
    from tars_lib.playbook.documents.postmortem import postmortem as text_for

    incident_id = options.chosen(incident_id, "unclosed")
    case = options.case(incident_id)
    text = text_for(case.facts, case.time, case.playbook)
    _write(output, text)
    if options.as_json:
        cost = impact(case.facts)
        document = {
            "impact": {
                "budget_consumed": cost.budget_consumed,
                "duration_minutes": None if cost.duration is None else cost.duration / timedelta(minutes=1),
                "is_from_start": cost.is_from_start,
                "repos": cost.repos,
                "slas": cost.slas,
            },
            "incident_id": incident_id,
            "markdown": text,
        }
        echo_json(document)
    elif output is None:
        click.echo(text, nl=False)
    elif not options.quiet:
        click.echo(f"postmortem: {output}")
        click.echo("\n".join(_due_lines(case, options.reader)))
    return 0


@click.command(
    short_help="Add an action item, or say that it is done.",
    epilog="Example: tars incident action INC-202601051430 add 'Alert on the queue' --owner grace --due 14d",
)
@id_argument
@click.argument("verb", metavar="add|done", required=False)
@click.argument("text", metavar="TEXT|ITEM", required=False)
@click.option("--owner", metavar="WHO", help="Who does it (add).")
@click.option("--due", metavar="DATE", help="Until when (add): 2026-01-31, or a span from now such as 14d.")
@judged
def action(
    options: Options, incident_id: str | None, verb: str | None, text: str | None, owner: str | None, due: str | None
) -> int:
    """Add TEXT as an action item, or say that ITEM (AI1) is done. Without ID: the one incident that is not closed."""
    from tars_lib.incidents.response.follow_up_acts import add_item, finish_item

    if incident_id is not None and incident_id.lower() in _VERBS and text is None:
        incident_id, verb, text = None, incident_id, verb
    if verb is None or verb.lower() not in _VERBS:
        raise click.UsageError(f"{verb or 'nothing'}: say what happens to the item: add or done")
    text = needed(text, "ITEM" if verb.lower() == "done" else "TEXT")
    writer = options.writer(options.chosen(incident_id, "unclosed"))
    if verb.lower() == "done":
        if owner is not None or due is not None:
            raise click.UsageError("--owner and --due belong to add")
        written = finish_item(writer, text)
    else:
        written = add_item(writer, text_of(text), owner, None if due is None else _due(due, writer.time))
    return options.show(written)


@click.command(
    short_help="Record that a review was held.", epilog="Example: tars incident review INC-202601051430 debrief"
)
@id_argument
@click.argument("review_id", metavar="REVIEW", required=False)
@judged
def review(options: Options, incident_id: str | None, review_id: str | None) -> int:
    """Record that REVIEW was held: debrief, postmortem, action-items or trend, or the organisation's own.

    Without ID: the one incident that is not closed.
    """
    from tars_lib.incidents.response.follow_up_acts import hold_review

    incident_id, review_id = options.addressed(incident_id, review_id, "unclosed")
    return options.show(hold_review(options.writer(incident_id), needed(review_id, "REVIEW")))


@click.command(
    short_help="Tickets that follow, for a tracker.",
    epilog="Example: tars incident tickets INC-202601051430 --format github --output issues.json",
)
@id_argument
@click.option("--from-run", metavar="RUN", help="Of a run directory instead of an incident; of several the newest.")
@click.option(
    "--format",
    "form",
    type=click.Choice(("md", "csv", "github"), case_sensitive=False),
    default="md",
    show_default=True,
    help="Markdown checklist, CSV, or bodies of GitHub issues.",
)
@_OUTPUT
@located
def tickets(options: Options, incident_id: str | None, from_run: str | None, form: str, output: Path | None) -> int:
    """Write tickets: open action items, services in poor health, unrealistic objectives, and a SEV-4 itself.

    An objective counts as unrealistic if most of at least six whole windows of the run's history missed it; the
    ticket names a level that nine in ten of them met. --from-run uses a run alone. Nothing is filed in a tracker.
    """
    from tars_lib.files.json_records import dumps
    from tars_lib.incidents.views.follow_up import of_case, of_run
    from tars_lib.playbook.documents.tickets import as_csv, as_github_issues, as_markdown

    if (incident_id is None) == (from_run is None):
        raise click.UsageError("give either ID or --from-run RUN")
    if from_run is not None:
        from tars_lib.pipeline import load_run

        drafts = of_run(load_run(expand([from_run], "a run directory")))
    else:
        drafts = of_case(options.case(incident_id or ""))
    rows, chosen = drafts.tickets, form.lower()
    if not options.quiet:
        for note in drafts.notes:
            click.echo(visible(note), err=True)
    text = as_markdown(rows) if chosen == "md" else as_csv(rows) if chosen == "csv" else dumps(as_github_issues(rows))
    _write(output, text)
    if options.as_json:
        echo_json({"incident_id": incident_id, "notes": drafts.notes, "tickets": rows})
    elif output is None:
        click.echo(text.encode(errors="backslashreplace"), nl=False)
    elif not options.quiet:
        click.echo(f"{len(rows)} tickets: {output}")
    return 0


def _write(output: Path | None, text: str) -> None:
    from tars_lib.files.atomic import write_text

    if output is not None:
        write_text(output, text)


def _due(text: str, time: datetime) -> datetime:
    """Read a date (its end in UTC), a time with a zone, or a span from now."""
    import re

    from tars_lib.model.times import read_time

    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        try:
            day = date.fromisoformat(text)
        except ValueError as error:
            raise ConfigError(f"--due {text!r}: no such day") from error
        return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1, seconds=-1)
    return read_time(text, "--due") if "T" in text else time + span_of(text, "--due")


def _due_lines(case: Case, reader: Reader) -> list[str]:
    from tars_lib.playbook.documents.postmortem import review_deadlines

    return [
        f"{'overdue since' if deadline.is_overdue else 'due by'} {reader.time(deadline.due_at)}: {deadline.activity}"
        for deadline in review_deadlines(case.facts, case.time, case.playbook)
    ]
