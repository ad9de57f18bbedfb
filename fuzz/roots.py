"""Spoiled org-health roots, read in process: each is accepted, or refused with a documented code and one line.

`python fuzz/roots.py --number 2000 --seed 1` prints how many were accepted and refused by code. A refusal has to name the
file and be one line; a traceback, a warning, or anything left in the root is a failure, and ends the command with 1.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path

from tars_lib.cli.shell import PIPELINE, UNEXPECTED
from tars_lib.errors import TarsError
from tars_lib.exit_codes import EXIT_CODES
from tars_lib.pipeline import analyze
from tars_lib.sources.root import load_org

REPOS = ("web", "api", "db")
FILES = (
    "history.csv",
    "history/more.csv",
    "history.parquet",
    "org.yaml",
    "events.csv",
    "sla-policies.yaml",
    "alerts.yaml",
    "web/dashboard/health-dashboard.json",
    "web/trends/trend-report.json",
    "web/alerts/alerts.json",
)
HOSTILE = (
    "",
    " ",
    "NaN",
    "inf",
    "-Infinity",
    "1e308",
    "-1e308",
    "1e999",
    "5e-324",
    "9" * 400,
    "9" * 5000,
    "1_000",
    "0x10",
    "１２",
    "n" * 10_000,
    "=cmd|' /C calc'!A1",
    "<script>alert(1)</script>",
    "../../etc/passwd",
    "a\u202eb\x1b[31m\x00",
    "\ufeff",
    "2026-01-01",
    "2026-01-01T00:00:00",
    "2026-13-45T99:99:99Z",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59-14:00",
    "1767225600",
    "null",
    "true",
    "[1, 2]",
    "{a: 1}",
    "!!python/object/apply:os.system ['true']",
    "&a [*a]",
    "- - - -",
    '"',
    "'",
)
Spoil = Callable[[random.Random, Path], None]


@dataclass
class Outcome:
    """What became of the roots: how many by code, and every failure in words."""

    codes: Counter[int] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


def make_root(rng: random.Random, folder: Path) -> None:
    """A sound root of a few repos, with a random choice of its parts."""
    days = rng.randint(1, 12)
    rows = ["timestamp,repo,metric,value"]
    for day in range(days):
        for repo in REPOS:
            time = f"2026-01-{day + 1:02}T00:00:00{rng.choice(('Z', '+00:00', '+05:45'))}"
            rows += [f"{time},{repo},health_score,{rng.randint(0, 100)}", f"{time},{repo},requests_total,1000"]
            rows += [
                f"{time},{repo},requests_failed,{rng.randint(0, 50)}",
                f"{time},{repo},latency_p95,{rng.random():.3f}",
            ]
    contents = {
        "history.csv": rng.choice(("\n", "\r\n")).join(rows) + "\n",
        "history/more.csv": "timestamp,repo,metric,value\n2026-02-01T00:00:00Z,web,lead_time,3\n",
        "org.yaml": "name: Acme\nrepos: {web: {customer_facing: true, tier: 1, tags: [a]}, api: {team: t}}\n"
        "dependencies: [{from: web, to: api}]\nmetrics: {queue: {unit: count, higher_is_better: false, minimum: 0}}\n",
        "events.csv": "timestamp,repo,kind,title,ref,until\n2026-01-02T00:00:00Z,web,deploy,Version 2,r1,\n"
        "2026-01-03T00:00:00Z,,maintenance,Upgrade,,2026-01-03T01:00:00Z\n",
        "sla-policies.yaml": "policies:\n  - {sla_id: a, sla_type: t, good: {total: requests_total, bad: requests_failed}, "
        "objective: 0.99, period_days: 7}\n  - {sla_id: l, sla_type: t, metric: latency_p95, objective: 0.5, window: 3d}\n",
        "alerts.yaml": "rules:\n  - {metric: latency_p95, comparison: '>', threshold: 0.8, for: 15m, severity: high}\n",
        "web/dashboard/health-dashboard.json": json.dumps(
            {
                "repository_score": 80,
                "critical_issues": 1,
                "scan_timestamp": "2026-01-04T12:00:00Z",
                "repository_name": "Web",
            }
        ),
        "web/trends/trend-report.json": json.dumps(
            {
                "overall_trend": "STABLE",
                "history": [{"timestamp": f"2025-12-{d:02}T00:00:00Z", "score": 70} for d in (1, 2)],
            }
        ),
        "web/alerts/alerts.json": json.dumps(
            {"total_alerts": 1, "alerts": [{"severity": "high", "title": "x", "timestamp": "2026-01-04T00:00:00Z"}]}
        ),
    }
    kept = ["history.csv", *(name for name in list(contents)[1:] if rng.random() < 0.5)]
    for name in kept[rng.random() < 0.1 :]:
        write(folder / name, contents[name].encode())
    if rng.random() < 0.15:
        write_parquet(folder / "history.parquet")


def write(path: Path, content: bytes) -> None:
    """A file with the folders above it; what stands in its place is removed and never written through."""
    _make_way(path.parent)
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove(path)
    with path.open("xb") as file:
        file.write(content)


def _make_way(folder: Path) -> None:
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        folder.unlink()


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def write_parquet(path: Path) -> None:
    """A history of two samples."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    write(path, b"")
    times = ["2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z"]
    pq.write_table(
        pa.table({"timestamp": times, "repo": ["web"] * 2, "metric": ["latency"] * 2, "value": [0.1, 0.2]}), path
    )


