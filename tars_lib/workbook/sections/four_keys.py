"""The four keys of DORA as a table."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from tars_lib.errors import InputError
from tars_lib.incidents.views.four_keys import DoraKey, four_keys, read_past
from tars_lib.pipeline import Run
from tars_lib.playbook.facts import Facts
from tars_lib.playbook.wording import length_text
from tars_lib.reports.blocks.kinds import Badge, Block, Column, Table
from tars_lib.workbook.parameters.workspace import in_workspace


def past_of(org_root: object) -> tuple[Facts, ...]:
    """Return the incidents of the folder that a parameter names; none where it names none.

    Raises
    ------
    InputError
        If it is no text, or the folder has no incidents that can be read; the message names the parameter.
    """
    if not isinstance(org_root, str):
        raise InputError(f"org_root {org_root!r}: the path of a folder is allowed, or an empty text")
    if not org_root:
        return ()
    try:
        return read_past(in_workspace(Path(org_root)))[0]
    except InputError as error:
        raise InputError(f"org_root: {error}") from error


def dora(run: Run, incidents: tuple[Facts, ...]) -> list[Block]:
    """Return each key with its value, n, interval and how it was counted; one that lacks data is unknown."""
    keys = four_keys(run.org.events, incidents, run.org.history, run.sla.as_of)
    return [
        Table(
            caption="The four keys of DORA, over the 90 days before the data end",
            columns=(
                Column("Key"),
                Column("Value", "badge"),
                Column("n", "number"),
                Column("95% interval", "text", "right"),
                Column("Counted"),
            ),
            rows=tuple(_row(key) for key in keys),
            note="Deploys are those of events.csv. One that failed before it reached its users does not count.",
        )
    ]


def _row(one: DoraKey) -> tuple[object, ...]:
    ends = (one.low, one.high)
    interval = "-" if None in ends else f"{_text(one.low, one.unit)} – {_text(one.high, one.unit)}"
    value = Badge("Unknown", "unknown") if one.value is None else Badge(_text(one.value, one.unit), "neutral")
    return (one.name, value, float(one.n), interval, one.basis)


def _text(value: float | None, unit: str) -> str:
    if value is None:
        return "-"
    if unit == "ratio":
        return f"{value:.0%}"
    if unit == "1/day":
        return f"{value:.2g} a day" if value >= 1 else f"{value * 7:.2g} a week"
    return length_text(timedelta(hours=value)) if unit == "h" else f"{value:.3g} {unit}"
