"""What an import changes in a root, and what keeps it from changing anything."""

from __future__ import annotations

import errno
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from tars_lib.cli.main import cli
from tars_lib.errors import ConfigError, InputError
from tars_lib.files import atomic
from tars_lib.model.times import read_zone
from tars_lib.pipeline.importing import PlannedImport, plan, understand
from tars_lib.sources.exported.shapes import Choices
from tars_lib.sources.root import read_root

CLOCK = datetime(2026, 2, 1, tzinfo=UTC)
SECONDS = "time,web,api\n2026-01-05T00:00:00Z,0.4,0.2\n2026-01-05T00:05:00Z,0.5,\n"
LATENCY = Choices(metric="latency_p95", unit="s")


def planned(root: Path, choices: Choices, **texts: str) -> PlannedImport:
    """What files of these texts would change; a name's last underscore is the dot before its suffix."""
    paths = []
    for name, text in texts.items():
        stem, _, suffix = name.rpartition("_")
        path = root.parent / f"{stem}.{suffix}"
        path.write_text(text, encoding="utf-8")
        paths.append(path)
    return plan(understand(paths, root, choices), root, CLOCK)


def imported(root: Path, choices: Choices, **texts: str) -> PlannedImport:
    """The same, written."""
    made = planned(root, choices, **texts)
    made.write()
    return made


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root that is not there yet."""
    return tmp_path / "org" / "root"


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path) -> None:
    (tmp_path / "org").mkdir()


def test_later_samples_are_added_to_those_of_the_same_file(root: Path) -> None:
    imported(root, LATENCY, a_csv=SECONDS)
    later = SECONDS + "2026-01-05T00:10:00Z,0.6,0.3\n"
    made = imported(root, LATENCY, a_csv=later)
    assert made.said == ("history/a.parquet: 5 samples, 2 of them new",)
    assert read_root(root).history.series("latency_p95", "web")[1].tolist() == [0.4, 0.5, 0.6]
    # the older export again takes nothing away
    assert planned(root, LATENCY, a_csv=SECONDS).files == {}


def test_a_file_that_is_called_like_a_source_takes_another_name(root: Path) -> None:
    root.mkdir(parents=True)
    (root / "sources.yaml").write_text("sources: [{name: Prod, kind: git, path: x, repo: web}]\n", encoding="utf-8")
    (root / "pulled.json").write_text('{"sources": {"prod-imported": {}}}', encoding="utf-8")
    made = imported(root, LATENCY, prod_csv=SECONDS)
    assert made.said == ("history/prod-imported-imported.parquet: 3 samples, 3 of them new",)


def test_a_value_that_contradicts_the_root_is_refused_with_both_places(root: Path) -> None:
    imported(root, LATENCY, a_csv=SECONDS)
    before = (root / "history" / "a.parquet").read_bytes()
    other = SECONDS.replace("0.5", "0.7")
    with pytest.raises(
        InputError, match=r"a.csv, row 3, column value: 0.7 for web, latency_p95 .* history/a.parquet, row \d"
    ):
        planned(root, LATENCY, a_csv=other)
    with pytest.raises(InputError, match=r"b.csv, row 3, column value: 0.7 for web, latency_p95"):
        planned(root, LATENCY, b_csv=other)
    assert (root / "history" / "a.parquet").read_bytes() == before


def test_two_files_that_contradict_each_other_are_refused_together(root: Path) -> None:
    with pytest.raises(InputError, match="but a.csv, row 3"):
        planned(root, LATENCY, a_csv=SECONDS, b_csv=SECONDS.replace("0.5", "0.7"))
    assert not root.exists()


def test_the_unit_of_the_root_decides_in_which_samples_are_kept(root: Path) -> None:
    root.mkdir()
    (root / "org.yaml").write_text("metrics: {queue_age: {unit: min}}\n", encoding="utf-8")
    imported(root, Choices(metric="queue_age", unit="s"), a_csv="time,web\n2026-01-05T00:00:00Z,90\n")
    assert read_root(root).history.series("queue_age", "web")[1].tolist() == [1.5]
    # without a unit in the file, and none given, that of org.yaml is meant
    imported(root, Choices(metric="queue_age"), b_csv="time,web\n2026-01-05T01:00:00Z,2\n")
    assert read_root(root).history.series("queue_age", "web")[1].tolist() == [1.5, 2.0]
    with pytest.raises(InputError, match="queue_age is in B, which does not convert to min; allowed: ns"):
        planned(root, Choices(metric="queue_age", unit="B"), c_csv="time,web\n2026-01-05T02:00:00Z,90\n")


def test_a_unit_is_told_to_the_root_where_the_name_does_not_tell_it(root: Path) -> None:
    imported(root, Choices(metric="queue_age", unit="ms"), a_csv="time,web\n2026-01-05T00:00:00Z,90\n")
    assert read_root(root).metric("queue_age").unit == "ms"
    imported(root, Choices(metric="queue_age", unit="s"), b_csv="time,web\n2026-01-05T01:00:00Z,2\n")
    assert read_root(root).history.series("queue_age", "web")[1].tolist() == [90.0, 2000.0]


def test_a_unit_is_not_told_of_samples_that_were_read_without_it(root: Path) -> None:
    imported(root, Choices(metric="queue_age"), a_csv="time,web\n2026-01-05T00:00:00Z,90\n")
    with pytest.raises(
        InputError, match=r"queue_age has samples in the root that are read without unit: ms; .* add to org.yaml"
    ):
        planned(root, Choices(metric="queue_age", unit="ms"), b_csv="time,web\n2026-01-05T01:00:00Z,90\n")


def test_a_rate_is_no_count(root: Path) -> None:
    with pytest.raises(
        InputError, match="requests_total is in req/s, which does not convert to count; .* A rate is no count"
    ):
        planned(root, Choices(metric="requests_total"), a_csv="time,web\n2026-01-05T00:00:00Z,12 req/s\n")


def test_a_running_total_beside_counts_of_intervals_is_refused(root: Path) -> None:
    counts = "time,web\n" + "".join(f"2026-01-05T{h:02d}:00:00Z,{100 + (h * 37) % 11}\n" for h in range(12))
    imported(root, Choices(metric="requests_total"), a_csv=counts)
    total = "time,web\n2026-01-06T00:00:00Z,100\n2026-01-06T01:00:00Z,160\n"
    with pytest.raises(InputError, match="requests_total has samples in the root that are read without kind: counter"):
        planned(root, Choices(metric="requests_total", kind="counter"), b_csv=total)


def test_a_running_total_becomes_increases_where_it_is_read(root: Path) -> None:
    imported(
        root,
        Choices(metric="jobs_total", kind="counter"),
        a_csv="time,web\n2026-01-05T00:00:00Z,100\n2026-01-05T01:00:00Z,160\n",
    )
    assert read_root(root).history.series("jobs_total", "web")[1].tolist() == [60.0]


def test_samples_of_the_future_are_refused_with_what_may_be_wrong(root: Path) -> None:
    with pytest.raises(
        InputError, match=r"a.csv, row 2, column timestamp: 2027-01-05T.* is later than the clock.*--tz.*--epoch"
    ):
        planned(root, Choices(metric="queue_depth"), a_csv="time,web\n2027-01-05T00:00:00Z,90\n")


def test_a_value_beyond_the_range_of_its_metric_is_refused_by_the_gate(root: Path) -> None:
    with pytest.raises(InputError, match="a.csv, row 2, column value: availability of web is 99.5; allowed: 0 to 1"):
        planned(root, Choices(metric="availability", unit="ratio"), a_csv="time,web\n2026-01-05T00:00:00Z,99.5\n")


def test_nothing_of_several_files_is_written_where_a_disk_is_full(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pages = [{"incident_number": 1, "title": "t", "service": {"summary": "web"}, "created_at": "2026-01-05T00:00:00Z"}]
    made = planned(root, LATENCY, a_csv=SECONDS, b_json=json.dumps(pages))
    assert {path.name for path in made.files} == {"a.parquet", "incidents.csv"}
    real, calls = atomic.os.fsync, []

    def full(handle: int) -> None:
        calls.append(handle)
        if len(calls) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(handle)

    monkeypatch.setattr(atomic.os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        made.write()
    assert [path for path in root.rglob("*") if path.is_file()] == []


def test_a_dry_run_writes_nothing_and_says_what_it_would(root: Path) -> None:
    file = root.parent / "a.csv"
    file.write_text(SECONDS, encoding="utf-8")
    arguments = ["import", str(file), "--root", str(root), "--metric", "latency_p95", "--unit", "ms", "--dry-run"]
    done = CliRunner().invoke(cli, arguments)
    assert done.exit_code == 0
    assert "would write to" in done.output
    assert "history/a.parquet: 3 samples, 3 of them new" in done.output
    assert not root.exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "a.csv: the file is empty"),
        ("{", "not valid JSON"),
        ('{"a": 1}', "JSON of no known form; --format NAME says what it is: prometheus"),
        ("one column\n1\n", "text of no known form"),
        ("time,web\n", "no row after the names"),
        ("time,web,web\n2026-01-05T00:00:00Z,1,2\n", "column 'web' stands twice"),
        ("time,web\n2026-01-05T00:00:00Z,1,2\n", "row 2: 3 fields; 2 are needed, as in row 1"),
        ('time,web\n2026-01-05T00:00:00Z,"1\n', "a quote opens in this row"),
        ("time,web\n2026-01-05T00:00:00Z,inf\n", "is infinite"),
        ("time,web\n2026-01-05T00:00:00Z,1e40\n", "is not allowed"),
        ("a,b\n1,2\n", "none of a, b is the column of times; a map file"),
        ("time,date,web\n1767571200,1767571200,2\n", "columns time, date may all be the column of times"),
        ("time," + "x" * 1001 + "\n2026-01-05T00:00:00Z,1\n", "a name of 1001 characters"),
    ],
)
def test_a_file_that_is_none_is_refused(text: str, said: str, root: Path) -> None:
    with pytest.raises(InputError, match=said):
        planned(root, Choices(metric="queue_depth"), a_csv=text)


def test_a_format_that_is_named_is_known_and_fits(root: Path) -> None:
    path = root.parent / "a.csv"
    path.write_text(SECONDS, encoding="utf-8")
    with pytest.raises(ConfigError, match="--format excel: not known; allowed: prometheus"):
        understand([path], root, LATENCY, "excel")
    with pytest.raises(InputError, match="neither JSON nor a catalogue in YAML; pagerduty is one"):
        understand([path], root, LATENCY, "pagerduty")
    assert understand([path], root, LATENCY, "grafana")[0].form.name == "grafana"


def test_a_map_file_says_whose_a_column_is(root: Path) -> None:
    path, mapped = root.parent / "a.csv", root.parent / "map.yaml"
    path.write_text("wann,p95 Shop,calls,note\n2026-01-05T00:00:00Z,400,7,x\n", encoding="utf-8")
    mapped.write_text(
        "columns:\n  wann: time\n  p95 Shop: {repo: web, metric: latency_p95, unit: ms}\n"
        "  calls: {repo: api, metric: requests_total}\n  note: skip\n",
        encoding="utf-8",
    )
    done = CliRunner().invoke(cli, ["import", str(path), "--root", str(root), "--map", str(mapped)])
    assert done.exit_code == 0, done.output
    history = read_root(root).history
    assert history.series("latency_p95", "web")[1].tolist() == [0.4]
    assert history.series("requests_total", "api")[1].tolist() == [7.0]


def test_a_map_file_renames_repos_and_metrics(root: Path) -> None:
    path, mapped = root.parent / "a.csv", root.parent / "map.yaml"
    path.write_text("time,svc-web/p95\n2026-01-05T00:00:00Z,400\n", encoding="utf-8")
    mapped.write_text("repos: {svc-web: web}\nmetrics: {p95: {metric: latency_p95, unit: ms}}\n", encoding="utf-8")
    done = CliRunner().invoke(cli, ["import", str(path), "--root", str(root), "--map", str(mapped)])
    assert done.exit_code == 0, done.output
    assert read_root(root).history.series("latency_p95", "web")[1].tolist() == [0.4]


def test_a_map_file_with_an_unknown_key_is_a_fault_of_configuration(root: Path) -> None:
    path, mapped = root.parent / "a.csv", root.parent / "map.yaml"
    path.write_text(SECONDS, encoding="utf-8")
    mapped.write_text("column: {a: time}\n", encoding="utf-8")
    done = CliRunner().invoke(cli, ["import", str(path), "--root", str(root), "--map", str(mapped)])
    assert (done.exit_code, "map.yaml" in done.output) == (94, True)
    done = CliRunner().invoke(cli, ["import", str(path), "--root", str(root), "--tz", "Mars/Base"])
    assert (done.exit_code, "time zone 'Mars/Base' is not known" in done.output) == (94, True)


def test_a_root_whose_times_need_a_zone_is_not_touched(root: Path) -> None:
    root.mkdir()
    (root / "history.csv").write_text(
        "timestamp,repo,metric,value\n2026-01-05T00:00:00,web,queue_depth,1\n", encoding="utf-8"
    )
    with pytest.raises(InputError, match=r"history.csv, row 2, column timestamp: .* has no time zone"):
        planned(root, LATENCY, a_csv=SECONDS)


def test_a_link_out_of_the_root_is_not_followed(root: Path) -> None:
    root.mkdir()
    outside = root.parent / "elsewhere.yaml"
    outside.write_text("name: Acme\n", encoding="utf-8")
    try:
        (root / "org.yaml").symlink_to(outside)
    except OSError:
        pytest.skip("links are not allowed here")
    with pytest.raises(ConfigError, match="a link leads out of the root"):
        planned(root, Choices(metric="queue_age", unit="ms"), a_csv="time,web\n2026-01-05T00:00:00Z,90\n")
    assert outside.read_text(encoding="utf-8") == "name: Acme\n"


def test_local_times_of_a_column_that_names_utc_need_no_zone(root: Path) -> None:
    text = "Time (UTC),web\n2026-01-05 00:00:00,90\n"
    imported(root, Choices(metric="queue_depth"), a_csv=text)
    berlin = Choices(metric="queue_depth", zone=read_zone("Europe/Berlin"))
    imported(root, berlin, b_csv=text.replace(" (UTC)", "").replace("00:00:00", "02:00:00"))
    assert [f"{micros // 3_600_000_000 % 24}" for micros in read_root(root).history.time] == ["0", "1"]


def matrix(*values: int) -> str:
    """The answer of Prometheus to `increase()`: counts of the intervals before their times."""
    points = [[1767571200 + 300 * k, str(value)] for k, value in enumerate(values)]
    result = [{"metric": {"service": "web"}, "values": points}]
    return json.dumps({"status": "success", "data": {"resultType": "matrix", "result": result}})


def test_counts_that_stand_for_the_interval_before_their_time_are_told_to_the_root(root: Path) -> None:
    made = imported(root, Choices(metric="requests_total"), a_json=matrix(5, 3, 7))
    assert "org.yaml: samples: {stamp: end} added" in made.said
    assert read_root(root).stamp_at_end
    # a level has no interval
    other = root.parent / "other"
    imported(other, Choices(metric="queue_depth"), b_json=matrix(5, 3, 7))
    assert not read_root(other).stamp_at_end


def test_counts_of_both_kinds_of_interval_in_one_root_are_refused(root: Path) -> None:
    imported(root, Choices(metric="jobs_total"), a_csv="time,web\n2026-01-05T00:00:00Z,9\n2026-01-05T00:05:00Z,7\n")
    with pytest.raises(
        InputError, match=r"b.json: its counts stand for the interval before their time, jobs_total in the root"
    ):
        planned(root, Choices(metric="requests_total"), b_json=matrix(5, 3, 7))
    (root / "org.yaml").write_text("samples: {stamp: end}\n", encoding="utf-8")
    imported(root, Choices(metric="requests_total"), b_json=matrix(5, 3, 7))
    assert set(read_root(root).history.metrics) == {"jobs_total", "requests_total"}


def test_a_row_that_stands_twice_is_kept_once_and_told(root: Path) -> None:
    file = root.parent / "a.csv"
    row = "2026-01-05T00:00:00Z,1\n"
    file.write_text(f"time,web\n{row}{row}2026-01-05T00:05:00Z,2\n", encoding="utf-8")
    done = CliRunner().invoke(cli, ["import", str(file), "--root", str(root), "--metric", "queue_depth"])
    assert (done.exit_code, "3 rows, 1 of them a time that is there already" in done.output) == (0, True), done.output
    assert len(read_root(root).history) == 2
