"""Writes the site's pages that are made from the playbook, the commands and the notebooks: `python docs/generate_site.py`.

A test compares the committed files with what this makes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from pathlib import Path

import click

from tars_lib.cli.main import SHORT, cli
from tars_lib.playbook.packaged import packaged
from tars_lib.playbook.pages import PAGE_OF
from tars_lib.playbook.tables import Branch, Containment, TriageStep

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
PICTURES = DOCS / "images" / "pages"
"""Drawn by `docs/pictures.py`."""

_ACT_OF = {
    "acknowledge": "ack",
    "identify": "record",
    "root-cause": "record",
    "contain": "contain",
    "escalate": "escalate",
}
"""Step of the golden path to the command that records it."""

_RESPOND = """\
# Respond to a finding

A command returned a code other than 0. Find its row, follow the path, and write down what you do.

## Which path

Take the first row whose code was returned. Several codes at once: `tars classify` takes all of them and says which one wins.

| code | path | severity | respond within | contain within | notebook |
|---|---|---|---|---|---|
{tree}

Anything else: {otherwise}. All codes, those of failures among them: [exit codes](exit-codes.md).

## The first fifteen minutes

Open an incident from the run, then let `golden` lead. It prints what to do now and the exact next command, and resumes
where somebody stopped.

```bash
tars incident open --from-run './reports/runs/tars-run-*'
tars incident golden INC-202601051430
```

| minutes | step | what to do | recorded by |
|---|---|---|---|
{golden}

Everything that the record can do: [incidents](incidents.md).

The commands of the paths below are the playbook's own. They read `./org-health` and a health report in the current folder:

```bash
tars health --root-dir ./org-health --output org-health-report.json
```
{paths}
## Contain

