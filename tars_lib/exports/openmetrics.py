"""Verdicts of a run as metrics, for node_exporter's textfile collector and every reader of OpenMetrics.

Every family is a gauge, so that the text is valid in both formats. An enumeration is one series a state, of which exactly one
is 1: UNKNOWN is a state of its own. A number that is unknown has no series; it is never 0.

References
----------
OpenMetrics 1.0, https://prometheus.io/docs/specs/om/open_metrics_spec/
Text format 0.0.4, https://prometheus.io/docs/instrumenting/exposition_formats/
node_exporter's textfile collector, https://github.com/prometheus/node_exporter#textfile-collector
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum

from tars_lib.engines.sla.report import BurnRate, ComplianceResult, SlaReport
from tars_lib.files.reading import sha256_hex
from tars_lib.model.names import ReadinessTier, SlaStatus
from tars_lib.text.visible import visible

MAX_LABEL = 200
"""Characters of a label's value; judgement: a longer name is cut and told apart by a digest."""
MAX_REPO_SERIES = 10_000
"""Verdicts of single repos that are written; judgement: what one target should not exceed, and the rest is counted."""
_BURN_STATES = ("FIRING", "CALM", "CANNOT_FIRE")

Labels = Mapping[str, str]


@dataclass(slots=True)
class _Family:
    """A metric with its samples."""

    help: str
    samples: list[str] = field(default_factory=list)


class _Families:
    """All metrics, in the order in which they were first used."""

    def __init__(self, org: str) -> None:
        self._org = org
        self._made: dict[str, _Family] = {}

    def add(self, name: str, help_text: str, value: float | None, labels: Labels | None = None) -> None:
        """Add a sample; None is unknown and adds nothing but the family."""
        family = self._made.setdefault(name, _Family(help_text))
        if value is None or math.isnan(value):
            return
        shown = ",".join(f'{key}="{label_text(text)}"' for key, text in {"org": self._org, **(labels or {})}.items())
        family.samples.append(f"{name}{{{shown}}} {_number(value)}")

    def add_state(
        self, name: str, help_text: str, states: Iterable[str], state: str, labels: Labels | None = None
    ) -> None:
        """Add one sample a state, 1 for the one that holds."""
        for known_state in states:
            self.add(name, help_text, float(known_state == state), {**(labels or {}), "state": known_state})

    def lines(self) -> Iterator[str]:
        for name, family in self._made.items():
            if family.samples:
                yield f"# HELP {name} {family.help}"
                yield f"# TYPE {name} gauge"
                yield from family.samples
        yield "# EOF"


def openmetrics(sla: SlaReport, org: str, run_id: str | None = None) -> str:
    """Return the verdicts of a run as text in OpenMetrics' format.

    Parameters
    ----------
    sla : SlaReport
    org : str
        The organisation's name, the label ``org`` of every series.
    run_id : str, optional
        Name of the run directory.

    Returns
    -------
    str
        Ends with ``# EOF``.
    """
    made = _Families(org)
    made.add(
        "tars_run_info",
        "Which run the other series come from.",
        1.0,
        {"run": run_id or "", "tool": sla.tool, "finding": sla.finding},
    )
    made.add("tars_run_exit_code", "Exit code of the SLA engine; 0 is no finding.", float(sla.exit_code))
    made.add("tars_judged_timestamp_seconds", "Time as of which everything is judged.", sla.as_of.timestamp())
    made.add("tars_generated_timestamp_seconds", "Time at which the run was made.", sla.generated_at.timestamp())
    for result in sla.compliance_results:
        _verdict(made, result)
    _repos(made, sla.compliance_results)
    _readiness(made, sla)
    return "\n".join(made.lines()) + "\n"


