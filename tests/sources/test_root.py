"""A root as a whole: who belongs to it, what was read, what was chosen."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from pathlib import Path

import pytest
from org_samples import DAILY, HEADER, T0, RootBuilder, series

from tars_lib.errors import ConfigError, InputError, NoRepositoriesError
from tars_lib.model.names import ReadinessTier, RiskTier, SlaStatus
from tars_lib.model.organisation import NO_SAMPLE
from tars_lib.pipeline import analyze
from tars_lib.pipeline.loading import load_org
from tars_lib.sources.root import default_policies

ORG = """
name: Acme
repos:
  web: {name: Web shop, team: storefront, tags: [core], customer_facing: true, tier: 1, shares: [postgres-main]}
  silent: {}
dependencies: [{from: web, to: api}, {from: web, to: elsewhere}]
metrics:
  queue_depth: {unit: count, higher_is_better: false, healthy: 0, unhealthy: 100}
slos: [{slo_id: floor, measure: minimum_score, objective: 60}]
"""


@pytest.fixture
def acme(root: RootBuilder) -> RootBuilder:
    return root.file("org.yaml", ORG).add(
        series("web", "health_score", [90] * 3) + series("api", "queue_depth", [5] * 3)
    )


def test_every_repo_of_history_and_description_belongs_to_the_organisation(acme: RootBuilder) -> None:
    org = acme.load()
    assert org.name == "Acme"
    assert [repo.repo for repo in org.repos] == ["api", "silent", "web"]
    assert org.history.repos == ("api", "silent", "web")
    web = org.repo("web")
    assert (web.name, web.team, web.tags, web.customer_facing, web.tier, web.shares) == (
        "Web shop", "storefront", ("core",), True, 1, ("postgres-main",)
    )  # fmt: skip
    assert [(edge.caller, edge.callee) for edge in org.dependencies] == [("web", "api")]
    assert org.metric("queue_depth").is_scored
    assert [slo.slo_id for slo in org.slos] == ["floor"]


def test_a_name_in_org_yaml_stands_before_that_of_the_artefact(acme: RootBuilder) -> None:
    board = {"repository_score": 50, "scan_timestamp": "2026-01-01T00:00:00Z", "repository_name": "From the scan"}
    acme.file("silent/dashboard/health-dashboard.json", board).file("web2/dashboard/health-dashboard.json", board)
    assert {repo.repo: repo.name for repo in acme.load().repos} == {
        "api": "api", "silent": "From the scan", "web": "Web shop", "web2": "From the scan"
    }  # fmt: skip


def test_a_root_without_a_name_is_called_by_its_folder(root: RootBuilder) -> None:
    assert root.add(series("a", "x", [1])).load().name == "org-health"


def test_every_file_that_was_read_is_listed_with_its_digest(acme: RootBuilder) -> None:
    org = acme.file("events.csv", "timestamp,repo,kind,title\n").load()
    assert [file.path for file in org.inputs] == ["org.yaml", "history.csv", "events.csv"]
    for file in org.inputs:
        assert file.sha256 == hashlib.sha256((acme.folder / file.path).read_bytes()).hexdigest()


def test_an_empty_root_has_no_repo_and_says_what_is_needed(root: RootBuilder) -> None:
    with pytest.raises(
        NoRepositoriesError, match=r"no service found; needed: history.csv, history.parquet, history/, org.yaml"
    ):
        root.load()


@pytest.mark.parametrize("make", [lambda path: None, lambda path: path.write_text("x")])
def test_a_root_that_is_no_folder_is_refused(tmp_path: Path, make: object) -> None:
    make(tmp_path / "x")  # type: ignore[operator]
    with pytest.raises(InputError, match="an org-health folder is needed"):
        load_org(tmp_path / "x")


def test_chosen_repos_are_the_only_ones(acme: RootBuilder) -> None:
    org = acme.load(repos=["web"])
    assert [repo.repo for repo in org.repos] == ["web"]
    assert org.history.value.tolist() == [90.0] * 3
    assert org.dependencies == ()


def test_choosing_a_repo_that_is_not_there_lists_those_that_are(acme: RootBuilder) -> None:
    with pytest.raises(ConfigError, match="--repos wbe: not in .*; allowed: api, silent, web"):
        acme.load(repos=["wbe", "web"])


def test_a_root_without_policies_gets_the_packaged_ones_and_says_so(acme: RootBuilder) -> None:
    org = acme.load()
    assert org.policies == default_policies()
    assert org.policies_from == "packaged defaults"
    assert "no sla-policies.yaml: the packaged default policies are used" in org.warnings


def test_a_policy_file_and_a_config_given_by_hand_stand_before_those_of_the_root(
    acme: RootBuilder, tmp_path: Path
) -> None:
    acme.file("sla-policies.yaml", "policies: []")
    assert acme.load().policies == ()
    (tmp_path / "mine.yaml").write_text("policies: [{sla_id: x, sla_type: t, metric: latency, objective: 1}]")
    (tmp_path / "org2.yaml").write_text("name: Other")
    org = acme.load(sla_policy=tmp_path / "mine.yaml", config=tmp_path / "org2.yaml")
    assert [policy.sla_id for policy in org.policies] == ["x"]
    assert (org.name, org.policies_from) == ("Other", "mine.yaml")


@pytest.mark.parametrize(
    ("option", "hint"), [("config", "--config needs an org.yaml"), ("sla_policy", "--sla-policy needs a policy file")]
)
def test_a_file_given_by_hand_must_exist(acme: RootBuilder, option: str, hint: str) -> None:
    with pytest.raises(ConfigError, match=hint):
        acme.load(**{option: acme.folder / "nope.yaml"})


def test_as_of_defaults_to_the_last_sample_and_hides_what_came_later(acme: RootBuilder) -> None:
    text = "timestamp,repo,kind,title\n2026-01-02T12:00:00Z,web,deploy,x\n"
    org = acme.file("events.csv", text).load()
    same, last = org.at(None)
    assert (same, last) == (org, T0 + 2 * DAILY)
    known, at = org.at(T0 + DAILY)
    assert (len(known.history), known.events, at) == (4, (), T0 + DAILY)


def test_as_of_before_the_first_sample_is_refused_with_the_first(acme: RootBuilder) -> None:
    with pytest.raises(InputError, match=r"before the first sample; allowed: 2026-01-01T00:00:00\+00:00 or later"):
        acme.load().at(T0 - timedelta(seconds=1))


def test_a_description_without_a_sample_is_judged_at_the_clock_and_says_so(root: RootBuilder) -> None:
    org = root.file("org.yaml", "repos: {web: {}}").load()
    known, as_of = org.at(None, T0)
    assert (as_of, known.warnings[-1]) == (T0, NO_SAMPLE)
    assert known.at(T0)[0].warnings == known.warnings
    with pytest.raises(InputError, match="no sample, alert or event at all; a time to judge at is needed"):
        org.at(None)


def test_alerts_alone_are_judged_at_the_last_of_them(root: RootBuilder) -> None:
    listed = [{"severity": "critical", "title": "Disk", "timestamp": f"2026-01-0{day}T00:00:00Z"} for day in (2, 1)]
    org = root.file("web/alerts/alerts.json", {"alerts": listed}).load()
    assert org.at(None, T0 + 2 * DAILY)[1] == T0 + DAILY
    assert [repo.repo for repo in org.repos] == ["web"]


ALERT = {"severity": "critical", "title": "Disk", "timestamp": "2026-01-01T00:00:00Z"}


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("org.yaml", "repos: {web: {}, api: {customer_facing: true}}", 96),
        ("history.csv", HEADER + "2026-01-01T00:00:00Z,a,health_score,\n", 96),
        ("web/alerts/alerts.json", {"alerts": [ALERT]}, 102),
    ],
)
def test_a_root_without_a_sample_is_judged_as_unknown(root: RootBuilder, name: str, content: object, code: int) -> None:
    analysis = analyze(root.file(name, content).load())
    assert analysis.exit_code == code
    assert analysis.health.risk_tier is RiskTier.UNKNOWN
    assert {result.status for result in analysis.sla.compliance_results} == {SlaStatus.UNKNOWN}
    assert analysis.sla.executive_readiness.tier is ReadinessTier.UNKNOWN
    assert NO_SAMPLE in analysis.health.warnings


def test_an_unknown_repo_is_named_beside_those_that_exist(acme: RootBuilder) -> None:
    with pytest.raises(InputError, match="service 'nope' is not in Acme; there are 3: api, silent, web"):
        acme.load().repo("nope")


def test_names_are_one_where_that_is_certain_and_are_told_apart_where_it_is_not(tmp_path: Path) -> None:
    builder = RootBuilder(tmp_path / "org-health")
    for repo in ("caf\u00e9", "cafe\u0301", "CAF\u00c9", "api", "\u0430pi"):
        builder.add(series(repo, "health_score", [90] * 5))
    org = builder.load()
    assert [repo.repo for repo in org.repos] == ["CAF\u00c9", "api", "caf\u00e9", "\u0430pi"]
    joined, case, alike = org.warnings[1:4]
    assert joined.startswith(r"1 repo name is read in another spelling: 'cafe\u0301' as 'caf\xe9'")
    assert case.startswith("repos 'CAF\u00c9' and 'caf\u00e9' differ only in letter case and are two")
    assert alike.startswith(r"repos 'api' and '\u0430pi' read alike and are two")


def test_calls_in_another_spelling_join_the_repos_that_they_mean(root: RootBuilder) -> None:
    root.add(series("web", "health_score", [90.0] * 5)).add(series("api", "health_score", [90.0] * 5))
    org = root.file("org.yaml", {"dependencies": [{"from": "Web", "to": "api\u200b"}]}).load()
    assert [(edge.caller, edge.callee) for edge in org.dependencies] == [("web", "api")]
    assert not [warning for warning in org.warnings if "dependencies" in warning]