def _some(rng: random.Random, folder: Path) -> Path:
    there = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return rng.choice(there) if there else folder / "history.csv"


def truncate(rng: random.Random, folder: Path) -> None:
    path = _some(rng, folder)
    content = _content(path)
    write(path, content[: rng.randrange(len(content) + 1)])


def flip(rng: random.Random, folder: Path) -> None:
    path = _some(rng, folder)
    content = bytearray(_content(path) or b"x")
    for _ in range(rng.randint(1, 8)):
        content[rng.randrange(len(content))] = rng.randrange(256)
    write(path, bytes(content))


def splice(rng: random.Random, folder: Path) -> None:
    path = _some(rng, folder)
    content = _content(path)
    first, last = sorted(rng.randrange(len(content) + 1) for _ in range(2))
    added = rng.choice(
        (b"", content[first:last] * 2, rng.choice(HOSTILE).encode(), b"\x00", b"\r", b"\n\n", b'"', b"\xff\xfe")
    )
    write(path, content[:first] + added + content[last if rng.random() < 0.5 else first :])


def recode(rng: random.Random, folder: Path) -> None:
    path = _some(rng, folder)
    text = _content(path).decode("utf-8", "replace")
    write(path, text.encode(rng.choice(("utf-16", "utf-16-be", "utf-32", "utf-8-sig", "cp037", "utf-7")), "replace"))


def replace_field(rng: random.Random, folder: Path) -> None:
    """One field of a table, or one token of YAML or JSON, becomes something else."""
    path = _some(rng, folder)
    text = _content(path).decode("utf-8", "replace")
    mark = "," if path.suffix == ".csv" else rng.choice((",", ":", "{", "["))
    parts = text.split(mark)
    place = rng.randrange(len(parts))
    tail = parts[place].partition("\n")[2] if path.suffix == ".csv" and rng.random() < 0.7 else ""
    parts[place] = rng.choice(HOSTILE) + ("\n" + tail if tail else "")
    write(path, mark.join(parts).encode("utf-8", "replace"))


def repeat_rows(rng: random.Random, folder: Path) -> None:
    """Rows twice, some with another value: duplicates and conflicts."""
    path = folder / "history.csv"
    rows = _content(path).decode("utf-8", "replace").splitlines()
    chosen = [rng.choice(rows) for _ in range(rng.randint(1, 5))] if rows else []
    if rng.random() < 0.5:
        chosen = [row.rpartition(",")[0] + f",{rng.choice(HOSTILE)}" for row in chosen]
    write(path, ("\n".join(rows + chosen) + "\n").encode("utf-8", "replace"))


def naive_times(rng: random.Random, folder: Path) -> None:
    path = folder / rng.choice(("history.csv", "events.csv"))
    text = _content(path).decode("utf-8", "replace")
    write(path, text.replace("Z,", ",", rng.randint(1, 1000)).encode("utf-8", "replace"))


def nest(rng: random.Random, folder: Path) -> None:
    depth = rng.choice((40, 60, 120, 1_500, 100_000))
    name = rng.choice(FILES[3:])
    opened, closed = ('{"a":', "}") if rng.random() < 0.5 else ("[", "]")
    inner = "1" if opened == '{"a":' else ""
    ends = closed * (depth if rng.random() < 0.8 else 0)
    write(folder / name, (rng.choice(("", '{"alerts": ', '{"history": ')) + opened * depth + inner + ends).encode())


