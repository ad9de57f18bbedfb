"""What YAML reads otherwise than a person meant is refused with its row and key."""

from __future__ import annotations

from pathlib import Path

import pytest

from tars_lib.config.org import read_org_config
from tars_lib.config.sla_policies import read_policies
from tars_lib.errors import ConfigError, InputError
from tars_lib.files.reading import parse_json

POLICY = "policies:\n  - sla_id: a\n    sla_type: t\n    metric: latency_p95\n    objective: 0.5\n    "


def read(tmp_path: Path, line: str) -> None:
    path = tmp_path / "sla-policies.yaml"
    path.write_text(POLICY + line + "\n", encoding="utf-8")
    read_policies(path, path.name)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("warning: true", r"policies.0.warning: a number is needed; true, yes and on are truth values"),
        ("priority: yes", r"policies.0.priority: a number is needed"),
        ("period_days: on", r"policies.0.period_days: a number is needed"),
        ("window: true", r"policies.0.window: a number is needed"),
        ("period_days: 030", r"row 6: period_days: '030' begins with 0, .*; write 30"),
        ("period_days: -010", r"row 6: period_days: '-010' begins with 0, .*; write 10"),
        ("repos: [007]", r"row 6: '007' begins with 0, .* or quotes if it is a name"),
        ("window: 1:30", r"row 6: window: '1:30' is a number to base 60"),
        ("warning: 1:30.5", r"row 6: warning: '1:30.5' is a number to base 60"),
        ("sla_name: no", r"policies.0.sla_name: text is needed"),
        ("objective: 0.7", r"row 6: not valid YAML: key 'objective' stands twice, first in row 5"),
        ("warning: .nan", r"policies.0.warning: a finite number is allowed"),
    ],
)
def test_a_value_that_is_read_otherwise_than_it_is_meant_is_refused(tmp_path: Path, line: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read(tmp_path, line)


@pytest.mark.parametrize("line", ["period_days: 30", "warning: 0", "warning: 0.08", "warning: '0.9'"])
def test_numbers_in_their_usual_spellings_are_read(tmp_path: Path, line: str) -> None:
    read(tmp_path, line)


def test_a_truth_value_stays_one_where_one_is_meant(tmp_path: Path) -> None:
    path = tmp_path / "org.yaml"
    path.write_text("repos: {web: {customer_facing: yes, tier: 1}}\n", encoding="utf-8")
    assert read_org_config(path, path.name).repos[0].customer_facing
    path.write_text("repos: {web: {customer_facing: yes, tier: true}}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"repos.web.tier: a number is needed"):
        read_org_config(path, path.name)


def test_an_objective_of_the_organisation_that_stands_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "org.yaml"
    slo = "{slo_id: fleet, measure: aggregate_score, objective: 80}"
    path.write_text(f"slos: [{slo}, {slo}]\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="slos: slo_id 'fleet' stands twice"):
        read_org_config(path, path.name)


def test_a_key_that_stands_twice_in_json_is_refused_with_both_values() -> None:
    with pytest.raises(InputError, match=r"a.json: .*key 'score' stands twice in one object, as 90, 40"):
        parse_json('{"x": [{"score": 90, "score": 40}]}', "a.json")
    assert parse_json('[{"score": 1}, {"score": 2}]', "a.json") == [{"score": 1}, {"score": 2}]


def test_objectives_in_the_form_of_the_predecessor_are_refused_with_the_form_that_is_meant(tmp_path: Path) -> None:
    path = tmp_path / "org.yaml"
    path.write_text("slo_policies: [{name: Fleet, target: 80}]\n", encoding="utf-8")
    with pytest.raises(
        ConfigError, match=r"org.yaml: slo_policies is a form of the predecessor's; write .* under slos"
    ):
        read_org_config(path, path.name)
