"""Whole commands, killed at random moments: `tars run`, `tars incident note` and `tars bundle create` as a user starts them.

`fuzz/kills.py` kills writers while they write; here a process is killed anywhere between its start and its end, and every
second one within a moment of its first write. What stands afterwards has to be whole, what was acknowledged has to be there,
and the next command of the same kind has to succeed beside what the killed ones left. Every third bundle packs a run, so that
it is also killed while kernels make its pages; the others pack an incident's record alone. POSIX alone: the signal is SIGKILL.

Usage: python fuzz/command_kills.py [--number 100] [--seed 1]
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from judging import leftovers, missing, not_entered, torn_bundles, torn_runs
from roots import make_root

from tars_lib.incidents.response.opening import by_hand, open_incident
from tars_lib.incidents.store.journal import read_entries
from tars_lib.incidents.store.register import now
from tars_lib.incidents.store.timeline import EntryKind
from tars_lib.incidents.store.verification import verify
from tars_lib.model.names import Severity

LATEST = 1.05
"""Part of a whole command's duration within which it is killed, so that some get to their end."""
MOMENT = 0.03
"""Seconds after the first write within which every second command is killed: about what its other writes take; judgement."""
RUN_EVERY = 3
"""One bundle in so many packs a run: its kernels take ten times as long as everything else."""


@dataclass
class Tally:
    """One command: kills, how many had ended before, acknowledged results, leftovers of the others, and what should not be."""

    kills: int = 0
    ended: int = 0
    told: int = 0
    torn: int = 0
    failures: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.kills} kills, {self.ended} after its end, {self.told} acknowledged, {self.torn} leftovers, "
            f"{len(self.failures)} failures"
        )


