"""The explorer and the panel without a browser: a widget's value is set, and the picture or the verdicts are others."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from run_samples import RunSamples

from tars_lib.errors import ConfigError, UnknownNameError
from tars_lib.model.names import SlaStatus
from tars_lib.model.slo import RatioPolicy
from tars_lib.pipeline import Run
from tars_lib.workbook.widgets import controls as widgets
from tars_lib.workbook.widgets.explorer import HEALTH, NO_EVENT, Explorer
from tars_lib.workbook.widgets.what_if import WhatIfPanel, objective_range

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def run(samples: RunSamples) -> Run:
    return samples.run("demo")


@pytest.fixture(scope="module")
def one_explorer(run: Run) -> Explorer:
    return Explorer(run.org, "checkout", "latency_p95")


@pytest.fixture
def explorer(one_explorer: Explorer) -> Iterator[Explorer]:
    """The same widgets for every test, since each drawing takes its time; every choice is put back."""
    at_first = {name: getattr(one_explorer, name).value for name in ("repo", "metric", "window", "event")}
    yield one_explorer
    for name, value in at_first.items():
        getattr(one_explorer, name).value = value


@pytest.fixture
def panel(run: Run) -> WhatIfPanel:
    return WhatIfPanel(run.org)


def line(explorer: Explorer) -> list[float]:
    """Values of the line that is shown."""
    assert explorer.picture is not None
    return [float(value) for value in np.asarray(explorer.picture.figure.axes[0].lines[0].get_ydata(), dtype=float)]


def test_the_picture_shows_what_is_chosen(explorer: Explorer, run: Run) -> None:
    shown = line(explorer)
    times, values = run.org.history.series("latency_p95", "checkout")
    assert shown == values[times >= times[-1] - 7 * 86_400_000_000].tolist()
    assert explorer.picture is not None
    assert explorer.picture.caption.startswith("latency_p95 of checkout: median ")
    assert 'src="data:image/svg+xml;base64,' in explorer.figure.value
    assert 'alt="A line of latency_p95 of checkout over time.' in explorer.figure.value


@pytest.mark.parametrize(
    ("choice", "value", "said"),
    [
        ("repo", "ledger", "latency_p95 of ledger"),
        ("metric", "requests_total", "requests_total of checkout"),
        ("metric", "error_rate", "error_rate of checkout"),
        ("metric", HEALTH, "1 of 1 services drawn are below 60 points"),
        ("window", "1 day", "25 samples"),
        ("event", 0, "before deploy 'Connection pool rewrite', 1.15 s since."),
    ],
)
def test_each_choice_draws_anew(explorer: Explorer, choice: str, value: object, said: str) -> None:
    before, picture = explorer.figure.value, explorer.picture
    getattr(explorer, choice).value = value
    assert explorer.figure.value != before
    assert explorer.picture is not picture
    assert explorer.picture is not None
    assert said in explorer.picture.words


def test_choosing_back_shows_the_same_picture_again(explorer: Explorer) -> None:
    before = explorer.figure.value
    explorer.repo.value = "ledger"
    explorer.repo.value = "checkout"
    assert explorer.figure.value == before


def test_what_was_not_reported_is_said_in_place_of_a_figure(explorer: Explorer) -> None:
    explorer.window.value = "1 day"
    explorer.repo.value = "recommendations"
    assert explorer.picture is None
    assert "recommendations reported no latency_p95 from 2026-11-01 15:00 to 2026-11-02 15:00 UTC." in (
        explorer.figure.value
    )


def test_events_are_offered_newest_first_and_none_is_a_choice(explorer: Explorer) -> None:
    labels = [label for label, _ in explorer.event.options]
    assert explorer.event.value == NO_EVENT
    assert labels[1] == "2026-11-02 07:50 deploy: Connection pool rewrite (ledger)"
    assert len(labels) == len(explorer.events) + 1


def test_a_choice_that_is_not_there_is_refused_with_those_that_are(run: Run) -> None:
    with pytest.raises(UnknownNameError, match="service 'nope' is not there; there are: accounts, cart"):
        Explorer(run.org, "nope")


def test_a_cell_shows_the_widget(explorer: Explorer, panel: WhatIfPanel) -> None:
    for shown in (explorer, panel):
        assert "application/vnd.jupyter.widget-view+json" in shown._repr_mimebundle_()


def test_the_slider_moves_the_verdicts_that_are_shown(panel: WhatIfPanel) -> None:
    assert panel.found is not None
    assert panel.found.moves == ()
    panel.sla.value = "search-latency"
    assert panel.objective.value == 0.6
    panel.objective.value = 0.1
    assert [(move.sla_id, move.before, move.after) for move in panel.found.moves if move.repo is None] == [
        ("search-latency", SlaStatus.COMPLIANT, SlaStatus.BREACHED)
    ]
    assert "1 of 4 SLA verdicts change" in panel.table.value


def test_a_stretch_left_out_moves_the_verdicts_that_are_shown(panel: WhatIfPanel) -> None:
    panel.begin.value, panel.end.value = "2026-11-02T08:00Z", "2026-11-02T15:01Z"
    assert panel.found is not None
    assert {move.sla_id for move in panel.found.moves} == {"availability", "checkout-latency"}
    panel.repo.value = "accounts"
    assert panel.found.moves == ()


def test_half_a_stretch_says_what_is_missing_and_judges_nothing(panel: WhatIfPanel) -> None:
    panel.begin.value = "2026-11-02T08:00"
    assert panel.found is None
    assert "exclude[0], begin: &#x27;2026-11-02T08:00&#x27; has no time zone" in panel.table.value
    panel.begin.value = ""
    assert panel.found is not None


def test_a_slider_always_holds_objective_and_measured_value(run: Run) -> None:
    measured = {result.sla_id: result.value for result in run.sla.compliance_results}
    for policy in run.org.policies:
        low, high = objective_range(policy, measured[policy.sla_id])
        assert low <= policy.objective <= high
        value = measured[policy.sla_id]
        assert value is None or low <= value <= high
        assert high <= 1.0 or not isinstance(policy, RatioPolicy)


def test_each_sla_gives_the_slider_its_own_range(panel: WhatIfPanel) -> None:
    for sla in ("restore", "availability", "checkout-latency", "availability"):
        panel.sla.value = sla
        policy = next(one for one in panel.org.policies if one.sla_id == sla)
        assert panel.objective.value == policy.objective
        assert panel.found is not None
        assert panel.found.moves == ()


def test_without_ipywidgets_the_refusal_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    with pytest.raises(ConfigError, match="need ipywidgets, which is not installed here: pip install 'tars-inc"):
        widgets.widgets()
    with pytest.raises(ConfigError):
        Explorer(run.org)


def test_the_modules_load_without_ipywidgets() -> None:
    code = "import sys, tars_lib.workbook.pages.welcome; sys.exit('ipywidgets' in sys.modules or 'matplotlib' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
