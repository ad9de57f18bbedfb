"""`tars init`: a first org.yaml and first SLA policies, proposed from the past."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from tars_lib.cli.shared.options import PATH, zone_option
from tars_lib.cli.shared.shell import PIPELINE, guarded


@click.command(epilog="Example: tars init --root ./org-health")
@click.option("--root", required=True, type=PATH, help="The org-health folder, with samples in it.")
@zone_option
@click.option("--dry-run", is_flag=True, help="Print the proposals; write nothing.")
@guarded(PIPELINE)
def init(root: Path, assume_tz: str | None, dry_run: bool, quiet: bool) -> int:
    """Propose org.yaml and sla-policies.yaml from what the past of an org-health folder shows.

    Each objective is a percentile of the folder's own past windows: the 95th where less is better, the 5th where more is. A
    comment above it says which, and of which service. The last window is no part of that past, so that a first run judges it.
    Files that are there are never changed.
    """
    from tars_lib.files.atomic import write_together
    from tars_lib.pipeline.loading import load_org
    from tars_lib.pipeline.proposing import propose

    proposal = propose(load_org(root, assume_tz=assume_tz), root)
    if dry_run:
        for path, content in proposal.files.items():
            click.echo(f"# {path}")
            click.echo(content.decode("utf-8"))
    elif proposal.files:
        write_together(proposal.files)
    if not quiet:
        for line in proposal.said:
            click.echo(f"{'would write' if dry_run else 'wrote'} {line}")
        for line in proposal.kept:
            click.echo(line)
        for line in proposal.lacking:
            click.echo(f"no objective for {line}")
        if not dry_run:
            click.echo(f"next: tars run --root {shlex.quote(str(root))} --html")
    return 0
