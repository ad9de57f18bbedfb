"""The table of exit codes is that of the contract."""

from __future__ import annotations

from itertools import combinations

import pytest

from tars_lib.findings.exit_codes import DECISION_ORDER, EXIT_CODES, MONITORING_FAILURE, highest
from tars_lib.model.names import Severity

TYPED = {
    92: ("High Org Risk", Severity.SEV_2),
    102: ("Critical Alerts", Severity.SEV_1),
    122: ("Critical Anomaly", Severity.SEV_1),
    132: ("Propagation Risk", Severity.SEV_1),
    142: ("SLA Breach", Severity.SEV_1),
}
FAILURES = (93, 94, 95, 96, 103, 104, 105, 123, 124, 133, 134, 143, 144, 199)


def test_the_codes_are_exactly_those_of_the_contract() -> None:
    assert set(EXIT_CODES) == {0, 1, 2, 91, 92, 101, 102, 121, 122, 131, 132, 141, 142, *FAILURES}
    assert all(code == entry.code for code, entry in EXIT_CODES.items())


@pytest.mark.parametrize("code", TYPED)
def test_critical_findings_open_the_playbooks_incident(code: int) -> None:
    assert (EXIT_CODES[code].incident_type, EXIT_CODES[code].severity) == TYPED[code]


@pytest.mark.parametrize("code", FAILURES)
def test_failures_are_monitoring_failures(code: int) -> None:
    assert (EXIT_CODES[code].incident_type, EXIT_CODES[code].severity) == (MONITORING_FAILURE, Severity.SEV_3)


def test_every_finding_stands_in_the_decision_order_once() -> None:
    assert sorted(DECISION_ORDER) == [91, 92, 101, 102, 121, 122, 131, 132, 141, 142]


def test_the_highest_of_two_findings_is_the_earlier_in_the_decision_tree() -> None:
    for first, second in combinations(DECISION_ORDER, 2):
        assert highest((second, 0, first)) == first
    assert highest(()) == highest((0, 0)) == 0
