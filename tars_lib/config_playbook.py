"""The playbook's file: the packaged one, with an organisation's own laid over it, checked and with the origin of each line."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from tars_lib.assets import asset_folder
from tars_lib.config_yaml import Number, read_yaml, validate
from tars_lib.errors import ConfigError, TarsError
from tars_lib.exit_codes import EXIT_CODES
from tars_lib.intake import read_utf8
from tars_lib.limits import MAX_CONFIG_BYTES
from tars_lib.playbook import tables
from tars_lib.policies import Window
from tars_lib.schema import CauseType, ContainmentType, Severity

_GOLDEN = ("acknowledge", "identify", "root-cause", "contain", "escalate")
"""Steps whose end the record of an incident shows."""

PACKAGED_LABEL = "packaged playbook.yaml"


def _length(given: Any) -> timedelta:
    if given == "0m":
        return timedelta(0)
    try:
        return Window.parse(given if isinstance(given, str) else "").length
    except TarsError as error:
        raise ValueError("a number with m, h, d or w is allowed, such as 15m") from error


def _no_numbers_for_text(given: Any) -> Any:
    return str(given) if isinstance(given, int | float) and not isinstance(given, bool) else given


Length = Annotated[timedelta, BeforeValidator(_length)]
Text = Annotated[str, Field(min_length=1)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Severity(_Model):
    description: Text
    response_time: Text
    respond_within: Length | None = None
    examples: str = ""


class _ExitCode(_Model):
    incident_type: Text | None = None
    severity: Severity


class _Branch(_Model):
    codes: tuple[int, ...] = Field(min_length=1)
    question: Text
    severity: Severity
    path: Text
    contain_within: Length | None = None


class _Otherwise(_Model):
    severity: Severity
    path: Text


class _Step(_Model):
    title: Text
    commands: tuple[Text, ...] = ()
    points: tuple[Text, ...] = ()


class _Cause(_Model):
    name: Text
    indicator: Text
    section: Text


class _Question(_Model):
    question: Text
    section: Text


class _Containment(_Model):
    cause: Text
    action: Text
    owner: Text
    revert: Text
    verify: Text
    query: Text


class _Action(_Model):
    action: Text
    when: Text
    how: Text
    revert: str = ""
    verify: str = ""


class _Communication(_Model):
    action: Text
    audience: Text
    template: Text


class _Condition(_Model):
    condition: Text
    contacts: tuple[Text, ...]
    methods: tuple[Text, ...] = Field(min_length=1)


class _Escalation(_Model):
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


class _Review(_Model):
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


class _Metric(_Model):
    metric: Text
    target: Text
    how: Text
    below: Length | None = None
    below_share: Annotated[Number, Field(gt=0, le=1)] | None = None


class _Golden(_Model):
    start: int = Field(ge=0)
    end: int = Field(gt=0)
    title: Text
    record: str = ""
    notify: tuple[Text, ...] = ()
    task: str = ""


class _Playbook(_Model):
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
    def _whole(self) -> _Playbook:
        for name, given, needed in (
            ("severities", self.severities, Severity),
            ("escalation.matrix", self.escalation.matrix, Severity),
            ("containment", self.containment, ContainmentType),
            ("cause_types", self.cause_types, CauseType),
            ("metrics", self.metrics, tables.MetricId),
            ("communication", self.communication, ("status-page", "slack", "email", "bridge")),
        ):
            missing = [str(getattr(key, "value", key)) for key in needed if key not in given]
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


@dataclass(frozen=True, slots=True)
class InForce:
    """The playbook in force.

    Attributes
    ----------
    playbook : Playbook
    content : Mapping
        The merged content, as JSON-ready values.
    origins : Mapping of str to str
        Dotted key of each value to the file and row that it came from.
    """

    playbook: tables.Playbook
    content: Mapping[str, Any]
    origins: Mapping[str, str]


def read_playbook(own: Path | None = None, label: str | None = None) -> InForce:
    """Read the packaged playbook and lay an organisation's own over it.

    Mappings are merged key by key, to any depth; a list or single value replaces what was there; null takes an entry away.

    Parameters
    ----------
    own : Path, optional
        The organisation's file; None: the packaged playbook alone.
    label : str, optional
        How messages and origins name that file; by default its path.

    Raises
    ------
    ConfigError
        If a file is not valid YAML, has an unknown key, or what is in force after merging is not whole.
    """
    path = asset_folder("parameters") / "playbook.yaml"
    content, origins = _read(path, PACKAGED_LABEL)
    named = PACKAGED_LABEL
    if own is not None:
        named = label or str(own)
        added, rows = _read(own, named)
        _lay_over(content, added, origins, rows, "")
    return InForce(_tables(validate(_Playbook, content, named), _digest(content)), content, origins)


def _read(path: Path, label: str) -> tuple[dict[str, Any], dict[str, str]]:
    content = read_yaml(path, label)
    if not isinstance(content, dict):
        raise ConfigError(f"{label}: top level: keys such as escalation or containment are needed")
    rows: dict[str, str] = {}
    # the same text was accepted by read_yaml just now; this pass keeps the rows
    loader = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
    root = yaml.compose(read_utf8(path, label, MAX_CONFIG_BYTES, ConfigError), Loader=loader)
    _rows(root, "", label, rows)
    return _text_keys(content), rows


def _text_keys(value: Any) -> Any:
    """Keys as text, as JSON has them."""
    if isinstance(value, dict):
        return {str(key): _text_keys(item) for key, item in value.items()}
    return value


def _rows(node: yaml.Node | None, key: str, label: str, rows: dict[str, str]) -> None:
    if isinstance(node, yaml.MappingNode) and node.value:
        for name, item in node.value:
            _rows(item, f"{key}.{name.value}" if key else str(name.value), label, rows)
    elif node is not None:
        rows[key] = f"{label}, row {node.start_mark.line + 1}"


def _lay_over(
    content: dict[str, Any], added: dict[str, Any], origins: dict[str, str], rows: dict[str, str], key: str
) -> None:
    for name, item in added.items():
        full = f"{key}.{name}" if key else name
        if isinstance(item, dict) and isinstance(content.get(name), dict):
            _lay_over(content[name], item, origins, rows, full)
            continue
        if item is None and name not in content:
            raise ConfigError(f"{rows[full]}: {full}: null takes an entry away, and there is none of this name")
        for old in [old for old in origins if old == full or old.startswith(f"{full}.")]:
            del origins[old]
        if item is None:
            content.pop(name, None)
            continue
        content[name] = item
        origins.update({new: row for new, row in rows.items() if new == full or new.startswith(f"{full}.")})


def _digest(content: Mapping[str, Any]) -> str:
    """sha256 of the content; the order of the rows is part of it, because the tree is walked in it."""
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _tables(given: _Playbook, sha256: str) -> tables.Playbook:
    return tables.Playbook(
        version=given.version,
        sha256=sha256,
        severities=tuple(
            tables.SeverityRow(
                severity,
                given.severities[severity].description,
                given.severities[severity].respond_within,
                given.severities[severity].response_time,
                given.escalation.matrix[severity],
                given.severities[severity].examples,
            )
            for severity in Severity
        ),
        incident_types=tuple(
            tables.IncidentType(code, row.incident_type, row.severity) for code, row in given.exit_codes.items()
        ),
        tree=tuple(
            tables.Branch(
                row.codes,
                row.question,
                row.severity,
                row.path,
                row.contain_within,
                tuple(command for step in given.triage[row.path] for command in step.commands),
            )
            for row in given.decision_tree.values()
        ),
        otherwise=(given.otherwise.severity, given.otherwise.path),
        triage=tuple(
            tables.Triage(path, tuple(tables.TriageStep(step.title, step.commands, step.points) for step in steps))
            for path, steps in given.triage.items()
        ),
        cause_types=tuple(
            tables.CauseRow(kind, row.name, row.indicator, row.section) for kind, row in given.cause_types.items()
        ),
        impact_questions=tuple(
            tables.ImpactQuestion(row.question, row.section) for row in given.impact_questions.values()
        ),
        containment=tuple(
            tables.Containment(kind, row.cause, row.action, row.revert, row.verify, row.owner, row.query)
            for kind, row in given.containment.items()
        ),
        operational=_actions(given.operational),
        monitoring=_actions(given.monitoring),
        communication=tuple(
            tables.CommunicationRow(key, row.action, row.audience, row.template)
            for key, row in given.communication.items()
        ),
        escalation_after=given.escalation.after,
        escalation_methods=given.escalation.methods,
        no_progress_after=given.escalation.no_progress_after,
        conditions=tuple(
            tables.ConditionRow(key, row.condition, row.contacts, row.methods)
            for key, row in given.escalation.conditions.items()
        ),
        reviews=tuple(
            tables.Review(key, row.activity, row.when, row.participants, row.within, row.repeats)
            for key, row in given.reviews.items()
        ),
        metrics=tuple(
            tables.MetricRow(key, row.metric, row.target, row.how, row.below, row.below_share)
            for key, row in given.metrics.items()
        ),
        golden_path=tuple(
            tables.GoldenStep(key, row.start, row.end, row.title, row.record, row.notify, row.task)
            for key, row in given.golden_path.items()
        ),
    )


def _actions(rows: Mapping[str, _Action]) -> tuple[tables.ActionRow, ...]:
    return tuple(
        tables.ActionRow(key, row.action, row.when, row.how, row.revert, row.verify) for key, row in rows.items()
    )
