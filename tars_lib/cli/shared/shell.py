"""Frame of every command: logging to stderr, one line for an error, the documented exit code."""

from __future__ import annotations

import json
import logging
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import ParamSpec

import click

from tars_lib.cli.shared.settings import with_origin
from tars_lib.cli.shared.terminal import ShownFormatter, drop_what_cannot_be_printed, shown
from tars_lib.errors import (
    ConfigError,
    InputError,
    NoRepositoriesError,
    NotificationError,
    ReportError,
    SchedulerError,
    TarsError,
    VerificationError,
    one_line,
)

P = ParamSpec("P")
UNEXPECTED = 199
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


@dataclass(frozen=True, slots=True)
class Codes:
    """Exit codes of one command for refused input, and for a step that failed after it was accepted."""

    no_repositories: int
    configuration: int
    parse: int
    failed: int = 1

    def of(self, error: BaseException) -> int:
        """Return the exit code for an error."""
        if isinstance(error, NoRepositoriesError):
            return self.no_repositories
        if isinstance(error, ConfigError):
            return self.configuration
        if isinstance(error, ReportError | VerificationError | NotificationError | SchedulerError):
            return self.failed
        return self.parse if isinstance(error, TarsError) else self.failed


PIPELINE = Codes(93, 94, 95)
REPORT = Codes(1, 1, 1)
NOTIFY = Codes(104, 103, 104, failed=105)


def guarded(codes: Codes, *, is_pinned: bool = True) -> Callable[[Callable[P, int]], Callable[P, None]]:
    """Turn a function that returns an exit code into the body of a command, with `--verbose` and `--quiet`.

    Errors that the package raises on purpose, and those of the file system, end with one line on stderr and the documented
    code; anything else with code 199. `is_pinned`: `SOURCE_DATE_EPOCH` counts, so one that is no time is refused. The
    traceback is shown with `--verbose`, which the function itself is not given, or `TARS_LOG_LEVEL=DEBUG`.
    """

    def decorate(body: Callable[P, int]) -> Callable[P, None]:
        @wraps(body)
        def command(*args: P.args, **kwargs: P.kwargs) -> None:
            _set_up_logging(bool(kwargs.pop("verbose")), bool(kwargs.get("quiet")))
            try:
                _check_pinned_time(is_pinned=is_pinned)
                code = body(*args, **kwargs)
                sys.stdout.flush()
            except BrokenPipeError:  # the reader has seen enough; click ends the command quietly
                raise
            except (TarsError, OSError) as error:
                sentence = with_origin(sentence_of(error), click.get_current_context())
                code = _complain(codes.of(error), error, sentence, as_json=bool(kwargs.get("as_json")))
                drop_what_cannot_be_printed()
            except MemoryError as error:
                sentence = "not enough memory; a smaller input, or a machine with more of it, is needed"
                code = _complain(codes.failed, error, sentence, as_json=bool(kwargs.get("as_json")))
            except (click.ClickException, click.exceptions.Exit, click.Abort, KeyboardInterrupt):
                raise
            except Exception as error:  # noqa: BLE001 - the last line of defence: one line and a documented code
                sentence = f"unexpected {type(error).__name__}: {sentence_of(error)}"
                code = _complain(UNEXPECTED, error, sentence, as_json=bool(kwargs.get("as_json")))
            click.get_current_context().exit(code)

        quiet = click.option("--quiet", is_flag=True, help="Print errors only.")
        verbose = click.option("--verbose", is_flag=True, help="Log what is read and decided; show tracebacks.")
        return verbose(quiet(command))

    return decorate


@contextmanager
def progress(total: int, unit: str, *, quiet: bool = False) -> Iterator[Callable[[str], None]]:
    """A progress bar on a terminal, silence in a pipe; the callable names the step that begins."""
    if quiet or not sys.stderr.isatty():
        yield lambda step: None
        return
    from tqdm import tqdm

    with tqdm(total=total, unit=unit, file=sys.stderr, leave=False) as bar:
        began = False

        def begin(step: str) -> None:
            nonlocal began
            bar.update(1 if began else 0)
            began = True
            bar.set_description(step)

        yield begin


def expand(patterns: Sequence[str], needed: str) -> Path:
    """Return one file or folder from paths or literal globs: the newest of several by the time in its path.

    Parameters
    ----------
    patterns : sequence of str
        What the shell left: one path, several that it expanded, or a pattern that matched nothing for it.
    needed : str
        What is looked for, for the message.

    Raises
    ------
    InputError
        If nothing matches; the message says what was looked for.
    """
    from glob import glob

    paths: list[Path] = []
    for pattern in patterns:
        # the pattern may be absolute, which Path.glob refuses
        matches = [pattern] if Path(pattern).exists() else sorted(glob(pattern))  # noqa: PTH207
        paths += [Path(match) for match in matches]
    paths = list(dict.fromkeys(paths))
    if not paths:
        raise InputError(f"{' '.join(patterns)}: nothing found; {needed} is needed")
    if len(paths) == 1:
        return paths[0]
    from tars_lib.pipeline import latest_run

    newest = latest_run(paths)
    click.echo(shown(f"{len(paths)} match; the newest is used: {newest}"), err=True)
    return newest


def _check_pinned_time(*, is_pinned: bool) -> None:
    """Refuse a `SOURCE_DATE_EPOCH` that is no time before a library, such as numpy, reads it; an empty one is not set."""
    pinned = os.environ.get("SOURCE_DATE_EPOCH")
    if pinned is None:
        return
    if pinned:
        from tars_lib.pipeline.stamping import now

        try:
            now()
        except ConfigError:
            if is_pinned:
                raise
        else:
            return
    del os.environ["SOURCE_DATE_EPOCH"]


def _set_up_logging(verbose: bool, quiet: bool) -> None:
    wanted = os.environ.get("TARS_LOG_LEVEL", "").upper()
    level = "DEBUG" if verbose else "ERROR" if quiet else wanted or "WARNING"
    if level not in LEVELS:
        click.echo(f"TARS_LOG_LEVEL {wanted!r} is not known; allowed: {', '.join(LEVELS)}; WARNING is used", err=True)
        level = "WARNING"
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(ShownFormatter("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(handlers=[handler], force=True)
    logging.getLogger().setLevel(logging.WARNING)
    logging.getLogger("tars_lib").setLevel(level)


def _complain(code: int, error: BaseException, sentence: str, *, as_json: bool) -> int:
    if logging.getLogger("tars_lib").isEnabledFor(logging.DEBUG):
        traceback.print_exc(file=sys.stderr)
    click.echo(f"error: {sentence}", err=True)
    if as_json:
        document = {"error": {"type": type(error).__name__, "message": sentence}, "exit_code": code}
        with suppress(OSError):  # the error may be that stdout takes nothing
            click.echo(json.dumps(document, sort_keys=True, ensure_ascii=False))
    return code


def print_json(document: object, *, ensure_ascii: bool = False) -> None:
    """Print one JSON document and nothing else."""
    from tars_lib.files.json_records import dumps

    click.echo(dumps(document, ensure_ascii=ensure_ascii), nl=False)


def sentence_of(error: BaseException) -> str:
    """Return what an error says, in one line."""
    from tars_lib.reports.blocks.lengths import visible

    return visible(one_line(error)) or type(error).__name__
