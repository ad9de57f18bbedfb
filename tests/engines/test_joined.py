"""What other engines say of a breach beside the causes that were measured."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
from org_samples import T0, counts, org_of, ratio

import tars_lib as tars
from tars_lib.model.names import CauseType, Dependency, Event, Repo

HOUR = timedelta(hours=1)


def test_a_cause_that_others_suggest_has_the_confidence_that_the_measured_one_leaves() -> None:
    rng = np.random.default_rng(3)
    rows = []
    for repo, share in (("web", 0.08), ("cart", 0.15), ("pay", 0.0), ("db", 0.0)):
        total = rng.poisson(3000, 480)
        failed = rng.binomial(total, 0.0005 + share * (np.arange(480) >= 472))
        rows += counts(repo, total.tolist(), failed.tolist(), step=HOUR)
    org = org_of(
        rows,
        ratio(0.999),
        repos=[Repo("web", "web", customer_facing=True)],
        dependencies=(Dependency("web", "cart"), Dependency("cart", "pay"), Dependency("cart", "db")),
        events=(Event(T0 + 471 * HOUR, "cart", "deploy", "New basket", "v9"),),
    )
    (breach,) = tars.analyze(org).sla.breaches
    best, *others = breach.root_causes
    assert best.repo == "cart"
    suggested = [cause for cause in others if cause.cause_type is CauseType.CORRELATION_CLUSTER]
    assert suggested
    assert all(best.confidence + cause.confidence <= 1.0 for cause in suggested)
