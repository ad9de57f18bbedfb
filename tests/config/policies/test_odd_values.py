"""Whatever stands instead of any part of a document, the file is read or refused in one line."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from tars_lib.config.sla_policies import read_policies
from tars_lib.errors import ConfigError

# the one that is no YAML has nothing to replace
FORMS = [path for path in sorted((Path(__file__).parent / "forms").glob("*.yaml")) if path.stem != "helm-template"]
ODD = (None, 3, "", [], {}, True, 1e308, date(2026, 1, 1), ["a"], {1: 2}, 10**30)
Place = tuple[str | int, ...]


def places(value: Any, place: Place = ()) -> Iterator[Place]:
    """Yield where each part of a document stands."""
    if place:
        yield place
    if isinstance(value, dict | list):
        for key, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(part, (*place, key))


def replaced(value: Any, place: Place, odd: Any) -> Any:
    """Return a copy with something else at a place."""
    made = copy.deepcopy(value)
    holder = made
    for key in place[:-1]:
        holder = holder[key]
    holder[place[-1]] = odd
    return made


@pytest.mark.parametrize("form", FORMS, ids=lambda path: path.stem)
def test_odd_values_are_refused_in_one_line(form: Path, tmp_path: Path) -> None:
    documents = list(yaml.safe_load_all(form.read_text(encoding="utf-8")))
    path = tmp_path / "f.yaml"
    refusals = list[str]()
    for number, place in enumerate(places(documents)):
        odd = ODD[number % len(ODD)]
        path.write_text(yaml.safe_dump_all(replaced(documents, place, odd)), encoding="utf-8")
        try:
            read_policies(path, "f.yaml")
        except ConfigError as error:
            refusals.append(str(error))
    assert refusals
    assert [text for text in refusals if not text.startswith("f.yaml") or "\n" in text] == []
