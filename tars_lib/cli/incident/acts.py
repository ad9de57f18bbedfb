"""`tars incident` commands that write: from the first acknowledgement to the end."""

from __future__ import annotations

import click

from tars_lib.cli.incident.options import Options, common, echo_json, id_argument, judged, needed, text_of
from tars_lib.cli.incident.text import action_lines, unconfirmed_lines
from tars_lib.cli.shared.screen import fitted, say
from tars_lib.cli.shared.shell import expand
from tars_lib.errors import ConfigError

_SEVERITY = click.Choice(("SEV-1", "SEV-2", "SEV-3", "SEV-4"), case_sensitive=False)
_CONTAIN = click.Choice(
    ("SINGLE_REPO_DEGRADATION", "CASCADING_FAILURE", "INFRASTRUCTURE_ISSUE", "EXTERNAL_DEPENDENCY"),
    case_sensitive=False,
)
_CONDITION = click.Choice(
    ("DATA_LOSS_RISK", "REGULATORY_IMPACT", "CUSTOMER_IMPACT", "SLA_BREACH"), case_sensitive=False
)


@click.command("open", epilog="Example: tars incident open --from-run './reports/runs/tars-run-*'")
@click.option("--from-run", metavar="RUN", help="Run directory that found it; of several the newest is used.")
@click.option("--exit-code", "codes", type=int, multiple=True, help="Exit code of a command; repeatable.")
@click.option("--severity", type=_SEVERITY, help="By hand, or instead of the playbook's.")
@click.option("--title", help="By hand, or instead of the run's.")
@click.option("--adopt", metavar="ID", help="Give the folder of this id its record, instead of a new one.")
@judged
def open_command(
    options: Options,
    from_run: str | None,
    codes: tuple[int, ...],
    severity: str | None,
    title: str | None,
    adopt: str | None,
) -> int:
    """Open an incident from a run, from exit codes, or by hand.

    A run fills in everything: type and severity by the playbook's decision tree, breached SLAs, causes, services,
    customer impact, suggested containment; it is kept as the state before containment. A run that stands in the folder
    of an incident without a record gives that folder its record.
    """
    from tars_lib.incidents.response.opening import adopt as give_record
    from tars_lib.incidents.response.opening import by_hand, from_codes, open_incident
    from tars_lib.incidents.response.opening import from_run as of_run
    from tars_lib.incidents.store.register import actor, folder_of, now
    from tars_lib.model.names import Severity

    if from_run is not None and codes:
        raise click.UsageError("--from-run and --exit-code say the same thing twice; give one of them")
    chosen = None if severity is None else Severity.parse(severity)
    named = None if title is None else text_of(title)
    playbook = options.playbook
    run = None
    if from_run is not None:
        from tars_lib.pipeline import load_run

        run = load_run(expand([from_run], "a run directory"))
        opening = of_run(run, chosen, named, playbook)
    elif codes:
        opening = from_codes(codes, chosen, named, playbook)
    elif chosen is not None and named is not None:
        opening = by_hand(chosen, named, playbook)
    else:
        raise click.UsageError("give --from-run RUN, --exit-code N, or --severity SEV-N with --title TEXT")
    root = options.root
    if adopt is not None:
        written = give_record(folder_of(root, adopt), opening, actor(), now(), run)
    else:
        written = open_incident(root, opening, actor(), now(), run)
    return options.show(written)


@click.command(short_help="Acknowledge: you have it.", epilog="Example: tars incident ack INC-202601051430")
@id_argument
@click.argument("text", metavar="[TEXT]", required=False)
@judged
def ack(options: Options, incident_id: str | None, text: str | None) -> int:
    """Acknowledge an incident: it is yours, and the respond clock stops. Without ID: the one open incident."""
    from tars_lib.incidents.response.acts import acknowledge

    incident_id, text = options.addressed(incident_id, text)
    remark = "" if text is None else text_of(text)
    return options.show(acknowledge(options.writer(incident_id), remark))


