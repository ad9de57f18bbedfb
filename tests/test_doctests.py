"""Every example in a docstring is true."""

from __future__ import annotations

import doctest
import pkgutil
from importlib import import_module

import pytest

import tars_lib

MODULES = sorted(module.name for module in pkgutil.walk_packages(tars_lib.__path__, "tars_lib."))


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_hold(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # doctest asks the disk for every file that was ever shown, for a debugger that nobody opens here
    monkeypatch.setattr("linecache.checkcache", lambda filename=None: None)
    failed, _ = doctest.testmod(import_module(name), optionflags=doctest.ELLIPSIS)
    assert failed == 0


def test_there_are_examples_to_hold() -> None:
    finder = doctest.DocTestFinder()
    with_examples = [n for n in MODULES if any(test.examples for test in finder.find(import_module(n)))]
    assert len(with_examples) >= 20
