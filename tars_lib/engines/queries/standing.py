"""An organisation that answers for each of its repos: how healthy, where to, what happened, which SLAs it meets."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tars_lib.engines.health.assess import assess_health
from tars_lib.engines.health.report import RepositoryReport
from tars_lib.engines.report import Stamp
from tars_lib.engines.sla.sli import in_scope, read_track
from tars_lib.engines.sla.verdict import judge
from tars_lib.model.names import Event, Repo, SlaStatus, Trend
from tars_lib.model.organisation import OrgData
from tars_lib.text.counts import and_more
from tars_lib.text.quantities import value_text
from tars_lib.text.sentences import Telling, Told
from tars_lib.text.times import MINUTES

MAX_EVENTS = 5
"""Events in sentences, newest first; judgement: what one looks at before asking for the list."""


@dataclass(frozen=True, slots=True)
class RepoSla:
    """One SLA judged over one repo alone; `value` is null and `reason` says why where it cannot be known."""

    sla_id: str
    sla_name: str
    status: SlaStatus
    value: float | None
    objective: float
    unit: str
    reason: str | None


class RepoStanding(Telling, Repo):
    """A repo of an organisation and how it stands at the end of the data; it equals the repo that it was made of.

    Everything is worked out when it is first asked for, and nothing is remembered beyond this object.
    """

    _org: OrgData

    def __new__(cls, *values: Any, **fields: Any) -> Repo:  # type: ignore[misc]
        """Return a plain repo: what `dataclasses.replace` changes is no longer the organisation's."""
        return Repo(*values, **fields)

    @classmethod
    def of(cls, repo: Repo, org: OrgData) -> RepoStanding:
        """Return the repo with its organisation."""
        made: RepoStanding = object.__new__(cls)
        Repo.__init__(made, **{f.name: getattr(repo, f.name) for f in dataclasses.fields(repo)})
        # the frozen base refuses plain assignment
        object.__setattr__(made, "_org", org)
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).of, (dataclasses.replace(self), self._org)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Repo):
            return NotImplemented
        return all(getattr(self, f.name) == getattr(other, f.name) for f in dataclasses.fields(Repo))

    __hash__ = Repo.__hash__

    @cached_property
    def health(self) -> RepositoryReport:
        """Score with its components, trend and changes of level.

        Raises
        ------
        InputError
            If the organisation has no sample at all.
        """
        known, as_of = self._org.at(None)
        # nothing of the report's head is kept, so no clock is asked
        report = assess_health(known, as_of, Stamp(as_of, ""))
        return next(health for health in report.repository_reports if health.repo == self.repo)

    @property
    def trend(self) -> Trend:
        """Return where its score goes."""
        return self.health.trend

    @cached_property
    def events(self) -> tuple[Event, ...]:
        """Return what happened in this repo, newest first; what concerns all repos is among it."""
        mine = (event for event in self._org.events if event.repo in (self.repo, None))
        return tuple(sorted(mine, key=lambda event: event.timestamp, reverse=True))

    @cached_property
    def slas(self) -> dict[str, RepoSla]:
        """Return the SLAs that judge this repo, each over the repo alone, by their ids."""
        known, as_of = self._org.at(None)
        position = [repo.repo for repo in known.repos].index(self.repo)
        slas = {}
        for policy in known.policies:
            if not in_scope(known, policy, read_track(known, policy))[position]:
                continue
            result = judge(known, dataclasses.replace(policy, repos=(self.repo,)), as_of, ()).result
            slas[policy.sla_id] = RepoSla(
                result.sla_id,
                result.sla_name,
                result.status,
                result.value,
                result.objective,
                result.unit,
                result.reason,
            )
        return slas

    def told(self) -> Told:
        """Return the repo in sentences."""
        return Told.of((*self._who(), *self._state(), *self._promises(), *self._past()))

    def _who(self) -> Iterator[str]:
        named = self.repo if self.name == self.repo else f"{self.repo} ({self.name})"
        team = f"of team {self.team}" if self.team else "without a team"
        kind = "external" if self.external else "customer facing" if self.customer_facing else "internal"
        tier = "" if self.tier is None else f", tier {self.tier}"
        callees = and_more([edge.callee for edge in self._org.dependencies if edge.caller == self.repo]) or "nobody"
        callers = and_more([edge.caller for edge in self._org.dependencies if edge.callee == self.repo]) or "nobody"
        yield f"{named}, {team}, is {kind}{tier}; it calls {callees} and is called by {callers}."

    def _state(self) -> Iterator[str]:
        health = self.health
        score = "unknown" if health.score is None else f"{health.score:.0f} of 100"
        slope = health.trend_slope_per_day
        is_moving = health.trend in (Trend.DECLINING, Trend.IMPROVING)
        pace = f" ({slope:+.2g} points a day)" if slope is not None and is_moving else ""
        yield (
            f"Health is {score} ({health.status.value}), trend {health.trend.value}{pace}; "
            f"{health.coverage:.0%} of the expected samples arrived."
        )
        if health.reasons:
            yield f"Why: {'; '.join(health.reasons)}."
        if health.change_points:
            point = health.change_points[-1]
            yield f"Its score last changed from {point.before:.0f} to {point.after:.0f} at {point.at:{MINUTES}}."

    def _promises(self) -> Iterator[str]:
        if not self.slas:
            yield "No SLA covers it."
        for sla in self.slas.values():
            measured = f"{value_text(sla.value, sla.unit)} against {value_text(sla.objective, sla.unit)}"
            because = f" ({sla.reason})" if sla.reason else ""
            yield f"SLA {sla.sla_name}: {sla.status.value}, {measured}{because}."

    def _past(self) -> Iterator[str]:
        if not self.events:
            yield "No event is recorded."
            return
        latest = [f"{event.kind} {event.title!r} at {event.timestamp:{MINUTES}}" for event in self.events[:MAX_EVENTS]]
        more = f"; {len(self.events) - MAX_EVENTS} more before" if len(self.events) > MAX_EVENTS else ""
        yield f"Events, newest first: {'; '.join(latest)}{more}."


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Organisation(OrgData):
    """An organisation whose repos can be asked. `org["web"]` is `org.repo("web")`, with Tab."""

    @classmethod
    def of(cls, org: OrgData) -> Organisation:
        """Return the same organisation, able to answer."""
        return cls(**{field.name: getattr(org, field.name) for field in dataclasses.fields(OrgData)})

    def repo(self, name: str) -> RepoStanding:
        """One repo and how it stands.

        Raises
        ------
        UnknownNameError
            If there is none of that name.
        """
        return RepoStanding.of(OrgData.repo(self, name), self)

    def __getitem__(self, name: str) -> RepoStanding:
        """`org["web"]`: the same as `org.repo("web")`."""
        return self.repo(name)

    def _ipython_key_completions_(self) -> list[str]:
        return [repo.repo for repo in self.repos]
