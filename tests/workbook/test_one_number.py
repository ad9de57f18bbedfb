"""One number a quantity: all pages and texts of one run give the same failed requests, budget, scores and start."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from run_samples import RunSamples, cells, told
from workbook.test_incident_states import PAGES

from tars_lib.cli.engines.summaries import sla_lines
from tars_lib.incidents.views.standing import state_by
from tars_lib.pipeline import SUMMARY_FILE, Run
from tars_lib.reports.blocks.plain_text import plain_text

QUANTITIES = {
    "failed requests": re.compile(r"requests? to [\w-]+ fail(?:s|ed)?: ([\d,]+ of [\d,]+)"),
    "budget of availability": re.compile(
        r"Error budget used (\d+)%|overspent, (\d+)% of the error budget|\| (\d+)% \| 4 \|"
    ),
    "readiness": re.compile(r"[Rr]eadiness(?: is|:)? (?:RED, |RED at |red at )?(\d+) of 100|Readiness (\d+) of 100"),
    "health": re.compile(r"(?:[Oo]rg(?:anisation)? health|health at|; health)(?: is|:)? (\d+)(?:\.\d)? of 100"),
    "start": re.compile(
        r"(?:Breached since|Failing since|fails: [\d,]+ of [\d,]+ since) (\d{4}-\d\d-\d\d \d\d:\d\d) UTC"
    ),
}


@pytest.fixture(scope="module")
def texts(samples: RunSamples) -> dict[str, str]:
    """What a reader sees of the planted incident: nine pages, the summary, the command's text and the run in a console."""
    run: Run = samples.run("demo")
    found = {name: told(cells(name, run_dir=str(run.directory))) for name in PAGES}
    found["summary"] = Path(run.directory / SUMMARY_FILE).read_text(encoding="utf-8").replace("\\", "")
    found["command"] = "\n".join(sla_lines(run.sla, state_by(run, None)))
    found["console"] = "\n".join(plain_text(block) for block in run.blocks())
    return found


def values(texts: dict[str, str], quantity: str) -> dict[str, set[str]]:
    """The values of a quantity by where they stand."""
    found: dict[str, set[str]] = {}
    for where, text in texts.items():
        for hit in QUANTITIES[quantity].finditer(text.replace("\u00a0", " ")):
            found.setdefault(next(value for value in hit.groups() if value), set()).add(where)
    return found


@pytest.mark.parametrize("quantity", QUANTITIES)
def test_a_quantity_has_one_value_wherever_it_stands(quantity: str, texts: dict[str, str]) -> None:
    found = values(texts, quantity)
    assert len(found) == 1, found
    (places,) = found.values()
    assert len(places) >= 2, "a quantity that stands once proves nothing"


def test_the_scan_sees_another_value(texts: dict[str, str]) -> None:
    other = texts | {"sla_breach": texts["sla_breach"].replace("5,855 of", "5,861 of")}
    assert len(values(other, "failed requests")) == 2


def test_the_main_pages_begin_with_what_people_notice(texts: dict[str, str]) -> None:
    for name in ("incident_report", "executive_summary", "sla_breach", "command"):
        impact, figure = texts[name].index("One in six requests to ledger fails"), texts[name].index("99.68%")
        assert impact < figure, name
