"""Every row of the page's tables stands in the packaged playbook, word for word."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tars_lib.errors import ConfigError
from tars_lib.findings.exit_codes import DECISION_ORDER, EXIT_CODES
from tars_lib.model.names import CauseType, ContainmentType, Severity
from tars_lib.playbook.config import read_playbook
from tars_lib.playbook.decision_tree import classify
from tars_lib.playbook.packaged import packaged
from tars_lib.playbook.tables import Condition, MetricId

MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("severity", "description", "response_time", "minutes", "examples"),
    [
        ("SEV-1", "Critical - Business impact", "15 minutes", 15, "SLA breach, critical propagation"),
        ("SEV-2", "High - Degradation", "1 hour", 60, "At-risk SLAs, high org risk"),
        ("SEV-3", "Medium - Anomaly", "4 hours", 240, "Correlations found, non-critical alerts"),
        ("SEV-4", "Low - Informational", "Next business day", None, "Trend patterns, baseline drift"),
    ],
)
def test_severity_levels(
    severity: str, description: str, response_time: str, minutes: int | None, examples: str
) -> None:
    row = packaged().severity(Severity(severity))
    assert (row.description, row.response_time, row.examples) == (description, response_time, examples)
    assert row.respond_within == (None if minutes is None else minutes * MINUTE)


@pytest.mark.parametrize(
    ("code", "incident_type", "severity"),
    [
        (92, "High Org Risk", "SEV-2"),
        (102, "Critical Alerts", "SEV-1"),
        (122, "Critical Anomaly", "SEV-1"),
        (132, "Propagation Risk", "SEV-1"),
        (142, "SLA Breach", "SEV-1"),
    ],
)
def test_incident_type_mapping(code: int, incident_type: str, severity: str) -> None:
    (row,) = (row for row in packaged().incident_types if row.code == code)
    assert (row.incident_type, row.severity.value) == (incident_type, severity)
    assert (classify([code]).incident_type, classify([code]).severity) == (incident_type, Severity(severity))


def test_types_and_severities_are_those_of_the_table_of_exit_codes() -> None:
    mapped = {row.code: (row.incident_type, row.severity) for row in packaged().incident_types}
    assert mapped == {
        code: (entry.incident_type, entry.severity) for code, entry in EXIT_CODES.items() if entry.severity is not None
    }


@pytest.mark.parametrize(
    ("codes", "severity", "path", "contain"),
    [
        ([142], "SEV-1", "SLA Breach Response", 15),
        ([132], "SEV-1", "Propagation Containment", 15),
        ([122], "SEV-1", "Cross-Repo Anomaly Response", 30),
        ([102], "SEV-1", "Critical Alert Triage", 30),
        ([92], "SEV-2", "Org Risk Assessment", None),
        ([141], "SEV-2", "At-Risk Monitoring", None),
        ([121], "SEV-3", "Correlation Investigation", None),
        ([131], "SEV-3", "Correlation Investigation", None),
        ([1], "SEV-4", "Document and monitor", None),
        ([121, 141, 92, 102, 122, 132, 142], "SEV-1", "SLA Breach Response", 15),
    ],
)
def test_decision_tree(codes: list[int], severity: str, path: str, contain: int | None) -> None:
    found = classify(codes)
    assert (found.severity, found.path) == (Severity(severity), path)
    assert found.contain_within == (None if contain is None else contain * MINUTE)


def test_the_tree_asks_in_the_order_of_the_exit_codes() -> None:
    asked = tuple(code for branch in packaged().tree for code in branch.codes)
    assert asked == DECISION_ORDER[: len(asked)]


@pytest.mark.parametrize(
    ("path", "titles"),
    [
        (
            "SLA Breach Response",
            ("Identify Breached SLAs", "Determine Root Cause", "Assess Business Impact", "Immediate Actions"),
        ),
        (
            "Propagation Containment",
            ("Identify Leader Repositories", "Map Propagation Paths", "Containment Strategy", "Monitor Propagation"),
        ),
        (
            "Cross-Repo Anomaly Response",
            ("Identify Anomaly Cluster", "Determine Common Factor", "Containment Actions"),
        ),
        ("Critical Alert Triage", ("List Critical Alerts", "Group by Alert Type", "Prioritize by Impact")),
        ("Org Risk Assessment", ("Calculate Risk Score", "Identify Risk Contributors", "Mitigation Plan")),
    ],
)
def test_triage_by_incident_type(path: str, titles: tuple[str, ...]) -> None:
    (section,) = (section for section in packaged().triage if section.path == path)
    assert tuple(step.title for step in section.steps) == titles
    assert all(step.commands or step.points for step in section.steps)


@pytest.mark.parametrize(
    ("kind", "name", "indicator", "section"),
    [
        ("REPO_DEGRADATION", "Repo Degradation", "Single repo health decline", "org_health.repository_scores"),
        (
            "CORRELATION_CLUSTER",
            "Correlation Cluster",
            "Multiple repos declining together",
            "trend_correlation.clusters",
        ),
        (
            "PROPAGATION_PATH",
            "Propagation Path",
            "Leader→Follower pattern",
            "temporal_intelligence.propagation_paths",
        ),
        ("ALERT_PATTERN", "Alert Pattern", "Repeated critical alerts", "org_alerts.alerts[severity=critical]"),
    ],
)
def test_cause_types(kind: str, name: str, indicator: str, section: str) -> None:
    (row,) = (row for row in packaged().cause_types if row.cause_type is CauseType(kind))
    assert (row.name, row.indicator, row.section) == (name, indicator, section)


@pytest.mark.parametrize(
    ("question", "section"),
    [
        ("Which SLAs are affected?", "sla_intelligence.compliance_results"),
        ("Which repos are impacted?", "org_health.repository_reports"),
        ("What's the executive readiness tier?", "sla_intelligence.executive_readiness.tier"),
        ("Is propagation active?", "temporal_intelligence.temporal_anomalies"),
    ],
)
def test_impact_questions(question: str, section: str) -> None:
    assert (question, section) in [(row.question, row.section) for row in packaged().impact_questions]


@pytest.mark.parametrize(
    ("kind", "cause", "action"),
    [
        ("SINGLE_REPO_DEGRADATION", "Single repo degradation", "Freeze deployments to that repo"),
        ("CASCADING_FAILURE", "Cascading failure", "Enable circuit breakers"),
        ("INFRASTRUCTURE_ISSUE", "Infrastructure issue", "Contact infrastructure team"),
        ("EXTERNAL_DEPENDENCY", "External dependency", "Activate fallback/cache"),
    ],
)
def test_containment(kind: str, cause: str, action: str) -> None:
    (row,) = (row for row in packaged().containment if row.containment_type is ContainmentType(kind))
    assert (row.cause, row.action) == (cause, action)
    assert all((row.owner, row.revert, row.verify, row.query))


@pytest.mark.parametrize(
    ("action", "when", "how"),
    [
        ("Freeze Deployments", "Active propagation", "Block CI/CD pipelines"),
        ("Enable Feature Flags", "Isolate functionality", "Toggle flags in config"),
        ("Scale Horizontally", "Performance degradation", "Increase replica count"),
        ("Enable Circuit Breakers", "Cascading failures", "Activate existing breakers"),
        ("Redirect Traffic", "Single point of failure", "Update load balancer"),
        ("Enable Read-Only Mode", "Data integrity risk", "Database configuration"),
    ],
)
def test_operational_containment(action: str, when: str, how: str) -> None:
    (row,) = (row for row in packaged().operational if row.action == action)
    assert (row.when, row.how) == (when, how)
    assert row.revert
    assert row.verify


@pytest.mark.parametrize(
    ("action", "when", "how"),
    [
        ("Increase Check Frequency", "At-risk state", "Run checks every 15 min instead of hourly"),
        ("Enable Verbose Logging", "Investigation", "Set `TARS_LOG_LEVEL=DEBUG`"),
        ("Add Custom Alerts", "Specific threshold", "Update alerting config"),
        ("Enable Tracing", "Performance issues", "Enable distributed tracing"),
    ],
)
def test_monitoring_escalation(action: str, when: str, how: str) -> None:
    assert (action, when, how) in [(row.action, row.when, row.how) for row in packaged().monitoring]


@pytest.mark.parametrize(
    ("action", "audience", "template"),
    [
        ("Status Page Update", "Customers", "We are investigating..."),
        ("Slack Notification", "Engineering", "@channel Incident in progress..."),
        ("Email to Leadership", "Executives", "Executive summary from SLA report"),
        ("Bridge Call", "Cross-functional", "Conference bridge for coordination"),
    ],
)
def test_communication_actions(action: str, audience: str, template: str) -> None:
    assert (action, audience, template) in [
        (row.action, row.audience, row.template) for row in packaged().communication
    ]


@pytest.mark.parametrize(
    ("severity", "rungs"),
    [
        ("SEV-1", ("On-call engineer", "Team lead", "Engineering manager", "VP Engineering")),
        ("SEV-2", ("On-call engineer", "Team lead", "Engineering manager")),
        ("SEV-3", ("On-call engineer", "Team lead")),
        ("SEV-4", ("Create ticket",)),
    ],
)
def test_escalation_matrix(severity: str, rungs: tuple[str, ...]) -> None:
    assert packaged().severity(Severity(severity)).escalation == rungs
    assert packaged().escalation_after == (0 * MINUTE, 15 * MINUTE, 30 * MINUTE, 60 * MINUTE)


@pytest.mark.parametrize(
    ("condition", "name", "contacts", "methods"),
    [
        ("SLA_BREACH", "SLA breach", "VP Engineering", "Phone + Email"),
        ("CUSTOMER_IMPACT", "Customer impact", "Customer Success", "Slack + Email"),
        ("DATA_LOSS_RISK", "Data loss risk", "Security team", "Phone + Slack"),
        ("NO_PROGRESS", "No progress 30 min", "", "Phone"),
        ("REGULATORY_IMPACT", "Regulatory impact", "Legal + Compliance", "Email (documented)"),
    ],
)
def test_when_to_escalate(condition: str, name: str, contacts: str, methods: str) -> None:
    row = packaged().condition(Condition(condition))
    assert row is not None
    assert (row.name, " + ".join(row.contacts), " + ".join(row.methods)) == (name, contacts, methods)


@pytest.mark.parametrize(
    ("activity", "when", "participants"),
    [
        ("Initial debrief", "Within 24 hours", "Responders"),
        ("Blameless postmortem", "Within 5 days", "Team + stakeholders"),
        ("Action item review", "Weekly", "Team lead"),
        ("Trend review", "Monthly", "Engineering leadership"),
    ],
)
def test_review_timeline(activity: str, when: str, participants: str) -> None:
    assert (activity, when, participants) in [(r.activity, r.when, r.participants) for r in packaged().reviews]


@pytest.mark.parametrize(
    ("metric_id", "metric", "target", "how", "below"),
    [
        ("MTTD", "MTTD (Mean Time to Detect)", "< 5 minutes", "Alert timestamp - Issue start", 5 * MINUTE),
        ("MTTR", "MTTR (Mean Time to Resolve)", "< 2 hours", "Resolution time - Alert time", 120 * MINUTE),
        ("RECURRENCE", "Recurrence Rate", "< 10%", "Same root cause incidents / Total", 0.1),
        ("SLA_RECOVERY", "SLA Recovery Time", "< 4 hours", "SLA compliance restored", 240 * MINUTE),
    ],
)
def test_metrics_to_track(metric_id: str, metric: str, target: str, how: str, below: timedelta | float) -> None:
    (row,) = (row for row in packaged().metrics if row.metric_id is MetricId(metric_id))
    assert (row.metric, row.target, row.how) == (metric, target, how)
    assert below in (row.below, row.below_share)


@pytest.mark.parametrize(
    ("minutes", "title"),
    [
        ((0, 2), "Acknowledge"),
        ((2, 5), "Identify Breach"),
        ((5, 8), "Determine Root Cause"),
        ((8, 12), "Contain"),
        ((12, 15), "Escalate & Document"),
    ],
)
def test_golden_path(minutes: tuple[int, int], title: str) -> None:
    assert (*minutes, title) in [(step.start, step.end, step.title) for step in packaged().golden_path]


def own(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "own.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_an_organisations_file_changes_what_it_names_and_nothing_else(tmp_path: Path) -> None:
    path = own(
        tmp_path,
        "version: 2026-1\n"
        "severities:\n"
        "  SEV-1: {response_time: 5 minutes, respond_within: 5m}\n"
        "escalation:\n"
        "  matrix:\n"
        "    SEV-3: [Service desk]\n"
        "operational:\n"
        "  scale: null\n"
        "  drain: {action: Drain the node, when: Node fails, how: kubectl drain}\n",
    )
    found = read_playbook(path, "own.yaml")
    one = found.playbook.severity(Severity.SEV_1)
    assert (one.respond_within, one.description) == (5 * MINUTE, "Critical - Business impact")
    assert found.playbook.severity(Severity.SEV_3).escalation == ("Service desk",)
    assert found.playbook.severity(Severity.SEV_2) == packaged().severity(Severity.SEV_2)
    ids = [row.action_id for row in found.playbook.operational]
    assert "scale" not in ids
    assert ids[-1] == "drain"
    assert found.playbook.tree == packaged().tree
    assert found.playbook.sha256 != packaged().sha256
    assert found.origins["severities.SEV-1.respond_within"] == "own.yaml, row 3"
    assert found.origins["severities.SEV-1.description"].startswith("packaged playbook.yaml, row ")
    assert found.origins["operational.drain.how"] == "own.yaml, row 9"
    assert classify([142], playbook=found.playbook).respond_within == "5 minutes"


def test_every_value_has_an_origin() -> None:
    found = read_playbook()

    def leaves(value: object, key: str) -> set[str]:
        if isinstance(value, dict) and value:
            return set().union(*(leaves(item, f"{key}.{name}" if key else name) for name, item in value.items()))
        return {key}

    assert leaves(dict(found.content), "") == set(found.origins)


def test_a_file_that_repeats_what_is_packaged_has_the_same_digest(tmp_path: Path) -> None:
    path = own(tmp_path, "escalation: {no_progress_after: 30m}\n")
    assert read_playbook(path).playbook.sha256 == packaged().sha256


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("escalaton: {}", r"own.yaml: escalaton: unknown key; allowed: version, severities"),
        ("metrics: {MTTR: {below: soon}}", r"own.yaml: metrics.MTTR.below: a number with m, h, d or w.*'soon'"),
        ("metrics: {MTTR: {below: 30}}", r"metrics.MTTR.below: a number with m, h, d or w"),
        ("metrics: {MTTX: {below: 3m}}", r"own.yaml: metrics.MTTX"),
        ("severities: {SEV-1: null}", r"severities: SEV-1 missing"),
        ("containment: {EXTERNAL_DEPENDENCY: null}", r"containment: EXTERNAL_DEPENDENCY missing"),
        ("containment: {EXTERNAL_DEPENDENCY: {acton: x}}", r"containment.EXTERNAL_DEPENDENCY.acton: unknown key"),
        ("exit_codes: {77: {severity: SEV-1}}", r"exit code 77 is in no table"),
        ("exit_codes: {92: {severity: SEV-1}}", r"decision_tree.org-risk: severity SEV-2; exit_codes.92 says other"),
        ("decision_tree: {at-risk: {path: Nowhere}}", r"decision_tree.at-risk: path 'Nowhere' has no section"),
        ("escalation: {after: [0m, 30m, 15m, 1h]}", r"after: times that grow"),
        ("escalation: {after: [0m, 15m]}", r"matrix.SEV-1: 4 rungs; after has times for 2"),
        ("escalation: {conditions: {SLA_BREACH: {contacts: []}}}", r"conditions.SLA_BREACH: contacts are needed"),
        ("reviews: {trend: {within: 3d}}", r"reviews.trend: one of within and repeats is needed, not both"),
        ("communication: {bridge: null}", r"communication: bridge missing"),
        ("operational: {tracing: null}", r"own.yaml, row 1: operational.tracing: null takes an entry away"),
        ("- x", r"own.yaml: top level"),
        ("a: 1\na: 2", r"own.yaml, row 2: .*stands twice"),
    ],
)
def test_a_refusal_names_file_key_and_what_is_allowed(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read_playbook(own(tmp_path, text), "own.yaml")
