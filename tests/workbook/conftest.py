"""Runs whose truth is known, made once for all tests of what notebooks show."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import pytest
from matplotlib.figure import Figure
from run_samples import RunSamples

from tars_lib.figures.style.narrow import render_narrow
from tars_lib.figures.style.theme import render
from tars_lib.pipeline import Run
from tars_lib.workbook.sections import figure_blocks


@functools.cache
def _drawn() -> tuple[tuple[bytes, bytes], bytes]:
    blank = Figure(figsize=(2.0, 1.0))
    return render(blank), render_narrow(blank, 1)


@pytest.fixture(scope="module", autouse=True)
def _one_drawing() -> Iterator[None]:
    """Pages that are made in this process show one drawn figure for all, since two thirds of their time would be drawing.

    Here they are asked for what they say. The tests of figures draw, and so does every kernel.
    """
    drawn, narrow = _drawn()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figure_blocks, "render", lambda figure: drawn)
        patch.setattr(figure_blocks, "render_narrow", lambda figure, columns: narrow)
        yield


@pytest.fixture(scope="session")
def spread(samples: RunSamples) -> Run:
    """The planted path ledger -> payments -> checkout, and every finding of the decision tree."""
    return samples.run("cascade")


@pytest.fixture(scope="session")
def demo(samples: RunSamples) -> Run:
    """The demo organisation: one incident without an order in time."""
    return samples.run("demo")


@pytest.fixture(scope="session")
def calm(samples: RunSamples) -> Run:
    """The demo organisation before its incident."""
    return samples.run("calm")