class Command:
    """Starts `tars` in a folder of its own, and kills it.

    Parameters
    ----------
    folder : Path
        Where everything stands, the temporary files of the commands included.
    seed : int
        Of the moments.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.chance = random.Random(seed)  # noqa: S311 - moments, and no secret
        (folder / "tmp").mkdir()

    def start(self, *words: str) -> subprocess.Popen[str]:
        """One command, in a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "tars_lib.cli.main", *words],
            cwd=self.folder,
            env=os.environ | {"TMPDIR": str(self.folder / "tmp"), "OPENBLAS_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def whole(self, *words: str) -> tuple[int, list[str], float]:
        """A command that nobody kills: its code, its lines, and its seconds; after an error the lines say which."""
        begun = time.monotonic()
        process = self.start(*words)
        said, complaint = process.communicate()
        lines = said.splitlines() if process.returncode in (0, 91, 92, 141, 142) else complaint.splitlines()
        return process.returncode, lines, time.monotonic() - begun

    def killed(self, seconds: float, written: Path | None, *words: str) -> tuple[bool, list[str]]:
        """A command that is killed within so many seconds, or within a moment of the first change of a folder.

        Returns whether it had ended before, and its whole lines.
        """
        before = _listing(written)
        process = self.start(*words)
        if written is None:
            time.sleep(self.chance.uniform(0, LATEST * seconds))
        else:
            while process.poll() is None and _listing(written) == before:
                time.sleep(0.0005)
            time.sleep(self.chance.uniform(0, MOMENT))
        has_ended = process.poll() is not None
        process.kill()
        said = process.communicate()[0]
        return has_ended, [line.rstrip("\n") for line in said.splitlines(keepends=True) if line.endswith("\n")]


def kill_runs(command: Command, kills: int) -> Tally:
    """Every directory that has a run's name is a whole run, and the input is what it was."""
    found = Tally(kills)
    root, outdir = command.folder / "org-health", command.folder / "runs"
    make_root(random.Random(2), root)  # noqa: S311 - the same small root each time
    before = _digests(root)
    words = ("run", "--root", str(root), "--outdir", str(outdir), "--exit-zero")
    _, _, seconds = command.whole(*words)
    for number in range(kills):
        has_ended, lines = command.killed(seconds, outdir if number % 2 else None, *words)
        found.ended += has_ended
        told = [Path(line.removeprefix("run: ")) for line in lines if line.startswith("run: ")]
        found.told += len(told)
        found.failures += missing(told)
    code, lines, _ = command.whole(*words)
    found.failures += [] if code == 0 else [f"the next run ended with {code}: {lines}"]
    found.torn = leftovers(outdir)
    found.failures += torn_runs(outdir)
    found.failures += [] if _digests(root) == before else ["the input was changed"]
    return found


def kill_notes(command: Command, kills: int) -> Tally:
    """Every note that was acknowledged stands in the timeline, and none stands twice."""
    found = Tally(kills)
    place, words = _incident(command.folder / "noted")
    _, _, seconds = command.whole("incident", "note", place.name, "before all", *words)
    told: list[str] = []
    for number in range(kills):
        watched = place if number % 2 else None
        has_ended, lines = command.killed(seconds, watched, "incident", "note", place.name, f"note {number}", *words)
        found.ended += has_ended
        told += [f"note {number}" for line in lines if line.startswith("Entry ")]
        found.failures += verify(place).faults
    code, lines, _ = command.whole("incident", "note", place.name, "after all", *words)
    found.failures += [] if code == 0 else [f"the next note ended with {code}: {lines}"]
    found.failures += verify(place).faults
    entries = read_entries(place)
    texts = [entry.text for entry in entries if entry.kind is EntryKind.NOTE]
    found.told = len(told)
    found.torn = sum(path.name.endswith(".partial") for path in place.iterdir())
    found.failures += [f"{text!r} was acknowledged and is not there" for text in told if text not in texts]
    found.failures += [f"{text!r} stands twice" for text in sorted(set(texts)) if texts.count(text) > 1]
    return found


def kill_bundles(command: Command, kills: int, *, with_runs: bool = True) -> Tally:
    """Every file that has a bundle's name is intact, what was acknowledged is entered, and the same command then succeeds."""
    found = Tally(kills)
    outdir = command.folder / "bundles"
    place, words = _incident(command.folder / "packed")
    create = ("bundle", "create", "--incident", place.name, *words, "--output-dir", str(outdir))
    kinds: list[tuple[str, ...]] = [create]
    if with_runs:
        root = command.folder / "judged"
        make_root(random.Random(2), root)  # noqa: S311 - the same small root each time
        command.whole("run", "--root", str(root), "--outdir", str(command.folder / "kept"), "--exit-zero")
        kinds.append((*create, "--run-dir", str(next((command.folder / "kept").iterdir()))))
    durations = [command.whole(*kind, "--bundle-name", f"whole-{number}")[2] for number, kind in enumerate(kinds)]
    for number in range(kills):
        kind = int(with_runs and number % RUN_EVERY == RUN_EVERY - 1)
        named = (*kinds[kind], "--bundle-name", f"bundle-{number}")
        has_ended, lines = command.killed(durations[kind], outdir if number % 2 else None, *named)
        found.ended += has_ended
        told = [Path(line) for line in lines if line.endswith(".zip")]
        found.told += len(told)
        found.failures += [*torn_bundles(outdir), *missing(told), *not_entered(place, told)]
        is_last = number >= kills - RUN_EVERY
        if kind == 0 or is_last:
            code, lines, _ = command.whole(*named)
            found.failures += [] if code == 0 else [f"after a kill the same command ended with {code}: {lines}"]
            told = [Path(line) for line in lines if line.endswith(".zip")]
            found.failures += [*torn_bundles(outdir), *missing(told), *not_entered(place, told)]
    found.torn = leftovers(outdir)
    return found


def _incident(incidents: Path) -> tuple[Path, tuple[str, ...]]:
    """An incident, and the options that lead to it."""
    opened = open_incident(incidents, by_hand(Severity.SEV_2, "Slow"), "ada", now()).incident
    return incidents / opened.incident_id, ("--incidents-dir", str(incidents))


def _listing(folder: Path | None) -> list[tuple[str, int]]:
    """Names and sizes of what stands in a folder now."""
    if folder is None or not folder.is_dir():
        return []
    with os.scandir(folder) as entries:
        return sorted((entry.name, _size(entry)) for entry in entries)


def _size(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat(follow_symlinks=False).st_size
    except FileNotFoundError:
        return -1


def _digests(folder: Path) -> dict[str, str]:
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*") if path.is_file()}


def run(number: int, seed: int, *, with_runs: bool = True) -> dict[str, Tally]:
    """Kill so many commands, a third of each kind; `with_runs` packs runs in some of the bundles."""
    shares = [number // 3 + (turn < number % 3) for turn in range(3)]
    # a kernel whose owner was killed ends by itself, a moment later
    with tempfile.TemporaryDirectory(prefix="commands-", ignore_cleanup_errors=True) as made:
        command = Command(Path(made).resolve(), seed)
        return {
            "run": kill_runs(command, shares[0]),
            "incident note": kill_notes(command, shares[1]),
            "bundle create": kill_bundles(command, shares[2], with_runs=with_runs),
        }


def main() -> int:
    """Print the figures; 1 if anything was lost or half done."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--number", type=int, default=100, help="kills, a third of each command")
    parser.add_argument("--seed", type=int, default=1, help="of the moments")
    given = parser.parse_args()
    if os.name == "nt":
        print("command_kills: Windows has no SIGKILL; left out")
        return 0
    tallies = run(given.number, given.seed)
    for name, tally in tallies.items():
        print(f"tars {name}: {tally}")
        for failure in tally.failures[:20]:
            print(f"  {failure}")
    failures = sum(len(tally.failures) for tally in tallies.values())
    print(f"{given.number} kills of whole commands: {failures} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
