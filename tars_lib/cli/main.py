"""The `tars` command: sub-commands are imported when they are called, so that `tars --help` costs next to nothing."""

from __future__ import annotations

from importlib import import_module

import click

from tars_lib.cli.shared.process import start

# sub-command: (module, function, what it does)
COMMANDS: dict[str, tuple[str, str, str]] = {
    "alerts": ("tars_lib.cli.engines.alerts", "alerts", "Raise alerts, in the playbook's order of priority."),
    "bundle": ("tars_lib.cli.bundle.create", "bundle", "Create and verify evidence bundles."),
    "classify": ("tars_lib.cli.classify", "classify", "Say what the playbook says about exit codes, reports or runs."),
    "correlation": (
        "tars_lib.cli.engines.correlation",
        "correlation",
        "Find repos that move together, and what they share.",
    ),
    "demo": ("tars_lib.cli.demo", "demo", "Run the main job on the demo organisation that ships with the package."),
    "diff": ("tars_lib.cli.diff", "diff", "Say what got better and what got worse between two runs."),
    "health": ("tars_lib.cli.engines.health", "health", "Score every repo and the organisation."),
    "incident": ("tars_lib.cli.incident.group", "incident", "Open incidents, respond to them, and keep their record."),
    "metrics": ("tars_lib.cli.metrics", "metrics", "Measure how fast incidents are found, ended and made good."),
    "notify": ("tars_lib.cli.notify", "notify", "Send a text to people through channels; a dry run unless told."),
    "package": ("tars_lib.cli.leadership", "package", "Pack reports, figures and numbers of a run for leadership."),
    "playbook": ("tars_lib.cli.playbook", "playbook", "Show the playbook in force, and where each line comes from."),
    "report": ("tars_lib.cli.report", "report", "Turn a run into an HTML page and a PDF for leadership."),
    "retention": ("tars_lib.cli.retention", "retention", "Archive and delete by age; a plan unless told otherwise."),
    "review": ("tars_lib.cli.review", "review", "List reviews and action items that are due; 1 if one is overdue."),
    "sla": ("tars_lib.cli.engines.sla", "sla", "Judge the SLAs and explain the breaches."),
    "run": ("tars_lib.cli.run", "run", "Judge an org-health folder and write a run directory."),
    "watch": ("tars_lib.cli.watch", "watch", "Run the pipeline again and again, and say what changed."),
    "temporal": ("tars_lib.cli.engines.temporal", "temporal", "Find leaders, followers and propagation paths."),
}


class LazyGroup(click.Group):
    """A group that knows its commands by name and one line of help."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, name, _ = COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, _, text) in sorted(COMMANDS.items())])


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Example: tars run --root ./org-health --outdir ./reports/runs",
)
@click.option(
    "--version", is_flag=True, expose_value=False, is_eager=True, callback=lambda c, _p, v: _show_version(c, v)
)
def cli() -> None:
    """T.A.R.S., the incident workbook: which SLA is breached, why, and what leadership needs to know.

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
