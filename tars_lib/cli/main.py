"""The `tars` command: sub-commands are imported when they are called, so that `tars --help` costs next to nothing."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

import click

from tars_lib import __version__
from tars_lib.cli.shared.process import start
from tars_lib.engines.steps import STEPS, Step

# sub-command: (module, function, what it does); those of the engines stand in STEPS
_OTHERS: dict[str, tuple[str, str, str]] = {
    "bundle": ("tars_lib.cli.bundle.create", "bundle", "Create and verify evidence bundles."),
    "classify": ("tars_lib.cli.classify", "classify", "Look up exit codes, reports or runs in the playbook."),
    "completion": ("tars_lib.cli.shared.completion", "completion", "Print the script that completes tars by Tab."),
    "demo": ("tars_lib.cli.demo", "demo", "Run the main job on a synthetic organisation in trouble."),
    "diff": ("tars_lib.cli.diff", "diff", "Show what improved and what got worse between two runs."),
    "export": ("tars_lib.cli.data.export", "export", "Export to OpenMetrics, Prometheus rules, OpenSLO."),
    "import": ("tars_lib.cli.data.import_files", "import_files", "Add files that other tools exported."),
    "incident": ("tars_lib.cli.incident.group", "incident", "Open incidents, respond to them, keep their record."),
    "init": ("tars_lib.cli.data.init", "init", "Propose org.yaml and SLA policies from the past."),
    "metrics": ("tars_lib.cli.metrics", "metrics", "Measure how fast incidents are detected and resolved."),
    "notify": ("tars_lib.cli.notify", "notify", "Send a message to people; a dry run unless --send."),
    "package": ("tars_lib.cli.leadership", "package", "Pack reports, figures and numbers for leadership."),
    "playbook": ("tars_lib.cli.playbook", "playbook", "Show the playbook in force, and where each line is from."),
    "pull": ("tars_lib.cli.data.pull", "pull", "Fetch data from the systems that have them."),
    "report": ("tars_lib.cli.report", "report", "Turn a run into an HTML page and a PDF."),
    "retention": ("tars_lib.cli.retention", "retention", "Archive and delete by age; only a plan unless applied."),
    "review": ("tars_lib.cli.review", "review", "List reviews and action items that are due."),
    "run": ("tars_lib.cli.run", "run", "Check an org-health folder and write a run directory."),
    "validate": ("tars_lib.cli.data.validate", "validate", "Report every fault of an org-health folder."),
    "watch": ("tars_lib.cli.watch", "watch", "Run the pipeline on a schedule, and show what changed."),
}
SHORT: dict[str, tuple[str, str, str]] = {
    "golden": ("tars_lib.cli.incident.views", "golden", "Follow the fifteen minutes: what to do now."),
    "ack": ("tars_lib.cli.incident.acts", "ack", "Acknowledge: you have it."),
    "contain": ("tars_lib.cli.incident.acts", "contain", "Record containment: begun, done, undone."),
    "escalate": ("tars_lib.cli.incident.people", "escalate", "Record who was notified, show who is next."),
    "note": ("tars_lib.cli.incident.acts", "note", "Add a line to the timeline."),
    "resolve": ("tars_lib.cli.incident.acts", "resolve", "Say how it ended."),
    "status": ("tars_lib.cli.incident.views", "status", "Show where the open incident stands."),
}
"""Commands of `tars incident` that a responder may type without that word."""
GROUPS: dict[str, tuple[str, ...]] = {
    "Judge: is anything wrong?": ("run", "watch", "demo", "init", "import", "pull", "validate"),
    "Respond: what do I do now?": (*SHORT, "incident", "notify"),
    "Explain: what does it mean, what changed?": ("classify", "diff", "playbook", "metrics"),
    "Publish: who needs to see it?": ("report", "package", "export"),
    "Keep: what must last?": ("bundle", "review", "retention", "completion"),
}
"""Commands by the question that somebody has; a test wants each command in one of them."""
_FULL = "tars_lib.full_help"


def commands() -> dict[str, str]:
    """Return every sub-command and what it does, by name."""
    purposes = {name: text for name, (_, _, text) in (_OTHERS | SHORT).items()}
    purposes |= {step.name: step.purpose for step in STEPS.values()}
    return dict(sorted(purposes.items()))


class LazyGroup(click.Group):
    """A group that knows its commands by name and one line of help."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(commands())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in STEPS:
            return _engine_command(STEPS[cmd_name])
        entry = _OTHERS.get(cmd_name) or SHORT.get(cmd_name)
        if entry is None:
            return None
        module, name, _ = entry
        command: click.Command = getattr(import_module(module), name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, and give it the defaults of `tars.toml` unless it is only asked for help."""
        name, command, rest = super().resolve_command(ctx, args)
        if command is not None and not ctx.resilient_parsing and not {"-h", "--help"} & set(rest):
            from tars_lib.cli.shared.settings import use_settings

            use_settings(ctx, str(name), command)
        return name, command, rest

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; a value of `tars.toml` that its option refuses is named with its file."""
        try:
            return super().invoke(ctx)
        except click.BadParameter as error:
            if error.ctx is None:
                raise
            from tars_lib.cli.shared.settings import with_origin

            message = with_origin(error.message, error.ctx)
            raise click.BadParameter(message, error.ctx, error.param, error.param_hint) from error

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what fits a terminal of 24 rows: each question, its first command, the names of the others."""
        if ctx.meta.get(_FULL):
            super().format_help(ctx, formatter)
            return
        purposes = commands()
        formatter.width = min(formatter.width, 78)
        formatter.write("Usage: tars COMMAND [OPTIONS]   (tars COMMAND --help explains one command)\n\n")
        formatter.write_text((self.help or "").partition("\n\n")[0])
        for question, (first, *others) in _groups().items():
            formatter.write(f"{question}\n")
            with formatter.indentation():
                formatter.write_text(f"{first:11}{purposes[first]}")
                formatter.write_text(f"also: {', '.join(others)}")
        formatter.write("Options: -h, --help; --version; --full lists every command with what it does\n")
        formatter.write(f"{self.epilog}\n")

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        purposes = commands()
        width = max(map(len, purposes))
        for question, names in _groups().items():
            formatter.write(f"\n{question}\n")
            with formatter.indentation():
                # one column width for all groups
                formatter.write_dl([(f"{name:{width}}", purposes[name]) for name in names])


def _groups() -> dict[str, tuple[str, ...]]:
    """Groups of commands, those of engines with the other judges."""
    judge, *others = GROUPS.items()
    return {judge[0]: (*judge[1], *STEPS), **dict(others)}


def _engine_command(step: Step) -> click.Command:
    """Return the command of an engine: its module in `cli/engines`, or where it has none, the options of every engine."""
    module = f"tars_lib.cli.engines.{step.name}"
    if find_spec(module) is not None:
        command: click.Command = getattr(import_module(module), step.name)
        return command
    from tars_lib.cli.engines.plain import plain_command

    return plain_command(step)


def _show_all(ctx: click.Context, _: click.Parameter, is_asked: bool) -> None:
    if is_asked:
        ctx.meta[_FULL] = True
        click.echo(ctx.get_help())
        ctx.exit()


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Example: tars run --root ./org-health --outdir ./reports/runs",
)
@click.version_option(__version__, message="tars %(version)s", help=None)
@click.option(
    "--full",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_show_all,
    help="List every command with what it does, and exit.",
)
def cli() -> None:
    """T.A.R.S., the incident workbook: which SLA is breached, why, what to do, and what leadership needs to know.

    Exit codes follow the playbook: 0 nothing found, 142 an SLA breach, 92 high organisation risk; the whole table is in
    docs/exit-codes.md. Options that you repeat can be set in tars.toml (docs/configuration.md): root, incidents-dir, actor,
    assume-tz, tz, scheduler.
    """


def main() -> None:
    """Entry point of the `tars` command."""
    start(cli, "tars")


if __name__ == "__main__":
    main()
