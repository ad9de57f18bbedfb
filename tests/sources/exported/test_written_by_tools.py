# ruff: noqa: E501 - a case is read in a line
"""Files as tools write them for people: whatever the dress of times, numbers and tables, the values are these or the file is refused."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tars_lib.config.import_map import MetricChoice
from tars_lib.errors import InputError
from tars_lib.model.history import from_micros
from tars_lib.pipeline.importing import UnderstoodFile, understand
from tars_lib.sources.exported.shapes import Choices

DEPTH = Choices(metric="queue_depth")
Values = dict[str, dict[str, float]]


def read(folder: Path, content: str | bytes, choices: Choices = DEPTH, name: str = "export.txt") -> UnderstoodFile:
    """What an import understands of a file."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return understand([path], folder / "root", choices)[0]


def values(found: UnderstoodFile) -> Values:
    """Values by service, and time of 5 January 2026 in UTC or a longer one; none where there is none."""
    told: Values = {}
    for one in found.series:
        for time, value in zip(one.time.tolist(), one.value.tolist(), strict=True):
            if value == value:
                told.setdefault(one.repo, {})[
                    from_micros(time).isoformat().removesuffix("+00:00").removeprefix("2026-01-05T").removesuffix(":00")
                ] = value
    return told


@pytest.mark.parametrize(
    ("first", "second", "zone"),
    [
        ("2026-01-05 00:00:00 +0000 UTC", "2026-01-05 00:05:00 +0000 UTC m=+0.0125", ""),
        ("2026-01-05T01:00:00+01:00[Europe/Berlin]", "2026-01-05T01:05:00+01:00[Europe/Berlin]", ""),
        ("2026-01-05T01:00:00.000+0100", "2026-01-05T01:05:00.000+0100", ""),
        ("Mon Jan 05 2026 01:00:00 GMT+0100 (Mitteleuropäische Normalzeit)", "Mon Jan 05 2026 01:05:00 GMT+0100 (Mitteleuropäische Normalzeit)", ""),
        ('"Mon, 05 Jan 2026 00:00:00 GMT"', '"Mon, 05 Jan 2026 00:05:00 GMT"', ""),
        ('"Jan 5, 2026 @ 01:00:00.000"', '"Jan 5, 2026 @ 01:05:00.000"', "Europe/Berlin"),
        ('"January 5, 2026, 12:00 AM"', '"January 5, 2026, 12:05 AM"', "UTC"),
        ("05-JAN-2026 00:00:00", "05-JAN-2026 00:05:00", "UTC"),
        ("05/Jan/2026:00:00:00 +0000", "05/Jan/2026:00:05:00 +0000", ""),
        ("05.01.2026 01:00:00", "05.01.2026 01:05:00", "Europe/Berlin"),
        ('"2026-01-05 00:00:00,000"', '"2026-01-05 00:05:00,000"', "UTC"),
        ("20260105T000000Z", "20260105T000500Z", ""),
        ("1767571200", "1767571500", ""),
        ("1.7675712E+12", "1.7675715E+12", ""),
        ('"1767571200,0"', '"1767571500,0"', ""),
    ],
)  # fmt: skip
def test_times(tmp_path: Path, first: str, second: str, zone: str) -> None:
    choices = Choices(metric="queue_depth", zone=ZoneInfo(zone) if zone else None)
    found = read(tmp_path, f"Time,checkout\n{first},412\n{second},398\n", choices)
    assert values(found) == {"checkout": {"00:00": 412, "00:05": 398}}


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("4.12e2", "1E-3", (412, 0.001)),
        ("4,12E+02", "1,5E-03", (412, 0.0015)),
        ("1'412.5", "12\u2019398.25", (1412.5, 12398.25)),
        ("1\u202f412,5", "12\u00a0398,25", (1412.5, 12398.25)),
        ("1 234", "12 345 678", (1234, 12345678)),
        ("1.234,5", "12.345.678,25", (1234.5, 12345678.25)),
        ('"1,234.5"', '"12,345,678.25"', (1234.5, 12345678.25)),
        ("1.5k", "2M", (1500, 2_000_000)),
        ("+5", "\u22125", (5, -5)),
        (".5", "5.", (0.5, 5)),
        ("(null)", "\\N", ()),
        ("undefined", "--", ()),
        ("N/A", "NaN", ()),
    ],
)
def test_numbers(tmp_path: Path, first: str, second: str, expected: tuple[float, ...]) -> None:
    text = f"Time;checkout;other\n2026-01-05T00:00Z;{first};1\n2026-01-05T00:05Z;{second};1\n"
    assert tuple(values(read(tmp_path, text)).get("checkout", {}).values()) == expected


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        ("12 34", "1", "'12 34' is not one number"),
        ("1 2345", "1", "is not one number"),
        ("0x1F", "1", "x1F is no unit"),
        ("(412)", "1", "is not a number"),
        ("5 ms", "7", "'7' has no unit"),
        ("99.5%", "0.995", "'0.995' has no unit"),
        ("true", "false", "no column of numbers"),
        ("00:00:01.250", "00:01:00", "no column of numbers"),
        ("1m30s", "45s", "is not a number|no unit that is known"),
    ],
)
def test_what_is_no_number_is_refused(tmp_path: Path, first: str, second: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read(tmp_path, f"Time;checkout\n2026-01-05T00:00Z;{first}\n2026-01-05T00:05Z;{second}\n")


BOTH: Values = {"checkout": {"00:00": 412, "00:05": 398}, "payments": {"00:00": 180, "00:05": 179}}
ROWS = "2026-01-05T00:00Z,412,180\n2026-01-05T00:05Z,398,179\n"
HEAD = "Time,checkout,payments\n"


@pytest.mark.parametrize(
    "text",
    [
        "Queue depth by service\nexported at noon\n\n" + HEAD + ROWS,
        "# exported 2026-01-06, by a tool\n# all zones: UTC\n" + HEAD + ROWS + "# end of export\n",
        "#time,checkout,payments\n" + ROWS,
        "# time,checkout,payments\n1767571200,412,180\n1767571500,398,179\n",
        HEAD + ROWS + "Total,810,359\n",
        HEAD + ROWS + "\nMin,398,179\nMittelwert,405,179.5\n",
        ",time,checkout,payments\n0,2026-01-05T00:00Z,412,180\n1,2026-01-05T00:05Z,398,179\n",
        "_time,checkout,payments,_span\n2026-01-05T00:00Z,412,180,300\n2026-01-05T00:05Z,398,179,300\n",
        "TimeSeries ID,checkout,payments\n" + ROWS,
        "Date,Time,checkout,payments\n2026-01-05,00:00Z,412,180\n2026-01-05,00:05Z,398,179\n",
        " time                   | checkout | payments \n------------------------+----------+----------\n"
        " 2026-01-05 00:00:00+00 |      412 |      180\n 2026-01-05 00:05:00+00 |      398 |      179\n(2 rows)\n",
        "Time,\"{service='checkout'}\",\"{service='payments'}\"\n" + ROWS,
        "Time , checkout\u00a0,payments ,\n" + ROWS.replace("\n", ",\n"),
        "@timestamp per 5 minutes,Top 5 values of service.name,Records\n2026-01-05T00:00Z,checkout,412\n2026-01-05T00:05Z,checkout,398\n"
        "2026-01-05T00:00Z,payments,180\n2026-01-05T00:05Z,payments,179\n",
        json.dumps([{"time": 1767571200000, "checkout": 412, "payments": 180}, {"time": 1767571500000, "checkout": "398", "payments": 179}]),
        json.dumps({"results": [
            {"@timestamp": f"2026-01-05T00:0{minute}:00Z", "labels": {"service": repo}, "n": n}
            for repo, minute, n in (("checkout", 0, 412), ("checkout", 5, 398), ("payments", 5, 179), ("payments", 0, 180))
        ]}),
        '{"timestamp": 1767571200, "service": "checkout", "value": 412}\n{"timestamp": 1767571500, "service": "checkout", "value": 398}\n'
        '{"timestamp": 1767571200, "service": "payments", "value": 180}\n{"timestamp": 1767571500, "service": "payments", "value": 179}\n',
    ],
)  # fmt: skip
def test_tables(tmp_path: Path, text: str) -> None:
    by = "Top 5 values of service.name" if "Top 5" in text else "labels.service" if "labels" in text else ""
    assert values(read(tmp_path, text, Choices(metric="queue_depth", repo_from=by))) == BOTH
    if "Total" in text:
        assert read(tmp_path, text).found.notes == ("export.txt: row 4, 'Total', is left out: no time is there",)


def test_names_without_a_digit_are_no_sums(tmp_path: Path) -> None:
    text = "service,Time,value\nweb1,2026-01-05T00:00Z,1\napi,2026-01-05T00:00Z,2\nshop,2026-01-05T00:00Z,3\n"
    assert values(read(tmp_path, text)) == {"web1": {"00:00": 1}, "api": {"00:00": 2}, "shop": {"00:00": 3}}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEAD + "2026-01-05T00:00Z,412,180,\n", "4 fields; 3 are needed"),
        (HEAD + ROWS + ",810,359\n", "empty; a time is needed"),
        (HEAD + "Total,810,359\n" + ROWS, "'Total' is not a time"),
        ("Time,checkout,checkout\n" + ROWS, "stands twice"),
        ("Date,checkout,payments\n03/04/2026,1,2\n04/04/2026,1,2\n", "--time-format '%d/%m/%Y' or '%m/%d/%Y' says which"),
        ("Time,checkout\nMai 5 2026 10:00,1\n", "is not a time"),
        ("Time,checkout\n2026-07-01 12:00:00 CEST,1\n", "is not a time"),
        ("Time,checkout\n05.01.26 00:00,1\n", "is not a time"),
        ("checkout.requests:1|c\n", "is the column of times"),
        ("time=0.412s;1;2 size=1024B;;;0\n", "no time"),
        ("<!DOCTYPE html><html><body>Login</body></html>", "no known form; --format NAME says what it is: prometheus, "),
        (json.dumps([{"itemid": "1", "clock": "1767571200", "value": "1"}]), "no known form"),
        (json.dumps([{"timestamp": "2026-01-05T00:00Z", "value": [1]}]), "no known form"),
        ("Time\tcheckout\n2026-01-05T00:00Z\t412\n".encode("utf-16-le"), "UTF-16 without a mark"),
        ("Time,Zürich\n2026-01-05T00:00Z,412\n".encode("cp1252"), "not UTF-8"),
    ],
)  # fmt: skip
def test_what_cannot_be_told_is_refused(tmp_path: Path, text: str | bytes, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read(tmp_path, text)


def _google(kind: str, value: dict[str, object], start: str, end: str, **more: object) -> dict[str, object]:
    return {
        "metric": {"type": "run.googleapis.com/requests"}, "resource": {"labels": {"service_name": "checkout"}},
        "metricKind": kind, "points": [{"interval": {"startTime": f"2026-01-05T{start}:00Z", "endTime": f"2026-01-05T{end}:00Z"}, "value": value}], **more,
    }  # fmt: skip


def _azure(unit: str, *points: dict[str, object]) -> dict[str, object]:
    split = [{"name": {"value": "service"}, "value": "checkout"}]
    return {
        "value": [
            {"name": {"value": "m"}, "unit": unit, "timeseries": [{"metadatavalues": split, "data": list(points)}]}
        ]
    }


def _older(*results: dict[str, object]) -> list[dict[str, object]]:
    return [
        {
            "beginTimeSeconds": 1767571200 + 300 * n,
            "endTimeSeconds": 1767571500 + 300 * n,
            "inspectedCount": 9,
            "results": [one],
        }
        for n, one in enumerate(results)
    ]


AT = "2026-01-05T00:0{}:00Z".format
JSONS = (
    ({"timeSeries": [
        _google("DELTA", {"int64Value": "17"}, "00:05", "00:10", valueType="INT64"),
        _google("DELTA", {"int64Value": "12"}, "00:00", "00:05", valueType="INT64"),
    ], "unit": "1"}, "requests_total service_name", "google", {"00:00": 12, "00:05": 17}, ("count", "count")),
    ({"timeSeries": [_google("GAUGE", {"doubleValue": 412.5}, "00:05", "00:05", unit="ms")]}, "latency_p95 service_name", "google", {"00:05": 0.4125}, ("s", "gauge")),
    (_azure("Count", {"timeStamp": AT(0), "total": 12.0}, {"timeStamp": AT(5)}), "requests_total service", "azure", {"00:00": 12}, ("count", "count")),
    (_azure("MilliSeconds", {"timeStamp": AT(0), "average": 412.5}), "latency_p95 service", "azure", {"00:00": 0.4125}, ("s", "gauge")),
    ([{"target": "p95;service=checkout", "tags": {"name": "p95", "service": "checkout"}, "datapoints": [[0.412, 1767571200], [None, 1767571260]]}],
     "latency_p95 service", "graphite", {"00:00": 0.412}, ("s", "gauge")),
    ({"facets": [{"name": "checkout", "timeSeries": _older({"count": 812}, {"count": 790})}], "metadata": {}}, "requests_total", "newrelic", {"00:00": 812, "00:05": 790}, ("count", "count")),
    ({"facets": [{"name": ["checkout"], "timeSeries": _older({"percentiles": {"95": 0.42}})}]}, "percentiles.95", "newrelic", {"00:00": 0.42}, ("s", "gauge")),
)  # fmt: skip


@pytest.mark.parametrize(("document", "asked", "form", "expected", "meaning"), JSONS)
def test_answers_of_interfaces(
    tmp_path: Path, document: object, asked: str, form: str, expected: dict[str, float], meaning: tuple[str, str]
) -> None:
    metric, _, by = asked.partition(" ")
    settled = Choices(
        metric="" if "." in metric else metric,
        repo_from=by,
        unit="s" if form == "graphite" else "",
        metrics={"percentiles.95": MetricChoice(metric="latency_p95", unit="s")},
    )
    found = read(tmp_path, json.dumps(document), settled)
    assert (found.form.name, values(found)) == (form, {"checkout": expected})
    assert [(one.unit, one.kind) for one in found.metrics] == [meaning]


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (_azure("Count", {"timeStamp": AT(0), "average": 1.0, "maximum": 2}), "aggregates average, maximum; one is needed"),
        (_azure("Cores", {"timeStamp": AT(0), "average": 1.0}), "unit 'Cores' is not known"),
        ({"timeSeries": [_google("GAUGE", {"distributionValue": {}}, "00:00", "00:00")]}, "no number in it; .*1 point without a number"),
        ({"timeSeries": [_google("RATE", {"doubleValue": 1}, "00:00", "00:00")]}, "metricKind 'RATE'"),
        ([{"target": "a", "datapoints": [[1]]}], "pairs of value and time"),
    ],
)  # fmt: skip
def test_answers_that_say_too_little_are_refused(tmp_path: Path, document: object, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read(tmp_path, json.dumps(document), Choices(metric="queue_depth", repo_from="service_name"))


def zipped(**members: str) -> bytes:
    """A zip of some members."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as packed:
        for name, text in members.items():
            packed.writestr(name, text)
    return made.getvalue()


PLAIN = (HEAD + ROWS).encode()


@pytest.mark.parametrize(
    "content",
    [gzip.compress(PLAIN), zipped(**{"a/data.csv": HEAD + ROWS, "__MACOSX/._data.csv": "x"})],
    ids=["gzip", "zip"],
)
def test_one_file_that_is_packed_is_read(tmp_path: Path, content: bytes) -> None:
    assert values(read(tmp_path, content)) == BOTH


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (gzip.compress(PLAIN)[:-12], "damaged or not whole"),
        (gzip.compress(PLAIN)[:20] + b"\0" * 30, "damaged or not whole"),
        (zipped(a="x", b="y"), "a zip of 2 files; unpack it"),
        (zipped(), "a zip of 0 files"),
        (zipped(**{"xl/workbook.xml": "x"}), "an Excel workbook; save the sheet as CSV"),
        (b"PK\x03\x04" + b"\0" * 40, "a zip that cannot be read"),
        (b"\x28\xb5\x2f\xfdabc", "zstd; plain text, gzip and a zip with one file are allowed"),
    ],
    ids=["cut", "overwritten", "two files", "no file", "workbook", "no zip", "zstd"],  # packed bytes hold the time
)
def test_other_packings_are_refused_by_name(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read(tmp_path, content)


def test_what_comes_out_of_a_packed_file_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tars_lib.sources.exported.content.MAX_JSON_BYTES", 2_000)
    with pytest.raises(InputError, match="more than 2000 bytes once unpacked"):
        read(tmp_path, gzip.compress(b"0" * 100_000))
