"""How long is each kind of thing kept? The content of a retention file, and what it decides for one age."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from tars_lib.model.names import Name


class Kind(Name):
    """Kind of thing that is kept: run directories, incidents with their runs, evidence bundles, rendered reports."""

    RUN = "RUN"
    INCIDENT = "INCIDENT"
    BUNDLE = "BUNDLE"
    REPORT = "REPORT"


class Decision(Name):
    """Decision on a thing. HELD and NEEDED are kept whatever their age; REFUSED is not what its digests say."""

    KEEP = "KEEP"
    ARCHIVE = "ARCHIVE"
    DELETE = "DELETE"
    HELD = "HELD"
    NEEDED = "NEEDED"
    REFUSED = "REFUSED"


@dataclass(frozen=True, slots=True)
class Term:
    """Ages at which a kind is archived and deleted; None: never. `source` says where they come from."""

    archive_after: timedelta | None
    delete_after: timedelta | None
    source: str

    def decide(self, age: timedelta, *, is_archived: bool = False) -> Decision:
        """Decide what the age alone asks for.

        Examples
        --------
        >>> term = Term(timedelta(days=90), timedelta(days=400), "judgement")
        >>> [term.decide(timedelta(days=days)).value for days in (89, 90, 400)]
        ['KEEP', 'ARCHIVE', 'DELETE']
        >>> term.decide(timedelta(days=100), is_archived=True).value
        'KEEP'
        """
        if self.delete_after is not None and age >= self.delete_after:
            return Decision.DELETE
        if self.archive_after is not None and age >= self.archive_after and not is_archived:
            return Decision.ARCHIVE
        return Decision.KEEP


@dataclass(frozen=True, slots=True)
class RetentionPolicy:
    """A term for every kind; `label` names the file."""

    terms: Mapping[Kind, Term]
    label: str
