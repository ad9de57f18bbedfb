"""The playbook's file: the packaged one, with an organisation's own laid over it, checked and with the origin of each line."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml

from tars_lib.config.yaml_file import read_yaml, validate
from tars_lib.errors import ConfigError
from tars_lib.files.assets import asset_folder
from tars_lib.files.limits import MAX_CONFIG_BYTES
from tars_lib.files.reading import read_utf8, sha256_hex
from tars_lib.model.names import Severity
from tars_lib.playbook import tables
from tars_lib.playbook.config_form import PlaybookForm

PACKAGED_LABEL = "packaged playbook.yaml"
_Row = TypeVar("_Row")


@dataclass(frozen=True, slots=True)
class InForce:
    """The playbook in force.

    Attributes
    ----------
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
    if own is None:
        return _packaged(path, path.stat().st_mtime_ns if path.is_file() else 0)
    content, origins = _read(path, PACKAGED_LABEL)
    named = label or str(own)
    added, rows = _read(own, named)
    _lay_over(content, added, origins, rows, "")
    return _in_force(content, origins, named)


@functools.lru_cache(maxsize=1)
def _packaged(path: Path, changed: int) -> InForce:
    """Read the packaged playbook once a process: commands and pages ask for it again and again."""
    return _in_force(*_read(path, PACKAGED_LABEL), PACKAGED_LABEL)


def _in_force(content: dict[str, Any], origins: dict[str, str], named: str) -> InForce:
    return InForce(_tables(validate(PlaybookForm, content, named), _digest(content)), content, origins)


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
    """Return the keys as text, as JSON has them."""
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
    return sha256_hex(text.encode())


def _tables(form: PlaybookForm, sha256: str) -> tables.Playbook:
    return tables.Playbook(
        version=form.version,
        sha256=sha256,
        severities=tuple(
            tables.SeverityRow(severity, escalation=form.escalation.matrix[severity], **dict(form.severities[severity]))
            for severity in Severity
        ),
        incident_types=_keyed(tables.IncidentType, form.exit_codes),
        tree=tuple(
            tables.Branch(commands=tuple(line for step in form.triage[row.path] for line in step.commands), **dict(row))
            for row in form.decision_tree.values()
        ),
        otherwise=(form.otherwise.severity, form.otherwise.path),
        triage=tuple(
            tables.Triage(path, tuple(tables.TriageStep(**dict(step)) for step in steps))
            for path, steps in form.triage.items()
        ),
        cause_types=_keyed(tables.CauseRow, form.cause_types),
        impact_questions=tuple(tables.ImpactQuestion(**dict(row)) for row in form.impact_questions.values()),
        containment=_keyed(tables.Containment, form.containment),
        operational=_keyed(tables.ActionRow, form.operational),
        monitoring=_keyed(tables.ActionRow, form.monitoring),
        communication=_keyed(tables.CommunicationRow, form.communication),
        escalation_after=form.escalation.after,
        escalation_methods=form.escalation.methods,
        no_progress_after=form.escalation.no_progress_after,
        conditions=tuple(
            tables.ConditionRow(key, row.condition, row.contacts, row.methods)
            for key, row in form.escalation.conditions.items()
        ),
        reviews=_keyed(tables.Review, form.reviews),
        metrics=_keyed(tables.MetricRow, form.metrics),
        golden_path=_keyed(tables.GoldenStep, form.golden_path),
    )


def _keyed(row_type: Callable[..., _Row], forms: Mapping[Any, Any]) -> tuple[_Row, ...]:
    """Make rows of a mapping: its key is the first field of a row, and the others are named as in the form."""
    return tuple(row_type(key, **dict(form)) for key, form in forms.items())
