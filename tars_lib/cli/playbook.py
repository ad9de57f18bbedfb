"""`tars playbook`: which playbook is in force, and where does each line come from?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import click

from tars_lib.cli.incident.options import Options, playbook_option
from tars_lib.cli.shared.options import incidents_option, json_option
from tars_lib.cli.shared.shell import REPORT, guarded, print_json
from tars_lib.errors import ConfigError
from tars_lib.text.visible import visible


@click.group(epilog="Example: tars playbook show --playbook ./our-playbook.yaml")
def playbook() -> None:
    """The playbook as data: severities, decision tree, triage, containment, escalation, reviews, metrics."""


@playbook.command(epilog="Example: tars playbook show --playbook ./our-playbook.yaml --section escalation")
@playbook_option
@incidents_option
@click.option("--section", help="One section alone, such as escalation.")
@json_option
@guarded(REPORT)
def show(playbook: Path | None, incidents_dir: Path | None, section: str | None, as_json: bool, quiet: bool) -> int:
    """Print what is in force, value by value, with the file and row that it came from (left out with --quiet)."""
    from tars_lib.incidents.store.playbook_in_force import own_playbook
    from tars_lib.playbook.config import read_playbook

    in_force = read_playbook(own_playbook(Options(incidents_dir).root, playbook))
    if section is not None and section not in in_force.content:
        raise ConfigError(f"--section {section}: not in the playbook; allowed: {', '.join(in_force.content)}")
    content = in_force.content if section is None else {section: in_force.content[section]}
    if as_json:
        origins = {key: row for key, row in in_force.origins.items() if key.partition(".")[0] in content}
        head = {"version": in_force.playbook.version, "sha256": in_force.playbook.sha256}
        print_json({**head, "playbook": content, "origins": origins})
        return 0
    click.echo(f"playbook {visible(in_force.playbook.version)}, sha256 {in_force.playbook.sha256}")
    for key, value in _values(content, ""):
        click.echo(f"{visible(key)}: {visible(value)}")
        if not quiet:
            click.echo(f"    from {visible(in_force.origins[key])}")
    return 0


def _values(value: object, key: str) -> Iterator[tuple[str, str]]:
    """Dotted key and text of each value that has an origin."""
    if isinstance(value, Mapping) and value:
        for name, item in value.items():
            yield from _values(item, f"{key}.{name}" if key else str(name))
    elif isinstance(value, list):
        yield key, "; ".join(_item(item) for item in value) or "nothing"
    else:
        yield key, _item(value)


def _item(item: object) -> str:
    if isinstance(item, Mapping):
        return " | ".join(", ".join(map(str, part)) if isinstance(part, list) else str(part) for part in item.values())
    return str(item)
