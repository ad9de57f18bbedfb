"""Which names can a bundle and the files in it have, so that every system, manifest and shell takes them as they are?"""

from __future__ import annotations

import re

from tars_lib.errors import ConfigError

LONGEST_NAME = 120
"""Characters of a bundle's name: it is the folder in the zip, and no part of a path there is longer."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
_ODD = re.compile(r"[^A-Za-z0-9._-]+")
# also with any ending: https://learn.microsoft.com/windows/win32/fileio/naming-a-file#naming-conventions
_DEVICE = re.compile(r"(?i:con|prn|aux|nul|(?:com|lpt)[0-9])(?:\..*)?")
_LONGEST_PART, _LONGEST_PLAIN = 120, 100
"""Characters of a file's name: every file system in use takes 255 bytes; a plain name leaves room for number and ending;
judgement."""


def bundle_name(name: str) -> str:
    """Check a bundle's name.

    Raise ConfigError if it could be a path, is a device's name under Windows, or holds anything but letters, digits, dots,
    dashes and underscores.
    """
    if not _NAME.fullmatch(name) or ".." in name or name.endswith(".") or len(name) > LONGEST_NAME:
        raise ConfigError(
            f"bundle name {name[:60]!r}: letters, digits, dots, dashes and underscores are allowed, up to {LONGEST_NAME}"
        )
    if is_device(name):
        raise ConfigError(
            f"bundle name {name!r}: a device has this name under Windows; any other is allowed, such as evidence-{name}"
        )
    return name


def check_path(path: str) -> None:
    """Refuse a path that a manifest would have to escape or that some system could not unpack.

    Raise ConfigError if a part holds anything but ASCII letters, digits, dots, dashes and underscores, begins with a dot or
    a dash, ends with a dot, is longer than 120 characters, or is a device's name under Windows.
    """
    for part in path.split("/"):
        if not _PART.fullmatch(part) or len(part) > _LONGEST_PART or part.endswith("."):
            raise ConfigError(
                f"bundle: file {path[:200]!r}: each part of a path is 1 to {_LONGEST_PART} ASCII letters, digits, dots, "
                "dashes and underscores"
            )
        if is_device(part):
            raise ConfigError(
                f"bundle: file {path[:200]!r}: a device is called {part!r} under Windows; another name is needed"
            )


def is_device(name: str) -> bool:
    """Return whether Windows takes a name for a device, so that no file can have it there.

    Examples
    --------
    >>> is_device("nul"), is_device("Com1.txt"), is_device("console"), is_device("tars-con")
    (True, True, False, False)
    """
    return _DEVICE.fullmatch(name) is not None


def plain_name(text: str) -> str:
    """Return a name that every system, manifest and shell takes as it is.

    Examples
    --------
    >>> plain_name("tars-run-20260105-143000"), plain_name("my run, é"), plain_name("..")
    ('tars-run-20260105-143000', 'my_run', 'unnamed')
    >>> plain_name("con")
    '_con'
    """
    plain = _ODD.sub("_", text)[:_LONGEST_PLAIN].strip("._-") or "unnamed"
    return f"_{plain}" if is_device(plain) else plain
