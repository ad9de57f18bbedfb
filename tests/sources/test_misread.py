"""Nothing that is misread is silent: each odd input has one right value, or a refusal that names its place."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from org_samples import HEADER, RootBuilder, series

from tars_lib.errors import InputError
from tars_lib.model.history import from_micros
from tars_lib.model.organisation import OrgData

T1, T2 = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"
ROWS = [(T1, "web", "lead_time", "1.5"), (T2, "web", "lead_time", "2.5")]
WANTED = {("web", "lead_time"): [(datetime(2026, 1, 1, tzinfo=UTC), 1.5), (datetime(2026, 1, 2, tzinfo=UTC), 2.5)]}


def content(org: OrgData) -> dict[tuple[str, str], list[tuple[datetime, float]]]:
    """All samples by repo and metric."""
    found = {}
    for repo in org.history.repos:
        for metric in org.history.metrics:
            time, value = org.history.series(metric, repo)
            if time.size:
                found[repo, metric] = [(from_micros(t), v) for t, v in zip(time, value, strict=True)]
    return found


def table(separator: str = ",", head: str = HEADER.strip(), end: str = "\n", rows: Any = ROWS) -> str:
    """The two rows as text."""
    lines = [separator.join(head.split(",")), *(separator.join(row) for row in rows)]
    return end.join(lines) + end


PLAIN = table()
READ = [
    ("blanks after the commas", table(", "), "blanks at the ends"),
    ("blanks before the commas", table(" ,"), "blanks at the ends"),
    ("tabs at the ends of the header", table(head="timestamp\t,repo\t,metric\t,value\t"), "blanks around the names"),
    ("quotes after blanks", table(rows=[(T1, ' "web"', ' "lead_time"', ' "1.5"'), ROWS[1]]), ""),
    ("a blank line before the header", "\n \t\n" + PLAIN, ""),
    ("semicolons", table(";"), "separated by semicolons"),
    ("tabs", table("\t"), "separated by tabs"),
    ("bars", table("|"), "separated by bars"),
    ("a hint for spreadsheets", "sep=;\r\n" + table(";", end="\r\n"), "separated by semicolons"),
    ("line ends of DOS", table(end="\r\n"), ""),
    ("line ends of old Macs", table(end="\r"), ""),
    ("no line end at the end", PLAIN.rstrip("\n"), ""),
    ("a byte-order mark and a blank line", "\ufeff\n" + PLAIN, ""),
    ("blanks that do not break", PLAIN.replace("web", "\u00a0web\u00a0"), "blanks at the ends"),
    ("a zero-width blank in every second name", PLAIN.replace("web", "we\u200bb", 1), "cannot be seen"),
    ("a byte-order mark in a name", PLAIN.replace("web", "\ufeffweb", 1), "cannot be seen"),
    ("capitals in every second name", PLAIN.replace("web", "WEB", 1), "letter case alone"),
    ("a known metric in capitals", PLAIN.replace("lead_time", "Lead_Time"), "letter case alone"),
    ("a quoted table", table(rows=[tuple(f'"{cell}"' for cell in row) for row in ROWS]), ""),
    ("offsets of two zones", PLAIN.replace(T1, "2026-01-01T05:30:00+05:30"), ""),
    ("fractions of a second", PLAIN.replace(T1, "2026-01-01T00:00:00.000000000Z"), ""),
    ("a blank between date and hour", PLAIN.replace("T00", " 00"), ""),
    ("a number with exponent and blanks", PLAIN.replace("1.5", " 15e-1 "), ""),
    (
        "two columns of notes",
        table(head="timestamp,repo,metric,value,note,note", rows=[(*row, "", "") for row in ROWS]),
        "",
    ),
]


@pytest.mark.parametrize(("text", "note"), [case[1:] for case in READ], ids=[case[0] for case in READ])
def test_an_odd_table_is_read_as_it_is_meant_and_says_so(root: RootBuilder, text: str, note: str) -> None:
    org = root.file("history.csv", text).load()
    assert content(org) == WANTED
    assert any(note in warning for warning in org.warnings)


REFUSED = [
    (
        "a decimal comma",
        table(";").replace("1.5", "1,5"),
        r"row 2, column value: '1,5' .* a finite number with a decimal point",
    ),
    (
        "seconds since 1970",
        PLAIN.replace(T1, "1767225600"),
        r"row 2, column timestamp: '1767225600' .*a count since 1970",
    ),
    (
        "a day before the month",
        PLAIN.replace(T1, "31.12.2025 00:00"),
        r"row 2, column timestamp: '31.12.2025 00:00' is not",
    ),
    ("one time of two without a zone", PLAIN.replace(T2, T2[:-1]), r"row 3, column timestamp: .* has no time zone"),
    ("a column twice, once with blanks", PLAIN.replace("value", "value, value "), r"row 1: column value stands twice"),
    (
        "a header in capitals",
        PLAIN.replace("repo", "Repo"),
        r"row 1: column repo is missing.*Repo: write it in lower case",
    ),
    ("a character that cannot be seen", PLAIN.replace("web", "we\0b", 1), r"row 2, column repo: character U\+0000"),
    ("an unclosed quote", PLAIN.replace("web", '"web', 1), r"row 2: a quote opens in this row and is not closed"),
    ("a quote closed by the next", PLAIN.replace("web", '"web'), r"row 2: a quote opens in this row and is not closed"),
    (
        "a quote closed rows later",
        PLAIN + f'{T2},"api,lead_time,1\n{T2},x",lead_time,1\n',
        r"row 4: a quote .* swallows",
    ),
    ("a time of 1628", PLAIN.replace("2026-01-01", "1628-01-01"), r"row 2, column timestamp: .*a time from 1970"),
    (
        "a time of 2300",
        PLAIN.replace("2026-01-02", "2300-01-02"),
        r"row 3, column timestamp: 2300-01-02T00:00:00Z is not",
    ),
    (
        "a year of five digits",
        PLAIN.replace("2026-01-02", "20266-01-02"),
        r"row 3, column timestamp: '20266-01-02T00:00:00Z'",
    ),
    ("a unit beside the number", PLAIN.replace("1.5", "1.5h"), r"row 2, column value: '1.5h' is not a number"),
    ("thousands with commas", PLAIN.replace("1.5", '"1,500"'), r"row 2, column value: '1,500' is not a number"),
    (
        "two values after joining",
        PLAIN + f"{T2},web ,lead_time,9\n",
        r"row 4, column value: 9 for web, .* row 3, .* says 2.5",
    ),
    ("UTF-16", table().encode("utf-16"), r"row 1: UTF-16 is not allowed; UTF-8 is"),
    ("Latin-1", table().replace("web", "Zürich").encode("latin-1"), r"row 2: .* is not UTF-8 text"),
]


@pytest.mark.parametrize(("text", "message"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_what_is_not_certain_is_refused_with_its_place(root: RootBuilder, text: str | bytes, message: str) -> None:
    with pytest.raises(InputError, match=f"^history.csv, {message}"):
        root.file("history.csv", text).load()


def test_ten_bad_rows_are_named_at_once_and_the_rest_is_counted(root: RootBuilder) -> None:
    bad = "".join(f"2026-01-{day:02}T00:00:00Z,web,lead_time,{'x' if day % 2 else '1'}\n" for day in range(1, 29))
    with pytest.raises(InputError) as refused:
        root.file("history.csv", HEADER + "soon,,lead_time,1\n" + bad).load()
    lines = str(refused.value).split(";\n")
    assert [line.split(":")[0] for line in lines[:3]] == [
        "history.csv, row 2, column repo",
        "history.csv, row 2, column timestamp",
        "history.csv, row 3, column value",
    ]
    # 14 odd days, two faults of row 2
    assert (len(lines), lines[10]) == (11, "and 6 more")


def test_rows_with_other_numbers_of_fields_are_named_at_once(root: RootBuilder) -> None:
    with pytest.raises(InputError, match=r"(?s)row 4: 3 fields; 4 are needed, as in row 1;\n.*row 5: 5 fields"):
        root.file("history.csv", PLAIN + f"{T1},a,lead_time\n{T1},a,b,1,2\n").load()


def test_bad_events_are_named_at_once_and_an_impossible_time_blocks_no_other(root: RootBuilder) -> None:
    head = "timestamp, repo, kind, title\n\n"
    good = f'{T1}, "WEB", deploy, "Release, at last"\n'
    root.file("history.csv", PLAIN).file("events.csv", head + "1628-11-01T00:00:00Z,web,deploy,old\n" + good)
    org = root.load()
    assert [(event.repo, event.title) for event in org.events] == [("web", "Release, at last")]
    assert any(
        "events.csv, row 3, column timestamp: '1628-11-01T00:00:00Z'" in w and "left out" in w for w in org.warnings
    )
    assert any("'WEB' as 'web'" in warning for warning in org.warnings)
    root.file("events.csv", head + "soon,web,deploy,x\nlater,web,deploy,x\n")
    with pytest.raises(InputError, match=r"(?s)events.csv, row 3, .*'soon' .*;\nevents.csv, row 4, .*'later'"):
        root.load()


@pytest.mark.parametrize(
    "title", ['"Hotfix,,\n', '"Hotfix,,\n2026-01-02T00:00:00Z,web,config,"x",,\n', '"Hot "fix" x",,\n']
)
def test_a_quote_that_swallows_events_is_refused_where_it_opens(root: RootBuilder, title: str) -> None:
    text = f"timestamp,repo,kind,title,ref,until\n{T1},web,deploy,one,,\n{T1},web,deploy,{title}{T2},web,config,y,,\n"
    with pytest.raises(InputError, match=r"^events.csv, row 3: a quote "):
        root.file("history.csv", PLAIN).file("events.csv", text).load()


def test_two_services_that_differ_by_letter_case_stay_two_and_are_told(root: RootBuilder) -> None:
    org = root.file("history.csv", PLAIN + PLAIN.replace("web", "Web").partition("\n")[2]).load()
    assert [repo.repo for repo in org.repos] == ["Web", "web"]
    assert any("repos 'Web' and 'web' differ only in letter case and are two" in warning for warning in org.warnings)


def test_the_spelling_of_org_yaml_decides_and_two_of_its_names_are_two(root: RootBuilder) -> None:
    root.file("history.csv", PLAIN).file("org.yaml", "repos: {WEB: {team: shop}}")
    assert [(repo.repo, repo.team) for repo in root.load().repos] == [("WEB", "shop")]
    org = root.file("org.yaml", "repos: {WEB: {}, web: {}}").load()
    assert [repo.repo for repo in org.repos] == ["WEB", "web"]
    assert any("differ only in letter case" in warning for warning in org.warnings)


@pytest.mark.parametrize("name", ["web-2", "web_eu", "Zürich", "web 2", "\U0001f469\u200d\U0001f4bb", "نمی\u200cخواهم"])
def test_names_that_really_differ_are_left_alone(root: RootBuilder, name: str) -> None:
    org = root.file("history.csv", PLAIN + f"{T1},{name},lead_time,3\n").load()
    assert {repo.repo for repo in org.repos} == {"web", name}
    assert not any("spelling" in warning for warning in org.warnings)


def times(unit: str, zone: str | None = "UTC") -> pa.Array:
    ticks = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
    return pa.array([1767225600 * ticks, 1767312000 * ticks], pa.timestamp(unit, zone))


def columns(**changed: pa.Array) -> dict[str, pa.Array]:
    plain = {
        "timestamp": times("us"),
        "repo": pa.array(["web", "web"]),
        "metric": pa.array(["lead_time", "lead_time"]),
        "value": pa.array([1.5, 2.5]),
    }
    return plain | changed


def parquet(root: RootBuilder, changed: dict[str, pa.Array], **options: Any) -> RootBuilder:
    root.folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns(**changed)), root.folder / "history.parquet", **options)
    return root


NAMES = pa.array(["web", "web"])
PARQUET_READ = [
    ("seconds", {"timestamp": times("s")}, {}),
    ("milliseconds", {"timestamp": times("ms")}, {}),
    ("nanoseconds", {"timestamp": times("ns")}, {}),
    ("another zone", {"timestamp": times("us", "Asia/Tokyo")}, {}),
    (
        "large text",
        {"repo": NAMES.cast(pa.large_string()), "metric": pa.array(["lead_time"] * 2, pa.large_string())},
        {},
    ),
    ("bytes", {"repo": pa.array([b"web", b"web"]), "metric": pa.array([b"lead_time"] * 2, pa.large_binary())}, {}),
    ("bytes of one width", {"repo": pa.array([b"web", b"web"], pa.binary(3))}, {}),
    (
        "a dictionary",
        {"repo": NAMES.dictionary_encode(), "metric": pa.array(["lead_time"] * 2).dictionary_encode()},
        {},
    ),
    ("a dictionary of numbers", {"value": pa.array([1.5, 2.5]).dictionary_encode()}, {}),
    ("decimals", {"value": pa.array([Decimal("1.5"), Decimal("2.5")], pa.decimal128(9, 3))}, {}),
    ("single precision", {"value": pa.array([1.5, 2.5], pa.float32())}, {}),
    ("times as text", {"timestamp": pa.array([T1, "2026-01-02T01:00:00+01:00"])}, {}),
    ("times as coded text", {"timestamp": pa.array([T1, T2]).dictionary_encode()}, {}),
]


@pytest.mark.parametrize(
    ("changed", "options"), [case[1:] for case in PARQUET_READ], ids=[case[0] for case in PARQUET_READ]
)
def test_parquet_of_other_types_is_read_as_it_is_meant(
    root: RootBuilder, changed: dict[str, pa.Array], options: dict[str, Any]
) -> None:
    assert content(parquet(root, changed, **options).load()) == WANTED


@pytest.mark.parametrize("coerced", [{"use_deprecated_int96_timestamps": True}, {}])
def test_parquet_times_without_a_zone_need_one(root: RootBuilder, coerced: dict[str, Any]) -> None:
    parquet(root, {"timestamp": times("us", None)}, **coerced)
    with pytest.raises(InputError, match="^history.parquet, row 1, column timestamp: .* has no time zone"):
        root.load()
    assert content(root.load(assume_tz="UTC")) == WANTED


def test_whole_numbers_that_may_be_missing_are_read(root: RootBuilder) -> None:
    org = parquet(root, {"value": pa.array([None, 3], pa.int64()), "repo": pa.array([7, 7])}).load()
    assert content(org) == {("7", "lead_time"): [(datetime(2026, 1, 2, tzinfo=UTC), 3.0)]}
    assert "1 rows have no value and count as missing samples" in org.warnings


PARQUET_REFUSED = [
    ("a struct", {"metric": pa.array([{"a": 1}, {"a": 2}])}, r"column metric: type struct<.*> is not allowed; text is"),
    ("a list", {"repo": pa.array([["web"], ["web"]])}, r"column repo: type list<.*> is not allowed"),
    ("a map", {"repo": pa.array([[("a", "b")]] * 2, pa.map_(pa.string(), pa.string()))}, r"column repo: type map<.*> is not"),
    ("truth values", {"value": pa.array([True, False])}, r"column value: type bool is not allowed; a number type is"),
    ("numbers as text", {"value": pa.array(["1.5", "2.5"])}, r"column value: type string is not allowed"),
    ("names as fractions", {"repo": pa.array([1.5, 2.5])}, r"column repo: type double is not allowed; text is"),
    ("times as numbers", {"timestamp": pa.array([1, 2])}, r"column timestamp: type int64 is not allowed; a timestamp"),
    ("hours of the day", {"timestamp": pa.array([1, 2], pa.time64("us"))}, r"column timestamp: type time64.* is not allowed"),
    ("durations", {"value": pa.array([1, 2], pa.duration("s"))}, r"column value: type duration.* is not allowed"),
    ("days", {"timestamp": pa.array([1, 2], pa.date32())}, r"row 1, column timestamp: '1970-01-02' has no time zone"),
    ("bytes that are no text", {"repo": pa.array([b"web", b"\xff"])}, r"column repo: type binary holds bytes"),
    ("a null in a dictionary", {"repo": pa.array(["web", None]).dictionary_encode()},
     r"row 2, column repo: empty"),
    ("no names at all", {"repo": pa.nulls(2)}, r"row 1, column repo: empty; every sample needs a repo"),
    ("a time that would wrap", {"timestamp": pa.array([0, 2**62], pa.timestamp("ms", "UTC"))},
     r"row 2, column timestamp: 4611686018427387904 ms since 1970 is not allowed"),
    ("a time before 1970", {"timestamp": pa.array([0, -(2**62)], pa.timestamp("ms", "UTC"))}, r"row 2, column timestamp: -46"),
    ("not a number of a decimal kind", {"value": pa.array([float("inf"), 1.0])}, r"row 1, column value: inf is not allowed"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "message"), [case[1:] for case in PARQUET_REFUSED], ids=[case[0] for case in PARQUET_REFUSED]
)
def test_parquet_of_a_type_that_cannot_be_read_is_refused_by_column_and_type(
    root: RootBuilder, changed: dict[str, pa.Array], message: str
) -> None:
    with pytest.raises(InputError, match=f"^history.parquet, {message}"):
        parquet(root, changed).load()


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([0.2] * 40 + [0.0] * 20, "latency_p95 of a is 0 in 20 of 60 samples: nothing lasts no time"),
        ([0.2] * 40 + [210.0] * 20, "latency_p95 has values about 0.2 and values about 210 s, and none between"),
        ([0.2] * 40 + [0.0] * 3, ""),
        ([0.0] * 60, "latency_p95 of a is 0 in 60 of 60 samples: nothing lasts no time"),
        ([0.2, 0.5, 2.0, 9.0, 30.0, 210.0] * 12, ""),
        ([0.2] * 55 + [210.0] * 5, ""),
    ],
)
def test_latencies_that_were_filled_or_written_in_two_units_are_told(
    root: RootBuilder, values: list[float], said: str
) -> None:
    told = [
        note for note in root.add(series("a", "latency_p95", values)).load().warnings if note.startswith("latency_p95")
    ]
    assert [said in note for note in told] == ([True] if said else [])


@pytest.mark.parametrize(
    ("metric", "values", "said"),
    [
        ("queue_depth", [40.0] * 9 + [-1.0] * 3, "queue_depth is -1 in 3 of 12 samples and never negative otherwise"),
        ("queue_depth", [40.0, -2.0, -1.0] * 4, ""),
        ("queue_depth", [-1.0] * 12, ""),
        (
            "queue_depth",
            [40.0] * 11 + [2.0**63],
            "queue_depth is 9223372036854775808 in 1 of 12 samples, the largest number",
        ),
        ("cpu_percent", [0.9, 0.97] * 6, "cpu_percent reaches 0.97 % and never more: if shares from 0 to 1 are meant"),
        ("cpu_percent", [0.9, 1.2] * 6, ""),
        ("cpu_percent", [0.1, 0.2] * 6, ""),
    ],
)
def test_numbers_that_stand_for_something_else_are_told(
    root: RootBuilder, metric: str, values: list[float], said: str
) -> None:
    told = [note for note in root.add(series("a", metric, values)).load().warnings if note.startswith(metric)]
    assert [said in note for note in told] == ([True] if said else [])


@pytest.mark.parametrize("name", ["web_shop", "web shop", "web.shop"])
def test_names_that_a_dash_alone_parts_are_two_and_told(root: RootBuilder, name: str) -> None:
    org = root.file("history.csv", HEADER + f"{T1},web-shop,lead_time,1\n{T1},{name},lead_time,3\n").load()
    assert {repo.repo for repo in org.repos} == {"web-shop", name}
    assert any("read alike and are two" in warning for warning in org.warnings)


def test_rules_are_read_under_the_names_of_the_history_and_odd_maintenance_is_told(root: RootBuilder) -> None:
    root.file("history.csv", PLAIN).file(
        "events.csv", f"timestamp,repo,kind,title,until\n{T1},web,Maintainance,x,{T2}\n"
    )
    rule = "{rule_id: r, metric: Lead_Time, comparison: '>', threshold: 1, repos: [Web]}"
    org = root.file("alerts.yaml", f"rules: [{rule}]").load()
    assert [(rule.metric, rule.repos) for rule in org.rules] == [("lead_time", ("web",))]
    assert "events.csv: kind 'maintainance' excludes nothing; kind maintenance does" in org.warnings
