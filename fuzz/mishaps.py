"""What happens to the files of an org-health root on their way: to one of which every sample is known.

A mishap changes a `Sheet` and notes which samples it touches, so that whoever reads the root knows what must stand there still.
"""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq

REPOS, START = ("web", "api", "Bücher & Co", "ledger-2"), datetime(2026, 3, 2, tzinfo=UTC)
ARTEFACT = ("edge", "health_score", START + timedelta(hours=5))
Key = tuple[str, str, datetime]


@dataclass
class Sheet:
    """A root as its rows and files, what is true of it, and which samples a fault touched."""

    rng: random.Random
    rows: list[list[str]]
    truth: dict[Key, float]
    head: list[str] = field(default_factory=lambda: ["timestamp", "repo", "metric", "value"])
    touched: set[Key] = field(default_factory=set)
    must_tell: bool = False
    """The fault makes a sound form of something else, so that a reader who takes it has to say a word."""
    separator: str = ","
    ending: str = "\n"
    encoding: str = "utf-8"
    score: str = "81.5"
    objective: str = "0.97"
    usual: set[str] = field(default_factory=set)
    """What is said of the sound root."""
    facing: str = "true"
    mangle: Callable[[bytes], bytes] = bytes
    parquet: bytes | None = None

    def key(self, row: list[str]) -> Key:
        """Which sample a row holds."""
        return row[1], row[2], datetime.fromisoformat(row[0])

    def touch(self, row: list[str]) -> list[str]:
        """Note that the sample of a row may be gone from now on."""
        self.touched.add(self.key(row))
        return row

    def pick(self, metric: str | None = None) -> list[str]:
        """A row, whose sample counts as touched from now on."""
        return self.touch(self.rng.choice([row for row in self.rows if metric in (None, row[2])]))

    def write(self, folder: Path) -> None:
        """Write the root."""

        def cell(text: str) -> str:
            return f'"{text}"' if any(sign in text for sign in (self.separator, "\n")) else text

        lines = [self.separator.join(map(cell, row)) for row in [self.head, *self.rows]]
        content = (self.ending.join(lines) + self.ending).encode(self.encoding, "replace")
        if self.parquet is None:
            (folder / "history.csv").write_bytes(self.mangle(content))
        else:
            (folder / "history.parquet").write_bytes(self.parquet)
        policy = "{sla_id: a, sla_type: t, good: {total: requests_total, bad: requests_failed}, objective: %s, period_days: 30}"
        (folder / "sla-policies.yaml").write_text(f"policies:\n  - {policy % self.objective}\n", encoding="utf-8")
        org = f"name: Acme\nrepos: {{web: {{customer_facing: {self.facing}, tier: 1}}, api: {{team: t}}}}\n"
        (folder / "org.yaml").write_text(org, encoding="utf-8")
        place = folder / "edge" / "dashboard"
        place.mkdir(parents=True)
        scanned = ARTEFACT[2].isoformat()
        text = '{"repository_score": %s, "scan_timestamp": "%s", "repository_name": "Edge"}'
        (place / "health-dashboard.json").write_text(text % (self.score, scanned), encoding="utf-8")


def sound(rng: random.Random) -> Sheet:
    """A root without a fault."""
    rows, truth = [], {}
    for hour in range(rng.randint(20, 40)):
        time = START + timedelta(hours=hour)
        for repo in REPOS:
            values = {
                "requests_total": str(rng.randint(1000, 1100)),
                "requests_failed": str(rng.randint(11, 40)),
                "latency_p95": f"{rng.uniform(0.101, 0.899):.3f}",
                "health_score": f"{rng.uniform(61, 99):.1f}",
            }
            for metric, value in values.items():
                rows.append([time.isoformat(), repo, metric, value])
                truth[repo, metric, time] = float(value)
    truth[ARTEFACT] = 81.5
    return Sheet(rng, rows, truth)


def _value(text: str, metric: str | None = None) -> Callable[[Sheet], None]:
    """One cell becomes another text; {} is what stood there."""

    def spoil(sheet: Sheet) -> None:
        row = sheet.pick(metric)
        row[3] = text.format(row[3])

    return spoil


