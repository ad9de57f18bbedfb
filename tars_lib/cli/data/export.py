"""`tars export`: verdicts and policies for other systems."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tars_lib.cli.shared.options import FILE, PATH, policy_files_option
from tars_lib.cli.shared.settings import is_from_settings
from tars_lib.cli.shared.shell import PIPELINE, expand, guarded
from tars_lib.errors import ConfigError

if TYPE_CHECKING:
    from tars_lib.model.organisation import OrgData
    from tars_lib.pipeline.run import Run


@click.group(epilog="Example: tars export openmetrics --run './reports/runs/tars-run-*' -o tars.prom")
def export() -> None:
    """Hand verdicts and policies to other systems: OpenMetrics, Prometheus rules, OpenSLO.

    Codes: 0 written; 93, 94, 95 the root or the run is refused, as by `tars run`; 94 also for what has no form there.
    """


@dataclass(frozen=True, slots=True)
class _Source:
    """Run or root that was named; one of them is."""

    run_pattern: str | None
    root: Path | None
    sla_policy: tuple[Path, ...]
    assume_tz: str | None

    def org(self) -> OrgData:
        """Read the organisation."""
        if self.root is None:
            return self.run().org
        from tars_lib.pipeline.loading import load_org

        return load_org(self.root, sla_policy=self.sla_policy or None, assume_tz=self.assume_tz)

    def run(self) -> Run:
        """Read the run."""
        from tars_lib.pipeline import load_run

        return load_run(expand([str(self.run_pattern)], "a run directory that `tars run` wrote"))

    def query_map(self) -> dict[str, str]:
        """Read the queries of the maps that the root's policies were read with; a run keeps none."""
        from tars_lib.config.policies.queries import MAP_NAME, read_query_map
        from tars_lib.files.reading import is_there

        if self.root is None:
            return {}
        beside = [path if path.is_dir() else path.parent for path in self.sla_policy or (self.root / "sla-policies",)]
        maps = [folder / MAP_NAME for folder in dict.fromkeys((self.root, *beside))]
        return read_query_map([(path, MAP_NAME) for path in maps if is_there(path, MAP_NAME, ConfigError)])


def _source_options(body: Callable[..., int]) -> Callable[..., Any]:
    """Make a command's body of a function that is given a `source`, and where its text goes: the options of all three."""

    @wraps(body)
    def with_source(
        *, run_pattern: str | None, root: Path | None, sla_policy: tuple[Path, ...], assume_tz: str | None, **own: Any
    ) -> int:
        # a root of `tars.toml` gives way to a run
        root = None if run_pattern is not None and is_from_settings("root") else root
        if (run_pattern is None) == (root is None):
            raise click.UsageError("Give either --run or --root.")
        if root is None and (sla_policy or (assume_tz is not None and not is_from_settings("assume_tz"))):
            raise click.UsageError(
                "--sla-policy and --assume-tz go with --root; a run keeps the policies that it was judged by."
            )
        return body(source=_Source(run_pattern, root, sla_policy, assume_tz), **own)

    command: Callable[..., Any] = guarded(PIPELINE)(with_source)
    command = click.option(
        "-o", "--output", type=FILE, metavar="FILE", help="Written whole or not at all; default stdout."
    )(command)
    command = click.option("--assume-tz", metavar="ZONE", help="Zone of times in the root that name none.")(command)
    command = policy_files_option("the root's own")(command)
    command = click.option("--root", type=PATH, help="An org-health folder, judged now.")(command)
    return click.option("--run", "run_pattern", metavar="RUN_DIR", help="A run directory; a glob means the newest.")(
        command
    )


@export.command(
    "openmetrics", epilog="Example: tars export openmetrics --run ./reports/runs/tars-run-20260105-143000 -o tars.prom"
)
@_source_options
def openmetrics_command(source: _Source, output: Path | None, quiet: bool) -> int:
    """Write verdicts, budgets, bounds, burn rates and readiness as metrics.

    Every family is a gauge, so node_exporter's textfile collector reads the file too. An enumeration is one series a state;
    UNKNOWN is one of them, and a number that is unknown has no series.
    """
    from tars_lib.exports.openmetrics import openmetrics
    from tars_lib.pipeline import analyze

    if source.root is not None:
        org = source.org()
        text = openmetrics(analyze(org).sla, org.name)
    else:
        run = source.run()
        text = openmetrics(run.sla, run.org.name, run.run_id)
    return _write(text, output, quiet=quiet)


@export.command(
    "prometheus-rules",
    epilog="Example: tars export prometheus-rules --root ./org-health --label repo=service -o tars-rules.yaml",
)
@_source_options
@click.option(
    "--selector",
    "selectors",
    multiple=True,
    metavar="METRIC=SELECTOR",
    help="Series of a metric; default its query in slo-metrics.yaml, else the series of its name. Repeatable.",
)
@click.option(
    "--label",
    default="repo=service",
    show_default=True,
    metavar="repo=LABEL",
    help="Label of the series that names the service.",
)
def prometheus_rules_command(
    source: _Source, selectors: tuple[str, ...], label: str, output: Path | None, quiet: bool
) -> int:
    """Write the SLA policies as recording rules and multi-window burn-rate alerts of Prometheus.

    What has no rule (time slices, an objective of 100%) is named on stderr and in the head of the file.
    """
    from tars_lib.exports.prometheus_rules import prometheus_rules

    org = source.org()
    key, sign, name = label.partition("=")
    if key != "repo" or not sign:
        raise click.BadParameter(f"{label!r}; allowed: repo=LABEL", param_hint="--label")
    made = prometheus_rules(org.policies, selectors=_pairs(selectors), query_map=source.query_map(), label=name)
    if not quiet:
        for sentence in made.left_out:
            click.echo(f"left out: {sentence}", err=True)
    return _write(made.text, output, quiet=quiet)


@export.command("openslo", epilog="Example: tars export openslo --root ./org-health -o slos.yaml")
@_source_options
def openslo_command(source: _Source, output: Path | None, quiet: bool) -> int:
    """Write the SLA policies as OpenSLO v1 documents, which are read back to the same policies.

    What OpenSLO has no field for stands in annotations tars/...; a policy that would come back changed is refused.
    """
    from tars_lib.exports.openslo import openslo

    org = source.org()
    return _write(openslo(org.policies, org.metrics, source.query_map()), output, quiet=quiet)


def _pairs(options: tuple[str, ...]) -> dict[str, str]:
    selectors: dict[str, str] = {}
    for text in options:
        metric, sign, selector = text.partition("=")
        if not sign or not metric.strip() or not selector.strip():
            raise click.BadParameter(f"{text!r}; allowed: METRIC=SELECTOR", param_hint="--selector")
        if metric.strip() in selectors:
            raise click.BadParameter(f"{metric.strip()!r} is given twice", param_hint="--selector")
        selectors[metric.strip()] = selector.strip()
    return selectors


def _write(text: str, output: Path | None, *, quiet: bool) -> int:
    if output is None:
        click.echo(text, nl=False)
        return 0
    from tars_lib.files.atomic import write_text

    write_text(output, text)
    if not quiet:
        click.echo(f"written: {output}")
    return 0
