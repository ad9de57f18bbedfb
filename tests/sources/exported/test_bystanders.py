"""What has the place of a service or number in a table and is none: no total, no second time, no unread label is imported."""

from __future__ import annotations

from pathlib import Path

import pytest

from tars_lib.config.import_map import ColumnChoice
from tars_lib.errors import InputError
from tars_lib.sources.exported.content import read_content
from tars_lib.sources.exported.formats import format_of
from tars_lib.sources.exported.settled import settle
from tars_lib.sources.exported.shapes import Choices, Exported

COUNTS = Choices(metric="requests_total")
AT = ("2026-01-05T00:00:00Z", "2026-01-05T00:05:00Z", "2026-01-05T00:10:00Z")


def read(folder: Path, text: str, choices: Choices = COUNTS) -> tuple[dict[tuple[str, str], list[float]], Exported]:
    """Values by repo and metric in their settled units, and what was found."""
    path = folder / "table.csv"
    path.write_text(text, encoding="utf-8")
    content = read_content(path, path.name)
    found = format_of(content).reads(content, choices)
    series, _ = settle(found.series, choices, {}, path.name)
    return {(one.repo, one.metric): one.value.tolist() for one in series}, found


@pytest.mark.parametrize(
    ("head", "cells", "what"),
    [
        ("time,web,api,Total", "1,2,3", "all services together"),
        ("time,web,grand_total", "1,1", "all services together"),
        ("time,web,month", "1,1", "the number or day of a row"),
        ("time,id,web", "7,1", "the number or day of a row"),
        ("time,web,window_end", "1,1767571500", "times"),
        ("time,web,window_end", "1,1767571500000", "times"),
    ],
)
def test_a_column_that_is_no_service_is_refused_unless_it_is_said_to_be_one(
    tmp_path: Path, head: str, cells: str, what: str
) -> None:
    text = f"{head}\n{AT[0]},{cells}\n"
    column = next(name for name in head.split(",") if name not in ("time", "web", "api"))
    with pytest.raises(InputError, match=f"'{column}' seems to hold {what}, no service; .*{column}: skip"):
        read(tmp_path, text)
    skipped, _ = read(tmp_path, text, Choices(metric="requests_total", columns={column: ColumnChoice(use="skip")}))
    kept, _ = read(tmp_path, text, Choices(metric="requests_total", repos={column: column}))
    assert set(kept) - set(skipped) == {(column, "requests_total")}


def test_rows_of_a_total_are_refused_too(tmp_path: Path) -> None:
    text = f"time,service,requests\n{AT[0]},web,1\n{AT[0]},Total,1\n"
    with pytest.raises(InputError, match="'Total' seems to hold all services together"):
        read(tmp_path, text)


def test_a_service_that_is_the_sum_of_the_others_is_told(tmp_path: Path) -> None:
    text = "time,web,api,gateway\n" + "".join(f"{at},{n},2,{n + 2}\n" for n, at in enumerate(AT, start=1))
    values, found = read(tmp_path, text)
    assert len(values) == 3
    assert [note for note in found.notes if "requests_total of gateway is the sum of all others" in note]
    _, other = read(tmp_path, text.replace(",2,5\n", ",2,6\n"))
    assert other.notes == ()


def test_the_unit_of_each_row_is_carried(tmp_path: Path) -> None:
    text = (
        "time,service,metric,value,unit\n"
        f"{AT[0]},web,latency_p95,120,ms\n{AT[1]},web,latency_p95,0.2,s\n{AT[0]},api,latency_p95,90,milliseconds\n"
        f"{AT[0]},web,availability,99.5,%\n{AT[0]},web,requests_total,7,requests\n"
    )
    values, found = read(tmp_path, text, Choices())
    assert values == {
        ("web", "latency_p95"): [0.12, 0.2],
        ("api", "latency_p95"): [0.09],
        ("web", "availability"): [0.995],
        ("web", "requests_total"): [7.0],
    }
    assert not found.is_rounded
    with pytest.raises(InputError, match=r"row 3, .*no unit"):
        read(tmp_path, text.replace("0.2,s", "0.2,"), Choices())


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (
            ("1.234", "12.345"),
            "row 2, column web: '1.234' can be read with a decimal point or a point between thousands",
        ),
        (("1.234", "999"), "'1.234' can be read"),
        (("1.234", "1.2345"), [1.234, 1.2345]),
        (("1.234", "0.5"), [1.234, 0.5]),
        (("1.234", "1,5"), [1234.0, 1.5]),
    ],
)
def test_points_where_commas_are_decimal_marks_may_part_thousands(
    tmp_path: Path, cells: tuple[str, str], said: str | list[float]
) -> None:
    text = "Time;web\n" + "".join(f"{at};{cell}\n" for at, cell in zip(AT, cells, strict=False))
    choices = Choices(metric="load")
    if isinstance(said, str):
        with pytest.raises(InputError, match=said):
            read(tmp_path, text, choices)
        assert read(tmp_path, text, Choices(metric="load", decimal=","))[0][("web", "load")][0] == 1234
    else:
        assert read(tmp_path, text, choices)[0] == {("web", "load"): said}
    plain = text.replace(";", ",") if "," not in "".join(cells) else None
    if plain is not None:
        assert read(tmp_path, plain, choices)[0] == {("web", "load"): [float(cell) for cell in cells]}


def test_names_of_datadogs_queries_are_read_and_unknown_braces_are_refused(tmp_path: Path) -> None:
    names = ("avg:trace.http.request{env:prod,service:web} by {service}", "sum:trace.http.hits{service:api}.as_count()")
    text = "time," + ",".join(f'"{name}"' for name in names) + f"\n{AT[0]},1,2\n"
    values, _ = read(tmp_path, text, Choices())
    assert values == {("web", "trace.http.request"): [1.0], ("api", "trace.http.hits"): [2.0]}
    with pytest.raises(InputError, match="what stands in braces cannot be read as labels"):
        read(tmp_path, f'time,"avg:x{{*}} by {{service}}"\n{AT[0]},1\n')
