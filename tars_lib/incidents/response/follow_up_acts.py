"""Follow-up of an incident: action items, and the reviews that were held."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from tars_lib.errors import InputError
from tars_lib.incidents.response.acts import Writer
from tars_lib.incidents.store.journal import Written
from tars_lib.incidents.store.record import ActionItem, HeldReview, Incident
from tars_lib.incidents.store.timeline import Draft, EntryKind


def add_item(writer: Writer, text: str, owner: str | None = None, due: datetime | None = None) -> Written:
    """Record something that is to be done. Its id is the incident's with ``-AI1``, ``-AI2``..."""

    def draft(incident: Incident) -> Draft:
        key = f"{incident.incident_id}-AI{len(incident.action_items) + 1}"
        item = ActionItem(text, owner, due, item_id=key)
        return Draft(EntryKind.ACTION_ITEM, f"{key} added: {text}", {"action_items": (*incident.action_items, item)})

    return writer.act("action", draft)


def finish_item(writer: Writer, key: str) -> Written:
    """Record that an action item is done.

    Parameters
    ----------
    key : str
        Its id, or the end of it: ``AI1``.

    Raises
    ------
    InputError
        If there is no such item, or it is done already.
    """

    def draft(incident: Incident) -> Draft:
        items = list(incident.action_items)
        wanted = key.strip().casefold()
        for position, item in enumerate(items):
            name = item.item_id or ""
            if wanted not in (name.casefold(), name.removeprefix(f"{incident.incident_id}-").casefold()):
                continue
            if item.is_done:
                raise InputError(f"{name} is done already")
            items[position] = replace(item, is_done=True)
            return Draft(EntryKind.ACTION_ITEM, f"{name} done: {item.text}", {"action_items": tuple(items)})
        known = ", ".join(item.item_id or "" for item in items) or "none"
        raise InputError(f"{incident.incident_id}: no action item {key[:60]!r}; there are: {known}")

    return writer.act("action", draft)


def hold_review(writer: Writer, review_id: str) -> Written:
    """Record that a review took place; its deadline is met, and one that repeats counts from now.

    Raise InputError if the playbook has no such review.
    """
    rows = {row.review_id: row for row in writer.playbook.reviews}
    if review_id not in rows:
        raise InputError(f"review {review_id[:60]!r} is not in the playbook; allowed: {', '.join(rows)}")

    def draft(incident: Incident) -> Draft:
        review = HeldReview(review_id, writer.time)
        return Draft(EntryKind.REVIEW, f"held: {rows[review_id].activity}", {"reviews": (*incident.reviews, review)})

    return writer.act("review", draft)
