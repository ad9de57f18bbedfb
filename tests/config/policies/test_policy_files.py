"""Policies over several files and folders: what is found, what refers to what, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from org_samples import RootBuilder, counts

from tars_lib.cli.main import cli
from tars_lib.config.sla_policies import read_policy_paths
from tars_lib.errors import ConfigError, InputError

NATIVE = (
    "policies: [{{sla_id: {}, sla_type: t, good: {{total: requests_total, bad: requests_failed}}, objective: 0.9}}]\n"
)
SLI = """
apiVersion: openslo/v1
kind: SLI
metadata: {name: served}
spec:
  ratioMetric:
    bad: {metricSource: {spec: {query: 'rate(bad[5m])'}}}
    total: {metricSource: {spec: {query: 'rate(all[5m])'}}}
"""
SLO = """
apiVersion: openslo/v1
kind: SLO
metadata: {name: web}
spec:
  service: web
  indicatorRef: served
  timeWindow: [{duration: 7d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.9}]
"""
MAP = "'rate(bad[5m])': requests_failed\n'rate(all[5m])': requests_total\n"


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_yaml", ".yaml").replace("_yml", ".yml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def root(tmp_path: Path) -> RootBuilder:
    return RootBuilder(tmp_path / "root").add(counts("web", [1000] * 30, [10] * 30))


def test_a_folder_in_the_root_is_read_with_the_file_beside_it(root: RootBuilder) -> None:
    for path, text in (
        ("sla-policies.yaml", NATIVE.format("one")),
        ("sla-policies/two.yaml", NATIVE.format("two")),
        ("sla-policies/slo/web.yml", SLO),
        ("sla-policies/sli/served.yaml", SLI),
        ("sla-policies/slo-metrics.yaml", MAP),
        ("sla-policies/README.md", "not a policy"),
        ("sla-policies/.hidden.yaml", "not: a policy"),
    ):
        root.file(path, text)
    org = root.load()
    assert {policy.sla_id for policy in org.policies} == {"one", "two", "web"}
    assert org.policies_from == "sla-policies.yaml, sla-policies"
    assert {file.path for file in org.inputs} >= {"sla-policies/sli/served.yaml", "sla-policies/slo-metrics.yaml"}


def test_the_map_may_stand_in_the_root(root: RootBuilder) -> None:
    root.file("sla-policies.yaml", f"{SLO}---{SLI}").file("slo-metrics.yaml", MAP)
    (policy,) = root.load().policies
    assert policy.needs == ("requests_total", "requests_failed")


def test_what_is_given_takes_the_place_of_the_roots_own(root: RootBuilder, tmp_path: Path) -> None:
    root.file("sla-policies.yaml", NATIVE.format("own")).file("slo-metrics.yaml", MAP)
    given = write(tmp_path / "given", a_yaml=NATIVE.format("a"), more__slo_yaml=SLO, more__sli_yaml=SLI)
    org = root.load(sla_policy=[given / "a.yaml", given / "more"])
    assert [policy.sla_id for policy in org.policies] == ["a", "web"]


def test_the_same_file_given_twice_is_read_once(tmp_path: Path) -> None:
    given = write(tmp_path, a_yaml=NATIVE.format("a"))
    found, files = read_policy_paths([(given / "a.yaml", "a.yaml"), (given, "given")])
    assert ([policy.sla_id for policy in found.policies], files) == (["a"], [given / "a.yaml"])


def test_one_id_in_two_files_is_refused_with_both(tmp_path: Path) -> None:
    given = write(tmp_path, a_yaml=NATIVE.format("web"), b_yaml=NATIVE.format("web"))
    with pytest.raises(ConfigError, match=r"given/b.yaml: sla_id 'web' stands twice, in given/a.yaml too; each policy"):
        read_policy_paths([(given, "given")])


def test_an_empty_folder_an_empty_file_and_no_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"given: no policy file; a folder of .yaml or .yml files is needed"):
        read_policy_paths([(tmp_path, "given")])
    with pytest.raises(ConfigError, match=r"none.yaml: no such file; --sla-policy needs a policy file or a folder"):
        read_policy_paths([(tmp_path / "none.yaml", "none.yaml")])
    write(tmp_path, a_yaml="# nothing\n")
    with pytest.raises(ConfigError, match=r"given/a.yaml: a list under the key policies is needed"):
        read_policy_paths([(tmp_path, "given")])


def test_a_map_that_contradicts_another_is_refused(tmp_path: Path, root: RootBuilder) -> None:
    given = write(tmp_path / "given", a_yaml=NATIVE.format("a"), **{"slo-metrics_yaml": "'rate(bad[5m])': errors\n"})
    root.file("slo-metrics.yaml", MAP)
    with pytest.raises(ConfigError, match=r"'rate\(bad\[5m\]\)' is errors here and requests_failed before"):
        root.load(sla_policy=given)


@pytest.mark.parametrize("text", ["- a\n", "a: 3\n", "a: ''\n", "a: [b]\n"])
def test_a_map_of_another_shape_is_refused(tmp_path: Path, text: str) -> None:
    given = write(tmp_path, a_yaml=NATIVE.format("a"), **{"slo-metrics_yaml": text})
    with pytest.raises(ConfigError, match=r"slo-metrics.yaml: "):
        read_policy_paths([(given, "given")])


def test_a_link_out_of_the_root_is_refused(root: RootBuilder, tmp_path: Path) -> None:
    outside = write(tmp_path / "outside", a_yaml=NATIVE.format("a"))
    folder = tmp_path / "root" / "sla-policies"
    root.file("sla-policies/own.yaml", NATIVE.format("own"))
    (folder / "a.yaml").symlink_to(outside / "a.yaml")
    with pytest.raises((ConfigError, InputError), match=r"sla-policies/a.yaml: a link leads out of the root"):
        root.load()


def test_the_option_is_repeatable_in_run_and_sla(root: RootBuilder, tmp_path: Path) -> None:
    root.load()
    given = write(tmp_path / "given", a_yaml=NATIVE.format("a"), b__b_yaml=NATIVE.format("b"))
    options = ["--sla-policy", str(given / "a.yaml"), "--sla-policy", str(given / "b")]
    where = ["--root", str(tmp_path / "root"), "--outdir", str(tmp_path / "runs")]
    done = CliRunner().invoke(cli, ["run", *where, "--timestamp", "20260401-000000", *options])
    assert done.exit_code == 0, done.output
    report = tmp_path / "runs" / "tars-run-20260401-000000" / "org-health-report.json"
    told = CliRunner().invoke(cli, ["sla", "--org-report", str(report), "--json", *options])
    assert '"sla_id":"a"' in told.output.replace(" ", "")
    assert '"sla_id":"b"' in told.output.replace(" ", "")
