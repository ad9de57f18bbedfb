"""What a notebook takes is checked, and the commands that it names are the project's own."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace
from pathlib import Path

import click
import pytest
from run_samples import RunSamples

from tars_lib.cli.main import cli
from tars_lib.errors import InputError
from tars_lib.pipeline import Run
from tars_lib.reports.blocks.kinds import Table
from tars_lib.workbook.pages import at_risk_monitoring as at_risk
from tars_lib.workbook.pages import executive_summary as executive
from tars_lib.workbook.pages import incident_report as incident
from tars_lib.workbook.pages import org_risk, sla_breach
from tars_lib.workbook.parameters import checks
from tars_lib.workbook.sections import next_commands as commands


@pytest.mark.parametrize("value", ["INC-202611021500", "INC-202611021500-2", "", "Vorfall 7"])
def test_ids_are_taken_as_they_are(value: str) -> None:
    assert checks.incident_id(value) == value


@pytest.mark.parametrize("value", ["../x", "a/b", "a\\b", "a\nb", " x", ".", "..", "c:x", "x" * 81, 7, None])
def test_what_cannot_be_a_folder_of_an_incident_is_refused_by_name(value: object) -> None:
    with pytest.raises(InputError, match="incident_id"):
        checks.incident_id(value)


@pytest.mark.parametrize("value", [0, 51, True, 2.0, "8", None])
def test_a_number_out_of_range_or_of_another_type_is_refused_with_what_is_allowed(value: object) -> None:
    with pytest.raises(InputError, match="max_repos .*: a whole number from 1 to 50 is allowed"):
        checks.whole_number("max_repos", value, 1, 50)


@pytest.mark.parametrize(
    ("place", "typed"),
    [
        ("/srv/acme/reports/runs/tars-run-1", "reports/runs/tars-run-1"),
        ("/srv/acme/incidents/INC-1/tars-run-1", "incidents/INC-1/tars-run-1"),
        ("/srv/reports/acme/outputs/demo/runs/tars-run-1", "outputs/demo/runs/tars-run-1"),
        ("/srv/acme/tars-run-1", "/srv/acme/tars-run-1"),
        ("/srv/a b/tars-run-1", "'/srv/a b/tars-run-1'"),
        ("/srv/$(id)/tars-run-1", "'/srv/$(id)/tars-run-1'"),
    ],
)
def test_a_run_is_named_as_one_types_it_in_the_workspace(samples: RunSamples, place: str, typed: str) -> None:
    run = replace(samples.run("calm"), directory=Path(place))
    assert commands.run_place(run) == typed
    assert shlex.split(commands.health_report(run)) == [f"{shlex.split(typed)[0]}/org-health-report.json"]


def tables(run: Run) -> list[Table]:
    """The last table of every notebook."""
    return [
        incident.next_action(run, "INC-1"),
        incident.next_action(run),
        sla_breach.next_action(run, "INC-1"),
        at_risk.next_action(run, 15),
        org_risk.next_action(run),
        executive.next_action(run),
    ]


@pytest.mark.parametrize("name", ["demo", "cascade", "artefacts", "at-risk", "calm"])
def test_every_command_is_accepted_by_the_command_line(samples: RunSamples, name: str) -> None:
    rows = [row for table in tables(samples.run(name)) for row in table.rows]
    assert rows
    for _, line in rows:
        words = shlex.split(str(line))
        assert words.pop(0) == "tars"
        command = cli.get_command(click.Context(cli), words.pop(0))
        assert command is not None, line
        if isinstance(command, click.Group):
            command = command.commands[words.pop(0)]
        command.make_context("tars", words)
        if "report" in str(line) and (notebook := re.match(r"tars report (\w+)", str(line))):
            assert (Path(__file__).parents[2] / "notebooks" / f"{notebook[1]}.ipynb").is_file()
