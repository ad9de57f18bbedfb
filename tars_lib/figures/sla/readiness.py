"""What took the readiness score from 100 to where it is?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tars_lib.engines.sla.readiness import GREEN, YELLOW
from tars_lib.figures.style.picture import Picture
from tars_lib.figures.style.theme import BREACH, CONTEXT, FULL, INK, MUTED, SERIES, label, themed
from tars_lib.model.names import ReadinessTier

if TYPE_CHECKING:
    from tars_lib.engines.sla.report import ExecutiveReadiness, ReadinessComponent

MAX_STEPS = 8
_NOTHING = 0.05
_TIERS = {ReadinessTier.RED: BREACH, ReadinessTier.YELLOW: SERIES[1], ReadinessTier.GREEN: SERIES[2]}


def draw_readiness(readiness: ExecutiveReadiness) -> Picture:
    """Draw a waterfall from 100 to the score: a step for each component that takes points off, hatched where it is unknown."""
    from matplotlib.figure import Figure

    steps = losses(readiness)
    with themed():
        figure = Figure(figsize=(FULL[0], 0.27 * (len(steps) + 2) + 0.75))
        axes = figure.subplots()
        level = 100.0
        axes.barh(0, 100.0, height=0.62, color=CONTEXT, zorder=2)
        axes.text(101.0, 0, "100", va="center", fontsize=7.6, color=INK)
        for row, (_, lost, is_unknown) in enumerate(steps, start=1):
            style = (
                {"color": "white", "edgecolor": MUTED, "hatch": "////", "lw": 0.8} if is_unknown else {"color": BREACH}
            )
            axes.barh(row, lost, left=level - lost, height=0.62, zorder=2, **style)
            axes.plot([level, level], [row - 1, row], color=MUTED, lw=0.6, zorder=1)
            axes.text(
                level + 1.0, row, f"\N{MINUS SIGN}{lost:.1f}" + (" unknown" if is_unknown else ""), va="center", fontsize=7.6,
                color=MUTED if is_unknown else INK, bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.4},
            )  # fmt: skip
            level -= lost
        last = len(steps) + 1
        score = readiness.readiness_score
        axes.plot([level, level], [last - 1, last], color=MUTED, lw=0.6, zorder=1)
        axes.barh(last, score, height=0.62, color=_TIERS.get(readiness.tier, CONTEXT), zorder=2)
        axes.text(
            score + 1.0,
            last,
            f"{score:.0f}, {readiness.tier.value.lower()}",
            va="center",
            fontsize=8.2,
            weight="bold",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6},
        )
        bounds = ((YELLOW, f"red below {YELLOW:.0f} ", "right"), (GREEN, f" green from {GREEN:.0f}", "left"))
        for bound, said, side in bounds:
            axes.axvline(bound, color=CONTEXT, lw=0.8, ls=(0, (4, 3)), zorder=1)
            axes.text(bound, -0.55, said, fontsize=6.8, color=MUTED, ha=side, va="bottom")
        axes.set_yticks(range(last + 1), ["All met and known", *(name for name, _, _ in steps), "Readiness"])
        axes.tick_params(axis="y", labelcolor=INK)
        axes.grid(visible=False, axis="y")
        axes.set_xlim(0.0, 112.0)
        axes.set_xticks([0, 20, 40, 60, 80, 100])
        axes.set_ylim(last + 0.55, -1.0)
        axes.set_xlabel("readiness, points of 100")
    most = max(steps, key=lambda step: step[1], default=None)
    said = f"Readiness is {score:.0f} of 100, {readiness.tier.value.lower()}"
    why = f"; {most[0]} costs most, {most[1]:.1f} points" if most is not None else "; nothing costs points"
    return Picture(
        figure,
        alt=f"Waterfall of readiness. {said}{why}.",
        title=f"{said}{why}",
        caption="Hatched: unknown, so it earns nothing." if any(step[2] for step in steps) else "",
    )


def losses(readiness: ExecutiveReadiness) -> list[tuple[str, float, bool]]:
    """Return name, points lost and whether they are unknown, most first; what loses less is put together in the last."""
    lost = [
        (_name(part), part.weight * (100.0 - (part.score or 0.0)), part.score is None) for part in readiness.components
    ]
    lost = sorted((step for step in lost if step[1] >= _NOTHING), key=lambda step: -step[1])
    if len(lost) <= MAX_STEPS:
        return lost
    rest = lost[MAX_STEPS - 1 :]
    return [
        *lost[: MAX_STEPS - 1],
        (f"{len(rest)} further components", sum(step[1] for step in rest), all(step[2] for step in rest)),
    ]


def _name(part: ReadinessComponent) -> str:
    said = {"health": "Health of the services", "coverage": "Samples that did not arrive"}.get(part.component)
    if said is not None:
        return said
    verdict = part.explanation.split(",")[0].replace("_", " ").lower()
    return label(f"{part.component} {verdict}", 34) if part.component.startswith("SLA ") else label(part.component, 34)
