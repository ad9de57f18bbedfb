"""A pull that is killed between two of its files: what is there can be read, and the next pull mends it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from tars_lib.cli.main import cli

_DRIVER = '''
import os, shutil, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from tars_lib.pipeline.loading import load_org
from tars_lib.pipeline.pulling.pull import World, pull
from tars_lib.pipeline.pulling.ranges import Range

rename = Path.replace
whole = Range(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 4, tzinfo=UTC))

def killed_at(root, number):
    """Whether a pull of which the process dies before the rename of that number was killed."""
    process = os.fork()
    if not process:
        seen = []
        def replace(self, target):
            seen.append(target)
            if len(seen) > number:
                os.kill(os.getpid(), signal.SIGKILL)
            return rename(self, target)
        Path.replace = replace
        error = pull(root, whole, (), World({}))[0].error
        os._exit(1 if error else 0)
    status = os.waitpid(process, 0)[1]
    if not os.WIFSIGNALED(status):
        assert status == 0, status
    return os.WIFSIGNALED(status)

template, number = Path(sys.argv[1]), 0
while True:
    root = template.with_name(f"killed-{number}")
    shutil.copytree(template, root)
    if not killed_at(root, number):
        break
    load_org(root)
    assert not killed_at(root, 99)
    number += 1
print(number)
'''


@pytest.mark.skipif(not hasattr(os, "fork"), reason="SIGKILL and fork are of POSIX")
@pytest.mark.usefixtures("forked_code")
@pytest.mark.parametrize("had", [False, True])
def test_the_next_pull_mends_one_that_was_killed_between_two_renames(tmp_path: Path, had: bool) -> None:
    template = tmp_path / "template"
    (template / "web").mkdir(parents=True)
    (template / "history.csv").write_text("timestamp,repo,metric,value\n2026-01-01T00:00:00Z,web,health_score,70\n")
    _lake(tmp_path / "lake.parquet")
    source = (
        "{name: lake, kind: parquet, url: ../lake.parquet, columns: {repo: service}, metrics: {load: {unit: ratio}}}"
    )
    (template / "sources.yaml").write_text(f"sources:\n- {source}\n")
    if had:  # samples of an earlier pull that asked for something else: none of them may stay beside the new ones
        _pull(template, "--since", "2026-01-01T00:00Z", "--until", "2026-01-02T00:00Z")
        (template / "sources.yaml").write_text(
            f"sources:\n- {source.replace('unit: ratio', 'unit: ratio, maximum: 9')}\n"
        )
    done = subprocess.run([sys.executable, "-c", _DRIVER, template], capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("3\n", 0), done.stderr  # org.yaml, the samples, the record
    last = tmp_path / "killed-3"
    for number in range(3):
        root = tmp_path / f"killed-{number}"
        assert (root / "org.yaml").read_bytes() == (last / "org.yaml").read_bytes()
        assert pq.read_table(root / "history/lake.parquet").equals(pq.read_table(last / "history/lake.parquet"))
        told, wanted = (json.loads((one / "pulled.json").read_text())["sources"]["lake"] for one in (root, last))
        assert {**told, "pulled_at": 0, "notes": 0} == {**wanted, "pulled_at": 0, "notes": 0}


def _lake(path: Path) -> None:
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    rows = 72
    pq.write_table(
        pa.table(
            {
                "timestamp": pa.array([begin + timedelta(hours=n) for n in range(rows)], pa.timestamp("us", "UTC")),
                "service": ["web"] * rows,
                "metric": ["load"] * rows,
                "value": [n / rows for n in range(rows)],
            }
        ),
        path,
    )


def _pull(root: Path, *options: str) -> None:
    done = CliRunner().invoke(cli, ["pull", "--root", str(root), *options])
    assert done.exit_code == 0, done.output
