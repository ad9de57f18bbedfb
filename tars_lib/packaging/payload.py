"""What a bundle holds before it is sealed: bytes by path, and what is known to be missing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from tars_lib.errors import ConfigError

_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
_ODD = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST_PART, _LONGEST_PLAIN = 120, 100
"""Characters of a file's name: every file system in use takes 255 bytes; a plain name leaves room for number and ending;
judgement."""


@dataclass(frozen=True, slots=True)
class Payload:
    """Files of a bundle by their path below ``data/``, with what the seal and the index say about them.

    `identifier` names the incident or the run; `made_at` is when the newest run was made, so that equal content gives equal
    bytes. `partial` says why the evidence is not whole, empty where it is; `absent` says by topic of the index why a file is
    not there. `runs` are the folders below ``runs/``, oldest first.
    """

    files: Mapping[str, bytes]
    identifier: str
    made_at: datetime
    runs: tuple[str, ...] = ()
    partial: tuple[str, ...] = ()
    absent: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        folded: dict[str, str] = {}
        for path in self.files:
            check_path(path)
            other = folded.setdefault(path.casefold(), path)
            if other != path:
                raise ConfigError(f"bundle: {other} and {path} are one file where case does not count; rename one")

    def with_files(self, files: Mapping[str, bytes]) -> Payload:
        """The same with further files; a file of the same path is replaced."""
        return replace(self, files={**self.files, **files})

    def below(self, folder: str) -> dict[str, bytes]:
        """Files in a folder, by their whole path, in order."""
        return {path: self.files[path] for path in sorted(self.files) if path.startswith(f"{folder}/")}


def check_path(path: str) -> None:
    """Refuse a path that a manifest would have to escape or that some system could not unpack.

    Raises
    ------
    ConfigError
        If a part holds anything but ASCII letters, digits, dots, dashes and underscores, begins with a dot or a dash, ends
        with a dot, or is longer than 120 characters.
    """
    for part in path.split("/"):
        if not _PART.fullmatch(part) or len(part) > _LONGEST_PART or part.endswith("."):
            raise ConfigError(
                f"bundle: file {path[:200]!r}: each part of a path is 1 to {_LONGEST_PART} ASCII letters, digits, dots, "
                "dashes and underscores"
            )


def plain_name(text: str) -> str:
    """A name that every system, manifest and shell takes as it is.

    Examples
    --------
    >>> plain_name("tars-run-20260105-143000"), plain_name("my run, é"), plain_name("..")
    ('tars-run-20260105-143000', 'my_run', 'unnamed')
    """
    return _ODD.sub("_", text)[:_LONGEST_PLAIN].strip("._-") or "unnamed"