def _verdict(made: _Families, result: ComplianceResult) -> None:
    own = {"sla": result.sla_id}
    in_unit = {**own, "unit": result.unit}
    made.add(
        "tars_sla_info",
        "Name, type, kind and deciding scope of an SLA; an empty repo is the whole organisation.",
        1.0,
        {
            **own,
            "name": result.sla_name,
            "type": result.sla_type,
            "kind": result.kind,
            "priority": str(result.priority),
            "repo": result.scope or "",
        },
    )
    made.add_state(
        "tars_sla_status", "Verdict on an SLA: 1 for the state that holds.", _names(SlaStatus), result.status.value, own
    )
    made.add("tars_sla_objective", "What the SLA promises, in its unit.", result.objective, in_unit)
    made.add(
        "tars_sla_value", "Measured value over the SLA's own window; no series where unknown.", result.value, in_unit
    )
    made.add("tars_sla_value_low", "Least value over all completions of what is missing.", result.value_low, in_unit)
    made.add(
        "tars_sla_value_high", "Greatest value over all completions of what is missing.", result.value_high, in_unit
    )
    made.add(
        "tars_sla_certain",
        "1 where every completion of what is missing gives this verdict.",
        float(result.certain),
        own,
    )
    if result.windows:
        window = result.windows[0]
        made.add("tars_sla_confidence_low", "Lower end of the value's 95 % interval.", window.ci_low, in_unit)
        made.add("tars_sla_confidence_high", "Upper end of the value's 95 % interval.", window.ci_high, in_unit)
        made.add(
            "tars_sla_coverage_ratio",
            "Share of the SLA's window in which something was reported.",
            window.coverage,
            own,
        )
    made.add("tars_sla_affected_repos", "Repos that are breached or at risk.", float(len(result.affected_repos)), own)
    made.add("tars_sla_unknown_repos", "Repos of which the verdict is unknown.", float(len(result.unknown_repos)), own)
    made.add(
        "tars_sla_breach_probability_ratio",
        "Chance of a breach within the period; no series where unknown.",
        result.breach_probability,
        own,
    )
    if result.error_budget is not None:
        budget = result.error_budget
        in_budget = {**own, "unit": budget.unit}
        made.add("tars_sla_error_budget_allowed", "What may go wrong within the window.", budget.total, in_budget)
        made.add("tars_sla_error_budget_consumed", "What went wrong within the window.", budget.consumed, in_budget)
        made.add(
            "tars_sla_error_budget_remaining",
            "What may still go wrong; negative once overspent.",
            budget.remaining,
            in_budget,
        )
        made.add(
            "tars_sla_error_budget_consumed_ratio",
            "Share of the budget that is used; no series for an objective of 100%.",
            budget.consumed_share,
            own,
        )
    for rate in result.burn_rates:
        _burn(made, own, rate)


def _burn(made: _Families, own: Labels, rate: BurnRate) -> None:
    # two pairs may have the same windows where samples are far apart, so the threshold is part of the name
    pair = {
        **own,
        "long_window": rate.long_window,
        "short_window": rate.short_window,
        "threshold": _number(rate.threshold),
    }
    state = "CANNOT_FIRE" if not rate.can_fire else "FIRING" if rate.is_firing else "CALM"
    made.add(
        "tars_sla_burn_rate_long", "Burn rate over the long window; 1 spends exactly the budget.", rate.long_rate, pair
    )
    made.add(
        "tars_sla_burn_rate_short",
        "Burn rate over the short window; 1 spends exactly the budget.",
        rate.short_rate,
        pair,
    )
    made.add_state(
        "tars_sla_burn_state",
        "Whether a pair of burn rates fires, is calm, or could not fire.",
        _BURN_STATES,
        state,
        pair,
    )


def _repos(made: _Families, results: Iterable[ComplianceResult]) -> None:
    listed = [(result.sla_id, repo_result) for result in results for repo_result in result.repo_results]
    for sla_id, repo_result in listed[:MAX_REPO_SERIES]:
        made.add(
            "tars_sla_repo_status",
            "Verdict on a repo that is not compliant, by the label state; an empty repo is the whole organisation.",
            1.0,
            {"sla": sla_id, "repo": repo_result.repo or "", "state": repo_result.status.value},
        )
    made.add(
        "tars_export_left_out",
        f"Verdicts of single repos beyond {MAX_REPO_SERIES}, which are not written.",
        float(max(len(listed) - MAX_REPO_SERIES, 0)),
    )


def _readiness(made: _Families, sla: SlaReport) -> None:
    ready = sla.executive_readiness
    made.add_state(
        "tars_readiness_tier",
        "Executive readiness: 1 for the tier that holds.",
        _names(ReadinessTier),
        ready.tier.value,
    )
    is_known = ready.tier is not ReadinessTier.UNKNOWN
    made.add(
        "tars_readiness_score",
        "Executive readiness, 0 to 100; what is unknown counts as 0; no series where the tier is UNKNOWN.",
        ready.readiness_score if is_known else None,
    )
    made.add("tars_readiness_unknown_ratio", "Share of the readiness score that is unknown.", ready.unknown_share)
    for part in ready.components:
        made.add(
            "tars_readiness_component_score",
            "A part of readiness, 0 to 100; no series where unknown.",
            part.score,
            {"component": part.component},
        )


def label_text(text: str) -> str:
    r"""Return a text as the value of a label: visible, bounded, escaped; what was changed ends with a digest of the whole.

    Examples
    --------
    >>> label_text('pay"ments\\'), len(label_text("x" * 5000))
    ('pay\\"ments\\\\', 200)
    """
    shown = visible(text)
    if shown != text or len(shown) > MAX_LABEL:
        mark = f"~{sha256_hex(text.encode('utf-8', 'surrogatepass'))[:8]}"
        shown = shown[: MAX_LABEL - len(mark)] + mark
    return shown.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _names(states: type[Enum]) -> tuple[str, ...]:
    return tuple(str(state.value) for state in states)


def _number(value: float) -> str:
    """Return the shortest text that reads back to the same number."""
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
