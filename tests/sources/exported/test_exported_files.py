# ruff: noqa: E501 - a case is read in a line
"""Every exported file is imported with the values that stand here by hand, or refused with the option that settles it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from tars_lib.cli.main import cli
from tars_lib.config.org import read_org_config
from tars_lib.sources.events import read_events
from tars_lib.sources.past_incidents import read_incidents

DATA = Path(__file__).resolve().parents[2] / "data" / "exported"
Points = dict[str, float]
"""Value by time of 5 January 2026 in UTC, or by a longer time."""


@dataclass(frozen=True)
class Case:
    """A file, what is typed, and what comes of it."""

    file: str
    options: str = ""
    form: str = ""
    series: dict[str, Points] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    events: tuple[str, ...] = ()
    incidents: tuple[str, ...] = ()
    repos: tuple[str, ...] = ()
    says: tuple[str, ...] = ()
    refused: str = ""

    @property
    def name(self) -> str:
        """As test ids show it."""
        return f"{self.file} {self.options}".strip()


RUNNING = {
    f"{repo} requests_total": {f"{k // 2:02d}:{30 * (k % 2):02d}": float(first + step * k) for k in range(30)}
    for repo, first, step in (("checkout", 100, 17), ("payments", 50, 9))
}
CASES = (
    Case("grafana-joined.csv", form="grafana", series={
        "checkout http_latency_p95_seconds": {"00:00": 0.412, "00:05": 0.398, "00:10": 0.405},
        "payments http_latency_p95_seconds": {"00:00": 0.18, "00:10": 0.185, "00:15": 0.179},
    }, says=("UTC, counted in ms since 1970", "http_latency_p95_seconds: s (as the name says); gauge; every 5 min", "2 without a value")),
    Case("grafana-joined.csv", "--metric latency_p95", refused="latency_p95 has no unit in the file; --unit says it: ns, us, ms, s"),
    Case("grafana-joined.csv", "--metric latency_p95 --unit s", series={
        "checkout latency_p95": {"00:00": 0.412, "00:05": 0.398, "00:10": 0.405},
        "payments latency_p95": {"00:00": 0.18, "00:10": 0.185, "00:15": 0.179},
    }, says=("latency_p95: s (as --unit says)",)),
    Case("grafana-units.csv", refused="services or metrics\\? --metric NAME"),
    Case("grafana-units.csv", refused="has no time zone; --tz ZONE"),
    Case("grafana-units.csv", "--metric latency_p95 --tz Europe/Berlin", form="grafana", series={
        "checkout latency_p95": {"00:00": 0.412, "00:05": 0.398, "00:10": 0.0},
        "payments latency_p95": {"00:00": 1.2, "00:05": 0.95},
    }, says=("latency_p95: s (converted from ms", "rounded", "Europe/Berlin, as --tz says")),
    Case("grafana-rows.csv", "--metric payload", form="grafana", series={
        "checkout payload": {"00:00": 1200.0, "00:05": 900.0}, "payments payload": {"00:00": 2048.0},
    }, units={"payload": "B"}, says=("Series (series)", "by semicolons")),
    Case("grafana-fields.csv", "--metric availability", form="grafana", series={
        "checkout availability": {"00:00": 0.995, "00:05": 0.9995}, "payments availability": {"00:00": 1.0, "00:05": 0.99},
    }, says=("service (repo)", "availability: ratio (converted from %, as the file says)")),
    Case("grafana-codes.csv", "--metric requests_total", refused="column code: 200, 500 tell series of checkout apart; sum them"),
    Case("grafana-codes.csv", "--metric requests_total --map {map}", refused="row 3: of the same series and time as row 2, and differs in code"),
    Case("grafana-dst-autumn.csv", "--metric queue_depth --tz Europe/Berlin", series={
        "checkout queue_depth": {
            "2026-10-24T23:30": 10, "2026-10-25T00:00": 11, "2026-10-25T00:30": 12,
            "2026-10-25T01:00": 13, "2026-10-25T01:30": 14, "2026-10-25T02:00": 15,
        },
    }, says=("both passes are in the file, and their order tells them apart", "every 30 min")),
    Case("grafana-dst-autumn.csv", "--metric queue_depth --tz UTC", refused="but grafana-dst-autumn.csv, row 3"),
    Case("grafana-dst-one-pass.csv", "--metric queue_depth --tz Europe/Berlin",
         refused="row 3, column Time: 2026-10-25 02:00 came twice in Europe/Berlin, .* export it in UTC"),
    Case("grafana-dst-one-pass.csv", "--metric queue_depth --tz UTC", series={
        "checkout queue_depth": {"2026-10-25T01:00": 10, "2026-10-25T02:00": 11, "2026-10-25T03:00": 12},
    }),
    Case("grafana-dst-spring.csv", "--metric queue_depth --tz Europe/Berlin", refused="row 3, column Time: '2026-03-29 02:30:00' did not exist"),
    Case("wide-service-metric.csv", form="csv", series={
        "checkout requests_total": {"00:00": 12000, "01:00": 11800, "02:00": 12100},
        "checkout requests_failed": {"00:00": 7, "01:00": 9, "02:00": 8},
        "payments requests_total": {"00:00": 800, "01:00": 790},
        "payments latency_p95": {"00:00": 0.18, "02:00": 0.1755},
    }, says=("requests_total: count (as the name says); count; every 1 h",)),
    Case("wide-decimal-comma.csv", "--metric latency_p95 --map {map}", form="csv", series={
        "checkout latency_p95": {"00:00": 0.4125, "00:05": 0.398}, "payments latency_p95": {"00:00": 1.18025, "00:05": 0.17975},
    }, says=("numbers have a decimal comma", "day first")),
    Case("wide-decimal-comma.csv", "--metric latency_p95", refused="the column of times; a map file"),
    Case("wide-decimal-unclear.csv", "--metric latency_p95 --unit ms", refused="'1,234' can be read .* --decimal comma or --decimal point"),
    Case("wide-decimal-unclear.csv", "--metric latency_p95 --unit ms --decimal comma", series={
        "checkout latency_p95": {"00:00": 0.001234, "00:05": 0.00125}, "payments latency_p95": {"00:00": 0.002345, "00:05": 0.0023},
    }),
    Case("wide-decimal-unclear.csv", "--metric latency_p95 --unit ms --decimal point", series={
        "checkout latency_p95": {"00:00": 1.234, "00:05": 1.25}, "payments latency_p95": {"00:00": 2.345, "00:05": 2.3},
    }),
    Case("wide-day-or-month.csv", "--metric queue_depth --tz UTC", refused="can be read with the day or the month first; --time-format"),
    Case("wide-day-or-month.csv", "--metric queue_depth --tz UTC --time-format '%d/%m/%Y %H:%M'", series={
        "checkout queue_depth": {"00:00": 412, "00:05": 398}, "payments queue_depth": {"00:00": 180, "00:05": 179},
    }),
    Case("wide-epoch-ns.csv", "--metric queue_depth", series={
        "checkout queue_depth": {"00:00": 5, "00:01": 7}, "payments queue_depth": {"00:00": 6, "00:01": 8},
    }, says=("UTC, counted in ns since 1970",)),
    Case("wide-epoch-unclear.csv", "--metric queue_depth", refused="29459520 is a count since 1970 .* --epoch s, ms, us or ns"),
    Case("wide-services-or-metrics.csv", refused="alpha, beta: services or metrics\\? --metric NAME .* --repo NAME .* --map FILE"),
    Case("wide-services-or-metrics.csv", "--repo web", series={
        "web alpha": {"00:00": 1, "00:05": 3}, "web beta": {"00:00": 2, "00:05": 4},
    }, says=("alpha: no unit (not told; --unit says it)",)),
    Case("wide-text-in-numbers.csv", "--metric queue_depth", refused="row 3, column checkout: 'oops' is not a number"),
    Case("wide-running-total.csv", "--metric requests_total", refused="only grows, from 100 to 593: a running total, .* --kind counter or --kind count"),
    Case("wide-running-total.csv", "--metric requests_total --kind counter", series=RUNNING, kinds={"requests_total": "counter"}),
    Case("wide-running-total.csv", "--metric requests_total --kind count", series=RUNNING, kinds={"requests_total": "count"}),
    Case("tidy.csv", form="tidy", series={
        "web requests_total": {"00:00": 12000}, "web requests_failed": {"00:00": 7}, "api latency_ms": {"00:00": 180},
    }, says=("latency_ms: ms (as the name says)",)),
    Case("prometheus-query-range.json", form="prometheus", series={
        "checkout http_requests_total": {"00:00": 100, "2026-01-05T00:01:00.500": 160, "00:02": 20, "00:03": 80},
        "payments http_requests_total": {"00:00": 7, "00:02": 9},
    }, kinds={"http_requests_total": "counter"}, says=("http_requests_total: count (as the file says); counter",)),
    Case("prometheus-no-name.json", "--metric latency_p95 --unit s", refused="has no label service: --repo-from LABEL .* app \\(2 values\\)"),
    Case("prometheus-no-name.json", "--repo-from app", refused="names no metric, as the result of a function: --metric NAME"),
    Case("prometheus-no-name.json", "--repo-from app --metric latency_p95 --unit s", series={
        "checkout latency_p95": {"00:00": 0.412, "00:01": 0.4}, "payments latency_p95": {"00:00": 0.18, "00:01": 0.19},
    }),
    Case("prometheus-error.json", refused="the server said 'exceeded maximum resolution"),
    Case("openmetrics.txt", form="openmetrics", series={
        "checkout http_requests_total": {"00:00": 100, "00:01": 130}, "payments http_requests_total": {"00:00": 7},
        "checkout queue_age_seconds": {"2026-01-05T00:00:00.250": 1.5},
    }, kinds={"http_requests_total": "counter"}, says=("4 samples of histograms and summaries are passed over", "counted in s since 1970")),
    Case("prometheus-text.txt", "--repo-from app", form="openmetrics", series={"mailer queue_depth": {"00:00": 12, "00:01": 15}},
         says=("counted in ms since 1970",)),
    Case("prometheus-text.txt", refused="has no label service: --repo-from LABEL .* app \\(1 values\\), instance"),
    Case("cloudwatch-get-metric-data.json", "--metric latency_p95", refused="latency_p95 has no unit in the file; --unit says it"),
    Case("cloudwatch-get-metric-data.json", "--metric latency_p95 --unit s", form="cloudwatch", series={
        "checkout latency_p95": {"00:00": 0.412, "00:05": 0.398, "00:10": 0.405}, "payments latency_p95": {"00:00": 0.185, "00:05": 0.18},
    }, says=("as each time says",)),
    Case("cloudwatch-partial.json", "--metric queue_depth", refused="StatusCode PartialData: the answer is not whole"),
    Case("cloudwatch-statistics.json", "--repo checkout --metric latency", form="cloudwatch", series={
        "checkout latency": {"00:00": 0.4125, "00:05": 0.398},
    }, says=("latency: s (converted from ms, as the file says)",)),
    Case("datadog-query.json", "--metric latency_p95", form="datadog", series={
        "checkout latency_p95": {"00:00": 0.4125, "00:10": 0.398}, "payments latency_p95": {"00:00": 0.18},
    }),
    Case("datadog-query.json", units={"trace.web.request.duration.by.service.95p": "ms"}, series={
        "checkout trace.web.request.duration.by.service.95p": {"00:00": 412.5, "00:10": 398},
        "payments trace.web.request.duration.by.service.95p": {"00:00": 180},
    }),
    Case("locust_stats_history.csv", refused="which service was tested\\? --repo NAME"),
    Case("locust_stats_history.csv", "--repo shop", form="locust", series={
        "shop requests_total": {"00:00": 0, "2026-01-05T00:00:01": 12, "2026-01-05T00:00:02": 31},
        "shop requests_failed": {"00:00": 0, "2026-01-05T00:00:01": 0, "2026-01-05T00:00:02": 1},
        "shop latency_p50": {"2026-01-05T00:00:01": 0.12, "2026-01-05T00:00:02": 0.125},
        "shop latency_p95": {"2026-01-05T00:00:01": 0.21, "2026-01-05T00:00:02": 0.25},
        "shop latency_p99": {"2026-01-05T00:00:01": 0.23, "2026-01-05T00:00:02": 0.27},
    }, kinds={"requests_total": "counter", "requests_failed": "counter"}),
    Case("devlake-deployments.csv", refused="'2026-01-05 08:58:00' has no time zone; .* --tz ZONE"),
    Case("devlake-deployments.csv", "--tz UTC", form="devlake", events=(
        "2026-01-05 08:58 checkout deploy Deploy v2.4.0 to production a84d88e7554f",
        "2026-01-06 10:00 payments deploy Deploy b94d88e to production, failure b94d88e7554f",
    ), says=("others left out: staging 1",)),
    Case("devlake-issues.csv", form="devlake", incidents=(
        "2026-01-05 09:14 payments Payments time out CRITICAL resolved 09:59:30 OPS-1",
        "2026-01-07 22:00 search Search is stale CRITICAL open OPS-3",
    ), says=("1 issue of other types than INCIDENT left out",)),
    Case("four-keys-deployments.csv", refused="2 deployments of a service that is not named; add --repo NAME"),
    Case("four-keys-deployments.csv", "--repo checkout", form="four-keys", events=(
        "2026-01-05 08:58 checkout deploy Deploy a84d88e d-001", "2026-01-06 10:00 checkout deploy Deploy b94d88e d-002",
    )),
    Case("four-keys-incidents.csv", incidents=(
        "2026-01-05 09:14 None Incident 77 None resolved 10:00:00 77", "2026-01-08 09:00 None Incident 78 None open 78",
    ), says=("2 incidents without a service: no service is named",)),
    Case("four-keys-incidents.csv", "--repo checkout", form="four-keys", incidents=(
        "2026-01-05 09:14 checkout Incident 77 None resolved 10:00:00 77", "2026-01-08 09:00 checkout Incident 78 None open 78",
    )),
    Case("alertmanager-webhook.json", form="alertmanager", incidents=(
        "2026-01-05 09:12 checkout Checkout answers 5xx to 3 % of requests CRITICAL resolved 10:02:30 c0ffee0000000001/20260105T091230Z",
        "2026-01-06 10:00 payments HighErrorRate CRITICAL open c0ffee0000000002/20260106T100000Z",
    )),
    Case("alertmanager-no-service.json", refused="--repo-from LABEL says which one names the service \\(app, instance\\)"),
    Case("pagerduty-incidents.json", form="pagerduty", incidents=(
        "2026-01-05 09:14 payments Payments time out CRITICAL resolved 09:59:30 Q1AAAA",
        "2026-01-07 22:00 search Search index is stale LOW open Q2BBBB",
        "2026-01-09 03:00 payments Payments time out HIGH resolved 03:45:00 Q3CCCC",
    )),
    Case("pagerduty-report.csv", refused="'2026-01-05 10:14:00' has no time zone; .* --tz ZONE"),
    Case("pagerduty-report.csv", "--tz Europe/Berlin", form="pagerduty-csv", incidents=(
        "2026-01-05 09:14 payments Payments time out HIGH resolved 09:59:30 Q1AAAA",
        "2026-01-07 22:00 search Search index is stale LOW open Q2BBBB",
    )),
    Case("newrelic-nrql.json", "--map {map}", form="newrelic", series={
        "checkout requests_total": {"00:00": 812, "00:05": 790}, "search requests_total": {"00:00": 93, "00:05": 0},
        "checkout latency_p95": {"00:00": 0.42, "00:05": 0.44}, "search latency_p95": {"00:05": 0.11},
    }, kinds={"requests_total": "count"}, says=("1 without a value",)),
    Case("newrelic-nrql.json", "--metric latency_p95 --unit s", refused="several series would be latency_p95 of checkout"),
    Case("opsgenie-alerts.csv", form="opsgenie-csv", incidents=(
        "2026-01-05 09:20 checkout p95 of checkout above 800 ms HIGH open 1791",
        "2026-01-06 07:00 invoices Queue of invoices grows LOW open 1792",
    ), says=("1 alert closed at a time that is not told",)),
    Case("opsgenie-alerts.json", form="opsgenie", incidents=(
        "2026-01-05 09:20 checkout p95 of checkout above 800 ms HIGH resolved 10:30:00 1791",
        "2026-01-06 07:00 invoices Queue of invoices grows LOW open 1792",
    )),
    Case("statuspage-history.json", form="statuspage", incidents=(
        "2026-01-05 09:25 payments Checkout is failing HIGH resolved 10:10:00 http://stspg.example/1",
        "2026-01-05 09:25 web Checkout is failing HIGH resolved 10:10:00 http://stspg.example/1",
        "2026-01-08 17:00 None Slow e-mails MEDIUM open http://stspg.example/2",
    ), events=("2026-01-10 02:00 payments maintenance Database upgrade http://stspg.example/3",)),
    Case("github-deployments.json", form="github", events=(
        "2026-01-05 08:58 checkout deploy Deploy v2.4.0 to production a84d88e7554f",
        "2026-01-06 10:00 checkout deploy Deploy b94d88e to production, failure b94d88e7554f",
    )),
    Case("gitlab-deployments.json", form="gitlab", events=(
        "2026-01-05 08:00 payments deploy Deploy main to prod 99d03678b90d",
        "2026-01-07 09:00 payments deploy Deploy main to prod, failed a91957a85832",
    )),
    Case("grafana-zone-in-header.csv", "--metric latency_p95 --tz UTC", series={
        "checkout latency_p95": {"00:00": 0.412, "00:05": 0.398}, "payments latency_p95": {"00:00": 0.18},
    }, says=("Europe/Berlin, as the column says",)),
    Case("grafana-utf16.csv", "--metric latency_p95 --tz UTC", form="grafana", series={
        "checkout latency_p95": {"00:00": 0.412, "00:05": 0.398}, "payments latency_p95": {"00:00": 1.2, "00:05": 0.95},
    }),
    Case("wide-time-utc.csv", "--metric queue_depth", form="csv", series={
        "checkout queue_depth": {"00:00": 412, "00:05": 398}, "payments queue_depth": {"00:00": 180},
    }, says=("UTC, as the column says",)),
    Case("wide-infinite.csv", "--metric queue_depth", refused="row 3: queue_depth of checkout at 2026-01-05T00:05:00Z is infinite, .*PromQL: QUERY < Inf"),
    Case("wide-no-values.csv", "--metric queue_depth", refused="nothing to import in it"),
    Case("prometheus-vector.json", form="prometheus", series={
        "checkout queue_depth": {"00:00": 12}, "payments queue_depth": {"2026-01-05T00:00:00.500": 7},
    }, says=("vector; repo from label service",)),
    Case("promtool-range.json", form="prometheus", series={"checkout queue_depth": {"00:00": 12, "00:02": 14}}),
    Case("victoriametrics.jsonl", form="prometheus", series={
        "checkout queue_depth": {"00:00": 12, "00:01": 13.5}, "payments queue_depth": {"00:00": 7},
    }),
    Case("datadog-v2.json", refused="names no metric, as the result of a function: --metric NAME"),
    Case("datadog-v2.json", "--metric latency_p95", form="datadog", series={
        "checkout latency_p95": {"00:00": 0.4125, "00:05": 0.398}, "payments latency_p95": {"00:00": 0.18},
    }),
    Case("cloudwatch-percentile.json", "--repo checkout --metric latency_p95", form="cloudwatch", series={
        "checkout latency_p95": {"00:00": 0.4125, "00:05": 0.398},
    }, says=("Label, Timestamp, p95, Unit",)),
    Case("otlp.jsonl", form="otlp", series={
        "checkout latency_p95": {"2026-01-05T00:00:00.123456": 0.4125}, "checkout requests_total": {"00:00": 100, "00:01": 130},
        "payments latency_p95": {"2026-01-05T00:00:00.123456": 0.18}, "payments requests_failed": {"00:00": 3},
    }, kinds={"requests_total": "counter", "requests_failed": "count"}, says=("1 metric with histograms or summaries passed over",)),
    Case("otlp-by-status.json", refused="several series would be requests_total of checkout: .* \\(they differ in code\\); sum them"),
    Case("influx.lp", form="influx-lines", series={
        "checkout latency_p95_seconds": {"00:00": 0.412, "2026-01-05T00:01:00.500": 0.398}, "payments latency_p95_seconds": {"00:00": 0.18},
        "checkout queue_depth": {"00:00": 12},
    }, says=("2 values that are no numbers passed over", "repo from tag service")),
    Case("influx-no-time.lp", refused="influx-no-time.lp, row 2: .*: no time; each point needs one"),
    Case("influx-annotated.csv", form="influx-csv", series={
        "checkout latency_p95_seconds": {"00:00": 0.412}, "payments latency_p95_seconds": {"00:00": 0.18}, "checkout queue_depth": {"00:00": 12},
    }),
    Case("influx-error.csv", refused="row 4: an answer with an error"),
    Case("influxql.json", "--unit ms", form="influx", series={
        "checkout latency_p95": {"00:00": 0.4125}, "payments latency_p95": {"00:00": 0.18},
    }, says=("1 without a value",)),
    Case("google-time-series.json", "--repo-from service_name --metric requests_total", form="google", series={
        "checkout requests_total": {"00:00": 812, "00:05": 790}, "payments requests_total": {"00:00": 93},
    }, kinds={"requests_total": "count"}),
    Case("google-time-series.json", refused="has no label service: --repo-from LABEL .* project_id \\(1 values\\), service_name \\(2 values\\)"),
    Case("azure-metrics.json", "--repo-from cloud/rolename --metric latency_p95", form="azure", series={
        "checkout latency_p95": {"00:00": 0.4125, "00:05": 0.398}, "payments latency_p95": {"00:00": 0.18},
    }, says=("latency_p95: s (converted from ms, as the file says)",)),
    Case("graphite-render.json", "--metric latency_p95 --unit ms", form="graphite", series={
        "checkout latency_p95": {"00:00": 0.4125, "00:05": 0.398}, "payments latency_p95": {"00:00": 0.18},
    }),
    Case("catalog-info.yaml", form="backstage", repos=("checkout", "payments", "stock")),
)  # fmt: skip


def run(*arguments: str) -> tuple[int, str]:
    """Code and all output of a command, in this process."""
    done = CliRunner().invoke(cli, list(arguments))
    return done.exit_code, done.output


def typed(options: str, folder: Path) -> list[str]:
    """Options as a shell parts them, with a map file where one is asked for."""
    import shlex

    mapped = folder / "map.yaml"
    mapped.write_text(
        "columns: {'Zeit (UTC)': time, code: skip}\n"
        "metrics: {count: {metric: requests_total}, percentile.duration.95: {metric: latency_p95, unit: s}}\n",
        encoding="utf-8",
    )
    return [str(mapped) if word == "{map}" else word for word in shlex.split(options)]


def in_history(root: Path) -> dict[str, Points]:
    """Every sample of the files of a root as they stand, running totals as totals."""
    found: dict[str, Points] = {}
    for path in sorted((root / "history").glob("*.parquet")) if (root / "history").is_dir() else []:
        for row in pq.read_table(path).to_pylist():
            time = row["timestamp"].astimezone(UTC)
            found.setdefault(f"{row['repo']} {row['metric']}", {})[f"{time:%Y-%m-%dT%H:%M:%S.%f}"] = row["value"]
    return found


def whole(time: str) -> str:
    """A time as the history shows it."""
    text = time if "T" in time else f"2026-01-05T{time}"
    return f"{datetime.fromisoformat(text):%Y-%m-%dT%H:%M:%S.%f}"


def test_every_file_is_imported_or_refused_here() -> None:
    assert {case.file for case in CASES} == {path.name for path in DATA.iterdir()}
    assert len({case.file for case in CASES}) >= 20


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_an_exported_file_is_imported_right_or_refused(case: Case, tmp_path: Path) -> None:
    root = tmp_path / "root"
    arguments = ["import", str(DATA / case.file), "--root", str(root), *typed(case.options, tmp_path)]
    code, output = run(*arguments)
    if case.refused:
        import re

        assert code == 95, output
        assert re.search(case.refused, output, re.DOTALL), output
        assert not root.exists(), "nothing is written of a file that is refused"
        return
    assert code == 0, output
    if case.form:
        assert f"({case.form})" in output
    for part in case.says:
        assert part in output, output
    assert in_history(root) == {
        name: {whole(time): value for time, value in points.items()} for name, points in case.series.items()
    }
    org = root / "org.yaml"
    described = read_org_config(org, "org.yaml") if org.exists() else None
    metrics = {} if described is None else described.metrics
    assert {name: metric.unit for name, metric in metrics.items() if name in case.units} == case.units
    assert {name: metric.kind for name, metric in metrics.items() if metric.kind} == case.kinds
    assert tuple(repo.repo for repo in (() if described is None else described.repos)) == case.repos
    assert told_events(root) == case.events
    assert told_incidents(root) == case.incidents
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    code, output = run(*arguments)
    assert (code, "nothing new, nothing written" in output) == (0, True), output
    assert {path: path.read_bytes() for path in root.rglob("*") if path.is_file()} == before


def told_events(root: Path) -> tuple[str, ...]:
    """The events of a root in a line each."""
    path = root / "events.csv"
    events = read_events(path, "events.csv")[0] if path.exists() else ()
    return tuple(f"{one.timestamp:%Y-%m-%d %H:%M} {one.repo} {one.kind} {one.title} {one.ref}" for one in events)


def told_incidents(root: Path) -> tuple[str, ...]:
    """The incidents of a root in a line each."""
    path = root / "incidents.csv"
    incidents = read_incidents(path, "incidents.csv")[0] if path.exists() else ()
    return tuple(
        f"{one.detected:%Y-%m-%d %H:%M} {one.repo} {one.title} {one.severity} "
        f"{'open' if one.resolved is None else f'resolved {one.resolved:%H:%M:%S}'} {one.ref}"
        for one in incidents
    )
