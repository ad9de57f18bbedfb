"""Every reader against texts that nobody means: each call returns, or refuses with one of the project's own errors.

`python fuzz/readers.py --examples 500` gives each target that many inputs from hypothesis. `fuzz/guided.py` lets atheris
look for inputs that reach new lines of the same targets.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from tars_lib.config.alert_rules import read_rules
from tars_lib.config.import_map import read_import_map
from tars_lib.config.org import read_org_config
from tars_lib.config.sla_policies import read_policies
from tars_lib.errors import MAX_FAULTS, TarsError
from tars_lib.evidence.sealing.bag import pack
from tars_lib.evidence.verification import verify as verify_bundle
from tars_lib.files.json_records import read_record, record_text
from tars_lib.incidents.store.timeline import TIMELINE_FILE
from tars_lib.incidents.store.verification import verify as verify_incident
from tars_lib.model.admission import admit
from tars_lib.model.slo import Window
from tars_lib.model.times import read_duration, read_time, read_zone
from tars_lib.pipeline import RunStatus
from tars_lib.pipeline.health_report import load_org_report
from tars_lib.pipeline.importing import plan, understand
from tars_lib.playbook.config import read_playbook
from tars_lib.sources.artefacts import read_artefacts
from tars_lib.sources.events import read_events
from tars_lib.sources.exported.shapes import Choices
from tars_lib.sources.past_incidents import read_incidents
from tars_lib.sources.tidy import read_tidy

Reader = Callable[[bytes, Path], object]
NOW = datetime(2026, 12, 1, tzinfo=UTC)


def _file(name: str, read: Callable[[Path], object]) -> Reader:
    def reader(content: bytes, folder: Path) -> object:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return read(path)

    return reader


def _artefact(name: str) -> Reader:
    return _file(f"web/{name}", lambda path: read_artefacts(path.parent.parent, path.parent.parent.parent))


def _incident(name: str) -> Reader:
    def read(path: Path) -> object:
        other = path.parent / ("incident.json" if name == TIMELINE_FILE else TIMELINE_FILE)
        other.write_bytes(b"")
        return verify_incident(path.parent)

    return _file(f"INC-202601010000/{name}", read)


def _texts(content: bytes, folder: Path) -> None:
    text = content.decode("utf-8", "replace")
    for read in (
        Window.parse,
        lambda given: Window.aligned(given[:3], given[3:]),
        read_zone,
        read_duration,
        lambda given: read_time(given, "x", read_zone("Europe/Berlin")),
    ):
        try:
            read(text)
        except TarsError:
            continue


def _imported(name: str, choices: Choices) -> Reader:
    """A file as `tars import` takes it into a root that is not there yet."""
    return _file(name, lambda path: plan(understand([path], path.parent / "root", choices), path.parent / "root", NOW))


TARGETS: Mapping[str, Reader] = MappingProxyType(
    {
        "history.csv": _file("history.csv", lambda path: admit(read_tidy(path, path.name), {})),
        "history.csv, assumed zone": _file(
            "history.csv", lambda path: admit(read_tidy(path, path.name, read_zone("Europe/Berlin")), {})
        ),
        "history.parquet": _file("history.parquet", lambda path: admit(read_tidy(path, path.name), {})),
        "events.csv": _file("events.csv", lambda path: read_events(path, path.name)),
        "incidents.csv": _file("incidents.csv", lambda path: read_incidents(path, path.name)),
        "exported table": _imported("panel.csv", Choices(metric="depth", zone=read_zone("Europe/Berlin"))),
        "exported JSON": _imported("export.json", Choices(repo_from="service", metric="depth")),
        "exported text": _imported("metrics.txt", Choices()),
        "catalogue": _imported("catalog-info.yaml", Choices()),
        "map.yaml": _file("map.yaml", lambda path: read_import_map(path, path.name)),
        "org.yaml": _file("org.yaml", lambda path: read_org_config(path, path.name)),
        "sla-policies.yaml": _file("p.yaml", lambda path: read_policies(path, path.name)),
        "OpenSLO": _file("slo.yaml", lambda path: read_policies(path, path.name)),
        "alerts.yaml": _file("alerts.yaml", lambda path: read_rules(path, path.name, {})),
        "playbook.yaml": _file("playbook.yaml", lambda path: read_playbook(path, path.name)),
        "dashboard": _artefact("dashboard/health-dashboard.json"),
        "alerts": _artefact("alerts/alerts.json"),
        "trends": _artefact("trends/trend-report.json"),
        "report": _file("org-health-report.json", load_org_report),
        "status.json": _file("status.json", lambda path: record_text(read_record(RunStatus, path))),
        "timeline": _incident(TIMELINE_FILE),
        "incident.json": _incident("incident.json"),
        "bundle": _file("bundle.zip", verify_bundle),
        "times and windows": _texts,
    }
)
"""What reads bytes from outside."""

WORDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "history.csv": ("timestamp,repo,metric,value\n2026-01-01T00:00:00Z,a,health_score,90\n",),
        "events.csv": ("timestamp,repo,kind,title,ref,until\n2026-01-01T00:00:00Z,a,deploy,x,,2026-01-02T00:00:00Z\n",),
        "incidents.csv": (
            "detected,repo,title,severity,resolved\n2026-01-01T00:00:00Z,a,x,high,2026-01-01T01:00:00Z\n",
        ),
        "exported table": (
            "Time,a,b\n2026-01-01 00:00:00,1 s,2 ms\n2026-01-01 00:05:00,1.5 s,20 ms\n",
            "time;service;value\n1767225600;a;1,5\n1767225660;b;2,25\n",
            "Timestamp,deploy_id,time_created,repo,main_commit\n1,d,2026-01-01 00:00:00 UTC,a,abc\n",
        ),
        "exported JSON": (
            '{"status": "success", "data": {"resultType": "matrix", "result": [{"metric": {"service": "a"}, '
            '"values": [[1767225600, "1"], [1767225660.5, "NaN"]]}]}}',
            '[{"incident_number": 1, "title": "t", "service": {"summary": "a"}, "created_at": "2026-01-01T00:00:00Z", '
            '"acknowledgements": [{"at": "2026-01-01T00:01:00Z"}], "resolved_at": "2026-01-01T00:02:00Z", '
            '"urgency": "high"}]',
            '{"alerts": [{"labels": {"service": "a", "alertname": "x"}, "startsAt": "2026-01-01T00:00:00Z", '
            '"status": "firing"}]}',
            '{"data": [{"tinyId": "1", "message": "m", "service": "a", "createdAt": "2026-01-01T00:00:00Z", "entity": "a", '
            '"details": {"service": '
            '"a"}, "report": {"ackTime": 5, "closeTime": 9}}]}',
            '[{"environment": "prod", "sha": "abc", "ref": "v1", "created_at": "2026-01-01T00:00:00Z", "service": "a", '
            '"statuses": [{"state": "success", "created_at": "2026-01-01T00:01:00Z"}]}]',
            '{"incidents": [{"name": "n", "impact": "major", "status": "resolved", "created_at": "2026-01-01T00:00:00Z", '
            '"components": [{"name": "a"}], "incident_updates": [{"status": "identified", '
            '"created_at": "2026-01-01T00:01:00Z"}]}]}',
            '{"MetricDataResults": [{"Label": "a", "Timestamps": ["2026-01-01T00:00:00Z"], "Values": [1], '
            '"StatusCode": "Complete"}]}',
            '{"series": [{"metric": "m", "scope": "service:a", "pointlist": [[1767225600000.0, 1.5]], '
            '"unit": [{"name": "byte"}]}]}',
        ),
        "exported text": (
            '# TYPE a gauge\na{service="b",x="y\\"z"} 1 1767225600\na{service="c"} NaN 1767225660\n# EOF\n',
        ),
        "catalogue": (
            "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {name: a, tags: [x], labels: {tier: '1'}}\n"
            "spec: {owner: o, dependsOn: ['component:b', 'resource:r'], consumesApis: [i]}\n",
        ),
        "map.yaml": (
            "columns: {when: time, x: {repo: a, metric: m, unit: s, kind: gauge}}\nrepos: {a: b}\nenvironments: [p]\n",
        ),
        "org.yaml": (
            "name: A\nrepos: {a: {name: x, team: t, tags: [a], tier: 1, external: true}}\ndependencies: [{from: a, to: b}]\n"
            "metrics: {m: {unit: s, higher_is_better: false, healthy: 1, unhealthy: 2, minimum: 0, maximum: 9, weight: 1}}\n"
            "slos: [{slo_id: s, name: n, measure: coverage, objective: 0.5}]\n",
        ),
        "sla-policies.yaml": (
            "policies:\n- {sla_id: a, sla_type: t, good: {total: x, bad: y}, objective: 0.9, window: 30m, time_zone: UTC}\n"
            "- {sla_id: b, sla_type: t, metric: latency, aggregate: good_share, threshold: 1, objective: 0.5, "
            "priority: 1}\n",
            "policies: [{policy_id: p, sla_type: t, targets: [{metric_name: availability, target_value: 99.9}]}]\n",
        ),
        "OpenSLO": (
            "apiVersion: openslo/v1\nkind: SLO\nmetadata: {name: web, "
            "annotations: {tars/repos: '*'}}\nspec:\n  service: web\n"
            "  indicator: {spec: {ratioMetric: {good: {metricSource: {spec: {metric: ok}}}, "
            "total: {metricSource: {spec: {metric: all}}}}}}\n  timeWindow: [{duration: 1M, calendar: "
            "{startTime: 2026-01-01 00:00:00, timeZone: UTC}}]\n  budgetingMethod: Occurrences\n"
            "  objectives: [{target: 0.9}]\n",
        ),
        "alerts.yaml": ("rules: [{rule_id: r, metric: m, comparison: '>', threshold: 1, for: 15m, severity: high}]\n",),
        "playbook.yaml": (
            "escalation: {after: [0m, 15m], no_progress_after: 30m}\nseverities: {SEV-1: {examples: x}}\n",
        ),
        "dashboard": ('{"repository_score": 1, "scan_timestamp": "2026-01-01T00:00:00Z", "critical_issues": 0}',),
        "alerts": (
            '{"total_alerts": 2, "critical_alerts": 1, "alerts": [{"severity": "high", "title": "t", "timestamp": null}]}',
        ),
        "trends": (
            '{"overall_trend": "x", "history": [{"timestamp": "2026-01-01T00:00:00Z", "score": 1, "total_issues": 2}]}',
        ),
        "report": (
            '{"repositories": [{"name": "a", "score": 1, "trend_history": '
            '[{"timestamp": "2026-01-01T00:00:00Z", "score": 1}]}],'
            ' "generated_at": "2026-01-01T00:00:00Z"}',
        ),
        "incident.json": ('{"timeline": {"count": 1, "bytes": 2, "sha256": "x"}, "title": "t"}',),
        "timeline": (
            '{"seq": 1, "time": "2026-01-01T00:00:00Z", "actor": "a", "kind": "NOTE", "data": {}, "previous": ""}\n',
        ),
        "times and windows": ("2026-10-25T02:30:00", "30d", "P1D", "Europe/Berlin", "1M 2026-01-01"),
    }
)
"""Sound inputs that are spoiled from."""

MADE_AT = datetime(2026, 1, 5, tzinfo=UTC)
_PIECES = (
    b"\x00", b"\xff", b"\n", b"\r", b",", b'"', b"'", b": ", b"- ", b"{", b"}", b"[", b"]", b"&a ", b"*a",
    b"!!python/object:x ",
    b"!!binary ", b"!!set ", b"!!timestamp ", b"!!omap ", b"<<: ", b"---\n", b"...\n", b"? ", b"| ", b"> ", b"# ", b"% ",
    b"\\ud800",
    b"null", b"~", b"true", b".inf", b".nan", b"NaN", b"-1", b"0", b"1e308", b"1e999", b"9" * 30, b"9" * 5000, b"0x1F", b"0o7",
    b"1_0", b"1:30", b"2026-13-01", b"2026-01-01", b"0001-01-01T00:00:00Z", b"9999-12-31T23:59:59Z", b"2026-01-01T00:00:00",
    b"\xe2\x80\xae", b"\xef\xbb\xbf", b"\xc2\x85", b"\xf0\x9f\x98\x80", b"n" * 1500, b"@", b"`",
)  # fmt: skip


def sound(target: str) -> tuple[bytes, ...]:
    """Sound inputs of a target, empty where anything will do."""
    if target == "bundle":
        return (pack("b", {"run/status.json": b"{}", "notes.txt": b"x" * 50}, {"External-Identifier": "b"}, MADE_AT),)
    return tuple(text.encode() for text in WORDS.get(target.partition(",")[0], ()))


@st.composite
def spoiled(draw: st.DrawFn, target: str) -> bytes:
    """A sound input of a target with pieces cut out, exchanged and put in; now and then anything at all."""
    words = sound(target)
    if not words or draw(st.integers(0, 9)) == 0:
        return draw(st.binary(max_size=200) | st.lists(st.sampled_from(_PIECES), max_size=12).map(b"".join))
    content = draw(st.sampled_from(words))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(content)))
        end = min(len(content), start + draw(st.integers(0, 12)))
        content = content[:start] + draw(st.sampled_from((*_PIECES, content[end : end + 20]))) + content[end:]
    return content


@st.composite
def structured(draw: st.DrawFn, target: str) -> bytes:
    """The keys of a sound YAML or JSON input with values of any type and depth."""
    keys = sorted({key for text in WORDS[target] for key in _keys(text)})
    scalars = (
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
        | st.sampled_from(["30d", "2026-01-01T00:00:00Z", "UTC", "SEV-1", "high", ">", "mean", 10**400, "n" * 1500])
    )  # fmt: skip
    values = st.recursive(
        scalars,
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(keys) | st.text(max_size=5), inner, max_size=4)
        ),
        max_leaves=20,
    )
    return json.dumps(draw(st.dictionaries(st.sampled_from(keys), values, max_size=6))).encode()


def _keys(text: str) -> list[str]:
    import re

    return re.findall(r"[\w/]+(?=\"?: )", text)


def inputs(target: str) -> st.SearchStrategy[bytes]:
    """Inputs for a target."""
    shaped = target in WORDS and target.endswith(
        (".yaml", ".json", "OpenSLO", "dashboard", "alerts", "trends", "report")
    )
    return spoiled(target) | structured(target) if shaped else spoiled(target)


def attempt(target: str, content: bytes) -> str:
    """Give a target an input.

    Returns
    -------
    str
        The refusal, empty where the input was accepted.

    Raises
    ------
    Exception
        Whatever is no refusal of the project's own, warnings included.
    """
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder, warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            TARGETS[target](content, Path(folder))
        except TarsError as error:
            said = str(error)
            # up to ten faults of one kind, a line each, and a line that counts the rest
            if said.count("\n") > MAX_FAULTS or "pydantic" in said or "Input should" in said:
                raise AssertionError(f"no sentences of this project: {said!r}") from error
            return said
    return ""


def explore(target: str, examples: int, start: int) -> None:
    """Give a target inputs from hypothesis; the first that it breaks on is made small and raised."""

    @seed(start)
    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(inputs(target))
    def run(content: bytes) -> None:
        attempt(target, content)

    run()


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", type=int, default=500, help="inputs for each target")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--target", choices=sorted(TARGETS), action="append")
    given_: Any = parser.parse_args()
    failures = 0
    began = time.monotonic()
    for target in given_.target or TARGETS:
        try:
            explore(target, given_.examples, given_.seed)
        except Exception as error:  # noqa: BLE001 - the finding
            failures += 1
            notes = " ".join(getattr(error, "__notes__", []))
            print(f"{target}: {type(error).__name__}: {str(error)[:300]} {notes[:500]}")
    tried = len(given_.target or TARGETS) * given_.examples
    print(
        f"readers: {tried} inputs to {len(given_.target or TARGETS)} targets in {time.monotonic() - began:.0f} s; "
        f"{failures} failures"
    )
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
