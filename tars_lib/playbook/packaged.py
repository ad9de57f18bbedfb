"""The packaged playbook as constants, so that engines need no YAML.

Written by `python docs/generate_playbook.py` from `parameters/playbook.yaml`; change the table there.
"""
# ruff: noqa: E501 - sentences are not broken

from __future__ import annotations

from datetime import timedelta

from tars_lib.playbook.tables import (
    ActionRow,
    Branch,
    CauseRow,
    CommunicationRow,
    Condition,
    ConditionRow,
    Containment,
    GoldenStep,
    ImpactQuestion,
    IncidentType,
    MetricId,
    MetricRow,
    Playbook,
    Repeats,
    Review,
    SeverityRow,
    Triage,
    TriageStep,
)
from tars_lib.schema import CauseType, ContainmentType, Severity

PACKAGED = Playbook(
    version="1.0.0",
    sha256="84b0263a69f7b9b2a8e12337473754769f95a8caba4a300c71346adc1fdd086e",
    severities=(
        SeverityRow(
            severity=Severity.SEV_1,
            description="Critical - Business impact",
            respond_within=timedelta(minutes=15),
            response_time="15 minutes",
            escalation=(
                "On-call engineer",
                "Team lead",
                "Engineering manager",
                "VP Engineering",
            ),
            examples="SLA breach, critical propagation",
        ),
        SeverityRow(
            severity=Severity.SEV_2,
            description="High - Degradation",
            respond_within=timedelta(minutes=60),
            response_time="1 hour",
            escalation=(
                "On-call engineer",
                "Team lead",
                "Engineering manager",
            ),
            examples="At-risk SLAs, high org risk",
        ),
        SeverityRow(
            severity=Severity.SEV_3,
            description="Medium - Anomaly",
            respond_within=timedelta(minutes=240),
            response_time="4 hours",
            escalation=(
                "On-call engineer",
                "Team lead",
            ),
            examples="Correlations found, non-critical alerts",
        ),
        SeverityRow(
            severity=Severity.SEV_4,
            description="Low - Informational",
            respond_within=None,
            response_time="Next business day",
            escalation=("Create ticket",),
            examples="Trend patterns, baseline drift",
        ),
    ),
    incident_types=(
        IncidentType(
            code=92,
            incident_type="High Org Risk",
            severity=Severity.SEV_2,
        ),
        IncidentType(
            code=102,
            incident_type="Critical Alerts",
            severity=Severity.SEV_1,
        ),
        IncidentType(
            code=122,
            incident_type="Critical Anomaly",
            severity=Severity.SEV_1,
        ),
        IncidentType(
            code=132,
            incident_type="Propagation Risk",
            severity=Severity.SEV_1,
        ),
        IncidentType(
            code=142,
            incident_type="SLA Breach",
            severity=Severity.SEV_1,
        ),
        IncidentType(
            code=91,
            incident_type=None,
            severity=Severity.SEV_3,
        ),
        IncidentType(
            code=101,
            incident_type=None,
            severity=Severity.SEV_3,
        ),
        IncidentType(
            code=121,
            incident_type=None,
            severity=Severity.SEV_3,
        ),
        IncidentType(
            code=131,
            incident_type=None,
            severity=Severity.SEV_3,
        ),
        IncidentType(
            code=141,
            incident_type=None,
            severity=Severity.SEV_2,
        ),
        IncidentType(
            code=93,
            incident_type="Monitoring Failure",
            severity=Severity.SEV_3,
        ),
        IncidentType(
            code=94,
            incident_type="Monitoring Failure",
            severity=Severity.SEV_3,
        ),
        IncidentType(
            code=95,
            incident_type="Monitoring Failure",
            severity=Severity.SEV_3,
        ),
        IncidentType(
            code=103,
            incident_type="Monitoring Failure",
            severity=Severity.SEV_3,
        ),
        IncidentType(
            code=104,
            incident_type="Monitoring Failure",
            severity=Severity.SEV_3,
        ),
        IncidentType(
            code=105,
            incident_type="Monitoring Failure",
            severity=Severity.SEV_3,
        ),
        IncidentType(
            code=123,
            incident_type="Monitoring Failure",
            severity=Severity.SEV_3,
        ),
        IncidentType(
            code=124,
            incident_type="Monitoring Failure",
            severity=Severity.SEV_3,
        ),
        IncidentType(
            code=133,
            incident_type="Monitoring Failure",
            severity=Severity.SEV_3,
        ),
        IncidentType(
            code=134,
            incident_type="Monitoring Failure",
            severity=Severity.SEV_3,
        ),
        IncidentType(
            code=143,
            incident_type="Monitoring Failure",
            severity=Severity.SEV_3,
        ),
        IncidentType(
            code=144,
            incident_type="Monitoring Failure",
            severity=Severity.SEV_3,
        ),
        IncidentType(
            code=199,
            incident_type="Monitoring Failure",
            severity=Severity.SEV_3,
        ),
    ),
    tree=(
        Branch(
            codes=(142,),
            question="Exit Code 142 (SLA Breach)?",
            severity=Severity.SEV_1,
            path="SLA Breach Response",
            contain_within=timedelta(minutes=15),
            commands=(
                "python -m analytics.run_org_sla_intelligence --org-report ./org-health-report.json --json | jq '.compliance_results[] | select(.status == \"BREACHED\")'",
                "python -m analytics.run_org_sla_intelligence --org-report ./org-health-report.json --json | jq '.breaches[] | {sla_id, root_causes}'",
            ),
        ),
        Branch(
            codes=(132,),
            question="Exit Code 132 (Critical Propagation)?",
            severity=Severity.SEV_1,
            path="Propagation Containment",
            contain_within=timedelta(minutes=15),
            commands=(
                "python -m analytics.run_org_temporal_intelligence --org-report ./org-health-report.json --json | jq '.influence_scores[] | select(.classification == \"LEADER\")'",
                "python -m analytics.run_org_temporal_intelligence --org-report ./org-health-report.json --json | jq '.propagation_paths'",
            ),
        ),
        Branch(
            codes=(122,),
            question="Exit Code 122 (Critical Anomaly)?",
            severity=Severity.SEV_1,
            path="Cross-Repo Anomaly Response",
            contain_within=timedelta(minutes=30),
            commands=(
                "python -m analytics.run_org_trend_correlation --org-report ./org-health-report.json --json | jq '.clusters[] | select(.is_anomalous == true)'",
            ),
        ),
        Branch(
            codes=(102,),
            question="Exit Code 102 (Critical Alerts)?",
            severity=Severity.SEV_1,
            path="Critical Alert Triage",
            contain_within=timedelta(minutes=30),
            commands=(
                "python -m analytics.run_org_alerts --org-report ./org-health-report.json --json | jq '.alerts[] | select(.severity == \"CRITICAL\")'",
            ),
        ),
        Branch(
            codes=(92,),
            question="Exit Code 92 (High Org Risk)?",
            severity=Severity.SEV_2,
            path="Org Risk Assessment",
            contain_within=None,
            commands=(
                "python -m analytics.run_org_health --root-dir ./org-health --json | jq '.risk_tier, .aggregate_score'",
            ),
        ),
        Branch(
            codes=(141,),
            question="Exit Code 141 (At-Risk SLAs)?",
            severity=Severity.SEV_2,
            path="At-Risk Monitoring",
            contain_within=None,
            commands=(
                "python -m analytics.run_org_sla_intelligence --org-report ./org-health-report.json --json | jq '.compliance_results[] | select(.status == \"AT_RISK\")'",
            ),
        ),
        Branch(
            codes=(
                121,
                131,
            ),
            question="Exit Code 121/131 (Correlations Found)?",
            severity=Severity.SEV_3,
            path="Correlation Investigation",
            contain_within=None,
            commands=(
                "python -m analytics.run_org_trend_correlation --org-report ./org-health-report.json --json | jq '.correlations'",
                "python -m analytics.run_org_temporal_intelligence --org-report ./org-health-report.json --json | jq '.lead_lag'",
            ),
        ),
    ),
    otherwise=(
        Severity.SEV_4,
        "Document and monitor",
    ),
    triage=(
        Triage(
            path="SLA Breach Response",
            steps=(
                TriageStep(
                    title="Identify Breached SLAs",
                    commands=(
                        "python -m analytics.run_org_sla_intelligence --org-report ./org-health-report.json --json | jq '.compliance_results[] | select(.status == \"BREACHED\")'",
                    ),
                    points=(),
                ),
                TriageStep(
                    title="Determine Root Cause",
                    commands=(
                        "python -m analytics.run_org_sla_intelligence --org-report ./org-health-report.json --json | jq '.breaches[] | {sla_id, root_causes}'",
                    ),
                    points=(),
                ),
                TriageStep(
                    title="Assess Business Impact",
                    commands=(),
                    points=(
                        "Review `executive_readiness.readiness_score`",
                        "Check `risk_narrative` for board-ready summary",
                    ),
                ),
                TriageStep(
                    title="Immediate Actions",
                    commands=(),
                    points=(
                        "Notify stakeholders per escalation matrix",
                        "Begin remediation per root cause",
                        "Update status page if customer-facing",
                    ),
                ),
            ),
        ),
        Triage(
            path="Propagation Containment",
            steps=(
                TriageStep(
                    title="Identify Leader Repositories",
                    commands=(
                        "python -m analytics.run_org_temporal_intelligence --org-report ./org-health-report.json --json | jq '.influence_scores[] | select(.classification == \"LEADER\")'",
                    ),
                    points=(),
                ),
                TriageStep(
                    title="Map Propagation Paths",
                    commands=(
                        "python -m analytics.run_org_temporal_intelligence --org-report ./org-health-report.json --json | jq '.propagation_paths'",
                    ),
                    points=(),
                ),
                TriageStep(
                    title="Containment Strategy",
                    commands=(),
                    points=(
                        "Isolate leader repository from downstream dependencies",
                        "Freeze deployments to affected repos",
                        "Enable enhanced monitoring on follower repos",
                    ),
                ),
                TriageStep(
                    title="Monitor Propagation",
                    commands=(),
                    points=(
                        "Run hourly temporal intelligence checks",
                        "Track `propagation_paths.impact_score` for improvement",
                    ),
                ),
            ),
        ),
        Triage(
            path="Cross-Repo Anomaly Response",
            steps=(
                TriageStep(
                    title="Identify Anomaly Cluster",
                    commands=(
                        "python -m analytics.run_org_trend_correlation --org-report ./org-health-report.json --json | jq '.clusters[] | select(.is_anomalous == true)'",
                    ),
                    points=(),
                ),
                TriageStep(
                    title="Determine Common Factor",
                    commands=(),
                    points=(
                        "Shared infrastructure (DB, cache, queue)",
                        "Shared dependency (library, service)",
                        "Shared team/deployment pipeline",
                        "External factor (network, cloud provider)",
                    ),
                ),
                TriageStep(
                    title="Containment Actions",
                    commands=(),
                    points=(
                        "Rollback recent changes to cluster members",
                        "Isolate shared infrastructure if applicable",
                        "Enable feature flags to disable affected functionality",
                    ),
                ),
            ),
        ),
        Triage(
            path="Critical Alert Triage",
            steps=(
                TriageStep(
                    title="List Critical Alerts",
                    commands=(
                        "python -m analytics.run_org_alerts --org-report ./org-health-report.json --json | jq '.alerts[] | select(.severity == \"CRITICAL\")'",
                    ),
                    points=(),
                ),
                TriageStep(
                    title="Group by Alert Type",
                    commands=(),
                    points=(
                        "Health degradation alerts",
                        "SLO violation alerts",
                        "Trend anomaly alerts",
                        "Escalation timeout alerts",
                    ),
                ),
                TriageStep(
                    title="Prioritize by Impact",
                    commands=(),
                    points=(
                        "Customer-facing issues first",
                        "Data integrity issues second",
                        "Performance degradation third",
                    ),
                ),
            ),
        ),
        Triage(
            path="Org Risk Assessment",
            steps=(
                TriageStep(
                    title="Calculate Risk Score",
                    commands=(
                        "python -m analytics.run_org_health --root-dir ./org-health --json | jq '.risk_tier, .aggregate_score'",
                    ),
                    points=(),
                ),
                TriageStep(
                    title="Identify Risk Contributors",
                    commands=(),
                    points=(
                        "Sort repos by health score (ascending)",
                        "Identify repos below threshold",
                    ),
                ),
                TriageStep(
                    title="Mitigation Plan",
                    commands=(),
                    points=(
                        "Create improvement tickets for low-health repos",
                        "Schedule remediation sprints",
                        "Update SLO targets if unrealistic",
                    ),
                ),
            ),
        ),
        Triage(
            path="At-Risk Monitoring",
            steps=(
                TriageStep(
                    title="Identify At-Risk SLAs",
                    commands=(
                        "python -m analytics.run_org_sla_intelligence --org-report ./org-health-report.json --json | jq '.compliance_results[] | select(.status == \"AT_RISK\")'",
                    ),
                    points=(),
                ),
            ),
        ),
        Triage(
            path="Correlation Investigation",
            steps=(
                TriageStep(
                    title="List What Moves Together",
                    commands=(
                        "python -m analytics.run_org_trend_correlation --org-report ./org-health-report.json --json | jq '.correlations'",
                        "python -m analytics.run_org_temporal_intelligence --org-report ./org-health-report.json --json | jq '.lead_lag'",
                    ),
                    points=(),
                ),
            ),
        ),
    ),
    cause_types=(
        CauseRow(
            cause_type=CauseType.REPO_DEGRADATION,
            name="Repo Degradation",
            indicator="Single repo health decline",
            section="org_health.repository_scores",
        ),
        CauseRow(
            cause_type=CauseType.CORRELATION_CLUSTER,
            name="Correlation Cluster",
            indicator="Multiple repos declining together",
            section="trend_correlation.clusters",
        ),
        CauseRow(
            cause_type=CauseType.PROPAGATION_PATH,
            name="Propagation Path",
            indicator="Leader→Follower pattern",
            section="temporal_intelligence.propagation_paths",
        ),
        CauseRow(
            cause_type=CauseType.ALERT_PATTERN,
            name="Alert Pattern",
            indicator="Repeated critical alerts",
            section="org_alerts.alerts[severity=critical]",
        ),
        CauseRow(
            cause_type=CauseType.CHANGE_EVENT,
            name="Change Event",
            indicator="A change just before the onset",
            section="sla_intelligence.breaches",
        ),
    ),
    impact_questions=(
        ImpactQuestion(
            question="Which SLAs are affected?",
            section="sla_intelligence.compliance_results",
        ),
        ImpactQuestion(
            question="Which repos are impacted?",
            section="org_health.repository_reports",
        ),
        ImpactQuestion(
            question="What's the executive readiness tier?",
            section="sla_intelligence.executive_readiness.tier",
        ),
        ImpactQuestion(
            question="Is propagation active?",
            section="temporal_intelligence.temporal_anomalies",
        ),
    ),
    containment=(
        Containment(
            containment_type=ContainmentType.SINGLE_REPO_DEGRADATION,
            cause="Single repo degradation",
            action="Freeze deployments to that repo",
            revert="Lift the freeze once the SLA has held for a full window",
            verify="the repo's own metric is back at its level before the onset",
            owner="Team that owns the repo",
            query="python -m analytics.run_org_health --root-dir ./org-health --json | jq --arg repo {repo} '.repository_reports[] | select(.repo == $repo) | {repo, score, status, trend}'",
        ),
        Containment(
            containment_type=ContainmentType.CASCADING_FAILURE,
            cause="Cascading failure",
            action="Enable circuit breakers",
            revert="Close the breakers one caller at a time",
            verify="callers recover while the failing repo is cut off",
            owner="Teams that call the failing repo",
            query="python -m analytics.run_org_health --root-dir ./org-health --json | jq --arg repo {repo} '[.org.dependencies[] | select(.to == $repo) | .from, $repo] as $near | .repository_reports[] | select(.repo as $one | any($near[], $repo; . == $one)) | {repo, score, status, trend}'",
        ),
        Containment(
            containment_type=ContainmentType.INFRASTRUCTURE_ISSUE,
            cause="Infrastructure issue",
            action="Contact infrastructure team",
            revert="None: the infrastructure team reports the end",
            verify="all repos that share the infrastructure recover together",
            owner="Infrastructure team",
            query="python -m analytics.run_org_health --root-dir ./org-health --json | jq --arg repo {repo} '[.org.repos[] | select(.repo == $repo) | .shares[]] as $shared | [.org.repos[] | select(any(.shares[]; . as $one | any($shared[]; . == $one))) | .repo] as $near | .repository_reports[] | select(.repo as $one | any($near[], $repo; . == $one)) | {repo, score, status, trend}'",
        ),
        Containment(
            containment_type=ContainmentType.EXTERNAL_DEPENDENCY,
            cause="External dependency",
            action="Activate fallback/cache",
            revert="Deactivate the fallback once the provider has recovered",
            verify="callers meet their SLA while the provider still fails",
            owner="Teams that call the provider",
            query="python -m analytics.run_org_health --root-dir ./org-health --json | jq --arg repo {repo} '[.org.dependencies[] | select(.to == $repo) | .from, $repo] as $near | .repository_reports[] | select(.repo as $one | any($near[], $repo; . == $one)) | {repo, score, status, trend}'",
        ),
    ),
    operational=(
        ActionRow(
            action_id="freeze-deployments",
            action="Freeze Deployments",
            when="Active propagation",
            how="Block CI/CD pipelines",
            revert="Unblock the pipelines",
            verify="no deploy after the start of the freeze in events.csv",
        ),
        ActionRow(
            action_id="feature-flags",
            action="Enable Feature Flags",
            when="Isolate functionality",
            how="Toggle flags in config",
            revert="Toggle the flags back",
            verify="error rate of the isolated functionality is at its level before the onset",
        ),
        ActionRow(
            action_id="scale",
            action="Scale Horizontally",
            when="Performance degradation",
            how="Increase replica count",
            revert="Restore the replica count",
            verify="latency is at its level before the onset",
        ),
        ActionRow(
            action_id="circuit-breakers",
            action="Enable Circuit Breakers",
            when="Cascading failures",
            how="Activate existing breakers",
            revert="Close the breakers one caller at a time",
            verify="callers recover while the failing repo is cut off",
        ),
        ActionRow(
            action_id="redirect-traffic",
            action="Redirect Traffic",
            when="Single point of failure",
            how="Update load balancer",
            revert="Restore the load balancer's weights",
            verify="callers meet their SLA over the other path",
        ),
        ActionRow(
            action_id="read-only",
            action="Enable Read-Only Mode",
            when="Data integrity risk",
            how="Database configuration",
            revert="Allow writes again after an integrity check",
            verify="no write after the start and the integrity check passes",
        ),
    ),
    monitoring=(
        ActionRow(
            action_id="check-frequency",
            action="Increase Check Frequency",
            when="At-risk state",
            how="Run checks every 15 min instead of hourly",
            revert="",
            verify="",
        ),
        ActionRow(
            action_id="verbose-logging",
            action="Enable Verbose Logging",
            when="Investigation",
            how="Set `TARS_LOG_LEVEL=DEBUG`",
            revert="",
            verify="",
        ),
        ActionRow(
            action_id="custom-alerts",
            action="Add Custom Alerts",
            when="Specific threshold",
            how="Update alerting config",
            revert="",
            verify="",
        ),
        ActionRow(
            action_id="tracing",
            action="Enable Tracing",
            when="Performance issues",
            how="Enable distributed tracing",
            revert="",
            verify="",
        ),
    ),
    communication=(
        CommunicationRow(
            communication_id="status-page",
            action="Status Page Update",
            audience="Customers",
            template="We are investigating...",
        ),
        CommunicationRow(
            communication_id="slack",
            action="Slack Notification",
            audience="Engineering",
            template="@channel Incident in progress...",
        ),
        CommunicationRow(
            communication_id="email",
            action="Email to Leadership",
            audience="Executives",
            template="Executive summary from SLA report",
        ),
        CommunicationRow(
            communication_id="bridge",
            action="Bridge Call",
            audience="Cross-functional",
            template="Conference bridge for coordination",
        ),
    ),
    escalation_after=(
        timedelta(minutes=0),
        timedelta(minutes=15),
        timedelta(minutes=30),
        timedelta(minutes=60),
    ),
    escalation_methods=("Phone",),
    no_progress_after=timedelta(minutes=30),
    conditions=(
        ConditionRow(
            condition=Condition.SLA_BREACH,
            name="SLA breach",
            contacts=("VP Engineering",),
            methods=(
                "Phone",
                "Email",
            ),
        ),
        ConditionRow(
            condition=Condition.CUSTOMER_IMPACT,
            name="Customer impact",
            contacts=("Customer Success",),
            methods=(
                "Slack",
                "Email",
            ),
        ),
        ConditionRow(
            condition=Condition.DATA_LOSS_RISK,
            name="Data loss risk",
            contacts=("Security team",),
            methods=(
                "Phone",
                "Slack",
            ),
        ),
        ConditionRow(
            condition=Condition.NO_PROGRESS,
            name="No progress 30 min",
            contacts=(),
            methods=("Phone",),
        ),
        ConditionRow(
            condition=Condition.REGULATORY_IMPACT,
            name="Regulatory impact",
            contacts=(
                "Legal",
                "Compliance",
            ),
            methods=("Email (documented)",),
        ),
    ),
    reviews=(
        Review(
            review_id="debrief",
            activity="Initial debrief",
            when="Within 24 hours",
            participants="Responders",
            within=timedelta(minutes=1440),
            repeats=None,
        ),
        Review(
            review_id="postmortem",
            activity="Blameless postmortem",
            when="Within 5 days",
            participants="Team + stakeholders",
            within=timedelta(minutes=7200),
            repeats=None,
        ),
        Review(
            review_id="action-items",
            activity="Action item review",
            when="Weekly",
            participants="Team lead",
            within=None,
            repeats=Repeats.WEEKLY,
        ),
        Review(
            review_id="trend",
            activity="Trend review",
            when="Monthly",
            participants="Engineering leadership",
            within=None,
            repeats=Repeats.MONTHLY,
        ),
    ),
    metrics=(
        MetricRow(
            metric_id=MetricId.MTTD,
            metric="MTTD (Mean Time to Detect)",
            target="< 5 minutes",
            how="Alert timestamp - Issue start",
            below=timedelta(minutes=5),
            below_share=None,
        ),
        MetricRow(
            metric_id=MetricId.MTTR,
            metric="MTTR (Mean Time to Resolve)",
            target="< 2 hours",
            how="Resolution time - Alert time",
            below=timedelta(minutes=120),
            below_share=None,
        ),
        MetricRow(
            metric_id=MetricId.RECURRENCE,
            metric="Recurrence Rate",
            target="< 10%",
            how="Same root cause incidents / Total",
            below=None,
            below_share=0.1,
        ),
        MetricRow(
            metric_id=MetricId.SLA_RECOVERY,
            metric="SLA Recovery Time",
            target="< 4 hours",
            how="SLA compliance restored",
            below=timedelta(minutes=240),
            below_share=None,
        ),
    ),
    golden_path=(
        GoldenStep(
            step_id="acknowledge",
            start=0,
            end=2,
            title="Acknowledge",
            record="",
            notify=(),
            task="Take the incident and tell the team.",
        ),
        GoldenStep(
            step_id="identify",
            start=2,
            end=5,
            title="Identify Breach",
            record="Which SLA(s) breached?",
            notify=(),
            task="Which SLAs are breached, which repos and customers are hit?",
        ),
        GoldenStep(
            step_id="root-cause",
            start=5,
            end=8,
            title="Determine Root Cause",
            record="Primary root cause?",
            notify=(),
            task="What caused it?",
        ),
        GoldenStep(
            step_id="contain",
            start=8,
            end=12,
            title="Contain",
            record="Action Taken:",
            notify=(),
            task="Stop the harm. Nothing acts on its own: do it, then record it.",
        ),
        GoldenStep(
            step_id="escalate",
            start=12,
            end=15,
            title="Escalate & Document",
            record="Next Update ETA:",
            notify=(
                "Team Lead",
                "Engineering Manager",
                "VP Engineering (if customer-facing)",
            ),
            task="Tell those who must know, say when the next update comes, keep the evidence.",
        ),
    ),
)
"""What is in force where an organisation brings no playbook of its own."""
