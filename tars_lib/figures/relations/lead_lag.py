"""Who moves first, who follows, after how long, and how far does it reach?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from tars_lib.figures.style.picture import Picture
from tars_lib.figures.style.theme import BREACH, CONTEXT, FULL, INK, MUTED, label_ends, themed
from tars_lib.model.organisation import duration_text
from tars_lib.model.times import read_duration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from tars_lib.engines.relations.lead_lag_report import Lead, PropagationPath, TemporalReport

MAX_NODES = 14
"""Repos that stay readable on the width of a page; judgement."""
PHONE_NODES = 3
"""Repos whose names fit beside each other on a phone; judgement."""
_NAME = 22
_LETTER = 0.056
"""Inches of a letter of a name at its size."""
_WIDTH = 0.75 * FULL[0]
"""Inches from the first mover to the last repo, about: the width without its margins."""
_ROW = 0.66
_ABOVE, _BELOW = 0.26, -0.24
"""Inches that a repo's name reaches above its dot, and its influence below."""
_BENDS = (0.0, 0.34, -0.34, 0.46, -0.46, 0.6, -0.6)
"""Inches by which an arrow may leave the straight line: half a row, so that it runs between two, and more."""
_POINTS = 32
_UNITS = ((timedelta(days=1), "days"), (timedelta(hours=1), "hours"), (timedelta(minutes=1), "minutes"))


@dataclass(frozen=True, slots=True)
class GraphNode:
    """A repo in the drawing: samples after the first mover, row from the top, and influence 0-100."""

    repo: str
    at: int
    row: int
    influence: float


