"""Form of a playbook's file: the keys that it has and needs; `config.read_playbook` checks a merged file against it."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from tars_lib.config.yaml_file import Number, Strict
from tars_lib.errors import TarsError
from tars_lib.findings.exit_codes import EXIT_CODES
from tars_lib.model.names import CauseType, ContainmentType, Severity
from tars_lib.model.slo import Window
from tars_lib.playbook import tables

_GOLDEN = ("acknowledge", "identify", "root-cause", "contain", "escalate")
"""Steps whose end the record of an incident shows."""


def _length(value: Any) -> timedelta:
    if value == "0m":
        return timedelta(0)
    try:
        return Window.parse(value if isinstance(value, str) else "").length
    except TarsError as error:
        raise ValueError("a number with m, h, d or w is allowed, such as 15m") from error


def _no_numbers_for_text(value: Any) -> Any:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


Length = Annotated[timedelta, BeforeValidator(_length)]
Text = Annotated[str, Field(min_length=1)]


class _Severity(Strict):
    description: Text
    response_time: Text
    respond_within: Length | None = None
    examples: str = ""


class _ExitCode(Strict):
    incident_type: Text | None = None
    severity: Severity


class _Branch(Strict):
    codes: tuple[int, ...] = Field(min_length=1)
    question: Text
    severity: Severity
    path: Text
    contain_within: Length | None = None


class _Otherwise(Strict):
    severity: Severity
    path: Text


class _Step(Strict):
    title: Text
    commands: tuple[Text, ...] = ()
    points: tuple[Text, ...] = ()


class _Cause(Strict):
    name: Text
    indicator: Text
    section: Text


class _Question(Strict):
    question: Text
    section: Text


class _Containment(Strict):
    cause: Text
    action: Text
    owner: Text
    revert: Text
    verify: Text
    query: Text


class _Action(Strict):
    action: Text
    when: Text
    how: Text
    revert: str = ""
    verify: str = ""


class _Communication(Strict):
    action: Text
    audience: Text
    template: Text


class _Condition(Strict):
    condition: Text
    contacts: tuple[Text, ...]
    methods: tuple[Text, ...] = Field(min_length=1)


class _Escalation(Strict):
    after: tuple[Length, ...] = Field(min_length=1)
    matrix: dict[Severity, Annotated[tuple[Text, ...], Field(min_length=1)]]
    methods: tuple[Text, ...] = Field(min_length=1)
    no_progress_after: Length
    conditions: dict[tables.Condition, _Condition]

    @model_validator(mode="after")
    def _fits(self) -> _Escalation:
        if list(self.after) != sorted(set(self.after)):
            raise ValueError("after: times that grow from rung to rung are allowed")
        if not self.no_progress_after:
            raise ValueError("no_progress_after: a length above zero is allowed")
        for severity, rungs in self.matrix.items():
            if len(rungs) > len(self.after):
                raise ValueError(f"matrix.{severity.value}: {len(rungs)} rungs; after has times for {len(self.after)}")
        for condition, row in self.conditions.items():
            if not row.contacts and condition is not tables.Condition.NO_PROGRESS:
                raise ValueError(f"conditions.{condition.value}: contacts are needed")
        return self


class _Review(Strict):
    activity: Text
    when: Text
    participants: Text
    within: Length | None = None
    repeats: Annotated[tables.Repeats | None, BeforeValidator(lambda v: v.upper() if isinstance(v, str) else v)] = None

    @model_validator(mode="after")
    def _one(self) -> _Review:
        if (self.within is None) == (self.repeats is None):
            raise ValueError("one of within and repeats is needed, not both")
        return self


class _Metric(Strict):
    metric: Text
    target: Text
    how: Text
    below: Length | None = None
    below_share: Annotated[Number, Field(gt=0, le=1)] | None = None


class _Golden(Strict):
    start: int = Field(ge=0)
    end: int = Field(gt=0)
    title: Text
    record: str = ""
    notify: tuple[Text, ...] = ()
    task: str = ""


class PlaybookForm(Strict):
    """A whole playbook: every table has the rows that the rest of the package relies on."""

    version: Annotated[Text, BeforeValidator(_no_numbers_for_text)]
    severities: dict[Severity, _Severity]
    exit_codes: dict[int, _ExitCode]
    decision_tree: dict[str, _Branch]
    otherwise: _Otherwise
    triage: dict[str, tuple[_Step, ...]]
    cause_types: dict[CauseType, _Cause]
    impact_questions: dict[str, _Question]
    containment: dict[ContainmentType, _Containment]
    operational: dict[str, _Action]
    monitoring: dict[str, _Action]
    communication: dict[str, _Communication]
    escalation: _Escalation
    reviews: dict[str, _Review]
    metrics: dict[tables.MetricId, _Metric]
    golden_path: dict[str, _Golden]

    @model_validator(mode="after")
    def _whole(self) -> PlaybookForm:
        for name, rows, needed in (
            ("severities", self.severities, Severity),
            ("escalation.matrix", self.escalation.matrix, Severity),
            ("containment", self.containment, ContainmentType),
            ("cause_types", self.cause_types, CauseType),
            ("metrics", self.metrics, tables.MetricId),
            ("communication", self.communication, ("status-page", "slack", "email", "bridge")),
        ):
            missing = [str(getattr(key, "value", key)) for key in needed if key not in rows]
            if missing:
                raise ValueError(f"{name}: {', '.join(missing)} missing")
        for key in self.golden_path:
            if key not in _GOLDEN:
                raise ValueError(f"golden_path.{key}: not a step of the path; allowed: {', '.join(_GOLDEN)}")
        unknown = set(self.exit_codes) - set(EXIT_CODES)
        unknown |= {code for branch in self.decision_tree.values() for code in branch.codes} - set(EXIT_CODES)
        if unknown:
            raise ValueError(f"exit code {min(unknown)} is in no table of this package; see docs/exit-codes.md")
        for key, branch in self.decision_tree.items():
            if branch.path not in self.triage:
                raise ValueError(f"decision_tree.{key}: path {branch.path!r} has no section in triage")
            for code in branch.codes:
                if code not in self.exit_codes or self.exit_codes[code].severity is not branch.severity:
                    raise ValueError(
                        f"decision_tree.{key}: severity {branch.severity.value}; exit_codes.{code} says other"
                    )
        for metric, row in self.metrics.items():
            needs_share = metric is tables.MetricId.RECURRENCE
            if (row.below_share is not None) != needs_share or (row.below is None) != needs_share:
                raise ValueError(f"metrics.{metric.value}: {'below_share' if needs_share else 'below'} alone is needed")
        return self
