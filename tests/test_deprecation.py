"""What goes warns first, for one release, and is then gone; what is public stands on the page that says so."""

from __future__ import annotations

import importlib
import pkgutil
import re
import warnings
from pathlib import Path

import pytest

import tars_lib
from tars_lib.errors import deprecated

ROOT = Path(__file__).resolve().parents[1]


@deprecated(since="0.2.0", until="0.3.0", use="tars_lib.why")
def double(number: int, *, times: int = 2) -> int:
    """Multiply."""
    return number * times


def version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))


def test_a_deprecated_function_works_as_before_and_warns_its_caller() -> None:
    with pytest.warns(
        DeprecationWarning, match=r"double is deprecated since version 0\.2\.0 and goes in 0\.3\.0; use tars_lib\.why"
    ) as caught:
        assert double(4, times=3) == 12
    assert [warning.filename for warning in caught] == [__file__]
    assert (double.__name__, double.__doc__) == ("double", "Multiply.")


def test_nothing_stays_longer_than_it_was_announced() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        modules = [
            importlib.import_module(found.name)
            for found in pkgutil.walk_packages(tars_lib.__path__, "tars_lib.")
            if ".carried" not in found.name
        ]
    marked = {
        f"{module.__name__}.{name}": value.__until__
        for module in modules
        for name, value in vars(module).items()
        if hasattr(value, "__until__") and getattr(value, "__module__", "") == module.__name__
    }
    late = [name for name, until in marked.items() if version(until) <= version(tars_lib.__version__)]
    assert late == []


def test_the_page_names_every_public_name_and_no_other() -> None:
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    table = page.split("| name | what it does |")[1].split("\n\n")[0]
    named = {
        name for row in table.splitlines() for name in re.findall(r"`([^`]+)`", row.split("|")[1] if "|" in row else "")
    }
    assert named == {*tars_lib.__all__, "__version__"}
