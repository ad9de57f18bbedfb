"""Changing any single option of `tars bundle` changes what is printed or written.

The runs lack a report, so they are packed as partial and no kernel starts; `test_bundle_contents.py` has the others.
"""

from __future__ import annotations

import hashlib
import re
import shlex
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import click
import minisign
import pytest
from bundle_samples import NOON
from click.testing import CliRunner
from run_samples import EPOCH, RunSamples

from tars_lib.cli.bundle.create import bundle
from tars_lib.cli.main import cli
from tars_lib.evidence.gather import pages_of
from tars_lib.incidents.response.opening import by_hand, open_incident
from tars_lib.model.names import Severity

ID = "INC-202601051200"
FILE = "release/executive/tars-evidence-{name}.zip"
RUN, OTHER = "tars-run-20260105-143000", "tars-run-20260105-150000"
ZIP = FILE.format(name=RUN)
TRIED: dict[str, tuple[str, dict[str, str]]] = {
    "create": (
        f"--run-dir {RUN} --allow-partial",
        {
            "--run-dir": f"=--run-dir {OTHER} --allow-partial",
            "--before": f"--before {OTHER}",
            "--after": f"--after {OTHER}",
            "--incident": f"--incident {ID}",
            "--incidents-dir": f"=--incident {ID} --incidents-dir elsewhere",
            "--playbook": "--playbook own.yaml",
            "--bundle-name": "--bundle-name b",
            "--output-dir": "--output-dir o",
            "--sign-key": "--sign-key key.sec",
            "--gpg-key": "--gpg-key nobody@example.org",
            "--timestamp-url": "--timestamp-url http://127.0.0.1:1/",
            "--redact": "--redact none.yaml",
            "--allow-partial": f"=--run-dir {RUN}",
            "--verbose": f"=--run-dir {RUN} --verbose",
            "--quiet": "--quiet",
        },
    ),
    "verify": (
        ZIP,
        {
            "--public-key": "--public-key key.pub",
            "--timestamp-cert": "--timestamp-cert key.pub",
            "--head": f"--head 'INC-202601051430 entry 1 sha256 {'0' * 64}'",
            "--strict": "=anew.zip --strict",
            "--incidents-dir": "--incidents-dir file",
            "--no-record": "--no-record",
            "--json": "--json",
            "--verbose": "=none.zip --verbose",
            "--quiet": "--quiet",
        },
    ),
    "export": (
        f"{ZIP} --output out",
        {
            "--output": f"={ZIP} --output other",
            "--incidents-dir": "",
            "--verbose": "=none.zip --output out --verbose",
            "--quiet": "--quiet",
        },
    ),
    "transfer": (
        f"{ZIP} --to Legal",
        {
            "--to": f"={ZIP} --to Audit",
            "--incidents-dir": "",
            "--verbose": "=none.zip --to Legal --verbose",
            "--quiet": "--quiet",
        },
    ),
    "log": (
        ZIP,
        {
            "--incident": f"=--incident {ID}",
            "--incidents-dir": f"=--incident {ID} --incidents-dir elsewhere",
            "--json": "--json",
            "--verbose": "=--incident INC-200001010000 --verbose",
            "--quiet": "--quiet",
        },
    ),
}
"""Command: base call, and for each option what is added, or after `=` what stands in its place; empty: see below."""
NEED_A_KERNEL = {"--with-inputs", "--all"}