def bomb(rng: random.Random, folder: Path) -> None:
    """A billion laughs, a repeated key, many documents, or a tag that would run code."""
    laughs = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 30))
    texts = (
        laughs,
        "x: &x\n  <<: *x\n",
        "name: a\nname: b\n",
        "---\na: 1\n---\nb: 2\n" * 5,
        "name: !!python/object/apply:os.system ['true']\n",
        "name: !!python/name:os.system\n",
        "? {a: 1}\n: 2\n",
        "? [a, b]\n: 2\n",
        "repos: {web: {tier: 1e400}}\n",
        "repos: {2026-01-01: {}, true: {}, 1.5: {}, ~: {}}\n",
        "policies: [{sla_id: x, sla_type: t, metric: latency, objective: 1, window: 99999w}]\n",
        "policies: [{sla_id: x, sla_type: t, metric: latency, objective: 1, time_zone: ../../etc/passwd}]\n",
        "apiVersion: openslo/v1\nkind: SLO\nmetadata: {name: [1]}\nspec: 3\n",
        'name: "\\ud800"\n',
        "name: " + "n" * rng.choice((900, 10_000, 30_000)) + "\n",
        "%YAML 9.9\n---\na\n",
        "name: 0b" + "1" * 10_000 + "\n",
        "name: 1:" + ":59" * 5_000 + "\n",
    )
    write(folder / rng.choice(("org.yaml", "sla-policies.yaml", "alerts.yaml")), rng.choice(texts).encode())


def spoil_json(rng: random.Random, folder: Path) -> None:
    """A value of an artefact becomes another one of any type."""
    path = folder / rng.choice(FILES[7:])
    values = (
        None,
        True,
        -1,
        0,
        1e308,
        10**400,
        "x",
        "\ud800",
        "n" * 10_000,
        [],
        {},
        [[]],
        {"a": []},
        "2026-01-01T00:00:00",
    )
    try:
        content = json.loads(_content(path))
    except (ValueError, RecursionError):
        content = {}
    if not isinstance(content, dict | list):
        content = {}
    for _ in range(rng.randint(1, 3)):
        holder = content
        for _ in range(rng.randint(0, 2)):
            inner = [
                value
                for value in (holder.values() if isinstance(holder, dict) else holder)
                if value and isinstance(value, dict | list)
            ]
            holder = rng.choice(inner) if inner else holder
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        key = rng.choice([*keys, "alerts"]) if isinstance(holder, dict) else rng.choice(keys or [0])
        if isinstance(holder, dict) or keys:
            holder[key] = deepcopy(rng.choice(values))
    text = (
        json.dumps(content)
        if rng.random() < 0.9
        else json.dumps(content).replace("1", rng.choice(("NaN", "Infinity", "-0", "1e5")))
    )
    write(path, text.encode())


def exchange(rng: random.Random, folder: Path) -> None:
    """A folder, a link or a pipe in place of a file."""
    path = folder / rng.choice(FILES)
    _make_way(path.parent)
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove(path)
    kind = rng.choice(("folder", "out", "nowhere", "circle", "pipe", "file for folder"))
    if kind == "folder" or os.name == "nt":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "file for folder":
        write(folder / "history", b"x")
    else:
        decoy = folder.parent / "decoy"
        decoy.write_bytes(b"timestamp,repo,metric,value\n")
        path.symlink_to({"out": decoy, "nowhere": "gone", "circle": path.name}[kind])


def empty(rng: random.Random, folder: Path) -> None:
    write(
        _some(rng, folder),
        rng.choice((b"", b"\n", b" ", b"\xef\xbb\xbf", b"timestamp,repo,metric,value\n", b"null", b"[]", b"{}")),
    )


def lose(rng: random.Random, folder: Path) -> None:
    """A column or a part of the root is gone."""
    path = _some(rng, folder)
    if path.suffix == ".csv" and rng.random() < 0.7:
        rows = [row.split(",") for row in _content(path).decode("utf-8", "replace").splitlines()]
        column = rng.randrange(max((len(row) for row in rows), default=1))
        write(path, "\n".join(",".join(row[:column] + row[column + 1 :]) for row in rows).encode("utf-8", "replace"))
    else:
        _remove(path)


