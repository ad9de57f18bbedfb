"""The playbook's `package_executive_bundle.py`, and `tars bundle`: evidence that an outsider can verify."""

from __future__ import annotations

from pathlib import Path

import click

from tars_lib.cli.shell import REPORT, expand, guarded, logging_options


@click.command(epilog="Example: tars bundle create --run-dir ./reports/runs/tars-run-20260105-143000")
@click.argument("more_runs", nargs=-1, metavar="[DIR]...")
@click.option("--run-dir", required=True, metavar="DIR...", help="Run directory; of several the newest is used.")
@click.option("--bundle-name", metavar="NAME", help="Name of the bundle; default tars-evidence-<run>.")
@click.option(
    "--output-dir",
    default=Path("release/executive"),
    show_default=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Where the bundle is written.",
)
@click.option("--all", "every_page", is_flag=True, help="A report for every finding, not for the highest alone.")
@click.option("--allow-partial", is_flag=True, help="Pack also a run that is not whole, marked as partial.")
@logging_options
@guarded(REPORT)
def package(
    more_runs: tuple[str, ...],
    run_dir: str,
    bundle_name: str | None,
    output_dir: Path,
    every_page: bool,
    allow_partial: bool,
    verbose: bool,
    quiet: bool,
) -> int:
    """Pack a run and the report on it as a BagIt bag (RFC 8493) in a zip.

    The run's files are checked against its manifest first; an altered or incomplete one is refused without --allow-partial.
    Any BagIt tool verifies the bag once it is unpacked; `tars bundle verify` does so as it is.
    """
    from tars_lib.packaging.bundle import write_bundle
    from tars_lib.packaging.gather import Request

    run = expand([run_dir, *more_runs], "a run directory")
    made = write_bundle(Request((run,), allow_partial=allow_partial, every_page=every_page), output_dir, bundle_name)
    if not quiet:
        click.echo(made.path)
    return 0


@click.command(epilog="Example: tars bundle verify ./release/executive/tars-evidence-tars-run-20260105-143000.zip")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")
@logging_options
@guarded(REPORT)
def verify(
    file: Path,
    as_json: bool,
    verbose: bool,
    quiet: bool,
) -> int:
    """Compare a bundle with its manifests; name every file that is altered, missing or not listed. Code 1 if one is."""
    from tars_lib.packaging.verification import verify as check
    from tars_lib.records import dumps
    from tars_lib.visible import visible

    checked = check(file)
    if as_json:
        click.echo(dumps({"file": str(file), "is_intact": checked.is_intact, "result": checked}), nl=False)
    else:
        for fault in checked.faults:
            click.echo(f"{fault.what}: {visible(fault.path or 'archive')}: {visible(fault.why)}")
        if checked.is_intact and not quiet:
            click.echo(f"{file}: intact")
    return 0 if checked.is_intact else 1


@click.group(epilog="Example: tars bundle create --run-dir ./reports/runs/tars-run-20260105-143000")
def bundle() -> None:
    """Create and verify evidence bundles."""


bundle.add_command(package, "create")
bundle.add_command(verify)