@click.command(epilog="Example: tars incident note INC-202601051430 'error rate falls since 14:41 UTC'")
@id_argument
@click.argument("text", metavar="TEXT", required=False)
@judged
def note(options: Options, incident_id: str | None, text: str | None) -> int:
    """Add TEXT to the timeline, word for word; - reads it from stdin. Possible in every state.

    Without ID: the one open incident.
    """
    from tars_lib.incidents.response.acts import note as write

    incident_id, text = options.addressed(incident_id, text)
    return options.show(write(options.writer(incident_id), text_of(needed(text, "TEXT"))))


@click.command(epilog="Example: tars incident record INC-202601051430 --run latest")
@id_argument
@click.option("--run", metavar="RUN", help="Run directory; latest: the newest in the incident's folder.")
@click.option("--cause", metavar="TEXT", help="A cause that you found.")
@click.option("--containment-type", type=_CONTAIN, help="Kind of that cause; its playbook row joins the checklist.")
@click.option("--repo", help="Service of that cause.")
@click.option("--condition", "conditions", type=_CONDITION, multiple=True, help="Condition that holds; repeatable.")
@click.option(
    "--no-condition", "denied", type=_CONDITION, multiple=True, help="Condition that does not hold; repeatable."
)
@click.option("--severity", type=_SEVERITY, help="Another severity.")
@click.option("--customer-impact", type=click.Choice(("YES", "NO", "UNKNOWN"), case_sensitive=False), help="Another.")
@judged
def record(
    options: Options,
    incident_id: str | None,
    run: str | None,
    cause: str | None,
    containment_type: str | None,
    repo: str | None,
    conditions: tuple[str, ...],
    denied: tuple[str, ...],
    severity: str | None,
    customer_impact: str | None,
) -> int:
    """Record what is known: a run, a cause, conditions, severity.

    The first run of an incident is kept as the state before containment. Each later one is compared with it, and the record
    says whether containment worked: RECOVERED, ENDED, IMPROVED, UNCHANGED, WORSE or UNKNOWN. Without ID: the one open
    incident.
    """
    from tars_lib.incidents.response.acts import record_fact
    from tars_lib.incidents.store.record import Condition, CustomerImpact
    from tars_lib.model.names import ContainmentType, Severity

    if (containment_type or repo) and cause is None:
        raise click.UsageError("--containment-type and --repo describe a cause; give --cause TEXT, too")
    has_fact = cause is not None or bool(conditions or denied) or severity is not None or customer_impact is not None
    if (run is None) == (not has_fact):
        raise click.UsageError(
            "give either --run RUN or facts: --cause, --condition, --no-condition, --severity, --customer-impact"
        )
    if set(conditions) & set(denied):
        raise click.UsageError("a condition either holds or does not")
    writer = options.writer(options.chosen(incident_id))
    if run is not None:
        from tars_lib.incidents.response.observing import record_run
        from tars_lib.pipeline import load_run

        wanted = str(writer.folder / "tars-run-*") if run == "latest" else run
        written = record_run(writer, load_run(expand([wanted], "a run directory")))
    else:
        written = record_fact(
            writer,
            cause=None if cause is None else text_of(cause),
            containment_type=None if containment_type is None else ContainmentType.parse(containment_type),
            repo=repo,
            conditions=[Condition.parse(condition) for condition in conditions],
            denied=[Condition.parse(condition) for condition in denied],
            severity=None if severity is None else Severity.parse(severity),
            customer_impact=None if customer_impact is None else CustomerImpact.parse(customer_impact),
        )
    return options.show(written)


