"""Protocol between `tars pull` and a source: the question and the answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from tars_lib.errors import ConfigError
from tars_lib.files.limits import MAX_TEXT_BYTES
from tars_lib.files.reading import read_utf8
from tars_lib.model.names import Dependency, Event, PastIncident, Repo

if TYPE_CHECKING:
    from tars_lib.config.pulling.values import Auth


@dataclass(frozen=True, slots=True)
class Ask:
    """Question to a source, and what it may use of the world.

    Attributes
    ----------
    since, until : datetime
        Times of samples and events as the source stamps them: from `since` on, before `until`; UTC.
    root : Path
        The org-health folder; paths in `sources.yaml` are relative to it.
    tell : callable
        Takes how many pieces of the answer have come, and of how many (0 where nobody knows).
    note : callable
        Takes a sentence for `pulled.json` and the reader.
    clock : callable
        Seconds that pass, from any origin.
    """

    since: datetime
    until: datetime
    root: Path
    environment: Mapping[str, str]
    tell: Callable[[int, int], None]
    note: Callable[[str], None]
    pause: Callable[[float], None]
    clock: Callable[[], float]

    def secret(self, auth: Auth, name: str) -> str | None:
        """Return a secret from where `auth` says that it stands; None where it names no place.

        Parameters
        ----------
        name : str
            ``bearer``, ``password``, ``secret_key`` or ``access_key``.

        Raises
        ------
        ConfigError
            If the variable is not set, or the file cannot be read, or holds more than one line.
        """
        variable = getattr(auth, f"{name}_env", None)
        file = getattr(auth, f"{name}_file", None)
        if variable is not None:
            value = self.environment.get(variable, "")
            where = f"environment variable {variable}"
        elif file is not None:
            where = f"{name}_file {file}"
            value = read_utf8(self.root / file, where, MAX_TEXT_BYTES, ConfigError).strip()
        else:
            return None
        if not value:
            raise ConfigError(f"sources.yaml: {where} is not set or empty; {name} is needed there")
        if not value.isprintable():
            raise ConfigError(f"sources.yaml: {where} holds more than one line; {name} alone is needed there")
        return value

    def user(self, auth: Auth) -> str | None:
        """Return the name of the user, from the file or from the environment."""
        return auth.user or (None if auth.user_env is None else self.environment.get(auth.user_env))


@dataclass(frozen=True, slots=True)
class Pulled:
    """Answer of a source; any part may be missing.

    Attributes
    ----------
    asked : mapping of str to str
        What was asked, in the source's own words, for `pulled.json`.
    samples : iterator of pyarrow.Table, optional
        Tables of the columns timestamp, repo, metric and value in any type that a history may have; read once, piece by piece.
    """

    asked: Mapping[str, str]
    samples: Iterator[Any] | None = None
    events: Sequence[Event] = ()
    repos: Sequence[Repo] = ()
    dependencies: Sequence[Dependency] = ()
    incidents: Sequence[PastIncident] = ()


@dataclass(frozen=True, slots=True)
class PullOutlook:
    """Forecast of a pull for `tars pull --check`; None where the source cannot tell without giving it."""

    series: int | None = None
    samples: int | None = None
    events: int | None = None
    incidents: int | None = None
    repos: int | None = None
    dependencies: int | None = None

    @classmethod
    def of(cls, answer: Pulled) -> PullOutlook:
        """Count what an answer holds."""
        series: set[tuple[object, object]] = set()
        samples = 0
        for table in answer.samples or ():
            series.update(zip(table["repo"].to_pylist(), table["metric"].to_pylist(), strict=True))
            samples += len(table)
        parts = (answer.events, answer.incidents, answer.repos, answer.dependencies)
        numbers = (None, None) if answer.samples is None else (len(series), samples)
        return cls(*numbers, *(len(part) or None for part in parts))


class Source(Protocol):
    """A kind of source: a module, or any object that has this function; see `outlook_of` for one that it may have."""

    def read(self, spec: Any, ask: Ask) -> Pulled:
        """Ask the system.

        Raises
        ------
        InputError
            If the system cannot be reached, refuses, or answers something else than it should; the message is one line.
        ConfigError
            If the entry is not acceptable, or a library is missing.
        """


def outlook_of(source: Source, spec: Any, ask: Ask) -> PullOutlook:
    """Return what `read` would give: by the source's own `look`, where it can count without fetching all, else by reading."""
    look: Callable[[Any, Ask], PullOutlook] | None = getattr(source, "look", None)
    return PullOutlook.of(source.read(spec, ask)) if look is None else look(spec, ask)
