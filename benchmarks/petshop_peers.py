"""Methods from papers, written here from their descriptions, to score beside the package's own.

Each takes a case, a baseline and a call graph and returns repos, best first, and no confidence. All look at the samples
since the breach was noticed. Where a setting had to be chosen, the docstring says how.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import networkx as nx
import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from petshop_dataset import Case

SIGMAS = 3.0
"""A repo is anomalous where a sample leaves this many standard deviations: the textbook's three-sigma rule."""

QUANTILE = 0.99
"""Of a repo's own past, for the traversal."""

Answered = tuple[list[str], list[float]]


def by_ranked_correlation(case: Case, baseline: pd.DataFrame, graph: nx.DiGraph[str]) -> Answered:
    """Anomalous repos by their metric's correlation with the target's, as Hardt et al. (2024) describe it.

    The correlation is Pearson's, absolute, over the incident frame. It does not use the graph, and names nothing where
    nothing is anomalous.
    """
    repo, metric = case.target
    now = case.frame.xs(metric, level="metric", axis=1)
    varies = now.loc[:, now.std() > 0.0]
    if repo not in varies:
        return [], []
    anomalous = _distance(case, baseline) > SIGMAS
    strength = varies.drop(columns=repo).corrwith(varies[repo]).abs().dropna()
    strength = strength[strength.index.isin(anomalous.index[anomalous])]
    return strength.sort_values(ascending=False, kind="stable").index.tolist(), []


def by_anomaly_traversal(case: Case, baseline: pd.DataFrame, graph: nx.DiGraph[str]) -> Answered:
    """Anomalous repos that the target reaches through anomalous callees and that call none that is anomalous.

    The rule of Chen et al. (2014), CauseInfer, https://doi.org/10.1109/INFOCOM.2014.6848128, and of Liu et al. (2021),
    MicroHECL, https://doi.org/10.1109/ICSE-SEIP52600.2021.00043, in the plain form that Hardt et al. compare with.
    Anomalous is a mean that lies further from the baseline's than 99 % of its samples do; the target is taken to be,
    and several ends are ordered by how rare and how far off they are. Of sixteen settings (quantile, mean or maximum,
    with and without asking the target) this one found most.
    """
    metric = case.target[1]
    now = case.frame.xs(metric, level="metric", axis=1)
    past = baseline.xs(metric, level="metric", axis=1)
    usual = (past - past.mean()).abs()
    apart = (now[now.index >= case.started_at].mean() - past.mean()).abs().dropna()
    rarity = ((usual[apart.index] >= apart).sum() + 1) / (usual[apart.index].notna().sum() + 1)
    anomalous = set(rarity.index[rarity <= 1.0 - QUANTILE])
    # a metric that never moved is ordered by the size of its step
    sigmas = apart / past.std().reindex(apart.index).clip(lower=1e-9)
    seen, ends, ahead = {case.target[0]}, [], [case.target[0]]
    while ahead:
        repo = ahead.pop()
        callees = [callee for callee in graph.successors(repo) if callee in anomalous] if repo in graph else []
        if not callees and repo in anomalous:
            ends.append(repo)
        ahead += [callee for callee in callees if callee not in seen]
        seen.update(callees)
    return sorted(ends, key=lambda repo: (rarity[repo], -sigmas[repo])), []


def by_nsigma(case: Case, baseline: pd.DataFrame, graph: nx.DiGraph[str]) -> Answered:
    """Repos by the largest distance of any of their metrics from the baseline's mean, in its standard deviations.

    The rule of Lin et al. (2018), Microscope, https://doi.org/10.1007/978-3-030-03596-9_1, with metrics as Pham et al.
    (2024) use it. Names nothing where nothing leaves three sigma.
    """
    return _by_largest(case, baseline.mean(), baseline.std(), baseline)


def by_robust_scorer(case: Case, baseline: pd.DataFrame, graph: nx.DiGraph[str]) -> Answered:
    """Repos by the largest distance of any of their metrics from the baseline's median, in its interquartile ranges.

    The scorer of Pham, Ha and Zhang (2024), BARO, https://doi.org/10.1145/3660805; the time of the breach is given
    here, so that their search for it is left out. It has no rule for naming nothing; as for N-sigma, three of its
    units are asked for here.
    """
    return _by_largest(case, baseline.median(), baseline.quantile(0.75) - baseline.quantile(0.25), baseline)


def _distance(case: Case, baseline: pd.DataFrame) -> pd.Series[float]:
    """Largest distance of each repo's target metric from the baseline's mean, in its standard deviations.

    Infinite where the baseline never moved and the metric now does: availability is often exactly one.
    """
    metric = case.target[1]
    now = case.frame.xs(metric, level="metric", axis=1)
    past = baseline.xs(metric, level="metric", axis=1)
    apart = (now[now.index >= case.started_at] - past.mean()).abs().max()
    spread = past.std().reindex(apart.index)
    return (apart / spread).dropna()


def _by_largest(case: Case, centre: pd.Series[float], spread: pd.Series[float], baseline: pd.DataFrame) -> Answered:
    now = case.frame[case.frame.index >= case.started_at]
    now = now.loc[:, now.columns.isin(baseline.columns)]
    # a metric that never moved is scaled by one, as both papers' scalers do
    scale = spread.where(spread > 0.0, 1.0)
    score = ((now - centre).abs() / scale).max().groupby(level="repo").max().replace(np.inf, np.nan).dropna()
    score = score[score > SIGMAS]
    return score.sort_values(ascending=False, kind="stable").index.tolist(), []
