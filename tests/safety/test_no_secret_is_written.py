"""What stands in the environment alone appears in no file, no output, no log and no notebook of any command."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote

import nbformat
import pytest
from safety_samples import SECRETS, Session, readings

from tars_lib.cli.main import commands
from tars_lib.reports.notebooks.execute import run_notebook

# on Python 3.11 and 3.12 apprise imports a module that later ones have not
pytestmark = [
    pytest.mark.xdist_group("hostile names"),
    pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning"),
]


@pytest.mark.slow
def test_no_secret_of_the_environment_is_in_any_file(session: Session) -> None:
    seen = 0
    for path in sorted(session.folder.rglob("*")):
        if path.is_file():
            seen += 1
            text = readings(path)
            found = [secret for secret in session.secrets if secret in text or quote(secret, safe="") in text]
            assert not found, f"{path.relative_to(session.folder)}: {found}"
    assert seen > 100


@pytest.mark.slow
def test_no_secret_of_the_environment_is_printed_or_logged(session: Session) -> None:
    for command, _, output in session.calls:
        found = [secret for secret in session.secrets if secret in output or quote(secret, safe="") in output]
        assert not found, f"{command}: {found}"


@pytest.mark.slow
def test_every_command_that_writes_was_called(session: Session) -> None:
    called = {words.split()[0] for words, _, _ in session.calls}
    # a demo is a run and a report; the playbook command shows what is packaged; what packs and serves builds on these
    assert {
        "run",
        "report",
        "incident",
        "notify",
        "bundle",
        "watch",
        "metrics",
        "review",
        "diff",
        "retention",
    } <= called
    assert called <= set(commands())


@pytest.mark.slow
@pytest.mark.usefixtures("kernels")
def test_a_notebook_does_not_see_the_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    cell = nbformat.v4.new_code_cell("import os; print(sorted(os.environ.items()))")  # type: ignore[no-untyped-call]
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), tmp_path / "n.ipynb")  # type: ignore[no-untyped-call]
    made = run_notebook(str(tmp_path / "n.ipynb"), {}, tmp_path / "out.ipynb", cwd=tmp_path)
    text = made.read_text(encoding="utf-8")
    assert "PATH" in text
    assert os.environ["PATH"].split(os.pathsep)[0] in text
    assert not [name for name in SECRETS if name in text]
    assert "s3cr3t" not in text
