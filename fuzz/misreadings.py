"""Roots whose content is known, spoiled in ways that people and exporters have: is anything read as what it is not?

`python fuzz/misreadings.py --number 500` builds an organisation of which every sample is known, does to its files what
spreadsheets, exporters, editors, transfers and tired people do (`mishaps.py`), and reads it. A spoiled root is refused, with a
documented code, or it is read; then each value has to be what the sound root gives, but for those that the mishap touched: they
may be missing. A value that is different, new or lost without a word is a misreading, and ends the command with 1.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import sys
import tempfile
import warnings
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from mishaps import SAME_NAMES, SPOILS, Key, Sheet, sound

from tars_lib.cli.shared.shell import PIPELINE
from tars_lib.errors import TarsError
from tars_lib.findings.exit_codes import EXIT_CODES
from tars_lib.model.history import from_micros
from tars_lib.pipeline import analyze
from tars_lib.pipeline.loading import load_org

REFUSALS = (93, 94, 95)


def judge(name: str, sheet: Sheet, folder: Path, *, is_whole: bool) -> tuple[int, list[str]]:
    """Read a spoiled root; its code, and what was misread."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            org = load_org(folder)
            analysis = analyze(org) if is_whole else None
    except TarsError as error:
        code = PIPELINE.of(error)
        return code, [] if code in EXIT_CODES and code in REFUSALS else [f"code {code}: {error}"]
    except Exception as error:  # noqa: BLE001 - whatever else comes is what is looked for
        return 199, [f"{type(error).__name__}: {str(error)[:300]}"]
    said = set(org.warnings) - sheet.usual
    read: dict[Key, float] = {}
    for metric in org.history.metrics:
        for repo in org.history.repos:
            times, values = org.history.series(metric, repo)
            read |= {(repo, metric, from_micros(time)): float(value) for time, value in zip(times, values, strict=True)}
    wrong = []
    for key, value in read.items():
        expected = sheet.truth.get(_plain(key) if name in SAME_NAMES else key)
        is_right = expected is not None and math.isclose(value, expected, rel_tol=1e-12)
        is_told = sheet.must_tell and bool(said) and (expected is None or key in sheet.touched)
        if not is_right and not is_told:
            wrong.append(f"{key}: {value} where {expected} was written")
    lost = sheet.truth.keys() - {_plain(key) if name in SAME_NAMES else key for key in read} - sheet.touched
    wrong += [f"lost: {key}" for key in sorted(lost)[:3]]
    wrong += [f"objective {policy.objective}" for policy in org.policies if policy.objective not in (0.97, 97.0)]
    wrong += [] if org.repo("web").customer_facing else ["web is not customer facing any more"]
    if analysis is not None and not wrong:
        counts = [
            (read[key[0], "requests_failed", key[2]], value)
            for key, value in read.items()
            if key[1] == "requests_total" and (key[0], "requests_failed", key[2]) in read
        ]
        each = [1 - sum(failed for failed, _ in counts) / sum(total for _, total in counts), *_by_repo(read)]
        (result,) = analysis.sla.compliance_results
        if result.value is not None and all(abs(result.value - value) > 1e-9 for value in each):
            wrong.append(f"the SLA is {result.value} where the samples give one of {each}")
    return 0, wrong


def _by_repo(read: dict[Key, float]) -> list[float]:
    """The share of good requests of each repo; the worst decides."""
    found = []
    for repo in {key[0] for key in read}:
        times = [
            key[2] for key in read if key[:2] == (repo, "requests_total") and (repo, "requests_failed", key[2]) in read
        ]
        total = sum(read[repo, "requests_total", time] for time in times)
        found += [1 - sum(read[repo, "requests_failed", time] for time in times) / total] if total else []
    return found


def _plain(key: Key) -> Key:
    """The key under the name that it was written with."""
    name = key[0].strip()
    with suppress(UnicodeEncodeError, UnicodeDecodeError):
        name = name.encode("latin-1").decode("utf-8")
    return name, key[1], key[2]


@dataclass
class Tally:
    """What became of the roots."""

    codes: Counter[int] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    by_fault: dict[str, Counter[int]] = field(default_factory=dict)


def run(number: int, first: int = 0, *, whole_every: int = 5) -> Tally:
    """Make and read `number` roots, each fault in turn; the engines judge one in `whole_every`."""
    tally, names = Tally(), list(SPOILS)
    for seed in range(first, first + number):
        name = names[seed % len(names)]
        sheet = sound(random.Random(seed))  # noqa: S311 - a choice that can be repeated, and no secret
        SPOILS[name](sheet)
        if sheet.must_tell:
            with tempfile.TemporaryDirectory(prefix="sound-") as made:
                sound(random.Random(seed)).write(Path(made))  # noqa: S311 - as above
                sheet.usual = set(load_org(made).warnings)
        with tempfile.TemporaryDirectory(prefix="misread-") as made:
            sheet.write(Path(made))
            code, wrong = judge(name, sheet, Path(made), is_whole=(seed // len(names)) % whole_every == 0)
        tally.codes[code] += 1
        tally.by_fault.setdefault(name, Counter())[code] += 1
        tally.failures += [f"{name} (seed {seed}): {one}" for one in wrong[:2]]
    return tally


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--number", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0, help="that of the first root; the others count up")
    parser.add_argument("--by-fault", action="store_true", help="print what became of each fault as JSON")
    given = parser.parse_args()
    tally = run(given.number, given.seed)
    refused = sum(tally.codes[code] for code in REFUSALS)
    print(f"{given.number} spoiled roots: {tally.codes[0]} read, {refused} refused; {len(tally.failures)} misreadings")
    for failure in tally.failures[:60]:
        print(f"  {failure}")
    if given.by_fault:
        print(
            json.dumps(
                {name: {str(code): n for code, n in codes.items()} for name, codes in tally.by_fault.items()}, indent=1
            )
        )
    return 1 if tally.failures else 0


if __name__ == "__main__":
    sys.exit(main())
