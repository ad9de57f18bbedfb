"""Recurring maintenance and operating hours of `org.yaml`: what they exclude from a verdict, and what is refused."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from org_samples import RootBuilder, Row

from tars_lib.errors import ConfigError, InputError
from tars_lib.model.names import SlaStatus

HOUR = timedelta(hours=1)
# a week around the change to summer time in Berlin, 29 March 2026 at 01:00 UTC
BEGIN = datetime(2026, 3, 25, tzinfo=UTC)
POLICY = """
policies:
- {sla_id: served, sla_type: t, good: {total: requests_total, bad: requests_failed}, objective: 0.999, window: 7d}
"""


def hourly(repo: str, bad: set[datetime]) -> list[Row]:
    """A week of 100 requests an hour, all of which fail in the hours that are named."""
    times = [BEGIN + hour * HOUR for hour in range(7 * 24)]
    return [
        row
        for time in times
        for row in (
            (time, repo, "requests_total", 100.0),
            (time, repo, "requests_failed", 100.0 if time in bad else 0.0),
        )
    ]


def nights(hour_before: int, hour_after: int) -> set[datetime]:
    """The same local hour of each day: UTC before the change of the clocks, and after."""
    days = [BEGIN + timedelta(days=day) for day in range(7)]
    return {day + (hour_before if day < datetime(2026, 3, 29, tzinfo=UTC) else hour_after) * HOUR for day in days}


def judged(tmp_path: Path, org: str, bad: set[datetime]) -> tuple[SlaStatus, float | None]:
    root = (
        RootBuilder(tmp_path / "root").add(hourly("web", bad)).file("org.yaml", org).file("sla-policies.yaml", POLICY)
    )
    (result,) = root.analyze().sla.compliance_results
    return result.status, result.value


NIGHTLY = """
maintenance:
- {title: Patch night, start: 2026-01-05T04:00:00, duration: 1h, rrule: FREQ=DAILY, time_zone: Europe/Berlin}
"""


def test_maintenance_at_a_local_hour_is_excused_on_both_sides_of_a_clock_change(tmp_path: Path) -> None:
    # 04:00 in Berlin is 03:00 UTC in winter and 02:00 UTC in summer
    assert judged(tmp_path, NIGHTLY, nights(3, 2)) == (SlaStatus.COMPLIANT, 1.0)


def test_what_fails_an_hour_beside_it_is_not_excused(tmp_path: Path) -> None:
    # of 168 - 7 hours that are judged, 3 are bad: those after the change, 03:00 UTC
    status, value = judged(tmp_path, NIGHTLY, nights(3, 3))
    assert (status, value) == (SlaStatus.BREACHED, pytest.approx(1 - 3 / 161))


def test_outside_operating_hours_nothing_is_judged(tmp_path: Path) -> None:
    # 08:00 to 18:00 in Berlin on weekdays; 25 March 2026 is a Wednesday
    office = """
operating_hours:
- {start: 2026-01-05T08:00:00, duration: 10h, rrule: 'FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR', time_zone: Europe/Berlin}
"""
    weekend = {BEGIN + timedelta(days=3, hours=hour) for hour in range(48)}
    root = RootBuilder(tmp_path / "root").add(hourly("web", weekend)).file("org.yaml", office)
    found = root.file("sla-policies.yaml", POLICY).analyze()
    (result,) = found.sla.compliance_results
    # five working days of ten hours
    assert (result.status, result.value, result.windows[0].n) == (SlaStatus.COMPLIANT, 1.0, 5_000)
    assert all(event.title == "outside operating hours" for event in found.org.events)


def test_hours_of_some_services_say_nothing_of_the_others(tmp_path: Path) -> None:
    org = "operating_hours: [{start: 2026-01-05T08:00:00Z, duration: 10h, rrule: FREQ=DAILY, repos: [web]}]"
    root = RootBuilder(tmp_path / "root").add(hourly("web", set()) + hourly("api", set())).file("org.yaml", org)
    assert {event.repo for event in root.load().events} == {"web"}


def test_a_service_that_nobody_knows_is_a_warning(tmp_path: Path) -> None:
    org = "maintenance: [{start: 2026-03-26T00:00:00Z, duration: 1d, repos: [wbe]}]"
    found = RootBuilder(tmp_path / "root").add(hourly("web", set())).file("org.yaml", org).load()
    assert "org.yaml: maintenance and operating hours name services without data: wbe" in found.warnings


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (
            "{start: 2026-01-05T04:00:00, duration: 1h}",
            r"maintenance.0.start: 2026-01-05T04:00:00 has no time zone; add",
        ),
        ("{start: soon, duration: 1h, time_zone: UTC}", r"maintenance.0.start: 'soon' is not a time"),
        ("{start: 1926-01-05T04:00:00Z, duration: 1h}", r"maintenance.0.start: .* a time from 1970 to 2199 is"),
        ("{start: 2026-01-05, duration: 1h, time_zone: Moon}", r"maintenance.0: time zone 'Moon' is not known"),
        ("{start: 2026-01-05, duration: 1M, time_zone: UTC}", r"maintenance.0.duration: '1M' was given; a number with"),
        (
            "{start: 2026-01-05, duration: 1h, time_zone: UTC, rrule: FREQ=HOURLY}",
            r"maintenance.0.rrule: 'FREQ=HOURLY' comes again within a day; DAILY, WEEKLY, MONTHLY and YEARLY are allowed",
        ),
        (
            "{start: 2026-01-05, duration: 1h, time_zone: UTC, rrule: every Tuesday}",
            r"maintenance.0.rrule: 'every Tuesday' is no recurrence rule of RFC 5545",
        ),
        (
            "{start: 2026-01-05, duration: 1h, time_zone: UTC, rrule: BYDAY=TU}",
            r"maintenance.0.rrule: .* no recurrence rule",
        ),
        ("{start: 2026-01-05, duration: 1h, every: week}", r"maintenance.0.every: unknown key; allowed: title, start"),
    ],
)
def test_what_cannot_be_followed_is_refused(tmp_path: Path, entry: str, message: str) -> None:
    root = RootBuilder(tmp_path / "root").add(hourly("web", set())).file("org.yaml", f"maintenance: [{entry}]")
    with pytest.raises(ConfigError, match=f"org.yaml: {message}"):
        root.load()


def test_a_rule_in_events_csv_is_refused_with_where_it_belongs(tmp_path: Path) -> None:
    text = "timestamp,repo,kind,title,until,rrule\n2026-03-26T00:00:00Z,,maintenance,Night,2026-03-26T02:00:00Z,FREQ=DAILY\n"
    root = RootBuilder(tmp_path / "root").add(hourly("web", set())).file("events.csv", text)
    with pytest.raises(InputError, match=r"events.csv, row 2, column rrule: .* org.yaml, under maintenance"):
        root.load()


def test_the_example_of_the_page_is_read(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "data-format.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"^```yaml\n(maintenance:\n.*?)^```$", page, re.MULTILINE | re.DOTALL)
    org = RootBuilder(tmp_path / "root").add(hourly("web", set())).file("org.yaml", example).load()
    patched = [event for event in org.events if event.title == "Patch night"]
    # Tuesday 31 March 2026, 04:00 in Berlin
    assert [event.timestamp for event in patched] == [datetime(2026, 3, 31, 2, tzinfo=UTC)]
