"""The retention file: after how many days each kind of thing is archived and deleted."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from pydantic import Field, model_validator

from tars_lib.config.yaml_file import Strict, read_yaml, validate
from tars_lib.files.assets import asset_folder
from tars_lib.retention.policy import Kind, RetentionPolicy, Term

PACKAGED = "retention.yaml"


class _Term(Strict):
    archive_after_days: int | None = Field(default=None, ge=1, le=36600)
    delete_after_days: int | None = Field(default=None, ge=1, le=36600)
    source: str = Field(min_length=1)

    @model_validator(mode="after")
    def _in_order(self) -> _Term:
        if (
            self.archive_after_days is not None
            and self.delete_after_days is not None
            and self.delete_after_days <= self.archive_after_days
        ):
            raise ValueError("delete_after_days is to be more than archive_after_days")
        return self


class _Policy(Strict):
    run: _Term
    incident: _Term
    bundle: _Term
    report: _Term


def read_retention(path: Path | None = None) -> RetentionPolicy:
    """Read a retention file, by default the packaged one.

    Raise ConfigError if it cannot be read, a kind is missing, or a number of days is not allowed.
    """
    chosen = path or asset_folder("parameters") / PACKAGED
    label = f"packaged {PACKAGED}" if path is None else str(path)
    content = validate(_Policy, read_yaml(chosen, label) or {}, label)
    terms: dict[Kind, Term] = {}
    for kind in Kind:
        term: _Term = getattr(content, kind.value.lower())
        terms[kind] = Term(_days(term.archive_after_days), _days(term.delete_after_days), term.source)
    return RetentionPolicy(terms, label)


def _days(number: int | None) -> timedelta | None:
    return None if number is None else timedelta(days=number)
