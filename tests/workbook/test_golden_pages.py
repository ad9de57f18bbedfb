"""What notebooks show of runs with planted truth, word for word; `make golden` renews the files after a change of wording.

A file holds what a reader sees, block by block; figures
stand as their alternative texts.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from run_samples import RunSamples
from workbook.test_notebooks import NOTEBOOKS
from workbook.test_relation_notebooks import PAGES


@pytest.mark.parametrize(
    ("notebook", "run"),
    [
        *((name, run) for name in NOTEBOOKS for run in ("demo", "cascade")),
        *((name, "demo") for name in PAGES),
        ("welcome", "demo"),
    ],
)
def test_a_page_shows_what_the_golden_file_holds(
    samples: RunSamples, golden: Callable[[str, str], None], notebook: str, run: str
) -> None:
    golden(f"{notebook}-{run}", samples.told(notebook, run))
