"""Objects answer in sentences: what they say is the report's own, escaped, and found with Tab."""

from __future__ import annotations

import copy
from dataclasses import fields, replace

import pytest
from IPython.core.interactiveshell import InteractiveShell
from org_samples import RootBuilder, counts, org_of, ratio, series, threshold
from run_samples import RunSamples

import tars_lib as tars
from tars_lib.engines.queries.incident_state import incident_state
from tars_lib.engines.queries.standing import RepoStanding
from tars_lib.engines.sla.report import ComplianceResult
from tars_lib.errors import InputError, TarsError, UnknownNameError
from tars_lib.files.json_records import dumps
from tars_lib.model.names import Repo, SlaStatus
from tars_lib.pipeline import Run
from tars_lib.text.counts import unexplained_text
from tars_lib.text.sentences import Told

HOSTILE = '<script>alert(1)</script>"x\u202e'


@pytest.fixture(scope="module")
def run(samples: RunSamples) -> Run:
    return samples.run("demo")


def test_why_says_verdict_value_window_interval_causes_rest_and_action(run: Run) -> None:
    told = list(tars.why(run.sla, "availability"))
    breach = next(one for one in run.sla.breaches if one.sla_id == "availability")
    cause = breach.root_causes[0]
    assert told[0] == "Availability is BREACHED in ledger: 99.68%, the objective is at least 99.9%."
    assert told[1] == "Also breached in checkout, payments, web, each judged alone."
    assert told[2].startswith("Measured over 30d, 2026-10-03 14:00 UTC to 2026-11-02 15:00 UTC: ")
    assert told[3] == "95% interval: 99.68% (99.68 – 99.69); it excludes the objective."
    assert f"Most likely cause ({cause.confidence:.0%} confidence): {cause.cause}." in told
    assert f"{unexplained_text(breach.unexplained)}." in told
    assert [line for line in told if line.startswith(("Do: ", "Verify: "))] == [
        f"{'' if action.startswith('Verify') else 'Do: '}{action}." for action in breach.recommended_actions
    ]


def test_why_of_what_is_not_known_claims_nothing(run: Run) -> None:
    told = list(tars.why(run.sla, "restore"))
    assert told[0] == "Time to restore is UNKNOWN: no service reports time_to_restore."
    assert "report time_to_restore" in told[-1]
    assert "COMPLIANT" not in str(tars.why(run.sla, "restore"))


def test_why_of_what_is_met_or_at_risk_looks_ahead(samples: RunSamples, run: Run) -> None:
    met = run.sla["search-latency"]
    assert str(tars.why(run.sla, "search-latency")).startswith(
        "Search latency, p95 is COMPLIANT: 0.197 s, the objective is at most 0.6 s"
    )
    assert f"within the period: {met.breach_probability:.0%}" in str(tars.why(run.sla, "search-latency"))
    risky = next(r for r in samples.run("at-risk").sla.compliance_results if r.status is SlaStatus.AT_RISK)
    told = str(tars.why(samples.run("at-risk").sla, risky.sla_id))
    assert f"At risk because {risky.reason}." in told
    assert "At-Risk Monitoring" in told


def test_an_explained_result_is_the_result_of_the_report(run: Run) -> None:
    for result in run.sla.compliance_results:
        found = run.sla[result.sla_id]
        assert isinstance(found, ComplianceResult)
        assert found == result
        assert result == found
        assert dumps(found) == dumps(result)
    assert run.sla["restore"] != run.sla["availability"]


def test_a_repo_says_how_it_stands_as_the_report_has_it(run: Run) -> None:
    report = {one.repo: one for one in run.health.repository_reports}
    for name in ("checkout", "web", "recommendations"):
        repo = run.org.repo(name)
        assert isinstance(repo, RepoStanding)
        assert repo.health == report[name]
        assert repo.trend is report[name].trend
    said = str(run.org.repo("checkout").told())
    assert said.startswith("checkout (Checkout), of team payments, is customer facing, tier 1; it calls payments")
    assert "Health is 25 of 100 (RED)" in said
    assert "changed from 100 to 25 at 2026-11-02 08:00 UTC" in said
    assert "SLA Availability: BREACHED, 99.7% against 99.9%." in said
    assert "deploy 'Voucher field' at 2026-10-06 08:30 UTC" in said
    assert "Health is unknown (UNKNOWN)" in str(run.org.repo("recommendations").told())


def test_verdicts_of_a_repo_alone_are_those_of_the_report(samples: RunSamples) -> None:
    for name in ("demo", "cascade"):
        run = samples.run(name)
        for result in run.sla.compliance_results:
            listed = {one.repo: one for one in result.repo_results}
            for repo in run.org.repos:
                sla = run.org.repo(repo.repo).slas.get(result.sla_id)  # type: ignore[attr-defined]
                if sla is None or (result.sla_id == "restore" and not result.judged_repos):
                    continue
                expected = listed[repo.repo].status if repo.repo in listed else SlaStatus.COMPLIANT
                assert sla.status is expected, (name, result.sla_id, repo.repo)
                if repo.repo in listed:
                    assert sla.value == listed[repo.repo].value


def test_events_of_a_repo_are_its_own_newest_first(run: Run) -> None:
    events = run.org.repo("ledger").events  # type: ignore[attr-defined]
    assert [event.title for event in events] == ["Connection pool rewrite", "Year-end accounts"]


