"""How many alerts were raised, how many are open after combining, and which comes first?"""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

from tars_lib.figures.style.picture import Picture
from tars_lib.figures.style.theme import (
    BREACH,
    CONTEXT,
    FULL,
    INK,
    MUTED,
    SERIES,
    label,
    label_ends,
    label_times,
    themed,
)
from tars_lib.model.names import AlertImpact, AlertSeverity, AlertType

if TYPE_CHECKING:
    from datetime import datetime

    from matplotlib.axes import Axes

    from tars_lib.engines.alerts.report import Alert, AlertReport

MAX_LANES = 10
"""Alerts that get a row; judgement: half a page."""
_HOUR = timedelta(hours=1)
MAX_MARKS = 6
"""Alerts of one cell that are drawn singly; judgement."""
_COLOUR = {
    AlertSeverity.CRITICAL: BREACH,
    AlertSeverity.HIGH: SERIES[1],
    AlertSeverity.MEDIUM: SERIES[3],
    AlertSeverity.LOW: CONTEXT,
}
_SHORT = dict(zip(AlertType, ("health", "SLO", "trend", "escal.", "data"), strict=True))
_DARK = frozenset({AlertType.HEALTH_DEGRADATION, AlertType.TREND_ANOMALY})
_TYPE_COLOUR = dict(zip(AlertType, ("#9a1b1b", SERIES[1], SERIES[0], CONTEXT, SERIES[3]), strict=True))


def draw_storm(report: AlertReport) -> Picture | None:
    """Draw alerts before and after compression: two stacked bars, and a row of dots for each that remains.

    Returns
    -------
    Picture or None
        None where there is no alert.
    """
    from matplotlib.figure import Figure

    if not report.alerts:
        return None
    lanes = report.alerts[:MAX_LANES]
    with themed():
        figure = Figure(figsize=(FULL[0], max(0.25 * len(lanes) + 0.75, 1.8)))
        bars, axes = figure.subplots(1, 2, width_ratios=(1.15, 3.4))
        _draw_bars(bars, report)
        _draw_lanes(axes, lanes, report.as_of)
    storms = [alert for alert in report.alerts if alert.members]
    said = f"{_plural(report.raised)} raised, {len(report.alerts)} open after combining"
    if storms:
        largest = max(storms, key=lambda alert: len(alert.members))
        said += f"; the largest storm, {label(largest.title, 60)}, combines {len(largest.members)}"
    more = len(report.alerts) - len(lanes)
    return Picture(
        figure,
        alt=f"Alerts before and after combining. {said}.",
        title=said,
        caption="Left: counts before and after. Right: the alerts in order of priority, a dot for the begin of each one that "
        "was raised." + (f" {more} more are not drawn." if more else ""),
    )


def draw_priorities(report: AlertReport) -> Picture | None:
    """Draw alerts as numbered squares: group by row, impact by column in the playbook's order.

    Returns
    -------
    Picture or None
        None where there is no alert.
    """
    from matplotlib.figure import Figure

    if not report.alerts:
        return None
    groups = [kind for kind in AlertType if kind is not AlertType.DATA_INTEGRITY or kind.value in report.groups]
    cells: dict[tuple[AlertType, AlertImpact], list[Alert]] = {}
    for alert in report.alerts:
        cells.setdefault((alert.type, alert.impact), []).append(alert)
    with themed():
        figure = Figure(figsize=(FULL[0], 0.3 * len(groups) + 0.45))
        axes = figure.subplots()
        for row, kind in enumerate(groups):
            for column, impact in enumerate(AlertImpact):
                _draw_cell(axes, cells.get((kind, impact), []), column, row)
        axes.set_xlim(0, len(AlertImpact))
        axes.set_ylim(len(groups) - 0.5, -0.5)
        axes.set_yticks(range(len(groups)), [worded(kind.value) for kind in groups])
        axes.set_xticks(
            [n + 0.02 for n in range(len(AlertImpact))],
            [f"{n}. {worded(impact.value)}" for n, impact in enumerate(AlertImpact, start=1)],
            ha="left",
        )
        axes.xaxis.tick_top()
        axes.tick_params(labelcolor=INK, labelsize=7.6, top=False)
        axes.grid(visible=False)
        axes.spines[:].set_visible(False)
        for edge in range(len(groups) + 1):
            axes.axhline(edge - 0.5, color="#e3e7ec", lw=0.7, zorder=0)
    first = report.alerts[0]
    counts = ", ".join(f"{number} {in_words(kind)}" for kind, number in report.groups.items())
    return Picture(
        figure,
        alt=f"Alerts by group and impact: {counts}. Look first at: {label(first.title, 80)}.",
        title=f"Look first at: {label(first.title, 80)} ({in_words(first.impact.value)})",
        caption="The number is the priority; C critical, H high, M medium, L low.",
        phone=0,
    )


