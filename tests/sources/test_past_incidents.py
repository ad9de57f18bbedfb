"""`incidents.csv`: what is read, what is refused, and what an import changes in it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tars_lib.errors import InputError
from tars_lib.model.names import AlertSeverity, PastIncident
from tars_lib.model.times import read_zone
from tars_lib.sources.csv_additions import with_rows
from tars_lib.sources.past_incidents import COLUMNS, NEEDED, incident_row, merged_incidents, read_incidents

NINE = datetime(2026, 1, 5, 9, tzinfo=UTC)
TEN = datetime(2026, 1, 5, 10, tzinfo=UTC)
FULL = PastIncident(NINE, 'Down, "really"', "pagerduty", "Q1", "web", AlertSeverity.HIGH, NINE, NINE, TEN)  # fmt: skip
BARE = PastIncident(TEN, "Slow", "statuspage")


def written(folder: Path, text: str) -> Path:
    """A file of incidents."""
    path = folder / "incidents.csv"
    path.write_text(text, encoding="utf-8", newline="")
    return path


def test_rows_are_read_as_they_were_written(tmp_path: Path) -> None:
    text = with_rows(None, COLUMNS, NEEDED, [incident_row(FULL), incident_row(BARE)], "incidents.csv")
    assert read_incidents(written(tmp_path, text), "incidents.csv") == ((FULL, BARE), (2, 3))


def test_two_columns_are_enough(tmp_path: Path) -> None:
    path = written(tmp_path, "title;detected\nSlow;2026-01-05 11:00\n")
    (one,), _ = read_incidents(path, "incidents.csv", read_zone("Europe/Berlin"))
    assert one == PastIncident(TEN, "Slow", "")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("2026-01-05T09:00:00,web,x,,,,,,", "row 2, column detected: .* has no time zone"),
        (",web,x,,,,,,", "row 2, column detected: empty"),
        ("2026-01-05T09:00:00Z,web,,,,,,,", "row 2, column title: empty"),
        ("2026-01-05T09:00:00Z,web,x,awful,,,,,", "row 2, column severity: 'awful' is not known; allowed: CRITICAL"),
        ("2026-01-05T09:00:00Z,web,x,,2026-01-05T10:00:00Z,,,,", "row 2, column started: .* is after detected"),
        ("2026-01-05T09:00:00Z,web,x,,,,2026-01-05T08:00:00Z,,", "row 2, column resolved: .* is before detected"),
        ("2026-01-05T09:00:00Z,web", "row 2: 2 fields; 9 are needed"),
    ],
)
def test_a_row_that_cannot_be_read_is_refused_with_its_place(row: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=said):
        read_incidents(written(tmp_path, f"{','.join(COLUMNS)}\n{row}\n"), "incidents.csv")


def test_a_missing_column_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="column detected is missing"):
        read_incidents(written(tmp_path, "title,repo\nx,web\n"), "incidents.csv")


def test_an_incident_that_ended_since_is_filled_in_and_nothing_else_changes() -> None:
    lasting = replace(FULL, resolved=None)
    new, filled = merged_incidents((lasting, BARE), (2, 3), (FULL, BARE), "incidents.csv")
    assert (new, filled) == ([], {2: {"resolved": "2026-01-05T10:00:00Z"}})
    text = with_rows(None, COLUMNS, NEEDED, [incident_row(lasting), incident_row(BARE)], "incidents.csv")
    changed = with_rows(text, COLUMNS, NEEDED, [], "incidents.csv", filled)
    assert changed == with_rows(None, COLUMNS, NEEDED, [incident_row(FULL), incident_row(BARE)], "incidents.csv")


def test_what_contradicts_a_row_is_refused() -> None:
    with pytest.raises(
        InputError, match=r"incidents.csv, row 2, column resolved: 2026-01-05T10:00:00Z, but the import says"
    ):
        merged_incidents(
            (FULL,), (2,), (replace(FULL, resolved=datetime(2026, 1, 5, 11, tzinfo=UTC)),), "incidents.csv"
        )
    with pytest.raises(InputError, match="one of them is meant"):
        merged_incidents((), (), (FULL, replace(FULL, title="Else")), "incidents.csv")


def test_rows_are_added_in_the_form_of_the_table_that_is_there() -> None:
    text = "note;detected;title\nkeep me;2026-01-05T08:00:00Z;Old"
    made = with_rows(
        text, COLUMNS, NEEDED, [{"detected": "2026-01-05T09:00:00Z", "title": "New; newer"}], "incidents.csv"
    )
    assert made == f'{text}\n;2026-01-05T09:00:00Z;"New; newer"\n'
    wider = with_rows(text, COLUMNS, NEEDED, [{"detected": "x", "title": "New", "repo": "web"}], "incidents.csv")
    assert wider == "note;detected;title;repo\nkeep me;2026-01-05T08:00:00Z;Old;\n;x;New;web\n"
