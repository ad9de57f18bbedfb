"""`tars review`: which reviews and action items are due, and which are overdue?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tars_lib.cli.incident.options import Options, echo_json, judged, now_option
from tars_lib.cli.shared.screen import wrapped
from tars_lib.text.visible import visible

if TYPE_CHECKING:
    from datetime import datetime


@click.command(epilog="Example: tars review --json")
@now_option
@judged
def review(options: Options) -> int:
    """List reviews and action items of all incidents with their dates. Code 1 if one is overdue.

    A record that cannot be read counts as overdue, because what is due in it is unknown. --quiet lists only what is
    overdue.
    """
    from tars_lib.incidents.views.all_cases import read_cases
    from tars_lib.playbook.documents.postmortem import item_ids, overdue_items, review_deadlines

    time, playbook, reader = options.time, options.playbook, options.reader
    register = read_cases(options.root, playbook)
    reviews = [deadline for facts in register.cases for deadline in review_deadlines(facts, time, playbook)]
    late = {key for facts in register.cases for key, _ in overdue_items(facts, time)}
    items = [(facts, key, item) for facts in register.cases for key, item in item_ids(facts) if not item.is_done]
    is_overdue = bool(late or register.unreadable or any(due_review.is_overdue for due_review in reviews))
    if options.as_json:
        document = {
            "action_items": [
                {
                    "due": item.due,
                    "incident_id": facts.incident_id,
                    "is_overdue": key in late,
                    "item_id": key,
                    "owner": item.owner,
                    "text": item.text,
                }
                for facts, key, item in items
            ],
            "is_overdue": is_overdue,
            "reviews": reviews,
            "unreadable": register.unreadable,
        }
        echo_json(document)
        return 1 if is_overdue else 0
    rows: list[tuple[bool, datetime | None, str]] = [
        (
            due_review.is_overdue,
            due_review.due_at,
            f"{due_review.incident_id}: {due_review.activity} ({due_review.participants})",
        )
        for due_review in reviews
    ]
    rows += [(key in late, item.due, f"{key}: {item.text} ({item.owner or 'not assigned'})") for _, key, item in items]
    shown = [row for row in rows if row[0] or not options.quiet]
    for overdue, due, text in sorted(shown, key=lambda row: (not row[0], row[1] is None, row[1] or time)):
        when = "no date" if due is None else reader.time(due)
        head = f"{'OVERDUE' if overdue else 'due':8} {when:20}  "
        click.echo("\n".join(wrapped(visible(text), head, " " * len(head))))
    for name, problem in register.unreadable:
        click.echo("\n".join(wrapped(f"{name}: cannot be read: {visible(problem)}", "OVERDUE  ", " " * 9)))
    if not (rows or register.unreadable or options.quiet):
        click.echo("nothing is due")
    return 1 if is_overdue else 0