def test_a_repo_with_its_standing_is_still_the_repo(run: Run) -> None:
    (plain,) = (repo for repo in run.org.repos if repo.repo == "web")
    asked = run.org.repo("web")
    assert asked == plain
    assert plain == asked
    assert hash(asked) == hash(plain)
    assert dumps(asked) == dumps(plain)


def test_what_is_changed_by_hand_is_a_plain_record_again(run: Run) -> None:
    renamed = replace(run.org.repo("web"), name="Shop")
    assert type(renamed) is Repo
    assert renamed.name == "Shop"


def test_copies_tell_the_same(run: Run) -> None:
    repo = run.org.repo("web")
    assert str(copy.copy(repo)) == str(repo)


def test_unknown_names_say_what_is_there(run: Run) -> None:
    for ask, said in (
        (lambda: run.org["nope"], "service 'nope' is not in Example Shop (synthetic); there are 12: accounts, cart, "),  # type: ignore[index]
        (lambda: run.sla["nope"], "SLA 'nope' is not in this report; there are: availability, checkout-latency, "),
    ):
        with pytest.raises(KeyError) as caught:
            ask()
        assert isinstance(caught.value, UnknownNameError | TarsError | InputError)
        assert str(caught.value).startswith(said)


def test_reports_and_organisations_are_sentences_in_a_console(run: Run) -> None:
    assert repr(run.org).startswith("Example Shop (synthetic): 12 services, 40,964 samples from 2026-09-28 00:00 to ")
    assert "latency_p95 (s)" in repr(run.org)
    assert repr(run.sla).splitlines()[0] == "2 of 4 SLAs breached, 1 unknown, 1 compliant."
    assert repr(run.health).startswith("HealthReport as of 2026-11-02 15:00 UTC: HIGH ORG RISK (exit code 92).")
    assert repr(run).startswith(f"{run.run_id}\n[Critical] One in six requests to ledger fails: 5,855 of 35,452 since ")
    assert all(len(repr(thing)) < 3000 for thing in (run, run.org, run.sla, run.health, run.alerts, run.temporal))


def test_a_run_and_an_analysis_show_headline_and_scorecard(run: Run) -> None:
    analysis = tars.analyze(run.org)
    for thing in (run, analysis):
        html = thing._repr_mimebundle_()["text/html"].replace("\u00a0", " ")
        assert incident_state(thing.health.history.interval, thing.sla).headline in html
        for row in run.sla.scorecard:
            assert row.sla_id.split("-")[0] in html
        assert "<script" not in html


def test_hostile_names_stay_text(root: RootBuilder) -> None:
    root.file("org.yaml", {"name": HOSTILE, "repos": {HOSTILE: {"name": HOSTILE, "team": HOSTILE}}})
    root.add(series(HOSTILE, "health_score", [90.0] * 30)).add(counts(HOSTILE, [1000.0] * 30, [50.0] * 30))
    policy = f"policies: [{{sla_id: a, sla_name: {HOSTILE!r}, sla_type: x, objective: 0.99,"
    root.file("sla-policies.yaml", policy + " good: {total: requests_total, bad: requests_failed}}]\n")
    org = root.load()
    analysis = tars.analyze(org)
    shown = [org._repr_html_(), org[HOSTILE]._repr_html_(), tars.why(analysis.sla, "a")._repr_html_()]
    shown += [analysis.sla._repr_html_(), analysis._repr_mimebundle_()["text/html"]]
    for html in shown:
        assert "<script" not in html
        assert "\u202e" not in html
        assert "&lt;script&gt;" in html.replace("<wbr>", "")


def test_what_has_no_samples_or_slas_says_so() -> None:
    bare = org_of(series("web", "queue_depth", [1.0]))
    assert "SLAs, from packaged defaults: none." in repr(bare)
    assert repr(Told(())) == ""
    silent = RepoStanding.of(
        replace(bare.repos[0], team=None), org_of(series("web", "queue_depth", [1.0] * 5), threshold())
    )
    said = str(silent.told())
    assert "Health is unknown" in said
    assert "No SLA covers it." in said
    assert "No event is recorded." in said


def test_one_repo_alone_is_judged_without_the_others() -> None:
    rows = counts("good", [1000.0] * 30, [0.0] * 30) + counts("bad", [1000.0] * 30, [100.0] * 30)
    org = org_of(rows, ratio(0.99))
    standing = {name: RepoStanding.of(org.repo(name), org).slas["availability"] for name in ("good", "bad")}
    assert (standing["good"].status, standing["good"].value) == (SlaStatus.COMPLIANT, 1.0)
    assert (standing["bad"].status, standing["bad"].value) == (SlaStatus.BREACHED, 0.9)


def test_names_and_questions_complete_with_tab(run: Run) -> None:
    from IPython.core.completer import provisionalcompleter

    shell = InteractiveShell()
    shell.user_ns.update(run=run, org=run.org)

    def offered(typed: str) -> set[str]:
        with provisionalcompleter():
            return {one.text.strip("'\"[]") for one in shell.Completer.completions(typed, len(typed))}

    assert {result.sla_id for result in run.sla.compliance_results} <= offered('run.sla["')
    assert {repo.repo for repo in run.org.repos} <= offered('org["')
    assert {"health", "trend", "events", "slas", "told"} <= offered('org["web"].')
    assert {"scope", "value", "status"} <= offered('run.sla["availability"].')
    assert {"lead_lag", "what_if", "load_org"} <= set(dir(tars))
    assert {field.name for field in fields(run.org.repo("web"))} <= set(dir(run.org.repo("web")))
