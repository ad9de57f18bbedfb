"""Which repos belong together, without chaining weak links?

A link joins two repos: a significant positive correlation, a clearly significant lead, or changes that come together.
Groups are built by average linkage on the links: two groups merge only while more than half of the pairs between them
are linked, so a row of repos each tied only to the next never becomes a cluster. Joint changes are clusters of their own and
take in a correlated group only where it is a part of them or mostly the same repos.

References
----------
Sokal and Michener (1958), A statistical method for evaluating systematic relationships, University of Kansas Science
Bulletin 38 (average linkage, UPGMA), https://archive.org/details/cbarchive_33927_astatisticalmethodforevaluatin1902
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tars_lib.engines.relations.joint_changes import Change
from tars_lib.engines.relations.pair_evidence import Evidence
from tars_lib.model.names import ClusterEvidence

Floats = NDArray[np.float64]

JOINING_LEAD = 0.01
"""Largest q-value of a lead that joins repos. Stricter than for a lead that is listed, so that leads and correlations
together keep the chance of any cluster in calm data near 5 %; judgement."""
LINKED_SHARE = 0.5
"""Groups merge while more than this share of the pairs between them is linked; judgement: a majority."""
SAME_GROUP = 0.5
"""A joint change and a correlated group are one cluster where more than this share of their repos is in both; judgement."""


@dataclass(frozen=True, slots=True)
class Group:
    """Columns that belong together, why, the metric that speaks for each, and the changes that joined them."""

    columns: tuple[int, ...]
    joined_by: frozenset[ClusterEvidence]
    metric: dict[int, int]
    changes: dict[int, Change]


def repo_groups(evidence: Evidence) -> list[Group]:
    """Groups of at least two repos, by the first column.

    Returns
    -------
    list of Group
    """
    changed = [
        Group(
            tuple(sorted(one.column for one in group.members)),
            frozenset({ClusterEvidence.JOINT_CHANGE}),
            {member.column: member.metric for member in group.members},
            {one.column: one for one in group.members},
        )
        for group in evidence.groups
    ]
    groups = list(changed)
    for group in _linked(evidence):
        same = next((one for one in groups if one.changes and _is_same(one.columns, group.columns)), None)
        if same is None:
            groups.append(group)
        else:
            groups[groups.index(same)] = replace(
                same,
                columns=tuple(sorted({*same.columns, *group.columns})),
                joined_by=same.joined_by | group.joined_by,
                metric=group.metric | same.metric,
            )
    return sorted(groups, key=lambda group: (group.columns, sorted(group.joined_by)))


def mean_correlation(evidence: Evidence, group: Group) -> float | None:
    """Mean correlation of the members' innovations at the same moment, None where fewer than two have any."""
    columns = [
        evidence.panels[group.metric[column]].innovations[:, column]
        for column in group.columns
        if evidence.panels[group.metric[column]].usable[column]
    ]
    if len(columns) < 2:
        return None
    values = np.nan_to_num(np.column_stack(columns))
    length = np.sqrt((values**2).sum(axis=0))
    total = values / np.where(length > 0.0, length, 1.0)
    # the sum over all pairs without the matrix of pairs
    joint = float((total.sum(axis=1) ** 2).sum()) - float((total**2).sum())
    return float(np.clip(joint / (len(columns) * (len(columns) - 1)), -1.0, 1.0))


def components(pairs: Iterable[tuple[int, int]]) -> list[list[int]]:
    """Columns that are tied together by any chain of pairs, sorted.

    Examples
    --------
    >>> components([(0, 1), (4, 5), (1, 2)])
    [[0, 1, 2], [4, 5]]
    """
    parent: dict[int, int] = {}

    def root(column: int) -> int:
        parent.setdefault(column, column)
        while parent[column] != column:
            parent[column] = parent[parent[column]]
            column = parent[column]
        return column

    for first, second in pairs:
        parent[root(first)] = root(second)
    found: dict[int, list[int]] = {}
    for column in sorted(parent):
        found.setdefault(root(column), []).append(column)
    return sorted(found.values())


def majority_groups(links: NDArray[np.bool_]) -> list[list[int]]:
    """Groups by average linkage on a symmetric matrix of links, singles left out.

    Parameters
    ----------
    links : ndarray of bool, shape (n, n)

    Returns
    -------
    list of list of int
        Positions.

    Examples
    --------
    >>> chain = np.eye(4, k=1, dtype=bool) | np.eye(4, k=-1, dtype=bool)
    >>> majority_groups(chain)
    [[0, 1], [2, 3]]
    >>> triangle = np.ones((3, 3), dtype=bool)
    >>> majority_groups(triangle)
    [[0, 1, 2]]
    """
    n = len(links)
    if links.sum() >= n * (n - 1):
        return [list(range(n))]
    from scipy.cluster import hierarchy
    from scipy.spatial.distance import squareform

    apart = np.where(links | links.T, 0.0, 1.0)
    np.fill_diagonal(apart, 0.0)
    tree = hierarchy.average(squareform(apart, checks=False))
    labels = hierarchy.fcluster(tree, np.nextafter(1.0 - LINKED_SHARE, 0.0) - 1e-9, criterion="distance")
    found: dict[int, list[int]] = {}
    for position, label in enumerate(labels.tolist()):
        found.setdefault(label, []).append(position)
    return sorted(members for members in found.values() if len(members) > 1)


def _linked(evidence: Evidence) -> list[Group]:
    """Groups by correlation and lead."""
    rows = [*_links(evidence)]
    groups = []
    for component in components((first, second) for first, second, _, _ in rows):
        position = {column: place for place, column in enumerate(component)}
        inside = [row for row in rows if row[0] in position]
        links = np.zeros((len(component), len(component)), dtype=bool)
        for first, second, _, _ in inside:
            links[position[first], position[second]] = links[position[second], position[first]] = True
        for members in majority_groups(links):
            columns = tuple(component[member] for member in members)
            within = [row for row in inside if row[0] in columns and row[1] in columns]
            groups.append(Group(columns, frozenset(kind for _, _, _, kind in within), _metrics(columns, within), {}))
    return groups


def _links(evidence: Evidence) -> Iterable[tuple[int, int, int, ClusterEvidence]]:
    """(column, column, metric, kind) of every link."""
    for found, kind, limit in (
        (evidence.pairs, ClusterEvidence.CORRELATION, 1.0),
        (evidence.leads, ClusterEvidence.LEAD_LAG, JOINING_LEAD),
    ):
        if found is None:
            continue
        joins = (found.tests.correlation > 0.0) & (found.q_value <= limit)
        yield from (
            (first, second, metric, kind)
            for first, second, metric in zip(
                found.tests.first[joins].tolist(),
                found.tests.second[joins].tolist(),
                found.panel[joins].tolist(),
                strict=True,
            )
        )


def _metrics(columns: Sequence[int], within: Sequence[tuple[int, int, int, ClusterEvidence]]) -> dict[int, int]:
    """The metric in which each member is tied to the others most often."""
    counted: dict[int, Counter[int]] = {column: Counter() for column in columns}
    for first, second, metric, _ in within:
        counted[first][metric] += 1
        counted[second][metric] += 1
    return {column: min(seen, key=lambda m: (-seen[m], m)) for column, seen in counted.items()}


def _is_same(changed: Sequence[int], linked: Sequence[int]) -> bool:
    """Return whether a correlated group is a part of a joint change, or mostly the same repos."""
    both = len({*changed} & {*linked})
    return both == len(linked) or both > SAME_GROUP * len({*changed} | {*linked})