@pytest.fixture(scope="module")
def workspace(samples: RunSamples, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle-options") / "work"
    for number, name in enumerate((RUN, OTHER)):
        run = shutil.copytree(samples.run(("calm", "at-risk")[number]).directory, folder / name)
        (run / "org-alerts.json").unlink()
    for root in ("incidents", "elsewhere"):
        open_incident(folder / root, by_hand(Severity.SEV_2, f"Slow, says {root}"), "ada", NOON)
    (folder / "own.yaml").write_text("version: own-1\n", encoding="utf-8")
    (folder / "file").write_text("no folder", encoding="utf-8")
    pair = minisign.KeyPair.generate()
    (folder / "key.sec").write_bytes(bytes(pair.secret_key))
    (folder / "key.pub").write_bytes(bytes(pair.public_key))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        made = CliRunner().invoke(
            cli, ["bundle", "create", "--run-dir", RUN, "--allow-partial", "--output-dir", "kept"]
        )
    assert made.exit_code == 0, made.output
    with zipfile.ZipFile(folder / "kept" / Path(ZIP).name) as kept, zipfile.ZipFile(folder / "anew.zip", "w") as anew:
        for name in kept.namelist():
            anew.writestr(name, kept.read(name))
    return folder


Outcome = tuple[int, str, str, dict[str, object]]


@pytest.fixture
def call(workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Outcome]:
    """Run a command in a copy of the workspace; times and what they change are left out."""
    number = iter(range(9))
    monkeypatch.setenv("TARS_ACTOR", "ada")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", EPOCH)

    def invoke(command: str, words: str) -> Outcome:
        folder = Path(shutil.copytree(workspace, tmp_path / str(next(number))))
        monkeypatch.chdir(folder)
        kept = folder / "release" / "executive"
        if command != "create":
            shutil.move(folder / "kept", kept)
        done = CliRunner().invoke(cli, ["bundle", command, *shlex.split(words)])
        files: dict[str, object] = {}
        for path in sorted(one for one in folder.rglob("*") if one.is_file() and one.name != ".lock"):
            content = path.read_bytes()
            kind = path.suffix in (".zip", ".md") or path.name == "custody.jsonl"
            shown = (
                re.sub(rb'"(at|time|previous|sha256)": ?"[^"]*"', b"", content)
                if kind and path.suffix != ".zip"
                else content
            )
            files[path.relative_to(folder).as_posix()] = (
                hashlib.sha256(shown).hexdigest() if kind else content.count(b"\n")
            )
        plain = [
            re.sub(r"\d{4}-\d\d-\d\d[T ][\d:]+|[0-9a-f]{64}", "", said.replace(str(folder), ""))
            for said in (done.stdout, done.stderr)
        ]
        return done.exit_code, plain[0], plain[1], files

    return invoke


@pytest.fixture(scope="module")
def bases() -> dict[tuple[str, str], Outcome]:
    """What calls without the option showed, each made once."""
    return {}


def test_every_option_is_tried() -> None:
    for name, command in bundle.commands.items():
        shown = {one.opts[0] for one in command.params if isinstance(one, click.Option)}
        assert shown - NEED_A_KERNEL == set(TRIED[name][1]), name
    assert set(bundle.commands) == set(TRIED)


@pytest.mark.parametrize(
    ("command", "option"), [(name, option) for name, (_, tried) in TRIED.items() for option in tried if tried[option]]
)
def test_changing_one_option_changes_what_is_seen(
    call: Callable[[str, str], Outcome], bases: dict[tuple[str, str], Outcome], command: str, option: str
) -> None:
    base, added = TRIED[command][0], TRIED[command][1][option]
    if option in ("--verbose", "--strict"):
        base = added[1:].replace(f" {option}", "")
    elif option == "--incidents-dir" and added.startswith("="):
        base = added[1:].partition(" --incidents-dir")[0] + (" --allow-partial" if command == "create" else "")
    changed = added[1:] if added.startswith("=") else f"{base} {added}"
    if (command, base) not in bases:
        bases[command, base] = call(command, base)
        assert bases[command, base] == call(command, base), "the comparison is of no use where the same call differs"
    assert bases[command, base] != call(command, changed)


def test_more_reports_are_made_when_all_are_asked_for(samples: RunSamples) -> None:
    run = samples.run("cascade")
    few, many = pages_of(run, every_page=False), pages_of(run, every_page=True)
    assert few == ("incident_report", "executive_summary", "sla_breach")
    assert set(few) < set(many)
    assert {"propagation", "cross_repo_anomaly"} <= set(many)