def worded(name: str) -> str:
    """Return an enumeration's name for a reader.

    Examples
    --------
    >>> worded("SLO_VIOLATION"), worded("CUSTOMER_FACING")
    ('SLO violation', 'Customer facing')
    """
    return name.replace("_", " ").capitalize().replace("Slo ", "SLO ")


def in_words(name: str) -> str:
    """Return an enumeration's name within a sentence.

    Examples
    --------
    >>> in_words("SLO_VIOLATION"), in_words("CUSTOMER_FACING")
    ('SLO violation', 'customer facing')
    """
    text = worded(name)
    return text if text.startswith("SLO") else text.lower()


def _draw_bars(axes: Axes, report: AlertReport) -> None:
    from matplotlib.ticker import MaxNLocator

    before: Counter[AlertType] = Counter()
    for alert in report.alerts:
        before[alert.type] += max(len(alert.members), 1)
    after = Counter(alert.type for alert in report.alerts)
    for place, counted in enumerate((before, after)):
        bottom = 0
        for kind in AlertType:
            if not counted[kind]:
                continue
            axes.bar(place, counted[kind], 0.86, bottom=bottom, color=_TYPE_COLOUR[kind], edgecolor="white", lw=0.8)
            if counted[kind] >= 0.08 * report.raised:
                axes.text(
                    place, bottom + 0.5 * counted[kind], f"{_SHORT[kind]} {counted[kind]}", ha="center", va="center",
                    fontsize=6.8, color="white" if kind in _DARK else INK,
                )  # fmt: skip
            bottom += counted[kind]
        axes.annotate(
            str(bottom), (place, bottom), xytext=(0, 2), textcoords="offset points", ha="center", weight="bold"
        )
    axes.set_xticks([0, 1], ["raised", "after"])
    axes.set_ylabel("alerts")
    axes.set_ylim(0, 1.18 * max(sum(before.values()), 1))
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))


def _draw_lanes(axes: Axes, lanes: tuple[Alert, ...], as_of: datetime) -> None:
    for row, alert in enumerate(lanes):
        colour = _COLOUR[alert.severity]
        begins = [member.first_seen for member in alert.members if member.first_seen is not None]
        if alert.first_seen is not None:
            begins = begins or [alert.first_seen]
            lasts = [alert.first_seen, max(alert.last_seen or as_of, alert.first_seen)]
            axes.plot(lasts, [row, row], color=colour, lw=3.2, alpha=0.55, zorder=2)  # type: ignore[arg-type]
        for level, begin in enumerate(sorted(begins)):
            # alerts of one moment are fanned out a little, so that each shows
            offset = 0.22 * (level % 3 - 1) if len(begins) > 1 else 0.0
            axes.plot([begin], [row + offset], marker="o", ms=4.2, color=colour, mec="white", mew=0.5, zorder=4)  # type: ignore[arg-type]
        number = f" ({len(alert.members)})" if alert.members else ""
        when = "" if alert.first_seen is not None else ", time unknown"
        axes.annotate(
            f"{alert.priority}  {alert.severity.value[0]}  {label_ends(alert.title, 52)}{number}{when}", (0.0, row),
            xycoords=("axes fraction", "data"), xytext=(2, 0), textcoords="offset points", va="center", fontsize=7.2,
            color=INK, bbox={"fc": "white", "ec": "none", "pad": 0.6, "alpha": 0.8}, zorder=5,
        )  # fmt: skip
    axes.set_ylim(len(lanes) - 0.4, -0.6)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.grid(visible=False)
    seen = [alert.first_seen for alert in lanes if alert.first_seen is not None]
    if seen:
        # an overdue escalation is of the clock's time, and that may be later than the data
        first, last = min(seen), max(as_of, *seen)
        # room on the left for the words
        axes.set_xlim(first - 1.5 * max(last - first, _HOUR), last + 0.03 * max(last - first, _HOUR))  # type: ignore[arg-type]
        label_times(axes, 4)
        axes.set_xlabel("time, UTC")
    else:
        axes.set_xticks([])
    axes.tick_params(axis="x", labelcolor=MUTED)


def _draw_cell(axes: Axes, alerts: list[Alert], column: int, row: int) -> None:
    for place, alert in enumerate(alerts[:MAX_MARKS]):
        axes.text(
            column + 0.09 + 0.15 * place, row, f"{alert.priority}{alert.severity.value[0]}", ha="center", va="center",
            fontsize=7.4, weight="bold", color="white" if alert.severity is AlertSeverity.CRITICAL else INK,
            bbox={"boxstyle": "square,pad=0.28", "fc": _COLOUR[alert.severity], "ec": "none"},
        )  # fmt: skip
    if len(alerts) > MAX_MARKS:
        axes.text(column + 0.98, row + 0.36, f"+{len(alerts) - MAX_MARKS}", ha="right", fontsize=7.2, color=MUTED)
    if not alerts:
        axes.text(column + 0.09, row, "–", ha="center", va="center", color=CONTEXT)


def _plural(count: int) -> str:
    return f"{count} alert" + ("" if count == 1 else "s")
