"""`tars import`: files that other tools exported, into an org-health folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tars_lib.cli.shared.options import PATH
from tars_lib.cli.shared.shell import PIPELINE, guarded
from tars_lib.config.import_map import ImportMap, read_import_map
from tars_lib.model.units import unit_of
from tars_lib.sources.exported.formats import FORMATS
from tars_lib.sources.exported.shapes import Choices
from tars_lib.text.counts import and_more
from tars_lib.text.times import MINUTES

if TYPE_CHECKING:
    from tars_lib.pipeline.importing import PlannedImport, UnderstoodFile

_KNOWN = "\n".join(f"  {form.name:14}{form.says}" for form in FORMATS)
_HELP = f"""Read each FILE that another tool exported, and add what it holds to an org-health folder.

Samples go to history/, deployments to events.csv, incidents to incidents.csv, services to org.yaml. What was understood is
printed before anything is written: columns, unit, zone, kind, step, rows. Nothing is asked. What the file does not say for
certain is refused with the option that settles it (95), and then nothing is written. The same file twice changes nothing.

The format is found by content:

\b
{_KNOWN}
"""


def _settling(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that settle what a file does not say."""
    kinds = click.Choice(["gauge", "count", "counter"])
    options = (
        click.option("--unit", default="", help="Unit of values that name none, such as ms, %, ratio, B."),
        click.option("--tz", metavar="ZONE", help="Zone of times that name none, such as Europe/Berlin or UTC."),
        click.option("--repo-from", default="", metavar="LABEL", help="Label, field or column that names the service."),
        click.option("--repo", default="", metavar="NAME", help="The service that everything in the files is of."),
        click.option("--metric", default="", metavar="NAME", help="The metric of everything in the files."),
        click.option("--kind", type=kinds, help="A level, events of each interval, or a running total."),
        click.option("--epoch", type=click.Choice(["s", "ms", "us", "ns"]), help="What numbers as times count."),
        click.option("--time-format", default="", metavar="FORMAT", help="Form of times: '%d/%m/%Y %H:%M'."),
        click.option("--decimal", type=click.Choice(["point", "comma"]), help="Where 1,234 can be read both ways."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.command(
    name="import",
    help=_HELP,
    epilog="Example: tars import grafana.csv --root ./org-health --metric latency_p95 --unit ms --tz Europe/Berlin",
)
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=PATH)
@click.option("--root", required=True, type=PATH, help="The org-health folder; made if need be.")
@click.option("--format", "form", default="", metavar="NAME", help="The format, where content does not tell it.")
@click.option("--map", "map_file", type=PATH, help="YAML: what columns, services and metrics are.")
@_settling
@click.option("--dry-run", is_flag=True, help="Say what was understood and would be written; write nothing.")
@guarded(PIPELINE)
def import_files(
    files: tuple[Path, ...],
    root: Path,
    form: str,
    map_file: Path | None,
    dry_run: bool,
    quiet: bool,
    **settled: str | None,
) -> int:
    """Read exported files; see the help text above."""
    from tars_lib.pipeline.importing import plan, understand
    from tars_lib.pipeline.stamping import now

    understood = understand(files, root, _choices(map_file, settled), form)
    if not quiet:
        for file in understood:
            click.echo("\n".join(_describe(file)))
    planned = plan(understood, root, now())
    if not quiet:
        click.echo("\n".join(_closing(planned, root, is_dry=dry_run)))
    if not dry_run:
        planned.write()
    return 0


def _choices(map_file: Path | None, settled: dict[str, str | None]) -> Choices:
    from tars_lib.model.times import read_zone

    mapped = ImportMap() if map_file is None else read_import_map(map_file, map_file.name)
    unit, zone = settled["unit"], settled["tz"]
    return Choices(
        unit=unit_of(unit).symbol if unit else "",
        zone=None if zone is None else read_zone(zone),
        repo_from=settled["repo_from"] or "",
        repo=settled["repo"] or "",
        metric=settled["metric"] or "",
        kind=settled["kind"] or "",
        epoch=settled["epoch"] or "",
        time_format=settled["time_format"] or "",
        decimal={"comma": ",", "point": "."}.get(settled["decimal"] or "", ""),
        columns=mapped.columns,
        repos=mapped.repos,
        metrics=mapped.metrics,
        environments=mapped.environments,
    )


def _describe(file: UnderstoodFile) -> Iterator[str]:
    """Yield what was understood of a file, a line a fact."""
    exported = file.found
    yield f"{file.label}: {file.form.says} ({file.form.name})"
    if exported.columns:
        yield f"  columns    {exported.columns}"
    if exported.zone:
        yield f"  times      {exported.zone}"
    for metric in file.metrics:
        yield f"  metric     {_metric_line(file, metric.metric)}"
    if file.series:
        yield f"  services   {_some(sorted({series.repo for series in file.series}))}"
    for noun, times in (
        ("events", [event.timestamp for event in exported.events]),
        ("incidents", [incident.detected for incident in exported.incidents]),
    ):
        if times:
            yield f"  {noun:11}{len(times):,}, {min(times):%Y-%m-%d %H:%M} to {max(times):{MINUTES}}"
    affected = {event.repo for event in exported.events} | {incident.repo for incident in exported.incidents}
    named = sorted(repo for repo in affected if repo)
    if named:
        yield f"  services   {_some(named)}"
    if exported.incidents:
        lasting = sum(incident.resolved is None for incident in exported.incidents)
        begun = sum(incident.started is not None for incident in exported.incidents)
        yield f"  of them    {lasting} not resolved, {begun} with the time of their start"
    if exported.repos:
        yield f"  services   {_some([repo.repo for repo in exported.repos])}; {len(exported.dependencies)} dependencies"
    if exported.is_rounded:
        yield "  note       values carry units as a panel shows them, so they are rounded; raw values are exact"
    for note in exported.notes:
        yield f"  note       {note}"


def _metric_line(file: UnderstoodFile, name: str) -> str:
    """Describe a metric of a file: unit, kind, step, rows, range."""
    import numpy as np

    from tars_lib.model.history import from_micros
    from tars_lib.model.organisation import duration_text

    metric = next(metric for metric in file.metrics if metric.metric == name)
    members = [series for series in file.series if series.metric == name]
    times = np.concatenate([series.time for series in members])
    missing = sum(int(np.isnan(series.value).sum()) for series in members)
    steps = [np.diff(np.unique(series.time)) for series in members if series.time.size > 1]
    joined = np.concatenate(steps) if steps else np.zeros(0, dtype=np.int64)
    step = (
        "no step" if not joined.size else f"every {duration_text(from_micros(int(np.median(joined))) - from_micros(0))}"
    )
    gaps = f", {missing:,} without a value" if missing else ""
    twice = sum(series.time.size - np.unique(series.time).size for series in members)
    gaps += f", {twice:,} of them a time that is there already" if twice else ""
    ends = f"{from_micros(int(times.min())):%Y-%m-%d %H:%M} to {from_micros(int(times.max())):{MINUTES}}"
    unit = f"{metric.unit or 'no unit'} ({metric.why})"
    return f"{name}: {unit}; {metric.kind}; {step}; {times.size:,} rows{gaps}; {ends}"


def _some(names: list[str]) -> str:
    return f"{len(names)}: {and_more(names, 8)}"


def _closing(planned: PlannedImport, root: Path, *, is_dry: bool) -> Iterator[str]:
    for note in planned.notes:
        yield f"note: {note}"
    if not planned.files:
        yield f"{root}: nothing new, nothing written"
        return
    yield f"{'would write' if is_dry else 'writing'} to {root}:"
    for line in planned.said:
        yield f"  {line}"
