"""What a session computes over and over on the same few organisations, computed once."""

from __future__ import annotations

import functools
import hashlib
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from tars_lib.engines.relations import pair_evidence
from tars_lib.engines.relations.aligned_metrics import movement_of
from tars_lib.engines.relations.pair_evidence import MAX_LAG, Evidence
from tars_lib.files.atomic import write_bytes
from tars_lib.model.organisation import OrgData

PAIRS = "pairs"
"""Name of the folder, beside that of the warm Python."""
KEPT = 64
"""Organisations whose pairs a process keeps at a time; the sample runs are few and small."""


def remember_pairs(patch: pytest.MonkeyPatch, folder: Path) -> None:
    """Have the engines take the evidence on pairs from an earlier test where every number that it rests on is the same.

    It is two thirds of the time of a command on the demo. Workers and the commands that they fork share the folder; a process
    that starts from nothing computes, and so do tests that import `gather_evidence` themselves.
    """
    folder.mkdir(parents=True, exist_ok=True)
    patch.setattr(pair_evidence, "gather_evidence", _remembering(pair_evidence.gather_evidence, folder))


def _remembering(gather: Callable[[OrgData, int], Evidence], folder: Path) -> Callable[[OrgData, int], Evidence]:
    kept = functools.lru_cache(maxsize=KEPT)(lambda path: pickle.loads(path.read_bytes()))  # noqa: S301 - our own

    def gather_once(org: OrgData, max_lag: int = MAX_LAG) -> Evidence:
        movement = movement_of(org)
        digest = hashlib.sha256()
        for values in (*movement.values, movement.times):
            digest.update(values.tobytes("A"))
            digest.update(repr((values.shape, values.flags.f_contiguous)).encode())
        about = (
            movement.repos,
            movement.metrics,
            movement.interval,
            movement.seasons,
            tuple(org.dependencies),
            max_lag,
        )
        digest.update("\n".join(map(repr, about)).encode())
        path = folder / digest.hexdigest()
        if not path.is_file():
            write_bytes(path, pickle.dumps(gather(org, max_lag)))
        found: Evidence = kept(path)
        return found

    return gather_once
