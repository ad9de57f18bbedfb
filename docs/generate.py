"""Writes the pages and schemas that are made from the code: `python docs/generate.py`.

A test compares the committed files with what this makes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tars_lib.engines.steps import STEPS
from tars_lib.files.json_schema import schema_of
from tars_lib.findings.exit_codes import DECISION_ORDER, EXIT_CODES, ExitCode
from tars_lib.pipeline import Manifest, RunStatus, context_type

DOCS = Path(__file__).resolve().parent

_HEAD = """\
# Exit codes

`tars run` answers with one number: 0 when nothing was found, otherwise the finding that stands highest in the
playbook's decision tree. Errors have codes of their own, so that "the input could not be read" is never taken for
"all is well". This page is written by `docs/generate.py` from `tars_lib/findings/exit_codes.py`; change the table there.
"""

_TAIL = """\
## Which finding wins

A run can find several things. The code is the first of these that was found:

{order}

Refused input ends with 93, 94 or 95 before anything is judged. A step that fails after the input was accepted ends
with 1. `tars run --exit-zero` turns findings into 0 and leaves errors as they are; `--exit-policy FILE` does so for the
findings that a build shall not fail for ([CI](ci.md#which-findings-fail-a-build)). `tars demo` returns 0 although the demo
organisation holds a breach.

## Which codes this version returns

- `tars run`: {run}.
{engines}
- `tars report`, `tars diff`, `tars classify`, `tars bundle`, `tars package`, `tars playbook`, `tars retention`: 0, 1, 2 or 199.
- `tars incident`, `tars review`, `tars metrics`: 0, 1, 2 or 199.
- `tars import`, `tars init`: 0, 1, 2, 93, 94, 95 or 199; 95 where a file does not say something for certain.
- `tars demo`: 0, 1, 2, 93, 94, 95 or 199.
- `tars watch`: those of its last run, and 1, 2, 93, 94, 95 or 199.
- `tars notify`: 0, 2, 103, 104, 105 or 199.

`tars incident` returns 1 for an act that is refused, and `tars incident verify` and `timeline` for what was altered.
`tars review` returns 1 while a review or an action item is overdue, `tars incident escalate --overdue` while somebody should
have been told; a record that cannot be read counts as overdue. `tars retention` returns 1 where something is refused
because it is not what its digests say; what is held or needed is refused nothing.

With `--legacy-exit-codes` the five engines return 90, 100, 120,
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
    engines = "\n".join(f"- `tars {name}`: {_listed(_codes_of(name))}." for name in STEPS)
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


def schemas() -> dict[str, type]:
    """Return each file of a run directory, without its ending, and what it holds."""
    reports = {step.file.removesuffix(".json"): step.load_report_type() for step in STEPS.values()}
    return {**reports, "incident-context": context_type(), "status": RunStatus, "manifest": Manifest}


def schema(name: str) -> dict[str, Any]:
    """JSON Schema of a file; the fields that the glossary has in a table are described as there."""
    made = schema_of(schemas()[name], f"{name}.json")
    for owner, meanings in (("", _meanings("Head of every report", "")), *_tables(f"{name}.json")):
        place = made if not owner else _type_of(owner, made)
        for field, text in meanings.items():
            if field in place["properties"]:
                place["properties"][field]["description"] = text
    return made


def _tables(heading: str) -> list[tuple[str, dict[str, str]]]:
    """Tables below a heading of the glossary: the list or object whose fields they explain, and those."""
    section = _section(heading)
    owners = ["", *re.findall(r"^(?:Each of )?`(\w+)`[^\n]*:\n\n\|", section, re.MULTILINE)]
    return [(owner, found) for owner in owners if (found := _meanings(heading, owner))]


def _meanings(heading: str, owner: str) -> dict[str, str]:
    section = _section(heading)
    if owner:
        section = re.split(rf"^(?:Each of )?`{owner}`[^\n]*:\n\n(?=\|)", section, maxsplit=1, flags=re.MULTILINE)[1]
    table = section.lstrip().split("\n\n", 1)[0]
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \| (.+?) \|$", table, re.MULTILINE)
    return {field: re.sub(r" \(\[how\]\([^)]*\)\)", "", f"{unit}: {meaning}") for field, unit, meaning in rows}


def _section(heading: str) -> str:
    text = (DOCS / "glossary.md").read_text(encoding="utf-8")
    found = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return "" if found is None else found[1]


def _type_of(field: str, made: dict[str, Any]) -> dict[str, Any]:
    """The type that a field, or each of its entries, is of."""
    for kind in (made, *made["$defs"].values()):
        found = kind.get("properties", {}).get(field, {})
        found = found.get("items", found)
        for option in found.get("anyOf", [found]):
            if "$ref" in option:
                referred: dict[str, Any] = made["$defs"][option["$ref"].rpartition("/")[2]]
                return referred
    raise KeyError(f"{field}: no object of that name in {made['title']}")


def _schema_text(name: str) -> Callable[[], str]:
    return lambda: json.dumps(schema(name), indent=1, ensure_ascii=False) + "\n"


def pages() -> dict[str, Callable[[], str]]:
    """Return each file below docs/ that is made here, and what makes it."""
    return {
        "exit-codes.md": exit_codes_page,
        **{f"schemas/{name}.schema.json": _schema_text(name) for name in schemas()},
    }


def main() -> None:
    """Write every file."""
    for name, make in pages().items():
        place = DOCS / name
        place.parent.mkdir(exist_ok=True)
        place.write_text(make(), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
