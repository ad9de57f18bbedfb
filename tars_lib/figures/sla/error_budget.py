"""How fast was the error budget spent, and how fast is it being spent now?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tars_lib.figures.style.picture import Picture
from tars_lib.figures.style.theme import (
    BREACH,
    CONTEXT,
    FULL,
    INCIDENT_SHADE,
    INK,
    MUTED,
    OBJECTIVE,
    SERIES,
    label,
    label_times,
    themed,
)
from tars_lib.model.history import from_micros
from tars_lib.model.metrics import percent_of
from tars_lib.text.times import MINUTES

if TYPE_CHECKING:
    from datetime import datetime

    from matplotlib.axes import Axes

    from tars_lib.engines.sla.budget_course import Spending
    from tars_lib.engines.sla.report import BurnRate, ComplianceResult

SLOWEST = 0.05
"""Left end of the scale of burn rates; slower ones are drawn there. Judgement: such a rate lasts 20 periods."""


def draw_burn_down(spent: Spending, result: ComplianceResult, since: datetime | None = None) -> Picture:
    """Draw the budget left over the SLA's window, and the burn rate in each pair of windows against its threshold.

    Parameters
    ----------
    spent : Spending
    result : ComplianceResult
        Whose budget it is; its burn rates are drawn where there are any.
    since : datetime, optional
        Begin of the incident, shaded to the end of the window.
    """
    from matplotlib.figure import Figure

    rates = [rate for rate in result.burn_rates if rate.can_fire or rate.long_rate is not None]
    shown = distinct_pairs(rates)
    with themed():
        figure = Figure(figsize=(FULL[0], 2.05))
        if shown:
            left, right = figure.subplots(1, 2, width_ratios=(1.75, 1.0))
            _draw_rates(right, shown)
        else:
            left = figure.subplots()
        _draw_course(left, spent, result, since)
    name = label(result.sla_name)
    scope = "" if result.scope is None else f" in {label(result.scope)}"
    budget = result.error_budget
    # where what is half reported decides, the verdict is not the end of the course
    used = None if budget is None else budget.consumed_share
    rest = 100.0 * (float(spent.remaining[-1]) if used is None else 1.0 - used)
    said = f"{name}{scope}: {_left(rest)}" + _when(spent)
    firing = [rate for rate in shown if rate.is_firing]
    pace = _pace(firing, shown)
    left_over = left_whatever(result)
    open_end = (
        ""
        if left_over is None
        else f" Whatever the missing data hold, {_span(*left_over)} is left: the bar at the end."
    )
    return Picture(
        figure,
        alt=f"Error budget over {result.windows[0].window}. {said}. {pace}{open_end}",
        title=said,
        caption=f"{pace}{open_end} Dashed: the pace that spends exactly the budget.".strip()
        + (" A burn rate of 1 spends it in one period." if shown else ""),
    )


def left_whatever(result: ComplianceResult) -> tuple[float, float] | None:
    """Return least and most of the budget, in per cent, that is left over all completions of what is missing.

    Returns
    -------
    tuple of float or None
        None where nothing is missing, nothing bounds it, or there is no budget.
    """
    low, high, whole = result.value_low, result.value_high, percent_of(result.unit)
    if not result.missing or low is None or high is None or low == high or not whole:
        return None
    allowed = whole - result.objective if result.higher_is_better else result.objective
    if allowed <= 0:
        return None
    used = [(whole - value if result.higher_is_better else value) / allowed for value in (low, high)]
    return 100.0 * (1.0 - max(used)), 100.0 * (1.0 - min(used))


def _span(least: float, most: float) -> str:
    ends = [f"{end:.0f}%".replace("-", "\N{MINUS SIGN}") for end in (least, most)]
    return f"{ends[0]} to {ends[1]} of the budget"


def distinct_pairs(rates: list[BurnRate]) -> list[BurnRate]:
    """Return pairs of windows, each once: of those that have become the same, the one that can fire, else the first."""
    kept: dict[tuple[str, str], BurnRate] = {}
    for rate in rates:
        key = (rate.long_window, rate.short_window)
        if key not in kept or (rate.can_fire and not kept[key].can_fire):
            kept[key] = rate
    return list(kept.values())


def _draw_course(axes: Axes, spent: Spending, result: ComplianceResult, since: datetime | None) -> None:
    times = [spent.start, *(from_micros(int(time)) for time in spent.times)]
    values = 100.0 * np.concatenate(([1.0], spent.remaining))
    low = min(float(values.min()), 0.0)
    axes.set_ylim(low - 0.06 * (100.0 - low), 108.0)
    if since is not None and since < spent.end:
        axes.axvspan(max(since, spent.start), spent.end, color=INCIDENT_SHADE, lw=0, zorder=0)  # type: ignore[arg-type]
    axes.plot([spent.start, spent.end], [100.0, 0.0], color=CONTEXT, lw=1.0, ls=(0, (4, 3)), zorder=2)  # type: ignore[arg-type]
    axes.axhline(0.0, color=OBJECTIVE, lw=0.9, zorder=1)
    is_over = values[-1] < 0
    colour = BREACH if is_over else SERIES[0]
    axes.step(times, values, where="post", color=colour, lw=1.6, zorder=3)  # type: ignore[arg-type]
    axes.annotate(
        f"{values[-1]:.0f}%".replace("-", "\N{MINUS SIGN}"), (spent.end, values[-1]), xytext=(-4, 4 if is_over else 7),
        textcoords="offset points", ha="right", va="bottom", color=colour, fontsize=8.2, weight="bold",
    )  # fmt: skip
    whatever = left_whatever(result)
    if whatever is not None:
        floor, _ = axes.get_ylim()
        axes.vlines(spent.end, *whatever, color=MUTED, lw=3.0, alpha=0.6, zorder=2)  # type: ignore[arg-type]
        if whatever[0] < floor:
            # the bar leaves the picture: below nothing, how far is of no use
            axes.plot(spent.end, floor, marker="v", ms=5, color=MUTED, clip_on=False, zorder=3)  # type: ignore[arg-type]
            axes.set_ylim(bottom=floor)
    axes.margins(x=0.01)
    label_times(axes, 5)
    axes.set_title("Error budget left")
    axes.set_ylabel("of the budget, %")
    axes.set_xlabel("time, UTC")


def _draw_rates(axes: Axes, rates: list[BurnRate]) -> None:
    ends = [value for rate in rates for value in (rate.long_rate, rate.short_rate) if value is not None]
    top = max([*ends, *(rate.threshold for rate in rates)]) * 2.2
    low = min([SLOWEST * 4, *(max(value, SLOWEST) for value in ends)]) / 1.6
    axes.set_xscale("log")
    axes.set_xlim(low, top)
    axes.set_ylim(len(rates) - 0.45, -0.75)
    axes.grid(visible=False, axis="y")
    axes.axvline(1.0, color=CONTEXT, lw=1.0, ls=(0, (4, 3)), zorder=1)
    for row, rate in enumerate(rates):
        colour = BREACH if rate.is_firing else SERIES[0]
        axes.plot(
            [rate.threshold] * 2, [row - 0.3, row + 0.3], color=OBJECTIVE, lw=1.6, zorder=2, solid_capstyle="butt"
        )
        axes.text(
            rate.threshold, row - 0.34, f"{rate.threshold:g}", color=OBJECTIVE, fontsize=6.8, ha="center", va="bottom"
        )
        for value, marker in ((rate.long_rate, "o"), (rate.short_rate, "D")):
            if value is not None:
                face = colour if marker == "o" else "white"
                axes.plot(
                    max(value, SLOWEST), row, marker=marker, ms=5.2, mfc=face, mec=colour, mew=1.2, zorder=3, ls=""
                )
    axes.set_yticks(range(len(rates)), [_pair(rate) for rate in rates])
    for tick, rate in zip(axes.get_yticklabels(), rates, strict=True):
        tick.set_color(BREACH if rate.is_firing else INK if rate.can_fire else MUTED)
        tick.set_fontweight("bold" if rate.is_firing else "normal")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.minorticks_off()
    axes.set_title("Burn rate by windows")
    axes.set_xlabel("● long, ◇ short window; | threshold")


def _pair(rate: BurnRate) -> str:
    windows = rate.long_window if rate.long_window == rate.short_window else f"{rate.long_window} / {rate.short_window}"
    return f"{windows} fires" if rate.is_firing else windows if rate.can_fire else f"{windows} mute"


def _left(rest: float) -> str:
    return (
        f"overspent, {100.0 - rest:.0f}% of the error budget used"
        if rest < 0
        else f"{rest:.0f}% of the error budget left"
    )


def _when(spent: Spending) -> str:
    gone = spent.spent_at
    return "" if gone is None else f", gone at {from_micros(gone):{MINUTES}}"


def _pace(firing: list[BurnRate], shown: list[BurnRate]) -> str:
    if firing:
        first = firing[0]
        return (
            f"{len(firing)} of {len(shown)} burn-rate windows fire, the fastest at {first.long_rate:.3g} over "
            f"{first.long_window} (threshold {first.threshold:g})."
        )
    if not shown:
        return ""
    able = sum(rate.can_fire for rate in shown)
    return f"No burn-rate window fires; {able} of {len(shown)} could." if able else "No burn-rate window can fire."