T.A.R.S. changes nothing itself: act, then record it by [`tars incident contain`](commands.md#tars-incident-contain). Each cause
that a run names carries one of these four types as `containment_type`.

| cause | action | owner | undo | it worked when |
|---|---|---|---|---|
{containment}

The last column as a query, with the repo that the run names (here `ledger`):
{queries}
Actions that need no change of code:

| action | when | how | undo | it worked when |
|---|---|---|---|---|
{operational}

Watching closer:

| action | when | how |
|---|---|---|
{monitoring}

## Escalate

The clock counts from the opening of the incident. The matrix runs while nobody has acknowledged, or nothing was recorded as
progress for {no_progress} minutes ([rules](playbook.md#escalation)).

| severity | {after} |
|---|{dashes}
{matrix}

At once, whatever the clock says:

| condition | escalate to | by |
|---|---|---|
{conditions}

```bash
tars incident escalate INC-202601051430 --show
```

## Afterwards

| review | when | who |
|---|---|---|
{reviews}

| metric | target | measured as |
|---|---|---|
{metrics}

```bash
tars incident postmortem INC-202601051430
tars review
tars metrics
```

## Where this page comes from

`docs/generate_site.py` writes it from `parameters/playbook.yaml`; change the table there. An organisation's own values are laid
over it ([how](playbook.md#an-organisations-own)), and `tars playbook show` prints what is in force.
"""


def respond_page() -> str:
    """The playbook with links to the commands and notebooks that answer it."""
    playbook = packaged()
    after = [f"after {_minutes(time)}" if time else "at once" for time in playbook.escalation_after]
    rows = {row.severity: row.escalation for row in playbook.severities}
    return _RESPOND.format(
        tree=_lines(_branch(branch, code) for branch in playbook.tree for code in branch.codes),
        otherwise=f"{playbook.otherwise[0].value}, {playbook.otherwise[1].lower()}",
        golden=_lines(
            _row(
                f"{s.start}-{s.end}",
                s.title,
                s.task,
                f"[`{_ACT_OF[s.step_id]}`](commands.md#tars-incident-{_ACT_OF[s.step_id]})",
            )
            for s in playbook.golden_path
        ),
        paths="".join(_path(branch) for branch in playbook.tree),
        containment=_lines(_row(c.cause, c.action, c.owner, c.revert, c.verify) for c in playbook.containment),
        queries="".join(_query(one) for one in playbook.containment),
        operational=_lines(_row(a.action, a.when, a.how, a.revert, a.verify) for a in playbook.operational),
        monitoring=_lines(_row(a.action, a.when, a.how) for a in playbook.monitoring),
        no_progress=round(playbook.no_progress_after.total_seconds() / 60),
        after=" | ".join(after),
        dashes="---|" * len(after),
        matrix=_lines(
            _row(severity.value, *people, *["-"] * (len(after) - len(people))) for severity, people in rows.items()
        ),
        conditions=_lines(
            _row(c.name, ", ".join(c.contacts) or "the next tier", ", ".join(c.methods)) for c in playbook.conditions
        ),
        reviews=_lines(_row(r.activity, r.when, r.participants) for r in playbook.reviews),
        metrics=_lines(_row(m.metric, m.target, m.how) for m in playbook.metrics),
    )


def _branch(branch: Branch, code: int) -> str:
    severities = {row.severity: row.response_time for row in packaged().severities}
    contain = "-" if branch.contain_within is None else _minutes(branch.contain_within)
    page = PAGE_OF[code]
    return _row(
        str(code),
        f"[{branch.path}](#{_anchor(branch.path)})",
        branch.severity.value,
        severities[branch.severity],
        contain,
        f"[{page}](notebooks.md#{page})",
    )


def _path(branch: Branch) -> str:
    codes = ", ".join(map(str, branch.codes))
    contain = "" if branch.contain_within is None else f" Contain within {_minutes(branch.contain_within)}."
    (triage,) = (one for one in packaged().triage if one.path == branch.path)
    page = PAGE_OF[branch.codes[0]]
    steps = "\n".join(_step(number, step) for number, step in enumerate(triage.steps, 1))
    return (
        f"\n## {branch.path}\n\nExit code {codes}, {branch.severity.value}.{contain}\n\n{steps}\n"
        f"The page for it, with the answers filled in ([parameters](notebooks.md#{page})):\n\n"
        f"```bash\ntars report {page} --run './reports/runs/tars-run-*' --output ./out\n```\n"
    )


def _step(number: int, step: TriageStep) -> str:
    text = f"**{number}. {step.title}**\n\n"
    if step.commands:
        text += "```bash\n" + "\n".join(step.commands) + "\n```\n"
    return text + "".join(f"- {_text(point)}\n" for point in step.points)


def _query(one: Containment) -> str:
    query = one.query.replace("{repo}", "ledger").replace(" | jq ", " \\\n    | jq ")
    return f"\n{one.cause}:\n\n```bash\n{query}\n```\n"


_COMMANDS = """\
# Commands

Written by `docs/generate_site.py` from the commands' own `--help`. Exit codes: [one table for all](exit-codes.md).
`python -m analytics.run_org_...` and the two scripts of the playbook are `tars health`, `alerts`, `correlation`,
`temporal`, `sla`, `run` and `bundle create` under their old names. {short}
are those of `tars incident` without that word.
"""


def commands_page() -> str:
    """Every command with its options and its example."""
    short = ", ".join(f"`tars {name}`" for name in SHORT)
    return _COMMANDS.replace("{short}", short) + "".join(
        _command(name, command) for name, command in _walk(cli, "tars")
    )


def _walk(group: click.Group, prefix: str) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        if group is cli and name in SHORT:
            continue
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from _walk(command, f"{prefix} {name}")
        elif command is not None:
            yield f"{prefix} {name}", command


def _command(name: str, command: click.Command) -> str:
    context = click.Context(command, info_name=name)
    text = "\n\n".join(map(_paragraph, (command.help or "").split("\n\n")))
    records = [
        record
        for parameter in command.params
        if isinstance(parameter, click.Option) and not parameter.hidden
        for record in [parameter.get_help_record(context)]
        if record is not None
    ]
    usage = " ".join([name, *command.collect_usage_pieces(context)])
    example = (command.epilog or "").removeprefix("Example: ")
    table = "".join(f"| `{left}` | {_text(' '.join(right.split()))} |\n" for left, right in records)
    options = f"| option | meaning |\n|---|---|\n{table}\n" if table else ""
    return f"\n## {name}\n\n`{usage}`\n\n{text}\n\n{options}```bash\n{example}\n```\n"


def _paragraph(part: str) -> str:
    """A paragraph of a help text; lines that click leaves as they are, as a block."""
    if part.lstrip("\n").startswith("\b\n"):
        lines = part.replace("\b\n", "", 1).strip("\n").splitlines()
        return "\n".join(["```text", *(line.strip() for line in lines), "```"])
    return _text(" ".join(part.split()))


_NOTEBOOKS = """\
# Notebooks

Written by `docs/generate_site.py` from `notebooks/` and `parameters/`. A notebook is one page of the workbook: open it in
JupyterLab with `make lab` or by its card in the launcher, let papermill run it in CI, or make HTML and PDF with
[`tars report`](commands.md#tars-report):

```bash
tars report --all --run './reports/runs/tars-run-*' --output ./out
```

Parameters come from the notebook's own file, from `--parameters FILE` or from `-p name=value`. One that is unknown, of the
wrong type or out of range is refused before anything runs, with what is allowed.
"""


def notebooks_page() -> str:
    """Every notebook with the question that it answers and its parameters."""
    return _NOTEBOOKS + "".join(_notebook(path) for path in sorted((ROOT / "notebooks").glob("*.ipynb")))


def _notebook(path: Path) -> str:
    first = "".join(json.loads(path.read_text(encoding="utf-8"))["cells"][0]["source"])
    title, _, rest = first.partition("\n\n")
    # how it is exported is the same for all and stands above
    question = rest.partition(" Cells tagged")[0].strip()
    codes = [str(code) for code, page in PAGE_OF.items() if page == path.stem]
    called = f" Called for by exit code {', '.join(codes)}." if codes else ""
    parameters = ROOT / "parameters" / f"{path.stem}.yaml"
    found = (
        re.findall(r"((?:^#.*\n)+)(^\w+: .*)$", parameters.read_text(encoding="utf-8"), re.MULTILINE)
        if parameters.is_file()
        else []
    )
    rows = "".join(
        f"| `{line.partition(': ')[0]}` | `{line.partition(': ')[2]}` | {_text(_comment(comment))} |\n"
        for comment, line in found
    )
    table = f"| parameter | default | meaning |\n|---|---|---|\n{rows}" if rows else ""
    name = title.lstrip("# ")
    picture = (
        f"![First page: {name}](images/pages/{path.stem}.png)\n" if (PICTURES / f"{path.stem}.png").is_file() else ""
    )
    return "\n".join(part for part in (f"\n## {path.stem}\n\n**{name}.** {question}{called}\n", table, picture) if part)


def _comment(lines: str) -> str:
    text = " ".join(line.lstrip("# ").strip() for line in lines.strip().splitlines())
    return re.sub(r"^What papermill injects into \S+ *", "", text)


def _row(*cells: str) -> str:
    return f"| {' | '.join(_text(cell) for cell in cells)} |"


def _lines(rows: Iterable[str]) -> str:
    return "\n".join(rows)


def _text(text: str) -> str:
    """A text of the code as Markdown shows it; what stands in backticks or links stays."""
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\u2192", "->")


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _minutes(span: timedelta) -> str:
    minutes = round(span.total_seconds() / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h"


PAGES: dict[str, Callable[[], str]] = {
    "respond.md": respond_page,
    "commands.md": commands_page,
    "notebooks.md": notebooks_page,
}
"""File below docs/ and what makes it."""


def main() -> None:
    """Write every file."""
    for name, make in PAGES.items():
        (DOCS / name).write_text(make(), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
