"""Lines are put into an org.yaml that people keep, and no line that stands there is changed."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tars_lib.config.org import read_org_config
from tars_lib.config.org_additions import OrgAdditions, with_additions, yaml_scalar
from tars_lib.errors import ConfigError
from tars_lib.model.names import Dependency, Repo

NEW = OrgAdditions(
    (Repo("web", "Web shop", "storefront", ("core",), tier=1), Repo("on", "on", shares=("pg", "no"))),
    (Dependency("web", "on"),),
    {"queue age": {"unit": "ms"}, "jobs": {"kind": "counter"}},
)
FORMS = {
    "nothing": "",
    "a comment": "# ours\n",
    "other keys": "name: Acme  # the name\nslos: []",
    "block": "repos:\n  api: {team: x}  # keep\nmetrics:\n  m:\n    unit: s\ndependencies:\n  - {from: api, to: db}\n",
    "block at the margin": "dependencies:\n- from: api\n  to: db\nrepos:\n    api:\n        team: x\n",
    "flow": "repos: {api: {team: x}}\nmetrics: {}\ndependencies: [{from: api, to: db}]\n",
    "empty values": "repos:\nmetrics:   # none yet\ndependencies: []\n",
    "one that is there": "repos:\n  web: {team: mine}\nmetrics:\n  jobs: {}\ndependencies: [{from: web, to: 'on'}]\n",
    "one that is empty": "repos:\n  web:\n  api: {}\n",
    "windows line ends": "repos:\r\n  api: {team: x}\r\n",
}


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS.keys())
def test_what_is_put_in_is_read_back_and_what_was_there_stays(text: str, tmp_path: Path) -> None:
    made = with_additions(text, NEW, "org.yaml")
    path = tmp_path / "org.yaml"
    path.write_text(made, encoding="utf-8", newline="")
    read = read_org_config(path, "org.yaml")
    repos = {repo.repo: repo for repo in read.repos}
    had_team = "team: mine" in text
    assert repos["web"] == Repo("web", "Web shop", "mine" if had_team else "storefront", ("core",), tier=1)
    assert repos["on"].shares == ("pg", "no")
    assert Dependency("web", "on") in read.dependencies
    assert len(read.dependencies) == len(set(read.dependencies))
    assert read.metrics["queue age"].unit == "ms"
    assert read.metrics["jobs"].kind == "counter"
    before = yaml.safe_load(text) or {}
    for key in set(before) - {"repos", "metrics", "dependencies"}:
        assert yaml.safe_load(made)[key] == before[key]
    for line in text.splitlines():
        for word in line.replace("{}", "").replace("[]", "").split():
            assert word.strip("{}[],") in made
    assert with_additions(made, NEW, "org.yaml") == made


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("repos: &all {api: {}}\nmetrics: *all\n", "metrics: has a form into which nothing can be put; add by hand: "),
        ("repos: [api]\n", "repos: has a form"),
        ("- a list\n", "a mapping is needed"),
    ],
)
def test_a_form_that_cannot_take_a_line_is_refused_with_what_is_to_be_added(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        with_additions(text, NEW, "org.yaml")


@pytest.mark.parametrize(
    "name", ["web", "no", "1", "1e5", "a: b", "#x", "", "%", "ü", "~", "a\nb", "[x]", "{x}", "null", "*x"]
)
def test_a_name_in_yaml_is_the_same_name(name: str) -> None:
    assert yaml.safe_load(f"{yaml_scalar(name)}: {yaml_scalar(name)}") == {name: name}
