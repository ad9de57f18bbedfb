"""Writes the pages that are made from tables in the code: `python docs/generate.py`.

A test compares the committed pages with what this makes.
"""

from __future__ import annotations

from pathlib import Path

from tars_lib.exit_codes import DECISION_ORDER, EXIT_CODES, ExitCode

DOCS = Path(__file__).resolve().parent
ENGINES = ("health", "alerts", "correlation", "temporal", "sla")

_HEAD = """\
# Exit codes

`tars run` answers with one number: 0 when nothing was found, otherwise the finding that stands highest in the
playbook's decision tree. Errors have codes of their own, so that "the input could not be read" is never taken for
"all is well". This page is written by `docs/generate.py` from `tars_lib/exit_codes.py`; change the table there.
"""

_TAIL = """\
## Which finding wins

A run can find several things. The code is the first of these that was found:

{order}

Refused input ends with 93, 94 or 95 before anything is judged. A step that fails after the input was accepted ends
with 1. `tars run --exit-zero` turns findings into 0 and leaves errors as they are. `tars demo` returns 0 although the
demo organisation holds a breach.

## Which codes this version returns

- `tars run`: {run}.
{engines}
- `tars report`, `tars diff`, `tars classify`, `tars bundle`: 0, 1, 2 or 199.
- `tars demo`: 0, 1, 2, 93, 94, 95 or 199.

105 belongs to notification, which is not in this version. With `--legacy-exit-codes` the five engines return 90, 100, 120,
130 and 140 instead of 0.

## Two meanings of one number

A shell reports 124 for a command that `timeout` ended, and 128 + n for one ended by signal n: 130 is Ctrl-C, 134 an
abort, 143 a termination. Do not read a bare 124, 130, 134 or 143 as a finding; look into `status.json` of the run
directory, which holds the code, its finding and the code of each step.
"""


def exit_codes_page() -> str:
    """The page on exit codes."""
    lines = [_HEAD, "| code | from | finding | meaning | incident type | severity |", "|---|---|---|---|---|---|"]
    lines += [_row(EXIT_CODES[code]) for code in sorted(EXIT_CODES)]
    order = " > ".join(str(code) for code in DECISION_ORDER)
    findings = set(DECISION_ORDER)
    refused = {code for code, entry in EXIT_CODES.items() if entry.source == "health"} - findings
    run = _listed({0, 1, 2, 199, *findings, *refused})
    engines = "\n".join(f"- `tars {name}`: {_listed(_codes_of(name))}." for name in ENGINES)
    return "\n".join([*lines, "", _TAIL.format(order=order, run=run, engines=engines)])


def _codes_of(engine: str) -> set[int]:
    """Codes of one engine: what it finds, what it refuses, and those of every command."""
    own = {code for code, entry in EXIT_CODES.items() if entry.source == engine}
    return (own | {0, 1, 2, 199}) - {105}


def _listed(codes: set[int]) -> str:
    ordered = sorted(codes)
    return f"{', '.join(map(str, ordered[:-1]))} or {ordered[-1]}"


def _row(entry: ExitCode) -> str:
    severity = "-" if entry.severity is None else entry.severity.value
    cells = (entry.code, entry.source, f"`{entry.finding}`", entry.meaning, entry.incident_type or "-", severity)
    return f"| {' | '.join(str(cell) for cell in cells)} |"


PAGES = {"exit-codes.md": exit_codes_page}
"""Page below docs/ and what makes it."""


def main() -> None:
    """Write every page."""
    for name, make in PAGES.items():
        (DOCS / name).write_text(make(), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
