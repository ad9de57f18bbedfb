"""Appendix of every notebook: what to do next, with the command for it, and how the page was made."""

from __future__ import annotations

import shlex
from pathlib import Path

from tars_lib.engines.queries.incident_state import IncidentState, State
from tars_lib.incidents.views.golden_path import root_typed
from tars_lib.pipeline import HEALTH_FILE, Run
from tars_lib.reports.blocks.kinds import Block, Column, Heading, Prose, Table
from tars_lib.workbook.parameters.register import state_by

_HOMES = ("reports", "incidents", "outputs")
"""Folders of a workspace in which runs stand, as the playbook lays it out."""


_MEASURED = "Measured: over the SLA's own window, with its 95% interval. Only SLAs on a share have an error budget."
_CONFIDENCE = "Confidence in a cause is calibrated on real incidents: of causes given 80%, about 80% are right."
SLAS = (_MEASURED,)
CAUSES = (_CONFIDENCE,)
BREACHES = (_MEASURED, _CONFIDENCE)
RELATIONS = (
    "Correlation: of simultaneous changes, as health, with calendar, trend and lasting changes removed.",
    "Confidence in a common factor: the share of members that have it, times one minus the probability of that by chance. "
    "It knows only what org.yaml and events.csv say.",
)
LEADS = (
    "Influence: the share of the other services that a service reaches, customer-facing ones counted three times, each "
    "weighted by the confidence of the path.",
)
"""How the numbers of a page were made, in sentences."""


def appendix(commands: Table, *notes: str) -> list[Block]:
    """Return the last section of a page: what one types next, and how to read the numbers."""
    heading = Heading(f"Appendix: commands{' and method' if notes else ''}")
    return [heading, commands, *([Prose((" ".join(notes),))] if notes else [])]


def run_place(run: Run) -> str:
    """Return the run's path as one types it in the workspace, quoted for a shell; outside a workspace the path as it is."""
    parts = run.directory.parts
    homes = [position for position, part in enumerate(parts) if part in _HOMES]
    path = Path(*parts[homes[-1] :]) if homes else run.directory
    return shlex.quote(path.as_posix())


def run_again(run: Run) -> str:
    """Judge the same root once more, by the path that the run was given."""
    return f"tars run --root {root_typed(run.status.root)}"


def health_report(run: Run) -> str:
    """Return the path of the run's health report, which every later engine starts from."""
    return shlex.quote(f"{shlex.split(run_place(run))[0]}/{HEALTH_FILE}")


def incident_folder(incident_id: str) -> str:
    """Return where runs of an incident are written."""
    return shlex.quote(f"./incidents/{incident_id}") if incident_id else '"./incidents/${INCIDENT_ID}"'


def incident_runs(incident_id: str) -> str:
    """Return the pattern of an incident's runs, quoted: of several that match, a command takes the newest."""
    return (
        shlex.quote(f"./incidents/{incident_id}/tars-run-*")
        if incident_id
        else '"./incidents/${INCIDENT_ID}/tars-run-*"'
    )


def next_steps(*steps: tuple[str, str], caption: str = "What to do next") -> Table:
    """Return steps in order, each with its command."""
    return Table(
        caption=caption, columns=(Column("Step"), Column("Command", "mono")), rows=tuple(steps), empty="Nothing to do."
    )


def pack_evidence(incident_id: str = "") -> tuple[str, str]:
    """Pack what the incident's runs found."""
    return "Pack the evidence for leadership", f"tars bundle create --run-dir {incident_runs(incident_id)}"


def settled_steps(run: Run, incident_id: str, state: IncidentState | None) -> Table | None:
    """List what is left to do once the incident is settled; None while it is not."""
    state = state or state_by(run, None)
    if not state.is_settled:
        return None
    first = (
        ("Write the postmortem", f"tars report postmortem --run {run_place(run)}")
        if state.state is State.RESOLVED
        else ("Run the checks again on current data", run_again(run))
    )
    return next_steps(first, pack_evidence(incident_id))


def check_again(run: Run, incident_id: str = "") -> tuple[tuple[str, str], tuple[str, str]]:
    """Judge anew once something was done, and compare with this run."""
    return (
        ("Run the checks again after containment", f"{run_again(run)} --outdir {incident_folder(incident_id)}"),
        ("Check that containment worked", f"tars diff {run_place(run)} {incident_runs(incident_id)}"),
    )
