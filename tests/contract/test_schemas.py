"""The published schemas and the reports agree: what is written validates, and what one refuses the other refuses, too."""

from __future__ import annotations

import copy
import importlib.util
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from org_samples import RootBuilder, counts, series
from workspaces import artefacts, cascade

from tars_lib.errors import InputError
from tars_lib.files.json_records import from_json
from tars_lib.pipeline import analyze, write_run
from tars_lib.pipeline.loading import load_org
from tars_lib.sources.demo import demo_root

DOCS = Path(__file__).resolve().parents[2] / "docs"
SPEC = importlib.util.spec_from_file_location("docs_generate", DOCS / "generate.py")
assert SPEC is not None
assert SPEC.loader is not None
GENERATE = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(GENERATE)
NAMES = sorted(GENERATE.schemas())


def published(name: str) -> dict[str, Any]:
    """A schema as it stands in the docs."""
    schema: dict[str, Any] = json.loads((DOCS / "schemas" / f"{name}.schema.json").read_text(encoding="utf-8"))
    return schema


def closed(schema: dict[str, Any]) -> dict[str, Any]:
    """The same schema without room for a property that it does not name."""
    shut = copy.deepcopy(schema)
    for kind in (shut, *shut["$defs"].values()):
        kind["additionalProperties"] = False
    return shut


def empty(folder: Path) -> Path:
    """A root in which next to nothing can be known."""
    return RootBuilder(folder).add(series("a", "health_score", [90.0, np.nan, 80.0])).write()


def young(folder: Path) -> Path:
    """Counts of a few days, a rule of the user's own and a silent repo."""
    root = RootBuilder(folder).add(counts("a", [900] * 5, [1] * 5)).add(counts("b", [900] * 2, [900] * 2))
    root.file(
        "alerts.yaml",
        "rules: [{rule_id: busy, metric: requests_total, comparison: '>', threshold: 100, severity: HIGH}]",
    )
    return root.write()


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Run directories of organisations of every kind."""
    folder = tmp_path_factory.mktemp("roots")
    roots = [make(folder / make.__name__) for make in (cascade, artefacts, empty, young)]
    return [write_run(analyze(load_org(root)), folder / "runs") for root in (*roots, demo_root())]


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_is_one(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(published(name))


@pytest.mark.parametrize("name", NAMES)
def test_what_is_written_is_what_the_schema_says_and_nothing_more(runs: list[Path], name: str) -> None:
    validator = jsonschema.Draft202012Validator(closed(published(name)))
    for run in runs:
        validator.validate(json.loads((run / f"{name}.json").read_text(encoding="utf-8")))


def places(document: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every place in a document but the whole."""
    inside = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for key, value in inside:
        yield (*path, key)
        yield from places(value, (*path, key))


SPOILT = (None, 7, -1.5, "NO SUCH VALUE", True, [], {}, [[]], {"x": 1})


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"incident-context"}))
def test_schema_and_reader_refuse_the_same(runs: list[Path], name: str) -> None:
    """400 documents with one value replaced or one key taken out: refused by both, or by neither."""
    rng = random.Random(20260105)  # noqa: S311 - test data
    validator = jsonschema.Draft202012Validator(published(name), format_checker=jsonschema.FormatChecker())
    whole = [json.loads((run / f"{name}.json").read_text(encoding="utf-8")) for run in runs]
    kind, refused = GENERATE.schemas()[name], 0
    for _ in range(400):
        document = copy.deepcopy(rng.choice(whole))
        path = rng.choice(list(places(document)))
        holder = document
        for key in path[:-1]:
            holder = holder[key]
        if isinstance(holder, dict) and rng.random() < 0.3:
            del holder[path[-1]]
            done: object = "taken out"
        else:
            done = holder[path[-1]] = rng.choice(SPOILT)
        try:
            from_json(kind, document, name)
            is_read = True
        except InputError:
            is_read = False
        is_valid = validator.is_valid(document)
        time_alone = isinstance(done, str) and not is_read  # text where a time stands: a matter of format
        assert is_valid == is_read or (is_valid and time_alone), (path, done)
        refused += not is_read
    assert refused > 100
