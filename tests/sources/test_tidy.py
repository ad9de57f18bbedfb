"""Tidy histories: what is read, and how each refusal names its place."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from org_samples import HEADER, T0, RootBuilder

from tars_lib.errors import ConfigError, InputError, NoRepositoriesError
from tars_lib.model.history import from_micros

GOOD = "2026-01-01T00:00:00Z,a,health_score,90\n"


def test_a_history_is_read_as_it_stands(root: RootBuilder) -> None:
    org = root.file("history.csv", HEADER + GOOD + "2026-01-02T00:00:00+02:00,b,latency_p95,0.25\n").load()
    assert [repo.repo for repo in org.repos] == ["a", "b"]
    assert org.history.metrics == ("health_score", "latency_p95")
    time, value = org.history.series("latency_p95", "b")
    assert from_micros(time[0]) == datetime(2026, 1, 1, 22, tzinfo=UTC)
    assert value.tolist() == [0.25]


def test_bom_crlf_other_column_order_and_further_columns_change_nothing(root: RootBuilder) -> None:
    text = "note,value,metric,repo,timestamp\r\nq,90,health_score,a,2026-01-01T00:00:00Z\r\n"
    org = root.file("history.csv", b"\xef\xbb\xbf" + text.encode()).load()
    assert org.history.value.tolist() == [90.0]


def test_quoted_names_may_hold_commas_quotes_and_newlines(root: RootBuilder) -> None:
    names = ["a,b", 'say "hi"', "two\nlines", "<script>alert(1)</script>", "naïve café 🚀"]
    root.add([(T0, name, "health_score", 50.0) for name in names])
    assert [repo.repo for repo in root.load().repos] == sorted(names)


@pytest.mark.parametrize("text", ["", "NaN", "nan", "NA", "null", "None"])
def test_spellings_of_no_value_are_missing_samples(root: RootBuilder, text: str) -> None:
    org = root.file("history.csv", HEADER + GOOD + f"2026-01-02T00:00:00Z,a,health_score,{text}\n").load()
    assert org.history.value.tolist() == [90.0]
    assert "1 rows have no value and count as missing samples" in org.warnings


BAD_ROWS = [
    ("2026-01-02T00:00:00,a,health_score,80", "row 3, column timestamp: '2026-01-02T00:00:00' has no time zone; add Z"),
    (
        "2026-02-30T00:00:00Z,a,health_score,80",
        "row 3, column timestamp: '2026-02-30T00:00:00Z' is not a time; allowed: ISO 8601",
    ),
    (",a,health_score,80", "row 3, column timestamp: empty; a time is needed"),
    ("2026-01-02T00:00:00Z,,health_score,80", "row 3, column repo: empty; every sample needs a repo"),
    ("2026-01-02T00:00:00Z,  ,health_score,80", "row 3, column repo: empty; every sample needs a repo"),
    ("2026-01-02T00:00:00Z,a,,80", "row 3, column metric: empty; every sample needs a metric"),
    (
        "2026-01-02T00:00:00Z,a,health_score,good",
        "row 3, column value: 'good' is not a number; allowed: a finite number",
    ),
    (
        '2026-01-02T00:00:00Z,a,health_score,"1,5"',
        "row 3, column value: '1,5' is not a number; allowed: a finite number",
    ),
    ("2026-01-02T00:00:00Z,a,health_score,1_0", "row 3, column value: '1_0' is not a number; allowed: a finite number"),
    ("2026-01-02T00:00:00Z,a,health_score,inf", "row 3, column value: inf is not allowed: a finite number is"),
    ("2026-01-02T00:00:00Z,a,health_score,1e999", "row 3, column value: inf is not allowed: a finite number is"),
    ("2026-01-02T00:00:00Z,a,health_score,101", "row 3, column value: health_score of a is 101; allowed: 0 to 100"),
    (
        "2026-01-01T00:00:00Z,a,health_score,91",
        "row 3, column value: 91 for a, health_score at 2026-01-01T00:00:00Z, but history.csv, row 2",
    ),
    ("2026-01-02T00:00:00Z,a", "row 3: 2 fields; 4 are needed, as in row 1"),
    ("2026-01-02T00:00:00Z,a,health_score,80,81", "row 3: 5 fields; 4 are needed, as in row 1"),
]


@pytest.mark.parametrize(("row", "message"), BAD_ROWS)
def test_a_bad_row_is_refused_with_file_row_column_value_and_what_is_allowed(
    root: RootBuilder, row: str, message: str
) -> None:
    root.file("history.csv", HEADER + GOOD + row + "\n2026-01-03T00:00:00Z,a,health_score,70\n")
    with pytest.raises(InputError) as refused:
        root.load()
    assert str(refused.value).startswith("history.csv")
    assert message in str(refused.value)


def test_the_first_offender_in_the_file_is_the_one_named(root: RootBuilder) -> None:
    late = "".join(f"2026-01-{day:02}T00:00:00Z,a,health_score,9\n" for day in range(2, 9))
    root.file("history.csv", HEADER + late + "x,a,health_score,1\n2026-01-02,a,health_score,1\n")
    with pytest.raises(InputError, match=r"row 9, column timestamp: 'x' is not a time"):
        root.load()


@pytest.mark.parametrize("head", ["timestamp,repo,value\n", "Timestamp,repo,metric,value\n", "a;b;c\n"])
def test_a_missing_column_is_named_beside_what_was_found(root: RootBuilder, head: str) -> None:
    with pytest.raises(
        InputError, match=r"history.csv, row 1: column .* is missing; needed: timestamp, repo, metric, value; found: "
    ):
        root.file("history.csv", head + GOOD).load()


def test_a_wide_table_is_refused_with_the_command_that_reads_it(root: RootBuilder) -> None:
    with pytest.raises(
        InputError, match=r"found: timestamp, web/load, api/load; .*read by tars import FILE --root DIR"
    ):
        root.file("history.csv", "timestamp,web/load,api/load\n2026-01-01T00:00:00Z,1,2\n").load()


def test_a_column_that_stands_twice_is_refused(root: RootBuilder) -> None:
    with pytest.raises(InputError, match="row 1: column value stands twice"):
        root.file(
            "history.csv", "timestamp,repo,metric,value,value\n2026-01-01T00:00:00Z,a,health_score,90,91\n"
        ).load()


@pytest.mark.parametrize(
    ("content", "what"), [(b"", "is empty"), (b"\n", "holds blank lines"), (b"  \r\n", "holds blank lines")]
)
def test_an_empty_file_says_what_its_first_row_must_hold(root: RootBuilder, content: bytes, what: str) -> None:
    with pytest.raises(InputError, match=f"history.csv: the file {what}.*; its first row must name the columns"):
        root.file("history.csv", content).load()


def test_a_header_without_rows_is_a_root_without_repos(root: RootBuilder) -> None:
    with pytest.raises(NoRepositoriesError, match="no service found; needed: history.csv"):
        root.file("history.csv", HEADER).load()


@pytest.mark.parametrize(
    ("content", "row"),
    [
        (b"timestamp,repo,metric,value,\xff\n", 1),
        ((HEADER + GOOD).encode() + b"2026-01-02T00:00:00Z,\xff,health_score,1\n", 3),
    ],
)
def test_text_that_is_not_utf8_is_refused_with_its_row(root: RootBuilder, content: bytes, row: int) -> None:
    with pytest.raises(InputError, match=rf"history.csv, row {row}: .*not UTF-8"):
        root.file("history.csv", content).load()


def test_utf16_is_refused_and_not_guessed(root: RootBuilder) -> None:
    with pytest.raises(InputError, match=r"history.csv, row 1"):
        root.file("history.csv", (HEADER + GOOD).encode("utf-16")).load()


@pytest.mark.parametrize("further", ["", "2026-01-03T00:00:00Z,a,health_score,1\n"])
def test_an_assumed_zone_reads_naive_times_whether_or_not_others_have_zones(root: RootBuilder, further: str) -> None:
    text = HEADER + "2026-07-01T12:00:00,a,health_score,2\n" + "2026-10-25T02:30:00,a,health_score,3\n" + further
    org = root.file("history.csv", text).load(assume_tz="Europe/Berlin")
    times = {value: from_micros(time) for time, value in zip(org.history.time, org.history.value, strict=True)}
    assert times[2.0] == datetime(2026, 7, 1, 10, tzinfo=UTC)
    assert times[3.0] == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize("mixed", ["", "2026-11-03T00:00:00Z,a,lead_time,1\n"])
def test_a_local_time_that_came_twice_is_told_and_two_values_for_it_are_refused(root: RootBuilder, mixed: str) -> None:
    once = HEADER + "2026-10-25T02:30:00,a,lead_time,2\n2026-10-25T03:30:00,a,lead_time,3\n" + mixed
    note = "history.csv, row 2, column timestamp: 1 times fall into an hour that Europe/Berlin had twice"
    assert note in "".join(root.file("history.csv", once).load(assume_tz="Europe/Berlin").warnings)
    twice = once + "2026-10-25T02:30:00,a,lead_time,4\n"
    with pytest.raises(InputError, match=r"Europe/Berlin had 2026-10-25 02:30 twice.*such as 2026-10-25T02:30\+02:00"):
        root.file("history.csv", twice).load(assume_tz="Europe/Berlin")


@pytest.mark.parametrize("mixed", ["", "2026-11-03T00:00:00Z,a,lead_time,1\n"])
def test_a_local_time_that_never_was_is_refused_with_its_row(root: RootBuilder, mixed: str) -> None:
    text = HEADER + "2026-03-29T01:30:00,a,lead_time,2\n2026-03-29T02:30:00,a,lead_time,3\n" + mixed
    with pytest.raises(InputError, match="history.csv, row 3, column timestamp: '2026-03-29 02:30:00' did not exist"):
        root.file("history.csv", text).load(assume_tz="Europe/Berlin")


@pytest.mark.parametrize(
    "bad", ["2026-01-03T00:00:00Z,a,lead_time,x", "soon,a,lead_time,1", "2026-01-03T00:00:00Z,a,lead_time,-1"]
)
def test_a_row_after_blank_lines_and_quoted_line_ends_is_named_by_its_line(root: RootBuilder, bad: str) -> None:
    text = HEADER + '\n\n2026-01-01T00:00:00Z,"a\nb",lead_time,1\r\n\n' + bad + "\n"
    with pytest.raises(InputError, match="history.csv, row 7, column (value|timestamp): "):
        root.file("history.csv", text).load()


def test_an_unknown_assumed_zone_is_refused(root: RootBuilder) -> None:
    with pytest.raises(ConfigError, match="time zone 'Mars/Base' is not known"):
        root.file("history.csv", HEADER + GOOD).load(assume_tz="Mars/Base")


def test_mixed_offsets_are_one_time_line(root: RootBuilder) -> None:
    org = root.file(
        "history.csv",
        HEADER + "2026-01-01T05:45:00+05:45,a,health_score,1\n2025-12-31T23:00:00-02:00,a,health_score,2\n",
    ).load()
    assert [from_micros(t).hour for t in org.history.series("health_score", "a")[0]] == [0, 1]


def frame(**columns: object) -> pd.DataFrame:
    times = pd.to_datetime(["2026-01-01", "2026-01-02"]).tz_localize("UTC")
    return pd.DataFrame(
        {"timestamp": times, "repo": ["a", "b"], "metric": "health_score", "value": [1.0, 2.0]} | columns
    )


def parquet(root: RootBuilder, content: pd.DataFrame | pa.Table, name: str = "history.parquet") -> RootBuilder:
    root.folder.mkdir(parents=True, exist_ok=True)
    table = content if isinstance(content, pa.Table) else pa.Table.from_pandas(content, preserve_index=False)
    pq.write_table(table, root.folder / name)
    return root


@pytest.mark.parametrize(
    "columns",
    [
        {},
        {"repo": pd.Categorical(["a", "b"]), "metric": pd.Categorical(["health_score"] * 2)},
        {"timestamp": pd.to_datetime(["2026-01-01T09:00", "2026-01-02T09:00"]).tz_localize("Asia/Tokyo").as_unit("ns")},
        {"timestamp": ["2026-01-01T00:00:00Z", "2026-01-02T01:00:00+01:00"]},
        {"value": np.array([1, 2], dtype=np.int16)},
        {"value": np.array([1, 2], dtype=np.float32)},
        {"extra": ["x", "y"]},
    ],
)
def test_parquet_is_read_whatever_its_column_types(root: RootBuilder, columns: dict[str, object]) -> None:
    org = parquet(root, frame(**columns)).load()
    assert [repo.repo for repo in org.repos] == ["a", "b"]
    assert org.history.value.tolist() == [1.0, 2.0]
    assert [from_micros(t) for t in org.history.time] == [T0, datetime(2026, 1, 2, tzinfo=UTC)]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"value": ["1", "2"]}, r"history.parquet, column value: type .*string is not allowed; a number type is"),
        ({"timestamp": [1, 2]}, r"column timestamp: type int64 is not allowed; a timestamp with"),
        (
            {"timestamp": ["2026-01-01T00:00:00Z", "no"]},
            r"history.parquet, row 2, column timestamp: 'no' is not a time",
        ),
        ({"repo": ["a", None]}, r"history.parquet, row 2, column repo: empty"),
        ({"value": [1.0, np.inf]}, r"history.parquet, row 2, column value: inf is not allowed"),
        ({"timestamp": pd.to_datetime(["2026-01-01", None]).tz_localize("UTC")}, r"row 2, column timestamp: empty"),
        ({"timestamp": pd.to_datetime(["2026-01-01", "2026-01-02"])}, r"row 1, column timestamp: .* has no time zone"),
    ],
)
def test_bad_parquet_is_refused_with_its_place(root: RootBuilder, columns: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        parquet(root, frame(**columns)).load()


def test_parquet_that_unpacks_to_far_more_than_its_rows_need_is_refused_before_it_is_read(root: RootBuilder) -> None:
    parquet(root, frame(repo=["x" * 20_000_000, "b"]))
    assert (root.folder / "history.parquet").stat().st_size < 1_000_000
    with pytest.raises(
        InputError, match=r"history.parquet, column repo: 20\d+ bytes once unpacked, for 2 rows; names of up"
    ):
        root.load()


def test_parquet_without_a_column_names_it(root: RootBuilder) -> None:
    with pytest.raises(
        InputError, match=r"history.parquet, row 1: column metric is missing; needed: .*found: timestamp, repo, value"
    ):
        parquet(root, frame().drop(columns="metric")).load()


@pytest.mark.parametrize("content", [b"", b"hello", b"PAR1 and nothing else PAR1"])
def test_a_file_that_is_no_parquet_is_refused_by_name(root: RootBuilder, content: bytes) -> None:
    with pytest.raises(InputError, match=r"^history.parquet: cannot be read"):
        root.file("history.parquet", content).load()


def test_a_folder_of_histories_is_one_history(root: RootBuilder) -> None:
    root.file("history/2026-01.csv", HEADER + GOOD).file(
        "history/2026-02.csv", HEADER + "2026-02-01T00:00:00Z,b,lead_time,3\n"
    )
    parquet(root, frame(repo=["c", "c"]), "history/more.parquet")
    root.file("history/notes.txt", "not a history").file("history/.hidden.csv", "not a history")
    org = root.load()
    assert [repo.repo for repo in org.repos] == ["a", "b", "c"]
    assert len(org.history) == 4
    assert [file.path for file in org.inputs] == ["history/2026-01.csv", "history/2026-02.csv", "history/more.parquet"]


def test_a_conflict_between_files_names_both(root: RootBuilder) -> None:
    root.file("history/a.csv", HEADER + GOOD).file("history/b.csv", HEADER + GOOD.replace("90", "91"))
    with pytest.raises(
        InputError, match=r"history/b.csv, row 2, column value: 91 .* but history/a.csv, row 2, column value says 90"
    ):
        root.load()


def test_csv_and_parquet_give_the_same_history(root: RootBuilder, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    times = pd.date_range("2026-01-01", periods=50, freq="h", tz="UTC")
    table = pd.DataFrame(
        {"timestamp": times.repeat(2), "repo": ["a", "b"] * 50, "metric": "latency", "value": rng.random(100)}
    )
    table.assign(timestamp=table["timestamp"].map(lambda t: t.isoformat())).to_csv(
        root.write() / "history.csv", index=False
    )
    other = parquet(RootBuilder(tmp_path / "other"), table).load()
    mine = root.load()
    np.testing.assert_array_equal(mine.history.time, other.history.time)
    np.testing.assert_array_equal(mine.history.value, other.history.value)
