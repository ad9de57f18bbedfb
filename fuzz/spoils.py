"""Faults of an org-health root: each function does something to a root that hands, disks or attackers do."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

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
