"""How many notes does a killed writer lose? SIGKILL at random moments, then the register is opened, verified and written to.

A writer adds notes to one incident and says each on stdout once it is written. It is killed at a random moment, and every note
that it said has to be in the timeline, once; `verify` has to pass. One more process is killed while it opens incidents: what it
left has to be listed, readable and verifiable.

Usage: python fuzz/incident_kills.py [--kills 100] [--seed 1]
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tars_lib.errors import InputError
from tars_lib.incidents.response.acts import Writer, note
from tars_lib.incidents.response.opening import adopt, by_hand, open_incident
from tars_lib.incidents.store.journal import read_entries, read_incident
from tars_lib.incidents.store.register import folders
from tars_lib.incidents.store.timeline import EntryKind
from tars_lib.incidents.store.verification import verify
from tars_lib.model.names import Severity

LONGEST = 0.03
"""Seconds after the first word of a writer within which it is killed: several writes, so that every moment of one is hit."""
START = datetime(2026, 5, 4, 12, tzinfo=UTC)
_NOTES = """
import sys
from pathlib import Path
from tars_lib.incidents.response.acts import Writer, note
from tars_lib.incidents.store.register import now
for number in range(100_000):
    note(Writer(Path(sys.argv[1]), sys.argv[2], now()), f"{sys.argv[2]} {number}")
    print(f"{sys.argv[2]} {number}", flush=True)
"""
_OPENINGS = """
import sys
from pathlib import Path
from tars_lib.incidents.response.opening import by_hand, open_incident
from tars_lib.incidents.store.register import now
from tars_lib.model.names import Severity
for number in range(100_000):
    written = open_incident(Path(sys.argv[1]), by_hand(Severity.SEV_2, f"{sys.argv[2]} {number}"), sys.argv[2], now())
    print(written.incident.incident_id, flush=True)
"""


@dataclass(frozen=True, slots=True)
class Figure:
    """What was found after `kills` kills. `lost` and `twice` are acknowledged texts or ids; `faults` what `verify` said."""

    kills: int
    told: int
    lost: tuple[str, ...]
    twice: tuple[str, ...]
    repaired: int
    faults: tuple[str, ...]

    @property
    def is_safe(self) -> bool:
        """Nothing that was acknowledged is lost or stands twice, and nothing looks altered."""
        return not (self.lost or self.twice or self.faults)

    def __str__(self) -> str:
        return (
            f"{self.kills} kills: {self.told} acknowledged, {len(self.lost)} lost, {len(self.twice)} twice, "
            f"{self.repaired} repaired, {len(self.faults)} faults"
        )


def kill_while_noting(folder: Path, kills: int, seed: int = 1) -> Figure:
    """Kill writers of notes.

    Parameters
    ----------
    folder : Path
        Empty.
    kills : int
    seed : int
        Of the moments.
    """
    chance = random.Random(seed)  # noqa: S311 - moments, not secrets
    place = folder / open_incident(folder, by_hand(Severity.SEV_2, "Slow"), "ada", START).incident.incident_id
    told: list[str] = []
    faults: list[str] = []
    for number in range(kills):
        told += _killed(_NOTES, place, f"round-{number}", chance)
        faults += verify(place).faults
    note(Writer(place, "ada", START), "after all")
    faults += verify(place).faults
    entries = read_entries(place)
    texts = [entry.text for entry in entries if entry.kind is EntryKind.NOTE]
    seen: set[str] = set()
    twice = tuple(text for text in texts if text in seen or seen.add(text))  # type: ignore[func-returns-value]
    repaired = sum(entry.kind is EntryKind.RECOVERED for entry in entries)
    return Figure(kills, len(told), tuple(sorted(set(told) - seen)), twice, repaired, tuple(faults))


def kill_while_opening(folder: Path, kills: int, seed: int = 1) -> Figure:
    """Kill those who open incidents; a folder that got no record is adopted."""
    chance = random.Random(seed)  # noqa: S311 - moments, not secrets
    told: list[str] = []
    faults: list[str] = []
    for number in range(kills):
        told += _killed(_OPENINGS, folder, f"round-{number}", chance)
    names, repaired = [], 0
    for place in folders(folder):
        names.append(place.name)
        if read_incident(place) is None:
            repaired += 1
            if place.name in told:
                faults.append(f"{place.name}: acknowledged, but without a record")
            _put_right(place)
        faults += verify(place).faults
    twice = {name for name in told if told.count(name) > 1}
    return Figure(
        kills, len(told), tuple(sorted(set(told) - set(names))), tuple(sorted(twice)), repaired, tuple(faults)
    )


def _put_right(place: Path) -> None:
    """What a responder does: a whole opening is taken over by the next note, anything less is adopted."""
    try:
        note(Writer(place, "ada", START), "after all")
    except InputError:
        adopt(place, by_hand(Severity.SEV_2, "Adopted"), "ada", START)


def _killed(code: str, place: Path, name: str, chance: random.Random) -> list[str]:
    """What a process said before it was killed; a line that was cut in the pipe was told to nobody."""
    process = subprocess.Popen([sys.executable, "-c", code, str(place), name], stdout=subprocess.PIPE, text=True)
    if process.stdout is None:
        raise RuntimeError("a pipe was asked for")
    first = process.stdout.readline()
    time.sleep(chance.uniform(0, LONGEST))
    process.kill()
    said = [first, *process.communicate()[0].splitlines(keepends=True)]
    return [line.strip() for line in said if line.endswith("\n")]


def main() -> int:
    """Print both figures; 1 if anything was lost."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--kills", type=int, default=100, help="kills for each of the two")
    options.add_argument("--seed", type=int, default=1, help="of the moments")
    given = options.parse_args()
    is_safe = True
    for label, harness in (("notes", kill_while_noting), ("openings", kill_while_opening)):
        with tempfile.TemporaryDirectory() as folder:
            figure = harness(Path(folder), given.kills, given.seed)
        print(f"{label}: {figure}")
        for line in (*figure.faults, *figure.lost, *figure.twice):
            print(f"  {line}")
        is_safe = is_safe and figure.is_safe
    return 0 if is_safe else 1


if __name__ == "__main__":
    sys.exit(main())