def draw_leads(temporal: TemporalReport) -> Picture | None:
    """Draw the direct leads from left to right in time, the path with the most impact on the first row.

    Returns
    -------
    Picture or None
        None where no direct lead was found.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    nodes, leads = place_nodes(temporal)
    if not leads:
        return None
    step = read_duration(temporal.interval)
    unit, name = next((u, n) for u, n in _UNITS if u <= step or u == _UNITS[-1][0])
    scale = step / unit
    main = temporal.propagation_paths[0] if temporal.propagation_paths else None
    on_path = set(pairwise(main.path)) if main is not None else set()
    rows = 1 + max(node.row for node in nodes.values())
    span = max(node.at for node in nodes.values()) * scale
    with themed():
        last = max(node.at for node in nodes.values()) or 1
        ways = bends(nodes, leads, last)
        # an arrow that bows out of the first or the last row needs room there
        above = max((_room(nodes, lead, bend, 0) for lead, bend in zip(leads, ways, strict=True)), default=0.0)
        below = max((_room(nodes, lead, -bend, rows - 1) for lead, bend in zip(leads, ways, strict=True)), default=0.0)
        figure = Figure(figsize=(FULL[0], _ROW * rows + 0.85 + above + below))
        axes = figure.subplots()
        for lead, bend in zip(leads, ways, strict=True):
            is_on = (lead.leader, lead.follower) in on_path
            is_hot = is_on and main is not None and main.is_active
            _arrow(
                axes, nodes[lead.leader], nodes[lead.follower], lead, scale, last, bend, is_hot=is_hot, is_strong=is_on
            )
        for node in nodes.values():
            is_hot = main is not None and main.is_active and node.repo in main.path
            axes.scatter(
                [node.at * scale], [-node.row], s=45 + 3.0 * node.influence, zorder=4,
                color=BREACH if is_hot else "white", edgecolors=BREACH if is_hot else INK, linewidths=1.1,
            )  # fmt: skip
            axes.annotate(
                label_ends(node.repo, _NAME), (node.at * scale, -node.row), xytext=(0, 9), textcoords="offset points",
                ha="center", fontsize=7.6, weight="bold" if is_hot else "normal", zorder=5,
                bbox={"fc": "white", "ec": "none", "pad": 0.4, "alpha": 0.85},
            )  # fmt: skip
            axes.annotate(
                _role(node, main),
                (node.at * scale, -node.row), xytext=(0, -16), textcoords="offset points", ha="center",
                fontsize=6.8, color=MUTED, zorder=5,
            )  # fmt: skip
        margin = 0.15 * span
        axes.set_xlim(-margin, span + margin)
        axes.set_ylim(-rows + 0.38 - below / _ROW, 0.62 + above / _ROW)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        axes.grid(visible=False)
        axes.grid(visible=True, axis="x")
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        axes.set_xlabel(f"{name} after the first service")
    shown, total = len(nodes), len({one for lead in temporal.lead_lag if lead.is_direct for one in _ends(lead)})
    said = _said(temporal)
    return Picture(
        figure,
        alt=f"Network of {len(leads)} direct leads between {shown} services, from left to right in time. {said}",
        title=said.rstrip("."),
        caption="Solid: the follower calls the leader. Dashed: no declared call. "
        "The larger the dot, the more services it leads."
        + (f" {total - shown} further services are not drawn." if total > shown else ""),
        phone=1 if len(nodes) <= PHONE_NODES else 0,
    )


def place_nodes(temporal: TemporalReport) -> tuple[dict[str, GraphNode], tuple[Lead, ...]]:
    """Choose the repos and leads to draw, and place them: the main path first in one row, the rest below where it fits.

    Returns
    -------
    dict of str to Node
        At most `MAX_NODES`.
    tuple of Lead
        Direct ones between them, one a pair.
    """
    import networkx as nx

    best: dict[tuple[str, str], Lead] = {}
    for lead in temporal.lead_lag:
        if lead.is_direct:
            best.setdefault((lead.leader, lead.follower), lead)
    influence = {influenced.repo: influenced.influence_score for influenced in temporal.influence_scores}
    wanted = [repo for path in temporal.propagation_paths for repo in path.path]
    wanted += [repo for pair in best for repo in pair]
    chosen = list(dict.fromkeys(wanted))[:MAX_NODES]
    kept = [lead for pair, lead in best.items() if pair[0] in chosen and pair[1] in chosen]
    graph: nx.DiGraph[str] = nx.DiGraph()
    for lead in kept:
        # time runs one way: a lead that closes a circle is drawn, but does not place its follower
        if lead.leader not in graph or lead.follower not in graph or not nx.has_path(graph, lead.follower, lead.leader):
            graph.add_edge(lead.leader, lead.follower, lag=lead.lag)
    at: dict[str, int] = {}
    for repo in nx.topological_sort(graph):
        at[repo] = max((at[one] + data["lag"] for one, _, data in graph.in_edges(repo, data=True)), default=0)
    main = temporal.propagation_paths[0].path if temporal.propagation_paths else ()
    # leaders before followers, so that a follower can stand in its leader's row
    rest = sorted((repo for repo in chosen if repo in at and repo not in main), key=lambda repo: at[repo])
    before = {repo: list(graph.predecessors(repo)) for repo in graph}
    return _in_rows([*(repo for repo in main if repo in at), *rest], at, before, influence), tuple(kept)


def bends(nodes: dict[str, GraphNode], leads: Sequence[Lead], span: int) -> tuple[float, ...]:
    """Bend each arrow off the straight line at its middle so far that it crosses no other repo's dot or name.

    Parameters
    ----------
    nodes : dict of str to Node
    leads : sequence of Lead
    span : int
        Samples from the first mover to the last repo, at least 1.

    Returns
    -------
    tuple of float
        Inches, one a lead; positive bends to the left of the arrow's way, 0 is straight. Where every way crosses something,
        the one that crosses least.
    """
    boxes = {repo: (_place(node, span), 0.5 * _LETTER * max(min(len(repo), _NAME), 12)) for repo, node in nodes.items()}

    def crossed(lead: Lead, bend: float) -> int:
        way = curve(boxes[lead.leader][0], boxes[lead.follower][0], bend)
        others = [box for repo, box in boxes.items() if repo not in _ends(lead)]
        return sum(
            any(abs(x - left) <= half and _BELOW <= y - top <= _ABOVE for x, y in way) for (left, top), half in others
        )

    return tuple(min(_BENDS, key=lambda bend: (crossed(lead, bend), abs(bend))) for lead in leads)


def curve(start: tuple[float, float], end: tuple[float, float], bend: float) -> list[tuple[float, float]]:
    """Return points on the arrow's way, inches: a parabola through both ends that leaves their middle by `bend`."""
    (x0, y0), (x1, y1) = start, end
    length = max(((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5, 1e-9)
    over, up = -(y1 - y0) / length * bend, (x1 - x0) / length * bend
    return [
        (x0 + (x1 - x0) * t + over * 4 * t * (1 - t), y0 + (y1 - y0) * t + up * 4 * t * (1 - t))
        for t in (n / _POINTS for n in range(1, _POINTS))
    ]


def _place(node: GraphNode, span: int) -> tuple[float, float]:
    """Return where a repo stands on paper, inches."""
    return node.at / span * _WIDTH, -node.row * _ROW


def _in_rows(
    repos: list[str], at: dict[str, int], before: dict[str, list[str]], influence: dict[str, float]
) -> dict[str, GraphNode]:
    """Return the first row in which a repo's name fits, those nearest to its last leader's row first."""
    span = max(at.values(), default=0) or 1
    taken: list[list[tuple[float, float]]] = []
    nodes: dict[str, GraphNode] = {}
    for repo in repos:
        half = 0.5 * _LETTER * max(min(len(repo), _NAME), 12) + 0.08
        left, right = (at[repo] / span * _WIDTH + sign * half for sign in (-1.0, 1.0))
        leaders = [nodes[leader] for leader in before[repo] if leader in nodes]
        near = max(leaders, key=lambda leader: leader.at).row if leaders else 0
        row = next(
            (
                n
                for n in sorted(range(len(taken)), key=lambda n: abs(n - near))
                if all(right <= one or left >= other for one, other in taken[n])
            ),
            len(taken),
        )
        if row == len(taken):
            taken.append([])
        taken[row].append((left, right))
        nodes[repo] = GraphNode(repo, at[repo], row, influence.get(repo, 0.0))
    return nodes


def _ends(lead: Lead) -> tuple[str, str]:
    return lead.leader, lead.follower


def _arrow(
    axes: Axes,
    leader: GraphNode,
    follower: GraphNode,
    lead: Lead,
    scale: float,
    span: int,
    bend: float,
    *,
    is_hot: bool,
    is_strong: bool,
) -> None:
    start, end = (leader.at * scale, -leader.row), (follower.at * scale, -follower.row)
    (x0, y0), (x1, y1) = _place(leader, span), _place(follower, span)
    length = max(((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5, 1e-9)
    aside = tuple(72.0 * bend * part / length for part in (y0 - y1, x1 - x0))
    axes.annotate(
        "", xy=end, xytext=start, zorder=3 if is_strong else 2,
        arrowprops={
            "arrowstyle": "-|>", "color": BREACH if is_hot else INK if is_strong else CONTEXT,
            "lw": 1.8 if is_strong else 0.9, "ls": "-" if lead.is_declared else (0, (4, 2)), "shrinkA": 8, "shrinkB": 8,
            # its control point lies twice as far off the line as the middle of the curve
            "connectionstyle": f"arc3,rad={-2.0 * bend / length:.4f}",
        },
    )  # fmt: skip
    how = "" if lead.correlation is None else f", r {lead.correlation:.2f}".replace("-", "\N{MINUS SIGN}")
    axes.annotate(
        f"+{lag_text(lead.lag_duration)}{how}", ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2),
        xytext=aside, textcoords="offset points", ha="center", va="center", fontsize=6.9,
        color=BREACH if is_hot else MUTED, zorder=6, bbox={"fc": "white", "ec": "none", "pad": 1.0},
    )  # fmt: skip


def _role(node: GraphNode, main: PropagationPath | None) -> str:
    """Return the text below a repo: how much it leads, and at the end of the main path its impact."""
    if main is not None and node.repo == main.path[-1]:
        return f"impact {main.impact_score:.0f} of 100"
    return f"influence {node.influence:.0f}" if node.influence >= 0.5 else "follows"


def _room(nodes: dict[str, GraphNode], lead: Lead, bend: float, row: int) -> float:
    """Return the inches that an arrow along an outer row needs beyond what its names have."""
    is_along = nodes[lead.leader].row == nodes[lead.follower].row == row
    return max(0.0, bend - 0.33) if is_along else 0.0


def lag_text(duration: str) -> str:
    """Return an ISO 8601 duration for a reader.

    Examples
    --------
    >>> lag_text("P2D"), lag_text("PT5M")
    ('2 d', '5 min')
    """
    return duration_text(read_duration(duration))


def _said(temporal: TemporalReport) -> str:
    if not temporal.propagation_paths:
        return "No propagation path is seen."
    path = temporal.propagation_paths[0]
    way = " → ".join(label_ends(repo, 40) for repo in path.path)
    state = "is active now" if path.is_active else "is not active now"
    return f"{way} within {lag_text(path.lag_duration)} {state}; impact {path.impact_score:.0f} of 100."