def _every(change: Callable[[str], str]) -> Callable[[Sheet], None]:
    """Every value in another form that means the same."""

    def spoil(sheet: Sheet) -> None:
        for row in sheet.rows:
            row[3] = change(row[3])

    return spoil


def _decimal_comma(sheet: Sheet) -> None:
    for row in sheet.rows:
        if "." in row[3]:
            sheet.touch(row)[3] = row[3].replace(".", ",")


def _time(change: Callable[[datetime], str], *, whole: bool = False, is_same: bool = False) -> Callable[[Sheet], None]:
    def spoil(sheet: Sheet) -> None:
        for row in sheet.rows if whole else [sheet.rng.choice(sheet.rows)]:
            if not is_same:
                sheet.touch(row)
            row[0] = change(datetime.fromisoformat(row[0]))

    return spoil


def _name(column: int, change: Callable[[str], str], *, tells: bool = False) -> Callable[[Sheet], None]:
    def spoil(sheet: Sheet) -> None:
        row = sheet.pick()
        row[column], sheet.must_tell = change(row[column]), tells

    return spoil


def _bytes(change: Callable[[bytes], bytes]) -> Callable[[Sheet], None]:
    def spoil(sheet: Sheet) -> None:
        sheet.mangle = change

    return spoil


def _form(**values: str) -> Callable[[Sheet], None]:
    def spoil(sheet: Sheet) -> None:
        for name, value in values.items():
            setattr(sheet, name, value)
        if "score" in values:
            sheet.touched.add(ARTEFACT)

    return spoil


