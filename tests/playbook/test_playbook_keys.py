"""Every key of the playbook, when an organisation changes it, changes what somebody is told or shown."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from case_samples import FULL, OPENED, at
from click.testing import CliRunner

from tars_lib.cli.main import cli
from tars_lib.findings.exit_codes import EXIT_CODES
from tars_lib.incidents.response.checklist import suggested
from tars_lib.incidents.response.opening import by_hand, open_incident
from tars_lib.incidents.store.record import Incident
from tars_lib.incidents.views.clocks import respond_clock
from tars_lib.incidents.views.golden_path import golden_path
from tars_lib.model.names import CauseType, ContainmentType, Severity
from tars_lib.playbook.actions import suggest
from tars_lib.playbook.config import read_playbook
from tars_lib.playbook.deadlines import deadlines
from tars_lib.playbook.decision_tree import classify
from tars_lib.playbook.documents.communication import messages
from tars_lib.playbook.documents.postmortem import review_deadlines
from tars_lib.playbook.escalation import escalate
from tars_lib.playbook.facts import Facts, Status
from tars_lib.playbook.metrics import measure
from tars_lib.playbook.tables import Playbook

FILE = Path(__file__).resolve().parents[2] / "parameters" / "playbook.yaml"
CONTENT: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
TRIAGE = ("triage", "cause_types", "impact_questions")
"""Sections that `tars classify` prints."""
FOR_READERS = {
    "version",
    *(f"severities.{severity.value}.{name}" for severity in Severity for name in ("description", "examples")),
    *(f"communication.{key}.action" for key in CONTENT["communication"]),
    *(f"metrics.{key}.how" for key in CONTENT["metrics"]),
    # a cascading failure is contained by the row of the containment table, which takes over how it is done
    *(f"operational.circuit-breakers.{name}" for name in ("action", "when", "revert", "verify")),
    # the page's blanks: the record fills them, and the task says what is asked for
    *(f"golden_path.{key}.record" for key, row in CONTENT["golden_path"].items() if "record" in row),
}
"""Keys that `tars playbook show` alone prints."""
# the tree and the mapping have to agree on a severity, so the two are changed together
PAIRED: dict[str, list[str]] = {}
for _branch, _row in CONTENT["decision_tree"].items():
    _group = [f"decision_tree.{_branch}.severity", *(f"exit_codes.{code}.severity" for code in _row["codes"])]
    PAIRED |= {key: [other for other in _group if other != key] for key in _group}


def leaves(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted key and value of everything that can be changed alone; the steps of a triage section are one value."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from leaves(item, f"{key}.{name}" if key else str(name))
    else:
        yield key, value


LEAVES = dict(leaves(CONTENT))


def changed(key: str, value: Any) -> Any:
    """Another value that is allowed there."""
    name = key.rpartition(".")[2]
    if key == "escalation.after":
        return ["0m", "16m", "31m", "2h"]
    if name == "below":
        return "50m"  # between what the cases took, so that the verdict is another one
    if name == "below_share":
        return 1.0
    if name in ("respond_within", "contain_within", "within", "no_progress_after"):
        return "7m"
    if name == "severity":
        return "SEV-3" if value != "SEV-3" else "SEV-2"
    if name == "codes":
        return [199]
    if name == "path":
        return "At-Risk Monitoring" if value != "At-Risk Monitoring" else "Org Risk Assessment"
    if name == "repeats":
        return "monthly" if value == "weekly" else "weekly"
    if key.startswith("triage."):
        return [*value, {"title": "One more", "points": ["Look twice"]}]
    if isinstance(value, list):
        return [*value[:-1], "Somebody else"]
    if isinstance(value, int | float):
        return value / 2 if isinstance(value, float) else value + 1
    return f"Other words than: {name}"


def override(keys: dict[str, Any]) -> str:
    """A file that says this and nothing else."""
    content: dict[str, Any] = {}
    for key, value in keys.items():
        *parents, name = key.split(".") if not key.startswith("triage.") else ("triage", key.removeprefix("triage."))
        place = content
        for parent in parents:
            place = place.setdefault(int(parent) if parent.isdigit() else parent, {})
        place[name] = value
    return yaml.safe_dump(content, sort_keys=False)


def own(folder: Path, key: str) -> Path:
    keys = {one: changed(one, LEAVES[one]) for one in [key, *PAIRED.get(key, ())]}
    if key.endswith(".codes"):
        # a code that the tree asks for has the branch's severity
        keys["exit_codes.199.severity"] = LEAVES[key.replace(".codes", ".severity")]
    path = folder / "own.yaml"
    path.write_text(override(keys), encoding="utf-8")
    return path


def cases() -> list[Facts]:
    """An incident in each severity, with a cause of each kind, every condition, over and not."""
    (cause,) = FULL.causes
    causes = tuple(
        replace(cause, containment_type=kind, cause_type=of, metric="latency_p95")
        for kind, of in zip(ContainmentType, (*CauseType,)[:4], strict=True)
    )
    running = replace(
        FULL, status=Status.OPEN, acknowledged_at=None, mitigated_at=None, resolved_at=None, progress_at=(),
        causes=causes, data_loss_risk=True, regulatory_impact=True,
    )  # fmt: skip
    return [FULL, *(replace(running, severity=severity) for severity in Severity)]


CASES = cases()


@pytest.fixture(scope="module")
def incidents(tmp_path_factory: pytest.TempPathFactory) -> list[Incident]:
    root = tmp_path_factory.mktemp("keys")
    return [open_incident(root, by_hand(severity, "Slow"), "ada", OPENED).incident for severity in Severity]


TIMES = (at(1), at(40), at(200), at(60 * 24 * 9))


def by_codes(playbook: Playbook, _: list[Incident]) -> list[object]:
    return [classify([code], are_ours=True, playbook=playbook) for code in EXIT_CODES]


def by_clocks(playbook: Playbook, incidents: list[Incident]) -> list[object]:
    clocks = [respond_clock(incident, playbook) for incident in incidents]
    return [clocks, [deadlines(facts, at(1), playbook) for facts in CASES], by_codes(playbook, [])]


def by_actions(playbook: Playbook, incidents: list[Incident]) -> list[object]:
    teamless = [replace(facts, repos=()) for facts in CASES]
    rows = [suggested((), incident.severity, (), (), playbook) for incident in incidents]
    return [rows, [suggest(facts, at(5), playbook) for facts in (*CASES, *teamless)]]


def by_texts(playbook: Playbook, _: list[Incident]) -> list[object]:
    return [messages(facts, playbook=playbook) for facts in CASES]


def by_rungs(playbook: Playbook, _: list[Incident]) -> list[object]:
    return [escalate(facts, now, playbook) for facts in CASES for now in TIMES]


def by_reviews(playbook: Playbook, _: list[Incident]) -> list[object]:
    return [review_deadlines(CASES[0], now, playbook) for now in TIMES]


def by_metrics(playbook: Playbook, _: list[Incident]) -> list[object]:
    again = replace(FULL, incident_id="INC-202601051500", opened_at=at(30))
    return [measure([*CASES, again], at(500), playbook)]


def by_path(playbook: Playbook, incidents: list[Incident]) -> list[object]:
    return [golden_path(incident, now, playbook) for incident in incidents for now in TIMES]


SAYS: dict[str, Callable[[Playbook, list[Incident]], list[object]]] = {
    "severities": by_clocks,
    "exit_codes": by_codes,
    "decision_tree": by_codes,
    "otherwise": by_codes,
    "containment": by_actions,
    "operational": by_actions,
    "monitoring": by_actions,
    "communication": by_texts,
    "escalation": by_rungs,
    "reviews": by_reviews,
    "metrics": by_metrics,
    "golden_path": by_path,
}
"""Section: what is said by it."""


def test_every_key_stands_in_one_section_or_the_other() -> None:
    assert set(LEAVES) >= FOR_READERS
    assert set(CONTENT) == {"version", *SAYS, *TRIAGE}


@pytest.mark.parametrize("section", SAYS)
def test_changing_one_key_changes_what_is_said(tmp_path: Path, incidents: list[Incident], section: str) -> None:
    told = SAYS[section]
    before = told(read_playbook().playbook, incidents)
    assert told(read_playbook().playbook, incidents) == before, "the comparison is of no use where nothing is changed"
    silent = []
    for key in LEAVES:
        if key.partition(".")[0] == section:
            playbook = read_playbook(own(tmp_path, key)).playbook
            if told(playbook, incidents) == before:
                silent.append(key)
    assert sorted(silent) == sorted(key for key in FOR_READERS if key.partition(".")[0] == section)


@pytest.mark.parametrize("section", TRIAGE)
def test_changing_triage_changes_what_classify_prints(tmp_path: Path, section: str) -> None:
    of_path = {row["path"]: row["codes"][0] for row in CONTENT["decision_tree"].values()}

    def page(code: int, *words: str) -> str:
        done = CliRunner().invoke(cli, ["classify", "--full", "--exit-code", str(code), *words])
        assert done.exit_code == 0, done.output
        # the digest of the playbook differs with every change
        return "".join(line for line in done.stdout.splitlines() if not line.startswith("Playbook:"))

    before = {code: page(code) for code in of_path.values()}
    for key in LEAVES:
        if key.partition(".")[0] == section:
            code = of_path.get(key.removeprefix("triage."), 142)
            assert page(code, "--playbook", str(own(tmp_path, key))) != before[code], key


@pytest.mark.parametrize("key", sorted(FOR_READERS))
def test_what_only_readers_need_is_shown_with_its_origin(tmp_path: Path, key: str) -> None:
    done = CliRunner().invoke(cli, ["playbook", "show", "--playbook", str(own(tmp_path, key)), "--json"])
    document = json.loads(done.stdout)
    value: Any = document["playbook"]
    for name in key.split("."):
        value = value[name]
    assert value == changed(key, LEAVES[key])
    assert document["origins"][key].startswith(str(tmp_path))


def test_the_packaged_file_reads_the_same_without_libyaml() -> None:
    """Where PyYAML comes without it, the stricter reader in Python has to do."""
    fast = yaml.load(FILE.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    assert fast == CONTENT


def test_a_length_of_seven_minutes_is_no_length_of_the_page() -> None:
    """Otherwise a change to it would be none."""
    assert timedelta(minutes=7) not in {row.respond_within for row in read_playbook().playbook.severities}
