"""Options that one repeats: from `tars.toml`, or `[tool.tars]` of `pyproject.toml`, below the environment and the command line.

The nearest file counts, from the current folder up to the one that holds `.git`; where there is no such folder above, the
current one alone is looked at.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

TOML, PROJECT = "tars.toml", "pyproject.toml"
_TABLE = b"[tool.tars"
_META = "tars_lib.settings"


@dataclass(frozen=True, slots=True)
class Setting:
    """A key of the file.

    Attributes
    ----------
    variable : str
        Variable of the environment that goes before it.
    parameters : tuple of str
        Parameters of commands that it is the default of; none: the variable is what is read.
    is_path : bool
        Relative to the file's folder.
    """

    variable: str
    parameters: tuple[str, ...] = ()
    is_path: bool = False


SETTINGS: Mapping[str, Setting] = {
    "root": Setting("TARS_ROOT", ("root", "root_dir"), is_path=True),
    "incidents-dir": Setting("TARS_INCIDENTS_DIR", is_path=True),
    "actor": Setting("TARS_ACTOR"),
    "assume-tz": Setting("TARS_ASSUME_TZ", ("assume_tz",)),
    "tz": Setting("TARS_TZ", ("tz",)),
    "scheduler": Setting("TARS_SCHEDULER"),
}
"""What may stand in the file, by the names of the options."""


class SettingsError(click.ClickException):
    """A settings file is not acceptable: one line, and the code of wrong usage."""

    exit_code = 2

    def show(self, file: Any = None) -> None:
        """Print the sentence as all errors are."""
        click.echo(f"error: {self.format_message()}", err=True, file=file)


@dataclass(frozen=True, slots=True)
class Chosen:
    """A value and where it came from: a file, or a variable of the environment."""

    value: str
    origin: str


def use_settings(ctx: click.Context, name: str, command: click.Command) -> None:
    """Make what the environment and the file say the defaults of a command, until the context is closed.

    Raises
    ------
    SettingsError
        If the file cannot be read, or holds an unknown key or a value that is no text.
    """
    chosen = dict(_chosen())
    ctx.meta[_META] = chosen
    by_parameter = {
        parameter: setting.value for key, setting in chosen.items() for parameter in SETTINGS[key].parameters
    }
    ctx.default_map = {name: _defaults(command, by_parameter)}
    for key, setting in chosen.items():
        variable = SETTINGS[key].variable
        if not SETTINGS[key].parameters and not os.environ.get(variable, "").strip():
            before = os.environ.get(variable)
            os.environ[variable] = setting.value
            ctx.call_on_close(lambda variable=variable, before=before: _restore(variable, before))


def is_from_settings(parameter: str) -> bool:
    """Return whether a parameter of the present command was given by the environment or the file alone."""
    return click.get_current_context().get_parameter_source(parameter) is ParameterSource.DEFAULT_MAP


def with_origin(sentence: str, ctx: click.Context) -> str:
    """Return what an error says, and which file a value in it came from, unless it was typed."""
    for key, setting in ctx.meta.get(_META, {}).items():
        names = SETTINGS[key].parameters
        is_used = any(ctx.get_parameter_source(name) is ParameterSource.DEFAULT_MAP for name in names)
        # what is read from the environment, unless it was typed
        is_used |= not names and ctx.get_parameter_source(key.replace("-", "_")) is not ParameterSource.COMMANDLINE
        if is_used and setting.origin != SETTINGS[key].variable and setting.value in sentence:
            return f"{sentence} ({key} is from {setting.origin})"
    return sentence


def _restore(variable: str, before: str | None) -> None:
    if before is None:
        os.environ.pop(variable, None)
    else:
        os.environ[variable] = before


def _defaults(command: click.Command, by_parameter: Mapping[str, str]) -> dict[str, Any]:
    """Defaults of a command, and of those of a group."""
    defaults: dict[str, Any] = {
        str(param.name): by_parameter[str(param.name)] for param in command.params if param.name in by_parameter
    }
    if isinstance(command, click.Group):
        defaults |= {name: _defaults(subcommand, by_parameter) for name, subcommand in command.commands.items()}
    return defaults


def _chosen() -> Iterator[tuple[str, Chosen]]:
    in_file, origin = _file_settings()
    for key, setting in SETTINGS.items():
        of_environment = os.environ.get(setting.variable, "").strip()
        if of_environment:
            yield key, Chosen(of_environment, setting.variable)
        elif key in in_file:
            yield key, Chosen(in_file[key], origin)


def _file_settings() -> tuple[dict[str, str], str]:
    """Return what the nearest file says, paths as they lead from the current folder; and the file."""
    for folder in _folders():
        for name in (TOML, PROJECT):
            path = folder / name
            if path.is_file() and (values := _read(path)) is not None:
                return {key: _value(key, value, path) for key, value in values.items()}, str(path)
    return {}, ""


def _folders() -> Iterator[Path]:
    """Yield the current folder, and those above it up to the top of the repository, as they lead from here."""
    here = Path.cwd()
    tops = [number for number, folder in enumerate((here, *here.parents)) if (folder / ".git").exists()]
    for number in range((tops[0] if tops else 0) + 1):
        yield Path(*[os.pardir] * number)


def _read(path: Path) -> Mapping[str, Any] | None:
    """Return the settings of a file; None where a `pyproject.toml` has no such table."""
    from tars_lib.errors import TarsError
    from tars_lib.files.limits import MAX_CONFIG_BYTES
    from tars_lib.files.reading import read_whole

    try:
        content = read_whole(path, str(path), MAX_CONFIG_BYTES)
    except TarsError as error:
        raise SettingsError(str(error)) from error
    if path.name == PROJECT and _TABLE not in content:
        return None
    import tomllib

    try:
        whole = tomllib.loads(content.decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SettingsError(f"{path}: not valid TOML: {' '.join(str(error).split())}") from error
    if path.name == TOML:
        return whole
    table = whole.get("tool", {})
    values = table.get("tars") if isinstance(table, dict) else None
    return values if isinstance(values, dict) else None


def _value(key: str, value: Any, path: Path) -> str:
    """Return a value of a known key, as it leads from the current folder."""
    if key not in SETTINGS:
        raise SettingsError(f"{path}: unknown key {key[:60]!r}; allowed: {', '.join(SETTINGS)}")
    if not isinstance(value, str) or not value.strip():
        raise SettingsError(f"{path}: {key}: text in quotes is needed ({str(value)[:60]!r} was given)")
    if not SETTINGS[key].is_path or "://" in value:
        return value.strip()
    return str(path.parent / value.strip())