def _cut(sheet: Sheet) -> None:
    """A download that broke off within a row: what its last cell says, nobody can know."""
    sheet.must_tell = True
    kept = sheet.rng.randint(len(sheet.rows) // 2, len(sheet.rows) - 1)
    for row in sheet.rows[kept:]:
        sheet.touch(row)
    last = ",".join(sheet.rows[kept])[: -sheet.rng.randint(1, 30)]
    sheet.rows, sheet.mangle = sheet.rows[:kept], lambda content: content + last.encode()


def _conflict(sheet: Sheet) -> None:
    row = sheet.pick()
    sheet.rows.insert(sheet.rng.randrange(len(sheet.rows)), [*row[:3], str(float(row[3]) / 2)])


def _repeat(sheet: Sheet) -> None:
    sheet.rows.insert(sheet.rng.randrange(len(sheet.rows)), [*sheet.rng.choice(sheet.rows)])


def _shift(sheet: Sheet) -> None:
    row = sheet.pick()
    del row[sheet.rng.choice((1, 2, 3))]


def _swap(sheet: Sheet) -> None:
    row = sheet.pick()
    one, other = sheet.rng.choice(((0, 1), (0, 3), (2, 3)))
    row[one], row[other] = row[other], row[one]


def _shuffle(sheet: Sheet) -> None:
    sheet.rng.shuffle(sheet.rows)


def _columns(sheet: Sheet) -> None:
    order = sheet.rng.sample(range(4), 4)
    sheet.head, sheet.rows = [sheet.head[n] for n in order], [[row[n] for n in order] for row in sheet.rows]


def _column(sheet: Sheet) -> None:
    sheet.head, sheet.rows = [*sheet.head, "host"], [[*row, "a,b"] for row in sheet.rows]


def _second_value(sheet: Sheet) -> None:
    sheet.touched |= sheet.truth.keys() - {ARTEFACT}
    sheet.head, sheet.rows = [*sheet.head, "value"], [[*row, "7"] for row in sheet.rows]


def _no_head(sheet: Sheet) -> None:
    sheet.touched |= sheet.truth.keys() - {ARTEFACT}
    sheet.head, sheet.rows = sheet.rows[0], sheet.rows[1:]


def _line(text: str) -> Callable[[Sheet], None]:
    def spoil(sheet: Sheet) -> None:
        sheet.rows.insert(sheet.rng.randrange(1, len(sheet.rows)), [text])

    return spoil


def _percent(sheet: Sheet) -> None:
    """A share in per cent among shares: 60 where at most 1 is possible."""
    time = sheet.rows[-1][0]
    sheet.rows += [[time, "web", "availability", "99.2"]]


def _parquet(*, repo: str = "", value: str = "", timestamp: str = "", cut: bool = False) -> Callable[[Sheet], None]:
    """The rows as a Parquet file, with a column of another type, or cut."""

    def spoil(sheet: Sheet) -> None:
        times = pa.array([datetime.fromisoformat(row[0]) for row in sheet.rows], pa.timestamp("us", "UTC"))
        numbers = [float(row[3]) for row in sheet.rows]
        names = [row[1] for row in sheet.rows]
        row = sheet.rng.randrange(len(sheet.rows)) if "null" in (repo, value) else None
        if row is not None:
            sheet.touch(sheet.rows[row])
            (numbers if value else names)[row] = None  # type: ignore[call-overload]
        if timestamp in ("naive", "days", "numbers") or value in ("string", "list") or cut:
            sheet.touched |= sheet.truth.keys() - {ARTEFACT}
        columns = {
            "timestamp": {
                "naive": lambda: times.cast(pa.timestamp("us")),
                "nanoseconds": lambda: times.cast(pa.timestamp("ns", "UTC")),
                "days": lambda: times.cast(pa.date32(), safe=False),
                "numbers": lambda: times.cast(pa.int64()),
            }.get(timestamp, lambda: times)(),
            "repo": pa.array(names).dictionary_encode() if repo == "dictionary" else pa.array(names),
            "metric": pa.array([row[2] for row in sheet.rows]),
            "value": {
                "decimal128": lambda: pa.array([Decimal(row[3]) for row in sheet.rows], pa.decimal128(12, 3)),
                "string": lambda: pa.array([row[3].replace(".", ",") for row in sheet.rows]),
                "list": lambda: pa.array([[number, 1.0] for number in numbers]),
            }.get(value, lambda: pa.array(numbers, pa.float64()))(),
        }
        sink = io.BytesIO()
        pq.write_table(pa.table(columns), sink)
        content = sink.getvalue()
        sheet.parquet = content[: len(content) // 2] if cut else content

    return spoil


SPOILS: dict[str, Callable[[Sheet], None]] = {
    "decimal commas": _decimal_comma,
    "a thousands comma": _value("1,042", "requests_total"),
    "a thousands blank": _value("1 042", "requests_total"),
    "a unit": _value("{}ms", "latency_p95"),
    "a per cent sign": _value("{}%", "health_score"),
    "a word for none": lambda sheet: _value(sheet.rng.choice(("n/a", "NULL", "-", "NaN", "nan", "None", "#N/A", "")))(
        sheet
    ),
    "an infinite value": lambda sheet: _value(sheet.rng.choice(("inf", "1e400", "-Infinity")))(sheet),
    "a negative count": _value("-{}", "requests_failed"),
    "a broken number": lambda sheet: _value(sheet.rng.choice(("{}.5.1", "1e", "0x1F", "1__0", "={}", "'{}", "12;5")))(
        sheet
    ),
    "a score beyond its range": _value("8{}", "health_score"),
    "a share in per cent": _percent,
    "blanks around values": _every(lambda text: f"  {text} "),
    "another form of the same number": _every(lambda text: f"{float(text):e}"),
    "a time without a zone": _time(lambda time: f"{time:%Y-%m-%dT%H:%M:%S}"),
    "times of a spreadsheet": _time(lambda time: f"{time:%d/%m/%Y %H:%M}", whole=True),
    "an American time": _time(lambda time: f"{time:%m/%d/%Y %I:%M %p}"),
    "an hour of 25": _time(lambda time: f"{time:%Y-%m-%dT25:%M:%SZ}"),
    "a day of 30 February": _time(lambda time: f"2026-02-30T{time:%H:%M:%SZ}"),
    "a year of two digits": _time(lambda time: f"{time:%y-%m-%dT%H:%M:%SZ}"),
    "seconds since 1970": _time(lambda time: str(int(time.timestamp())), whole=True),
    "milliseconds since 1970": _time(lambda time: str(int(time.timestamp() * 1000))),
    "a zone by its letters": _time(lambda time: f"{time:%Y-%m-%d %H:%M:%S} CET"),
    "the same times elsewhere": _time(
        lambda time: time.astimezone(ZoneInfo("Asia/Kathmandu")).isoformat(), whole=True, is_same=True
    ),
    "the same times with a Z": _time(lambda time: f"{time:%Y-%m-%dT%H:%M:%S.000Z}", whole=True, is_same=True),
    "a blank behind a name": _name(1, lambda name: f"{name} "),
    "a name in capitals": _name(1, str.upper, tells=True),
    "a hidden sign in a name": _name(1, lambda name: f"{name}\u200b", tells=True),
    "an empty name": _name(1, lambda _: ""),
    "an empty metric": _name(2, lambda _: ""),
    "a metric in capitals": _name(2, str.upper, tells=True),
    "a cut file": _cut,
    "a row twice": _repeat,
    "a row twice with two values": _conflict,
    "a lost cell": _shift,
    "exchanged cells": _swap,
    "rows in another order": _shuffle,
    "columns in another order": _columns,
    "one more column": _column,
    "two columns of one name": _second_value,
    "no first row": _no_head,
    "the first row again": _line("timestamp,repo,metric,value"),
    "a comment": _line("# exported by hand"),
    "a total": _line("Total,,,41021"),
    "a quote that does not end": _line('2026-03-02T00:00:00Z,"web,latency_p95,0.5'),
    "semicolons": _form(separator=";"),
    "tabs": _form(separator="\t"),
    "line ends of Windows": _form(ending="\r\n"),
    "line ends of old Macs": _form(ending="\r"),
    "a byte order mark": _form(encoding="utf-8-sig"),
    "UTF-16": _form(encoding="utf-16"),
    "Latin-1": _form(encoding="latin-1"),
    "UTF-8 read as Latin-1": _bytes(lambda content: content.decode("latin-1").encode()),
    "NUL bytes at the end": _bytes(lambda content: content + b"\0" * 512),
    "empty lines": _bytes(lambda content: content.replace(b"\n", b"\n\n", 9)),
    "no line end at the end": _bytes(lambda content: content.rstrip(b"\n")),
    "the file twice in one": _bytes(lambda content: content + content),
    "a page in place of the file": _bytes(lambda _: b"<!doctype html><title>Sign in</title>\n"),
    "a score as text": _form(score='"81.5"'),
    "a score with a comma": _form(score='"81,5"'),
    "a score of another scale": _form(score="815"),
    "a score that is none": lambda sheet: _form(
        score=sheet.rng.choice(("true", "NaN", "[81.5]", '{"v": 81.5}', "null", '""'))
    )(sheet),
    "two scores": _form(score='81.5, "repository_score": 20'),
    "half a JSON file": _form(score='81.5, "'),
    "an objective in per cent": _form(objective="97"),
    "an objective with a comma": _form(objective="0,97"),
    "an objective as text": _form(objective="'97 %'"),
    "an objective twice": _form(objective="0.97, objective: 0.5"),
    "an objective of true": _form(objective="true"),
    "a claim in another language": _form(facing="oui"),
    "a claim as text": _form(facing="'yes'"),
    "Parquet": _parquet(),
    "Parquet with names by number": _parquet(repo="dictionary"),
    "Parquet with decimals": _parquet(value="decimal128"),
    "Parquet with numbers as text": _parquet(value="string"),
    "Parquet with lists of values": _parquet(value="list"),
    "Parquet with times without a zone": _parquet(timestamp="naive"),
    "Parquet with times in nanoseconds": _parquet(timestamp="nanoseconds"),
    "Parquet with days": _parquet(timestamp="days"),
    "Parquet with times as numbers": _parquet(timestamp="numbers"),
    "Parquet with a missing value": _parquet(value="null"),
    "Parquet with a missing name": _parquet(repo="null"),
    "half a Parquet file": _parquet(cut=True),
}
"""By name; each changes a sheet, and says which samples it touches."""
SAME_NAMES = {"UTF-8 read as Latin-1", "Latin-1", "a blank behind a name"}
"""Faults by which a name becomes another that is as good as the first: its samples have to be under one of the two names."""
