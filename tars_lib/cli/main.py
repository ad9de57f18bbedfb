"""The `tars` command: sub-commands are imported when they are called, so that `tars --help` costs next to nothing."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

import click

from tars_lib.cli.shared.process import start
from tars_lib.engines.steps import STEPS, Step

# sub-command: (module, function, what it does); those of the engines stand in STEPS
_OTHERS: dict[str, tuple[str, str, str]] = {
    "bundle": ("tars_lib.cli.bundle.create", "bundle", "Create and verify evidence bundles."),
    "classify": ("tars_lib.cli.classify", "classify", "Look up exit codes, reports or runs in the playbook."),
    "demo": ("tars_lib.cli.demo", "demo", "Run the main job on the demo organisation that ships with the package."),
    "diff": ("tars_lib.cli.diff", "diff", "Show what improved and what got worse between two runs."),
    "incident": ("tars_lib.cli.incident.group", "incident", "Open incidents, respond to them, and keep their record."),
    "metrics": ("tars_lib.cli.metrics", "metrics", "Measure how fast incidents are detected, resolved and recovered."),
    "notify": ("tars_lib.cli.notify", "notify", "Send a message to people through channels; a dry run unless --send."),
    "package": ("tars_lib.cli.leadership", "package", "Pack reports, figures and numbers of a run for leadership."),
    "playbook": ("tars_lib.cli.playbook", "playbook", "Show the playbook in force, and where each line comes from."),
    "report": ("tars_lib.cli.report", "report", "Turn a run into an HTML page and a PDF for leadership."),
    "retention": ("tars_lib.cli.retention", "retention", "Archive and delete by age; only a plan unless applied."),
    "review": ("tars_lib.cli.review", "review", "List reviews and action items that are due; 1 if one is overdue."),
    "run": ("tars_lib.cli.run", "run", "Check an org-health folder and write a run directory."),
    "watch": ("tars_lib.cli.watch", "watch", "Run the pipeline on a schedule, and show what changed."),
}


def commands() -> dict[str, str]:
    """Return every sub-command and what it does, by name."""
    told = {name: text for name, (_, _, text) in _OTHERS.items()} | {step.name: step.purpose for step in STEPS.values()}
    return dict(sorted(told.items()))


class LazyGroup(click.Group):
    """A group that knows its commands by name and one line of help."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(commands())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in STEPS:
            return _engine_command(STEPS[cmd_name])
        if cmd_name not in _OTHERS:
            return None
        module, name, _ = _OTHERS[cmd_name]
        command: click.Command = getattr(import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(commands().items()))


def _engine_command(step: Step) -> click.Command:
    """Return the command of an engine: its module in `cli/engines`, or where it has none, the options of every engine."""
    module = f"tars_lib.cli.engines.{step.name}"
    if find_spec(module) is not None:
        command: click.Command = getattr(import_module(module), step.name)
        return command
    from tars_lib.cli.engines.plain import plain_command

    return plain_command(step)


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Example: tars run --root ./org-health --outdir ./reports/runs",
)
@click.option(
    "--version", is_flag=True, expose_value=False, is_eager=True, callback=lambda c, _p, v: _show_version(c, v)
)
def cli() -> None:
    """T.A.R.S., the incident workbook: which SLA is breached, why, what to do, and what leadership needs to know.

    Exit codes follow the playbook: 0 nothing found, 142 an SLA breach, 92 high organisation risk and so on; the whole table
    is in docs/exit-codes.md.
    """


def _show_version(ctx: click.Context, is_asked: bool) -> None:
    if is_asked:
        from tars_lib import __version__

        click.echo(f"tars {__version__}")
        ctx.exit()


def main() -> None:
    """Entry point of the `tars` command."""
    start(cli, "tars")


if __name__ == "__main__":
    main()
