"""Times commands in turns, so that a busy machine slows all of them alike, and prints them beside each other."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

CAN_MEASURE_CPU = hasattr(os, "wait4")


@dataclass(frozen=True, slots=True)
class Command:
    """A command to time; `codes` are the exit codes with which it did its work."""

    label: str
    arguments: Sequence[str]
    codes: Collection[int] = (0,)


@dataclass(frozen=True, slots=True)
class Timing:
    """Wall-clock and processor seconds of each run of one command; processor seconds are NaN where unknown."""

    command: Command
    wall: tuple[float, ...]
    cpu: tuple[float, ...]

    @property
    def median(self) -> float:
        """Median wall-clock seconds."""
        return statistics.median(self.wall)


def tars(*arguments: str) -> list[str]:
    """The `tars` command of the running interpreter's environment."""
    script = shutil.which("tars", path=str(Path(sys.executable).parent))
    start = [script] if script is not None else [sys.executable, "-m", "tars_lib.cli.main"]
    return [*start, *arguments]


def python(code: str) -> list[str]:
    """The running interpreter with one line of code."""
    return [sys.executable, "-c", code]


def time_in_turns(commands: Sequence[Command], runs: int, *, warm_up: bool = True) -> list[Timing]:
    """Run each command `runs` times in turns, by default after one run each that only warms the disk cache.

    Raises
    ------
    SystemExit
        If a command ends with a code that is not its own; the message holds its last words.
    """
    wall: list[list[float]] = [[] for _ in commands]
    cpu: list[list[float]] = [[] for _ in commands]
    for number in range(0 if warm_up else 1, runs + 1):
        for command, walls, cpus in zip(commands, wall, cpu, strict=True):
            seconds, used = _run(command)
            if number:
                walls.append(seconds)
                cpus.append(used)
    return [
        Timing(command, tuple(walls), tuple(cpus)) for command, walls, cpus in zip(commands, wall, cpu, strict=True)
    ]


def comparison(timings: Sequence[Timing], yardstick: Timing, limit: float) -> str:
    """A table: wall-clock median and range, processor time, ratio of medians to the yardstick, limit and verdict.

    The verdict compares medians of wall-clock time. The ratio of processor time says how much of a miss is the
    machine's other work.
    """
    width = max(len(timing.command.label) for timing in (*timings, yardstick))
    lines = [f"{'':{width}}  median s   fastest   slowest     cpu s   ratio  cpu ratio   limit"]
    for timing in (yardstick, *timings):
        used = statistics.median(timing.cpu)
        line = (
            f"{timing.command.label:{width}}  {timing.median:8.3f}  {min(timing.wall):8.3f}  {max(timing.wall):8.3f}"
            f"  {used:8.3f}"
        )
        if timing is not yardstick:
            ratio = timing.median / yardstick.median
            line += (
                f"  {ratio:6.2f}  {used / statistics.median(yardstick.cpu):9.2f}  {limit:6.2f}  {verdict(ratio, limit)}"
            )
        lines.append(line)
    return "\n".join(lines)


def verdict(value: float, limit: float) -> str:
    """Whether a value keeps to its limit."""
    return "ok" if value <= limit else "over"


def busy() -> str:
    """How much else the machine is doing, so that a reader can judge the seconds; empty where it does not say."""
    if not hasattr(os, "getloadavg"):
        return ""
    return f"load average of the last minute: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"


def _run(command: Command) -> tuple[float, float]:
    began = time.perf_counter()
    # with it the package would be compiled at each start, which no installed one is
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    process = subprocess.Popen(command.arguments, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment)
    said = b"" if process.stderr is None else process.stderr.read()
    used = float("nan")
    if CAN_MEASURE_CPU:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        used = usage.ru_utime + usage.ru_stime
    code = process.wait()
    seconds = time.perf_counter() - began
    if code not in command.codes:
        raise SystemExit(f"{' '.join(command.arguments)}: exit code {code}\n{said.decode(errors='replace')[-2000:]}")
    return seconds, used
