"""What to do next, with the command for it: the last table of every notebook."""

from __future__ import annotations

import shlex
from pathlib import Path

from tars_lib.pipeline import HEALTH_FILE, Run
from tars_lib.reports.blocks.kinds import Column, Table

_HOMES = ("reports", "incidents", "outputs")
"""Folders of a workspace in which runs stand, as the playbook lays it out."""


def run_place(run: Run) -> str:
    """The run's path as one types it in the workspace, quoted for a shell; outside a workspace the path as it is."""
    parts = run.directory.parts
    homes = [place for place, part in enumerate(parts) if part in _HOMES]
    path = Path(*parts[homes[-1] :]) if homes else run.directory
    return shlex.quote(path.as_posix())


def health_report(run: Run) -> str:
    """Path of the run's health report, which every later engine starts from."""
    return shlex.quote(f"{shlex.split(run_place(run))[0]}/{HEALTH_FILE}")


def incident_folder(incident_id: str) -> str:
    """Where runs of an incident are written."""
    return shlex.quote(f"./incidents/{incident_id}") if incident_id else '"./incidents/${INCIDENT_ID}"'


def incident_runs(incident_id: str) -> str:
    """Pattern of an incident's runs, quoted: of several that match, a command takes the newest."""
    return (
        shlex.quote(f"./incidents/{incident_id}/tars-run-*")
        if incident_id
        else '"./incidents/${INCIDENT_ID}/tars-run-*"'
    )


def next_steps(*steps: tuple[str, str], caption: str = "What to do next") -> Table:
    """Steps in order, each with its command."""
    return Table(
        caption=caption,
        columns=(Column("Step"), Column("Command", "mono")),
        rows=tuple(steps),
        empty="Nothing to do.",
    )


def check_again(run: Run, incident_id: str = "") -> tuple[tuple[str, str], tuple[str, str]]:
    """Judge anew once something was done, and compare with this run."""
    return (
        (
            "Run the checks again after containment",
            f"tars run --root ./org-health --outdir {incident_folder(incident_id)}",
        ),
        ("Check that containment worked", f"tars diff {run_place(run)} {incident_runs(incident_id)}"),
    )
