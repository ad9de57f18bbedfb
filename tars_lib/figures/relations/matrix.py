"""Which repos move together at the same moment, and which of it cannot be told from chance?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tars_lib.figures.style.picture import Picture
from tars_lib.figures.style.theme import CONTEXT, FULL, INK, MUTED, label_ends, themed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from tars_lib.engines.relations.correlation_report import CorrelationReport

MAX_REPOS = 24
"""Rows whose names stay readable on a page; judgement."""
MAX_NUMBERED = 16
"""Up to so many, each coefficient is printed in its cell; judgement."""
SURE = 0.001
"""q-value below which a coefficient is printed bold; judgement."""
_TOGETHER, _OPPOSITE = np.array([0.0, 0.447, 0.698]), np.array([0.835, 0.369, 0.0])


def draw_matrix(report: CorrelationReport) -> Picture | None:
    """Draw the lower triangle of the significant correlations, clusters outlined.

    Parameters
    ----------
    report : CorrelationReport

    Returns
    -------
    Picture or None
        None where no pair is significant.
    """
    from matplotlib.figure import Figure

    from tars_lib.engines.relations.pair_evidence import ALPHA

    if not report.correlations:
        return None
    repos = ordered_repos(report)
    more = len({repo for pair in report.correlations for repo in (pair.repo_a, pair.repo_b)}) - len(repos)
    coefficients, q_values = matrices(report, repos)
    n = len(repos)
    cell = 0.22
    with themed():
        figure = Figure(figsize=(FULL[0], cell * n + 0.45))
        axes = figure.subplots()
        _draw_cells(axes, coefficients, q_values)
        axes.set_xlim(-0.5, n - 0.5)
        axes.set_ylim(n - 0.5, -0.5)
        names = [f"{label_ends(repo)}  {number}" for number, repo in enumerate(repos, start=1)]
        axes.set_yticks(range(n), names)
        axes.set_xticks(range(n), [str(number) for number in range(1, n + 1)])
        axes.tick_params(labelcolor=INK, labelsize=7.2)
        axes.grid(visible=False)
        axes.spines[:].set_visible(False)
        _outline(axes, report, repos)
    strongest = max(report.correlations, key=lambda pair: abs(pair.coefficient))
    said = (
        f"{report.correlations_found} of {report.pairs_tested} pairs move together, strongest "
        f"{label_ends(strongest.repo_a, 40)} with {label_ends(strongest.repo_b, 40)} ({strongest.coefficient:+.2f})"
    )
    return Picture(
        figure,
        alt=f"Matrix of {n} services ordered by cluster, rows and columns numbered alike. {said}.",
        title=said,
        caption="In each cell: correlation of simultaneous changes, as health (−1 to 1); blue together, "
        f"orange opposite, bold q < {SURE:g}. A dot: not distinguishable from chance at a false discovery rate of {ALPHA:.0%}. "
        "Framed: clusters." + (f" {more} more services with weaker pairs are not drawn." if more > 0 else ""),
    )


def ordered_repos(report: CorrelationReport) -> tuple[str, ...]:
    """Return the repos in a significant pair: cluster by cluster, then by their strongest pair; at most `MAX_REPOS`."""
    tied = list(dict.fromkeys(repo for pair in report.correlations for repo in (pair.repo_a, pair.repo_b)))
    clustered = [repo for cluster in report.clusters for repo in cluster.repos if repo in set(tied)]
    return tuple(dict.fromkeys([*clustered, *tied]))[:MAX_REPOS]


def matrices(report: CorrelationReport, repos: tuple[str, ...]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return coefficients and q-values, shape (n, n) each, lower triangle; NaN where the pair is not significant."""
    row_of = {repo: position for position, repo in enumerate(repos)}
    coefficients, q_values = np.full((len(repos), len(repos)), np.nan), np.full((len(repos), len(repos)), np.nan)
    for pair in report.correlations:
        if pair.repo_a in row_of and pair.repo_b in row_of:
            column, row = sorted((row_of[pair.repo_a], row_of[pair.repo_b]))
            coefficients[row, column], q_values[row, column] = pair.coefficient, pair.q_value
    return coefficients, q_values


def _draw_cells(axes: Axes, coefficients: NDArray[np.float64], q_values: NDArray[np.float64]) -> None:
    n = len(coefficients)
    colours = np.ones((n, n, 3))
    found = np.isfinite(coefficients)
    strength = np.where(found, np.abs(coefficients), 0.0)[..., None]
    ends = np.where(np.where(found, coefficients, 0.0)[..., None] < 0.0, _OPPOSITE, _TOGETHER)
    colours += strength * (ends - 1.0)
    axes.imshow(colours, aspect="auto", interpolation="nearest", zorder=1)
    blank = np.argwhere(np.tril(~found, -1))
    axes.plot(blank[:, 1], blank[:, 0], ls="", marker="o", ms=1.3, color=CONTEXT, zorder=3)
    for row in range(n):
        for column in range(row):
            value = coefficients[row, column]
            if np.isfinite(value) and (n <= MAX_NUMBERED or value < 0.0):
                # the sign is printed even where numbers are not: blue and orange are alike in grey
                axes.text(
                    column, row, f"{value:.2f}".replace("0.", ".", 1) if n <= MAX_NUMBERED else "−", ha="center",
                    va="center", fontsize=6.8, color="white" if abs(value) > 0.55 else INK, zorder=3,
                    weight="bold" if q_values[row, column] < SURE else "normal",
                )  # fmt: skip


def _outline(axes: Axes, report: CorrelationReport, repos: tuple[str, ...]) -> None:
    from matplotlib.patches import Rectangle

    for cluster in report.clusters:
        mine = sorted(repos.index(repo) for repo in cluster.repos if repo in repos)
        # a member that stands in an earlier cluster, too, is drawn there
        if len(mine) < 2 or mine[-1] - mine[0] != len(mine) - 1:
            continue
        start, size = mine[0] - 0.5, len(mine)
        axes.add_patch(
            Rectangle(
                (start, start), size, size, fill=False, ec=INK if cluster.is_anomalous else MUTED, lw=1.2, zorder=4
            )
        )
