"""The pages name what the register has."""

from __future__ import annotations

import dataclasses
import re
import typing
from pathlib import Path

from tars_lib.cli.incident.group import incident as group
from tars_lib.incidents.response.acts import ALLOWED
from tars_lib.incidents.store.record import Incident, IncidentStatus
from tars_lib.incidents.store.timeline import Entry, EntryKind

DOCS = Path(__file__).resolve().parents[2] / "docs"


def names_in(kind: object) -> set[str]:
    """Fields of a dataclass and of those that it is made of."""
    if not dataclasses.is_dataclass(kind):
        return {name for part in typing.get_args(kind) for name in names_in(part)}
    hints = typing.get_type_hints(kind)
    return set(hints) | {name for hint in hints.values() for name in names_in(hint)}


def test_glossary_explains_every_field_of_the_record_and_of_an_entry() -> None:
    text = (DOCS / "glossary.md").read_text(encoding="utf-8").partition("## Record of an incident")[2]
    assert (names_in(Incident) | names_in(Entry)) - set(re.findall(r"`(\w+)`", text)) == set()
    assert {member.value for kind in (EntryKind, IncidentStatus) for member in kind} <= set(
        re.findall(r"[A-Z_]+", text)
    )


def test_page_lists_every_command_and_the_states_that_it_is_possible_in() -> None:
    text = (DOCS / "incidents.md").read_text(encoding="utf-8")
    rows = {row[0]: row[1] for row in re.findall(r"^\| `(\w+)`[^|]*\|[^|]*\| ([^|]*) \|$", text, re.MULTILINE)}
    for name, states in ALLOWED.items():
        named = {word for word in rows[name].replace(",", " ").split() if word.isupper()}
        if rows[name] == "any":
            assert len(states) == len(IncidentStatus)
        elif rows[name].startswith("all but"):
            assert {state.value for state in IncidentStatus} - named == {state.value for state in states}
        else:
            assert named == {state.value for state in states}
    assert all(f"`{name}`" in text for name in group.commands)
