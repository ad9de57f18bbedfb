"""Where does the harm sit along the calls, and where does it begin?"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from tars_lib.figures.style.picture import Picture
from tars_lib.figures.style.theme import BREACH, CONTEXT, FULL, INK, MUTED, label, themed
from tars_lib.text.quantities import value_text

if TYPE_CHECKING:
    import networkx as nx
    from matplotlib.axes import Axes

    from tars_lib.engines.sla.report import Breach
    from tars_lib.engines.sla.sli_course import Courses

MAX_NODES = 14
"""Boxes that stay readable on the width of a page; judgement."""
MAX_COLUMN = 5
MAX_CALLS = 2
"""Callees this many calls away are drawn for context; causes and the way to them always are. Judgement."""
_BOX = (0.78, 0.62)
_PALE, _DEEP = np.array([1.0, 1.0, 1.0]), np.array([0.90, 0.36, 0.33])


PHONE_COLUMNS = 3
"""Columns of boxes that fit beside each other on a phone; judgement."""


@dataclass(frozen=True, slots=True)
class Box:
    """A repo in the drawing: its column (calls away from the target), place in it, and share of the harm."""

    repo: str
    column: int
    row: float
    share: float
    changed: str


def draw_harm(shown: Courses, breach: Breach, graph: nx.DiGraph[str]) -> Picture | None:
    """Draw the target and what it calls, from left to right, shaded by the share of the harm that begins in each repo.

    Parameters
    ----------
    shown : Courses
        Levels before and since the onset.
    breach : Breach
        Its target is on the left, its causes are shaded by contribution.
    graph : DiGraph
        Caller to callee.

    Returns
    -------
    Picture or None
        None where the target calls nobody.
    """
    import networkx as nx
    from matplotlib.figure import Figure

    if breach.target not in graph or not graph.out_degree(breach.target):
        return None
    boxes = place_boxes(shown, breach, graph)
    depth = max(box.column for box in boxes.values()) + 1
    height = max(sum(box.column == column for box in boxes.values()) for column in range(depth))
    best = breach.root_causes[0].repo if breach.root_causes else breach.target
    blamed = (
        nx.shortest_path(graph, breach.target, best)
        if best in boxes and nx.has_path(graph, breach.target, best)
        else []
    )
    with themed():
        figure = Figure(figsize=(FULL[0], 0.56 * height + 0.1))
        axes = figure.subplots()
        axes.set_axis_off()
        axes.set_xlim(-0.45, max(depth, 3) - 0.5)
        axes.set_ylim(-height / 2 - 0.02, height / 2 + 0.02)
        for caller, callee in graph.edges:
            if caller in boxes and callee in boxes and boxes[caller].column < boxes[callee].column:
                on_path = any((caller, callee) == step for step in pairwise(blamed))
                _arrow(axes, boxes[caller], boxes[callee], on_path)
        letters = int(FULL[0] / max(depth, 3) * _BOX[0] * 72 / (7.4 * 0.6))
        for box in boxes.values():
            _draw_box(axes, box, box.repo == best and bool(breach.root_causes), letters)
    share = boxes[best].share if best in boxes else 0.0
    via = " -> ".join(label(repo, 40) for repo in blamed)
    said = "No service is clearly where the impact begins"
    if breach.root_causes and breach.is_weighed:
        said = f"{share:.0%} of the impact on {label(breach.target)} begins in {label(best)}"
    elif breach.root_causes:
        said = f"{label(best)} changed when the impact on {label(breach.target)} began"
    return Picture(
        figure,
        alt=f"Call graph of {len(boxes)} services. {said}." + (f" Path: {via}." if len(blamed) > 1 else ""),
        title=said,
        caption="Calls go from left to right; the darker, the more of the impact begins there. Below a name: before, since."
        + (f" {len(graph) - len(boxes)} more not drawn." if len(graph) > len(boxes) else ""),
        phone=1 if len({box.column for box in boxes.values()}) <= PHONE_COLUMNS else 0,
    )


def place_boxes(shown: Courses, breach: Breach, graph: nx.DiGraph[str]) -> dict[str, Box]:
    """Choose the repos to draw and place them: causes and the way to them first, then callees by their change."""
    import networkx as nx

    depth = nx.single_source_shortest_path_length(graph, breach.target)
    shares = {cause.repo: cause.contribution for cause in reversed(breach.root_causes)}
    wanted = [breach.target]
    for cause in breach.root_causes:
        if cause.repo in depth and (cause.contribution >= 0.01 or cause is breach.root_causes[0]):
            wanted += nx.shortest_path(graph, breach.target, cause.repo)
    others = [repo for repo in depth if repo in shown.by_repo and depth[repo] <= MAX_CALLS]
    wanted += sorted(others, key=lambda repo: (-_change(shown, repo), repo))
    chosen: list[str] = []
    for repo in dict.fromkeys(wanted):
        beside = sum(depth[other] == depth[repo] for other in chosen)
        if len(chosen) < MAX_NODES and beside < MAX_COLUMN:
            chosen.append(repo)
    boxes = {}
    for column in sorted({depth[repo] for repo in chosen}):
        members = [repo for repo in chosen if depth[repo] == column]
        for place, repo in enumerate(members):
            row = (len(members) - 1) / 2 - place
            boxes[repo] = Box(repo, column, row, shares.get(repo, 0.0), _changed(shown, repo))
    return boxes


def _change(shown: Courses, repo: str) -> float:
    course = shown.by_repo[repo]
    gap = course.during - course.before if shown.lower_is_better else course.before - course.during
    return gap if np.isfinite(gap) else 0.0


def _changed(shown: Courses, repo: str) -> str:
    course = shown.by_repo.get(repo)
    if course is None:
        return "not reported"
    unit = "ratio" if shown.unit == "share of failures" else shown.unit
    levels = [value_text(v, unit) if np.isfinite(v) else "unknown" for v in (course.before, course.during)]
    return " → ".join(levels)


def _draw_box(axes: Axes, box: Box, is_cause: bool, letters: int) -> None:
    from matplotlib.patches import FancyBboxPatch

    width, height = _BOX
    depth = min(max(box.share, 0.0), 1.0) ** 0.7
    colour = tuple(_PALE + (_DEEP - _PALE) * depth)
    axes.add_patch(
        FancyBboxPatch(
            (box.column - width / 2, box.row - height / 2),
            width,
            height,
            boxstyle="round,pad=0,rounding_size=0.08",
            fc=colour,
            ec=BREACH if is_cause else CONTEXT,
            lw=1.6 if is_cause else 0.8,
            zorder=3,
        )
    )
    strong = "bold" if is_cause or box.column == 0 else "normal"
    axes.text(
        box.column,
        box.row + 0.12,
        label(box.repo, letters),
        ha="center",
        va="center",
        fontsize=7.4,
        weight=strong,
        color=INK,
        zorder=4,
    )
    axes.text(
        box.column,
        box.row - 0.12,
        box.changed,
        ha="center",
        va="center",
        fontsize=7.0,
        color=INK if depth > 0.4 else MUTED,
        zorder=4,
    )


def _arrow(axes: Axes, caller: Box, callee: Box, on_path: bool) -> None:
    width = _BOX[0]
    axes.annotate(
        "",
        xy=(callee.column - width / 2, callee.row),
        xytext=(caller.column + width / 2, caller.row),
        arrowprops={
            "arrowstyle": "-|>",
            "color": BREACH if on_path else CONTEXT,
            "lw": 1.6 if on_path else 0.8,
            "shrinkA": 0,
            "shrinkB": 0,
        },
        zorder=2,
    )
