"""Paths of commands that may lie in an object store: fetched before the work, sent whole after it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from tars_lib.errors import ConfigError, InputError, TarsError
from tars_lib.files.object_store import StorePath, fetch_folder, is_remote, names_in, send_folder, store_path


class PlaceType(click.ParamType[Path | StorePath]):
    """A path, or the address of a folder in an object store."""

    name = "path"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path | StorePath:
        """Return what a text names."""
        if not isinstance(value, str):
            return value  # type: ignore[no-any-return]
        if not is_remote(value):
            return Path(value)
        try:
            return store_path(value)
        except ConfigError as error:
            self.fail(str(error), param, ctx)


PLACE = PlaceType()


@dataclass(slots=True)
class Stores:
    """Remote stores of a command: what it has fetched, and what it has yet to send."""

    _stack: ExitStack
    _staged: dict[Path, StorePath] = field(default_factory=dict)
    _fetched: dict[Path, StorePath] = field(default_factory=dict)

    def fetched(self, source: Path | StorePath) -> Path:
        """Return the folder itself, or that of an object store as a copy of the same name.

        Raise InputError if it cannot be fetched.
        """
        if isinstance(source, Path):
            return source
        copy = self._scratch() / source.name
        copy.mkdir()
        self._fetched[copy] = source
        fetch_folder(source, copy)
        return copy

    def fetched_run(self, pattern: str) -> str:
        """Return a pattern of paths as it is, or the newest run that an address names as a copy.

        Raise InputError if nothing fits, or it cannot be fetched.
        """
        if not is_remote(pattern):
            return pattern
        from tars_lib.pipeline import latest_run

        source = store_path(pattern)
        if "*" in source.name:
            names = names_in(source.parent, source.name)
            if not names:
                raise InputError(f"--run: {pattern}: nothing found; a run directory that `tars run` wrote is needed")
            source = source.parent / latest_run([Path(name) for name in names]).name
            if len(names) > 1:
                click.echo(f"{len(names)} match; the newest is used: {source}", err=True)
        return str(self.fetched(source))

    def staged(self, target: Path | StorePath, taken: str | None = None) -> Path:
        """Return the folder itself, or one here whose content `send` brings to the store.

        Parameters
        ----------
        taken : str, optional
            Pattern of names that must not be written again.

        Raises
        ------
        InputError
            If the store cannot be asked for those names.
        """
        if isinstance(target, Path):
            return target
        folder = self._scratch() / "out"
        folder.mkdir()
        for name in names_in(target, taken) if taken is not None else ():
            (folder / name).mkdir()
        self._staged[folder] = target
        return folder

    def send(self, last: Sequence[str] = ()) -> None:
        """Send what was written into staged folders.

        Parameters
        ----------
        last : sequence of str
            Names of files that make the rest whole.

        Raises
        ------
        OSError
            If a store does not take it; what was sent of it is taken back.
        """
        for folder, target in self._staged.items():
            send_folder(folder, target, last)

    def shown(self, path: Path) -> str:
        """Return where a file is or will be, for people."""
        for folder, target in self._staged.items():
            if path.is_relative_to(folder):
                return str(target / path.relative_to(folder).as_posix())
        return str(path)

    def with_addresses(self, text: str) -> str:
        """Return a text with the addresses in place of the copies."""
        for folder, address in {**self._staged, **self._fetched}.items():
            text = text.replace(str(folder), str(address))
        return text

    def _scratch(self) -> Path:
        from tars_lib.files.scratch import scratch

        return self._stack.enter_context(scratch("store"))


@contextmanager
def stores() -> Iterator[Stores]:
    """Give a command its copies, which are removed at the end; what is refused names the addresses."""
    with ExitStack() as stack:
        made = Stores(stack)
        try:
            yield made
        except TarsError as error:
            error.args = tuple(made.with_addresses(part) if isinstance(part, str) else part for part in error.args)
            raise