@click.command(
    short_help="Record containment: begun, done, undone.",
    epilog="Example: tars incident contain INC-202601051430 --start A1",
)
@id_argument
@click.argument("text", metavar="[TEXT]", required=False)
@click.option("--start", metavar="ACTION", help="Begin this action of the checklist.")
@click.option("--done", metavar="ACTION", help="This action is done.")
@click.option("--revert", metavar="ACTION", help="This action was undone again.")
@click.option("--owner", metavar="WHO", help="Who does it; default you.")
@click.option("--show", is_flag=True, help="Show the checklist, and how its next action is done and undone.")
@click.option("--full", is_flag=True, help="With --show: how each is done and undone, and what shows that it worked.")
@judged
def contain(
    options: Options,
    incident_id: str | None,
    text: str | None,
    start: str | None,
    done: str | None,
    revert: str | None,
    owner: str | None,
    show: bool,
    full: bool,
) -> int:
    """Record containment. T.A.R.S. changes nothing itself: act, then record it here.

    TEXT starts an action of your own; without it the first of the checklist starts. The first finished action stops
    the contain clock, unless it only adds monitoring. Without ID: the one open incident.
    """
    from tars_lib.incidents.response.acts import finish_containment, start_containment

    incident_id, text = options.addressed(incident_id, text)
    if show:
        if any(option is not None for option in (text, start, done, revert, owner)):
            raise click.UsageError("--show changes nothing; give it alone")
        return _show_checklist(options, incident_id, full=full)
    if full:
        raise click.UsageError("--full belongs to --show")
    if sum(option is not None for option in (text, start, done, revert)) > 1:
        raise click.UsageError("give one of TEXT, --start, --done and --revert")
    writer = options.writer(incident_id)
    if done is not None or revert is not None:
        if owner is not None:
            raise ConfigError("--owner: an owner is named when an action begins")
        written = finish_containment(writer, done or revert, revert=revert is not None)
    else:
        written = start_containment(writer, start, None if text is None else text_of(text), owner)
        begun = [action for action in written.incident.actions if action.started_at == writer.time]
        if not (options.as_json or options.quiet):
            say(line for action in begun[-1:] for line in action_lines(action, written.incident, writer.folder))
    return options.show(written)


def _show_checklist(options: Options, incident_id: str, *, full: bool) -> int:
    from tars_lib.cli.incident.screens import checklist_screen

    case = options.case(incident_id)
    incident = case.incident
    if options.as_json:
        echo_json({"actions": incident.actions, "incident_id": incident_id})
        return 0
    if not incident.actions:
        click.echo("the checklist is empty: no cause is known; TEXT adds an action of your own")
    elif full:
        say(line for action in incident.actions for line in action_lines(action, incident, case.folder))
    else:
        say(fitted(checklist_screen(case), f"tars incident contain {incident_id} --show --full"))
    return 0


@click.command(epilog="Example: tars incident resolve INC-202601051430 'deploy rolled back, SLA met since 15:02 UTC'")
@id_argument
@click.argument("text", metavar="[TEXT]", required=False)
@common
def resolve(options: Options, incident_id: str | None, text: str | None) -> int:
    """Resolve an incident; TEXT says how it ended. Both clocks stop.

    Without TEXT the run after containment says it, if it shows that the impact ended (RECOVERED or ENDED). If no run
    shows that, the output says so and names the commands that would. Without ID: the one open incident.
    """
    from tars_lib.incidents.response.acts import resolve as write

    incident_id, text = options.addressed(incident_id, text)
    written = write(options.writer(incident_id), None if text is None else text_of(text))
    code = options.show(written)
    if not (options.as_json or options.quiet):
        say(unconfirmed_lines(written.incident, options.incidents_dir))
    return code


@click.command(epilog="Example: tars incident close INC-202601051430")
@id_argument
@click.argument("text", metavar="[TEXT]", required=False)
@common
def close(options: Options, incident_id: str | None, text: str | None) -> int:
    """Close a resolved incident. Notes are still taken. Without ID: the one that is resolved."""
    from tars_lib.incidents.response.acts import close as write

    incident_id, text = options.addressed(incident_id, text, "resolved")
    return options.show(write(options.writer(incident_id), "" if text is None else text_of(text)))


@click.command(
    short_help="The incident is not over after all.",
    epilog="Example: tars incident reopen INC-202601051430 'errors are back since 16:10 UTC'",
)
@id_argument
@click.argument("text", metavar="TEXT", required=False)
@judged
def reopen(options: Options, incident_id: str | None, text: str | None) -> int:
    """Reopen an incident: it is yours again, and the contain clock restarts. Without ID: the one that has ended."""
    from tars_lib.incidents.response.acts import reopen as write

    incident_id, text = options.addressed(incident_id, text, "ended")
    return options.show(write(options.writer(incident_id), text_of(needed(text, "TEXT"))))
