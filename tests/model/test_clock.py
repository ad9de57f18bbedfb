"""The time that a history ends at: no sample of the future, no lone series that moves the time of all others."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from org_samples import HEADER, T0, RootBuilder, org_of, series

from tars_lib.errors import InputError
from tars_lib.pipeline import analyze
from tars_lib.sources.root import read_root

CLOCK = datetime(2026, 2, 1, tzinfo=UTC)
DAYS = 40


def test_samples_later_than_the_clock_are_refused_with_their_rows(root: RootBuilder) -> None:
    rows = [f"2098-01-{day:02}T00:00:00Z,web,lead_time,1\n" for day in range(1, 13)]
    root.file("history.csv", HEADER + "2026-01-01T00:00:00Z,web,health_score,90\n" + "".join(rows))
    org = read_root(root.folder, clock=CLOCK)
    with pytest.raises(InputError) as refused:
        org.at(None)
    lines = str(refused.value).split(";\n")
    assert lines[0] == (
        "history.csv, row 3, column timestamp: 2098-01-01T00:00:00Z is later than the clock, 2026-02-01T00:00:00Z"
    )
    assert lines[10].startswith("and 2 more; allowed: samples up to now, or --as-of TIME")
    known, as_of = org.at(T0 + timedelta(days=3))
    assert (len(known.history), as_of) == (1, T0 + timedelta(days=3))


@pytest.mark.parametrize(("minutes", "is_refused"), [(9, False), (11, True)])
def test_clocks_that_differ_by_minutes_refuse_nothing(root: RootBuilder, minutes: int, is_refused: bool) -> None:
    time = CLOCK + timedelta(minutes=minutes)
    root.file("history.csv", HEADER + f"{time.isoformat()},web,health_score,90\n")
    assert bool(read_root(root.folder, clock=CLOCK).ahead) is is_refused


def test_the_true_clock_holds_whatever_pins_the_reports(root: RootBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    now = datetime.now(UTC)
    root.add([(now - timedelta(days=1), "web", "health_score", 90.0)])
    assert analyze(root.load()).as_of == now - timedelta(days=1)
    root.add([(now + timedelta(days=1), "web", "health_score", 90.0)])
    with pytest.raises(InputError, match="history.csv, row 3, .* is later than the clock"):
        analyze(root.load())


def test_few_lone_series_do_not_move_the_time_and_are_named() -> None:
    rows = [row for number in range(120) for row in series(f"r{number:03}", "health_score", [90] * DAYS)]
    org = org_of([*rows, (T0 + timedelta(days=80), "r007", "lead_time", 1.0)])
    known, as_of = org.at(None)
    assert as_of == T0 + timedelta(days=DAYS - 1)
    (said,) = [warning for warning in known.warnings if "alone" in warning]
    assert said == (
        "1 of 121 series alone reaches beyond 2026-02-09T00:00:00Z, up to 2026-03-22T00:00:00Z: lead_time of r007; "
        "judged as of 2026-02-09T00:00:00Z, where the others end"
    )
    # 2 of 122 are more than 1 %: they are named, and decide
    _, as_of = org_of(
        [
            *rows,
            *series("r007", "lead_time", [1], T0 + timedelta(days=80)),
            *series("r008", "lead_time", [1], T0 + timedelta(days=81)),
        ]
    ).at(None)
    assert as_of == T0 + timedelta(days=81)


@pytest.mark.parametrize(("days_later", "is_told"), [(10, False), (11, True)])
def test_ten_intervals_are_near_and_eleven_are_told(days_later: int, is_told: bool) -> None:
    rows = [row for name in "abc" for row in series(name, "health_score", [90] * DAYS)]
    last = T0 + timedelta(days=DAYS - 1 + days_later)
    known, as_of = org_of([*rows, (last, "a", "lead_time", 1.0)]).at(None)
    assert as_of == last
    assert any("lead_time of a; the others have no sample since then" in w for w in known.warnings) is is_told


def test_series_that_ended_long_ago_tell_nothing_of_the_many_that_go_on() -> None:
    rows = [row for name in "abcd" for row in series(name, "health_score", [90] * DAYS)]
    known, _ = org_of([*rows, *series("old", "health_score", [90] * 3)]).at(None)
    assert not any("alone" in warning for warning in known.warnings)


def test_a_maintenance_that_is_announced_is_not_the_present(root: RootBuilder) -> None:
    root.file("org.yaml", "repos: {web: {}}")
    root.file(
        "events.csv",
        "timestamp,repo,kind,title\n2026-01-05T00:00:00Z,web,deploy,x\n2026-09-01T00:00:00Z,web,maintenance,y\n",
    )
    assert read_root(root.folder).at(None, CLOCK)[1] == datetime(2026, 1, 5, tzinfo=UTC)


def test_rows_without_a_value_say_until_when_nothing_was_measured(root: RootBuilder) -> None:
    values = "".join(f"2026-01-{day:02}T00:00:00Z,web,health_score,{90 if day < 9 else ''}\n" for day in range(1, 13))
    org = root.file("history.csv", HEADER + values).load()
    known, as_of = org.at(None)
    assert as_of == T0 + 11 * timedelta(days=1)
    assert known.warnings[-1] == (
        "no row after 2026-01-08 00:00 UTC has a value, up to 2026-01-12 00:00 UTC, which is judged as the present: nothing is "
        "known of the time between"
    )


def test_alerts_and_changes_of_the_future_are_told_and_planned_maintenance_is_not(root: RootBuilder) -> None:
    root.add(series("web", "health_score", [90.0] * 5)).file(
        "events.csv",
        "timestamp,repo,kind,title,ref,until\n2098-01-01T00:00:00Z,web,deploy,x,,\n"
        "2026-12-24T00:00:00Z,web,maintenance,y,,2026-12-25T00:00:00Z\n",
    )
    root.file(
        "web/alerts/alerts.json", {"alerts": [{"severity": "P1", "title": "z", "timestamp": "2098-01-02T00:00:00Z"}]}
    )
    root.write()
    told = [warning for warning in read_root(root.folder, clock=CLOCK).warnings if "clock" in warning]
    assert told == [
        "1 alert dated later than the clock, such as 2098-01-02T00:00:00Z",
        "1 change dated later than the clock, such as 2098-01-01T00:00:00Z",
    ]