def far_values(rng: random.Random, folder: Path) -> None:
    """Numbers and times at the edges, which are accepted and have to be computed with."""
    value = rng.choice(("1e30", "-1e30", "1e-300", "5e-324", "0", "1e15", "123456789.123456789"))
    time = rng.choice(
        ("1970-01-01T00:00:00Z", "2199-12-31T00:00:00Z", "2026-01-01T00:00:00.000001Z", "2026-01-02T00:00:00Z")
    )
    metric = rng.choice(("queue", "latency_p95", "lead_time", "deployment_frequency", "own"))
    rows = "".join(f"{time},{repo},{metric},{value}\n" for repo in REPOS)
    write(folder / "history" / "far.csv", f"timestamp,repo,metric,value\n{rows}".encode())


def _content(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() and not path.is_symlink() else b""


SPOILS: tuple[Spoil, ...] = (
    truncate,
    flip,
    splice,
    recode,
    replace_field,
    replace_field,
    repeat_rows,
    naive_times,
    nest,
    bomb,
    spoil_json,
    spoil_json,
    exchange,
    empty,
    lose,
    far_values,
)


def spoil(seed: int, folder: Path) -> None:
    """Make the root of a seed: a sound one with one to three faults."""
    rng = random.Random(seed)  # noqa: S311 - a choice that can be repeated, and no secret
    folder.mkdir()
    make_root(rng, folder)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        rng.choice(SPOILS)(rng, folder)


def judge(seed: int, folder: Path, outcome: Outcome, *, is_whole: bool) -> None:
    """Read a root, and run the engines on it where that is asked for; note the code, and what should not be."""
    before = _listing(folder.parent)
    zone = "Europe/Berlin" if seed % 3 == 0 else None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            org = load_org(folder, assume_tz=zone)
            code = analyze(org).exit_code if is_whole else 0
    except TarsError as error:
        code, said = PIPELINE.of(error), str(error)
        if "\n" in said or len(said) > 1_000:
            outcome.failures.append(f"root {seed}: not one short line: {said[:300]!r}")
        if not _names_a_place(said, folder):
            outcome.failures.append(f"root {seed}: names no file: {said[:300]!r}")
    except Exception as error:  # noqa: BLE001 - whatever else comes is what is looked for
        code = UNEXPECTED
        outcome.failures.append(f"root {seed}: {type(error).__name__}: {str(error)[:300]}")
    if code not in EXIT_CODES:
        outcome.failures.append(f"root {seed}: code {code} is not documented")
    if _listing(folder.parent) != before:
        outcome.failures.append(f"root {seed}: something was written")
    outcome.codes[code] += 1


def _names_a_place(said: str, folder: Path) -> bool:
    return (
        any(said.startswith((name, "history")) for name in FILES)
        or str(folder) in said
        or said.startswith(("we", "Acme"))
    )


def _listing(folder: Path) -> list[tuple[str, int]]:
    return sorted((str(path), path.lstat().st_size) for path in folder.rglob("*"))


def run(number: int, first: int, *, whole_every: int = 10, keep: Path | None = None) -> Outcome:
    """Make and read `number` roots; the engines run on one in `whole_every`."""
    outcome = Outcome()
    for seed in range(first, first + number):
        with tempfile.TemporaryDirectory(prefix="spoiled-") as made:
            folder = Path(made) / "org-health"
            spoil(seed, folder)
            failed = len(outcome.failures)
            judge(seed, folder, outcome, is_whole=seed % whole_every == 0)
            if keep is not None and len(outcome.failures) > failed:
                shutil.copytree(folder, keep / str(seed), symlinks=True, dirs_exist_ok=True)
    return outcome


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--number", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1, help="that of the first root; the others count up")
    parser.add_argument("--whole-every", type=int, default=10, help="run the engines on one root in so many")
    parser.add_argument("--keep", type=Path, help="copy roots that failed here")
    given = parser.parse_args()
    outcome = run(given.number, given.seed, whole_every=given.whole_every, keep=given.keep)
    refused = {code: count for code, count in sorted(outcome.codes.items()) if code in (93, 94, 95)}
    accepted = given.number - sum(refused.values()) - outcome.codes[UNEXPECTED]
    words = ", ".join(f"{code}: {count}" for code, count in refused.items())
    print(f"{given.number} spoiled roots: {accepted} accepted, refused {words}; {len(outcome.failures)} failures")
    for failure in outcome.failures[:50]:
        print(f"  {failure}")
    return 1 if outcome.failures else 0


if __name__ == "__main__":
    sys.exit(main())
