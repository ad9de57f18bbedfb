"""`tars metrics`: how fast are incidents found, ended and made good, and how often do they come back?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tars_lib.cli.incident.options import Options, echo_json, located, now_option, playbook_option
from tars_lib.cli.shared.options import PATH
from tars_lib.cli.shared.screen import wrapped
from tars_lib.text.visible import visible

if TYPE_CHECKING:
    from tars_lib.playbook.facts import Facts
    from tars_lib.playbook.metrics import MetricValue


@click.command(epilog="Example: tars metrics --by-month")
@click.option("--by-month", "monthly", is_flag=True, help="By the UTC month in which incidents were opened, too.")
@click.option("--root", "org_root", type=PATH, help="An org-health folder: its incidents.csv counts too.")
@now_option
@playbook_option
@located
def metrics(options: Options, monthly: bool, org_root: Path | None) -> int:
    """Measure the incidents: MTTD, MTTR, recurrence, SLA recovery, each against the playbook's target.

    With --root, incidents imported from other systems (incidents.csv) are measured beside the register's own; the output
    says how many come from each.

    Open incidents are listed separately: they have no duration yet, and hiding them would flatter the numbers.
    --quiet omits the definitions.
    """
    from tars_lib.incidents.views.all_cases import read_cases
    from tars_lib.playbook.metrics import by_month, measure

    time, playbook = options.time, options.playbook
    register = read_cases(options.root, playbook)
    past: tuple[Facts, ...] = ()
    sources: Counter[str] = Counter()
    if org_root is not None:
        from tars_lib.incidents.views.four_keys import read_past

        past, sources = read_past(org_root)
    facts_of_all = (*register.cases, *past)
    values = measure(facts_of_all, time, playbook)
    months = by_month(facts_of_all, time, playbook) if monthly else {}
    if options.as_json:
        document = {
            "incidents": len(facts_of_all),
            **(
                {} if org_root is None else {"register": len(register.cases), "imported": dict(sorted(sources.items()))}
            ),
            "metrics": values,
            **({"months": months} if monthly else {}),
            "unreadable": register.unreadable,
        }
        echo_json(document)
        return 0
    is_open = sum(not facts.is_over for facts in facts_of_all)
    origins = [] if org_root is None else list(_origins(len(register.cases), sources))
    lines = [f"incidents: {len(facts_of_all)}, open: {is_open}", *origins, *_lines(values, is_short=options.quiet)]
    for month, rows in months.items():
        lines += ["", month, *_lines(rows, is_short=True)]
    lines += [f"{name}: cannot be read: {visible(problem)}" for name, problem in register.unreadable]
    click.echo("\n".join(lines))
    return 0


def _origins(register: int, sources: Counter[str]) -> Iterator[str]:
    """Yield how many incidents come from where."""
    from tars_lib.playbook.past_facts import SAME_CAUSE

    by_source = ", ".join(f"{visible(name)} {number}" for name, number in sorted(sources.items()))
    yield f"from: register {register}, incidents.csv {sum(sources.values())}{f' ({by_source})' if by_source else ''}"
    if len(sources) + bool(register) > 1:
        yield "    one outage that several systems tell of counts once for each"
    if sources:
        yield f"    {SAME_CAUSE}"


def _lines(values: Sequence[MetricValue], *, is_short: bool) -> Iterator[str]:

    for metric in values:
        measured = "no value yet" if metric.value is None else _text(metric.value, metric.unit)
        yield from wrapped(
            f"{visible(metric.name)}: {measured}; target {visible(metric.target)}: {metric.verdict.value}", "", "    "
        )
        if metric.value is not None:
            spread = [f"n {metric.n}"]
            for label, value in (("median", metric.median), ("p90", metric.p90)):
                spread += [] if value is None else [f"{label} {_text(value, metric.unit)}"]
            ends = [None if end is None else _text(end, metric.unit) for end in (metric.low, metric.high)]
            spread.append("95% interval: too few incidents" if None in ends else f"95% interval {ends[0]} to {ends[1]}")
            yield from wrapped(", ".join(spread), "    ", "    ")
        if not is_short:
            yield from wrapped(f"is: {metric.definition}", "    ", "    ")
        if metric.open_incidents:
            oldest = "" if metric.longest_open is None else f", the oldest for {_text(metric.longest_open, 'min')}"
            yield from wrapped(f"open{oldest}: {', '.join(metric.open_incidents)}", "    ", "    ")
        if metric.unknown_incidents:
            yield from wrapped(f"over, but lack a time or cause: {', '.join(metric.unknown_incidents)}", "    ", "    ")


def _text(value: float, unit: str) -> str:
    """Return a value for a reader; the definition's minutes as a duration."""
    from tars_lib.model.organisation import duration_text

    return f"{value:.0%}" if unit == "ratio" else duration_text(timedelta(minutes=value))
