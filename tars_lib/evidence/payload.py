"""Content of a bundle before it is sealed: bytes by path, and what is known to be missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from tars_lib.errors import ConfigError
from tars_lib.evidence.sealing.names import check_path


@dataclass(frozen=True, slots=True)
class Payload:
    """Files of a bundle by their path below ``data/``, with what the seal and the index say about them.

    `identifier` names the incident or the run; `made_at` is when the newest run was made, so that equal content gives equal
    bytes. `partial` says why the evidence is not whole, empty where it is; `absent` says by topic of the index why a file is
    not there. `runs` are the folders below ``runs/``, oldest first. `notes` are what a reader has to know besides.
    """

    files: Mapping[str, bytes]
    identifier: str
    made_at: datetime
    runs: tuple[str, ...] = ()
    partial: tuple[str, ...] = ()
    absent: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        folded: dict[str, str] = {}
        for path in self.files:
            check_path(path)
            other = folded.setdefault(path.casefold(), path)
            if other != path:
                raise ConfigError(f"bundle: {other} and {path} are one file where case does not count; rename one")

    def with_files(self, files: Mapping[str, bytes]) -> Payload:
        """Return the same with further files; a file of the same path is replaced."""
        return replace(self, files={**self.files, **files})

    def below(self, folder: str) -> dict[str, bytes]:
        """Return the files in a folder, by their whole path, in order."""
        return {path: self.files[path] for path in sorted(self.files) if path.startswith(f"{folder}/")}
