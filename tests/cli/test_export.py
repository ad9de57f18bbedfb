"""`tars export`: every option changes what is written, files appear whole, refusals are one line with their code."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
import yaml
from click.testing import CliRunner
from run_samples import RunSamples

from tars_lib.cli.data.export import export
from tars_lib.cli.main import cli
from tars_lib.sources.demo import demo_root

KINDS = ("openmetrics", "prometheus-rules", "openslo")
STRICT = """
policies:
  - {sla_id: strict, sla_type: a, good: {total: requests_total, bad: requests_failed}, objective: 0.9999}
"""


def call(*words: object) -> tuple[int, str, str]:
    done = CliRunner().invoke(cli, ["export", *map(str, words)])
    return done.exit_code, done.stdout, done.stderr


@pytest.fixture
def run(samples: RunSamples) -> Path:
    return samples.run("demo").directory


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_and_its_root_say_the_same(kind: str, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1767620000")
    of_run, of_root = call(kind, "--run", run), call(kind, "--root", demo_root())
    assert of_run[0] == of_root[0] == 0
    assert of_run[1].replace(f'run="{run.name}"', 'run=""') == of_root[1]
    file = tmp_path / "new" / "made.txt"
    code, said, _ = call(kind, "--run", run, "-o", file)
    assert (code, said) == (0, f"written: {file}\n")
    assert file.read_text(encoding="utf-8") == of_run[1]
    assert [path.name for path in file.parent.iterdir()] == ["made.txt"]
    assert call(kind, "--run", run, "-o", file, "--quiet")[1] == ""


@pytest.mark.parametrize("kind", KINDS)
def test_policies_that_are_given_take_the_place_of_the_roots(kind: str, tmp_path: Path) -> None:
    policy = tmp_path / "strict.yaml"
    policy.write_text(STRICT, encoding="utf-8")
    code, said, _ = call(kind, "--root", demo_root(), "--sla-policy", policy)
    assert code == 0
    assert "strict" in said
    assert "checkout-latency" not in said


def test_times_without_a_zone_need_one(tmp_path: Path) -> None:
    rows = "".join(f"2026-01-{day:02d}T00:00:00,web,requests_total,10\n" for day in range(1, 29))
    (tmp_path / "history.csv").write_text("timestamp,repo,metric,value\n" + rows, encoding="utf-8")
    assert call("openslo", "--root", tmp_path)[0] == 95
    assert call("openslo", "--root", tmp_path, "--assume-tz", "Europe/Berlin")[0] == 0


def test_selector_and_label_say_where_series_are(run: Path) -> None:
    base = call("prometheus-rules", "--run", run)[1]
    assert "sum by (service) (rate(requests_total[5m]))" in base
    given = ("--selector", "requests_total=http{a='b'}", "--label", "repo=app")
    assert "sum by (app) (rate(http{a='b'}[5m]))" in call("prometheus-rules", "--run", run, *given)[1]


def test_the_map_of_the_root_says_where_series_are(tmp_path: Path) -> None:
    rows = "".join(f"2026-01-{day:02d}T00:00:00Z,web,failed,0\n" for day in range(1, 29))
    (tmp_path / "history.csv").write_text("timestamp,repo,metric,value\n" + rows, encoding="utf-8")
    policy = {"sla_id": "a", "sla_type": "a", "good": {"total": "all", "bad": "failed"}, "objective": 0.99}
    (tmp_path / "sla-policies.yaml").write_text(yaml.safe_dump({"policies": [policy]}), encoding="utf-8")
    queries = {"sum by (service) (increase(http_total[5m]))": "all", "sum by (service) (increase(err[5m]))": "failed"}
    (tmp_path / "slo-metrics.yaml").write_text(yaml.safe_dump(queries), encoding="utf-8")
    code, said, _ = call("prometheus-rules", "--root", tmp_path)
    assert code == 0
    assert "sum by (service) (sum by (service) (increase(err[1h])))" in said


def test_what_has_no_rule_is_named_on_stderr(tmp_path: Path) -> None:
    whole = tmp_path / "whole.yaml"
    second = STRICT.split("policies:\n")[1].replace("strict", "whole").replace("0.9999", "1")
    whole.write_text(STRICT + second, encoding="utf-8")
    words = ("prometheus-rules", "--root", demo_root(), "--sla-policy", whole)
    code, _, errors = call(*words)
    assert (code, errors) == (
        0,
        "left out: whole: an objective of 100% has no error budget to burn; no alert is made\n",
    )
    assert call(*words, "--quiet")[2] == ""


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("openslo",), 2, "Give either --run or --root."),
        (("openslo", "--run", "{run}", "--root", "x"), 2, "Give either --run or --root."),
        (("openslo", "--run", "{run}", "--assume-tz", "UTC"), 2, "go with --root"),
        (("openslo", "--root", "{tmp}/nothing"), 95, "an org-health folder is needed"),
        (("openmetrics", "--run", "{tmp}/tars-run-*"), 95, "a run directory that `tars run` wrote is needed"),
        (("openmetrics", "--root", "{tmp}"), 93, "no service found"),
        (("prometheus-rules", "--run", "{run}", "--label", "service"), 2, "allowed: repo=LABEL"),
        (("prometheus-rules", "--run", "{run}", "--label", "repo=a-b"), 94, "letters, digits and _"),
        (("prometheus-rules", "--run", "{run}", "--selector", "x"), 2, "allowed: METRIC=SELECTOR"),
        (("prometheus-rules", "--run", "{run}", "--selector", "x=y"), 94, "no SLA measures 'x'"),
        (("prometheus-rules", "--run", "{run}", "--selector", "x=y", "--selector", "x=z"), 2, "is given twice"),
    ],
)
def test_what_is_wrong_is_one_line(words: tuple[str, ...], code: int, said: str, run: Path, tmp_path: Path) -> None:
    found = call(*(word.format(run=run, tmp=tmp_path) for word in words))
    assert (found[0], found[1]) == (code, "")
    assert said in found[2]
    assert len(found[2].splitlines()) == (1 if code != 2 else len(found[2].splitlines()))


def test_every_option_is_tried_here() -> None:
    tried = {"--run", "--root", "--sla-policy", "--assume-tz", "-o", "--selector", "--label", "--quiet", "--verbose"}
    for command in export.commands.values():
        assert {one.opts[0] for one in command.params if isinstance(one, click.Option)} <= tried


def test_verbose_shows_what_was_read(run: Path, tmp_path: Path) -> None:
    assert "Traceback" not in call("openslo", "--root", tmp_path / "no")[2]
    assert "Traceback" in call("openslo", "--root", tmp_path / "no", "--verbose")[2]
