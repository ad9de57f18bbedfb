"""Runs whose truth is known, made once for all tests of what notebooks show."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from run_samples import RunSamples, one_drawing

from tars_lib.pipeline import Run


@pytest.fixture(scope="module", autouse=True)
def _one_drawing() -> Iterator[None]:
    """Here pages are asked for what they say."""
    with one_drawing():
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
