"""Fits the confidence of `rank_root_causes`: logistic regression on the causes of intact and degraded
cases.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from petshop_score import calibration_error
from petshop_windows import degraded_cases, healthy_windows
from scipy import optimize, special

from tars_lib.engines.root_causes.confidence import features
from tars_lib.engines.root_causes.ranking import rank_root_causes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from petshop_dataset import Scenario

RIDGE = 1.0
"""Penalty on the squared weights but the constant; judgement, weak against hundreds of rows."""

SEED = 7

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Rows:
    """One row a listed cause: features, whether it was right, weight, and the groups left out together.

    `fault` is the true cause's name (empty for a healthy window), `case` the incident from which the row comes, its
    degraded copies and healthy windows included.
    """

    x: Floats
    y: Floats
    weight: Floats
    fault: NDArray[np.str_]
    case: NDArray[np.str_]
    is_intact: NDArray[np.bool_]


def collect(scenarios: Sequence[Scenario]) -> Rows:
    """Causes listed for every case, for its degraded copies, and for the healthy windows.

    Intact cases with healthy windows weigh as much as all degraded copies together: real questions are of
    both kinds. Groups are the true causes, so that leaving one out is leaving a fault out.
    """
    parts: list[tuple[Floats, Floats, str, str, bool]] = []
    for scenario in scenarios:
        asked = [(True, c, scenario.baseline, scenario.graph) for c in scenario.cases]
        asked += [(True, c, past, scenario.graph) for c, past in healthy_windows(scenario)]
        asked += [(False, c, past, graph) for _, c, past, graph in degraded_cases(scenario, SEED)]
        for is_intact, case, past, graph in asked:
            started_at = None if case.started_at is pd.NaT else case.started_at
            causes = rank_root_causes(case.frame, past, case.target, graph, started_at)
            if causes.empty:
                continue
            x = features(causes["contribution"].to_numpy(), causes.attrs["chance"], has_calls=graph is not None)
            is_right = (causes["repo"] == case.cause).to_numpy(dtype=float)
            parts.append((x, is_right, case.cause, case.issue, is_intact))
    sizes = [len(part[1]) for part in parts]
    is_intact = np.repeat([part[4] for part in parts], sizes)
    weight = np.where(is_intact, 0.5 / is_intact.sum(), 0.5 / max((~is_intact).sum(), 1)) * len(is_intact)
    return Rows(
        x=np.concatenate([part[0] for part in parts]),
        y=np.concatenate([part[1] for part in parts]),
        weight=weight,
        fault=np.repeat([part[2] for part in parts], sizes),
        case=np.repeat([part[3] for part in parts], sizes),
        is_intact=is_intact,
    )


def fit(x: Floats, y: Floats, weight: Floats) -> Floats:
    """Weights of the logistic regression with a ridge on all but the constant."""

    def loss(w: Floats) -> tuple[float, Floats]:
        z = x @ w
        penalty = np.r_[0.0, w[1:]]
        value = float(np.sum(weight * (np.logaddexp(0.0, z) - y * z)) + 0.5 * RIDGE * penalty @ penalty)
        return value, x.T @ (weight * (special.expit(z) - y)) + RIDGE * penalty

    result = optimize.minimize(loss, np.zeros(x.shape[1]), jac=True, method="L-BFGS-B")
    weights: Floats = result.x
    return weights


def confidence_without(rows: Rows, group: NDArray[np.str_]) -> Floats:
    """Confidence of every row from a fit that has not seen its group: `rows.fault` or `rows.case`."""
    confidence = np.empty(len(rows.y))
    for name in np.unique(group):
        out = group == name
        weights = fit(rows.x[~out], rows.y[~out], rows.weight[~out])
        confidence[out] = special.expit(rows.x[out] @ weights)
    return confidence


def report(rows: Rows) -> str:
    """Weights to copy into the engine, and how well they hold on faults that the fit has not seen."""
    confidence = confidence_without(rows, rows.fault)
    weights = ", ".join(f"{w:.2f}" for w in fit(rows.x, rows.y, rows.weight))
    lines = [f"WEIGHTS = ({weights})", "", "leave one fault out    rows  calibration error"]
    for what, chosen in (("intact cases", rows.is_intact), ("degraded copies", ~rows.is_intact)):
        pairs = list(zip(confidence[chosen].tolist(), (rows.y[chosen] > 0).tolist(), strict=True))
        lines.append(f"{what:20s}  {len(pairs):5d}  {calibration_error(pairs):.3f}")
    lines += ["", "confidence    causes  right"]
    for low in np.arange(0.0, 1.0, 0.2):
        chosen = (confidence >= low) & (confidence < low + 0.2)
        if chosen.any():
            lines.append(f"{low:.1f} - {low + 0.2:.1f}     {int(chosen.sum()):5d}   {rows.y[chosen].mean():.2f}")
    return "\n".join(lines)
