"""What a session computes over and over on the same few organisations, computed once a worker."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tars_lib.engines.relations import pair_evidence
from tars_lib.engines.relations.aligned_metrics import movement_of
from tars_lib.engines.relations.pair_evidence import MAX_LAG, Evidence
from tars_lib.model.organisation import OrgData

KEPT = 64
"""Organisations whose pairs are kept at a time; the sample runs are few and small."""


def remember_pairs(patch: pytest.MonkeyPatch) -> None:
    """Have the engines take the evidence on pairs from an earlier test where every number that it rests on is the same.

    It is two thirds of the time of a command on the demo. Tests that import `gather_evidence` themselves get the real one.
    """
    patch.setattr(pair_evidence, "gather_evidence", _remembering(pair_evidence.gather_evidence))


def _remembering(gather: Callable[[OrgData, int], Evidence]) -> Callable[[OrgData, int], Evidence]:
    kept: dict[tuple[object, ...], Evidence] = {}

    def gather_once(org: OrgData, max_lag: int = MAX_LAG) -> Evidence:
        movement = movement_of(org)
        numbers = tuple(values.tobytes("A") for values in (*movement.values, movement.times))
        shapes = tuple((values.shape, values.flags.f_contiguous) for values in movement.values)
        about = (movement.repos, movement.metrics, movement.interval, movement.seasons, tuple(org.dependencies))
        key = (numbers, shapes, *map(repr, about), max_lag)
        if key not in kept:
            if len(kept) == KEPT:
                del kept[next(iter(kept))]
            kept[key] = gather(org, max_lag)
        return kept[key]

    return gather_once
