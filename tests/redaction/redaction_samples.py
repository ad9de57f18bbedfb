"""A shop whose names are secrets and people, a run on it, and an incident in which somebody pasted a token."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from org_samples import RootBuilder, counts

from tars_lib.incidents.response.acts import Writer, acknowledge, note
from tars_lib.incidents.response.opening import from_run, open_incident
from tars_lib.pipeline import analyze, load_run, write_run
from tars_lib.pipeline.loading import load_org

START, HOUR = datetime(2026, 3, 20, tzinfo=UTC), timedelta(hours=1)
MAIL, ADDRESS, CUSTOMER, PERSON = "ada@example.com", "203.0.113.9", "cust-77-shop", "Grace Hopper"
TOKEN = "gh" + "p_" + "16C7e42F292c6912E7710c838347Ae178B4a"
SECRETS = (MAIL, ADDRESS, CUSTOMER, PERSON, TOKEN)
RULES = """
patterns: [{name: customer, regex: 'cust-\\d+(?:-\\w+)?'}]
fields:
  - {name: person, path: actor, file: timeline.jsonl, leave: [bob]}
  - {name: person, path: '*_by'}
"""


def write_case(folder: Path) -> tuple[Path, Path, Path]:
    """Root, run directory and incident."""
    hours = 204
    builder = RootBuilder(folder / "org-health")
    for repo, share in ((CUSTOMER, 0.3), ("web", 0.25), ("mail", 0.0)):
        failed = [1000 * share if hour >= hours - 6 else 1 + hour % 3 for hour in range(hours)]
        builder.add(counts(repo, [1000] * hours, failed, START, HOUR))
    builder.file(
        "org.yaml",
        f"name: Shop of {PERSON}\n"
        f"repos: {{web: {{customer_facing: true, team: {MAIL}}}, {CUSTOMER}: {{team: {MAIL}}}, mail: {{}}}}\n"
        f"dependencies: [{{from: web, to: {CUSTOMER}}}]\n",
    )
    changed = (START + (hours - 6) * HOUR - timedelta(minutes=20)).isoformat()
    builder.file(
        "events.csv", f"timestamp,repo,kind,title,ref\n{changed},{CUSTOMER},deploy,Pool by {MAIL} from {ADDRESS},v41\n"
    )
    builder.file(
        "sla-policies.yaml",
        "policies:\n  - {sla_id: availability, sla_type: availability, objective: 0.99, period_days: 2,\n"
        "     good: {total: requests_total, bad: requests_failed}}\n",
    )
    root = builder.write()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOURCE_DATE_EPOCH", "1774000000")
        run = write_run(analyze(load_org(root)), folder / "runs", timestamp="20260328-120000")
    noon = datetime(2026, 3, 28, 12, tzinfo=UTC)
    loaded = load_run(run)
    incident = (
        folder
        / "incidents"
        / open_incident(folder / "incidents", from_run(loaded), PERSON, noon, loaded).incident.incident_id
    )
    acknowledge(Writer(incident, PERSON, noon))
    note(Writer(incident, "bob", noon), f"{PERSON} used {TOKEN} at {ADDRESS}")
    note(Writer(incident, "bob", noon), "all calm")
    return root, run, incident
