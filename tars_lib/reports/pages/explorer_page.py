"""The explorer: one HTML page with every metric of an organisation, to point at, to zoom and to go from an event to what moved.

It is a page of its own, because it holds a script; reports for leadership hold none. Nothing is loaded: data, style and script
stand in the file, and its Content-Security-Policy admits these alone
(https://www.w3.org/TR/CSP3/#source-list-valid-hashes).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np

from tars_lib.engines.queries.moved_metrics import moved
from tars_lib.errors import InputError
from tars_lib.files.atomic import write_text
from tars_lib.model.history import to_micros
from tars_lib.model.organisation import OrgData
from tars_lib.reports.pages.html import policy_hash
from tars_lib.text.visible import visible

TEMPLATES = Path(__file__).parents[1] / "templates"
DIGITS = 5
"""Significant digits of a value: more than a screen shows; half a megabyte for twelve services over thirty days."""
MAX_SAMPLES = 20_000
"""Points of time in one page; judgement: a browser draws more only slowly."""
MAX_EVENTS = 100
"""Events listed, the latest; judgement."""


@dataclass(frozen=True, slots=True, repr=False)
class ExplorerPage:
    """The page as text; JupyterLab shows it, `save` writes it."""

    html: str

    def __repr__(self) -> str:
        return f"Explorer, {len(self.html) / 1e6:.1f} MB; .save('explorer.html') writes the page."

    def _repr_html_(self) -> str:
        # a frame of its own: the notebook's page keeps its scripts and this one its policy
        frame = '<iframe title="Explorer" sandbox="allow-scripts" width="100%" height="900"'
        return f'{frame} srcdoc="{escape(self.html)}"></iframe>'

    def save(self, path: str | Path) -> Path:
        """Write the page, whole or not at all."""
        target = Path(path)
        write_text(target, self.html)
        return target


def explorer_page(org: OrgData) -> ExplorerPage:
    """Make the page of an organisation.

    Raises
    ------
    InputError
        If it has no sample, or more points of time than a page holds.
    """
    history = org.history
    if history.start is None or history.end is None:
        raise InputError(f"{org.name}: no sample to explore")
    derived = ("error_rate",) if history.has("error_rate") else ()
    names = list(dict.fromkeys((*derived, *history.metrics)))
    step = min(history.interval(name) or 86_400_000_000 for name in history.metrics)
    rows = (history.end - history.start + step // 2) // step + 1
    if rows > MAX_SAMPLES:
        raise InputError(f"{org.name}: {rows:,} points of time; up to {MAX_SAMPLES:,} are allowed: cut the history")
    series: list[dict[str, object]] = []
    positions: dict[tuple[str, str], int] = {}
    for name in names:
        grid = history.grid(name, step)
        for column, repo in enumerate(history.repos if grid is not None else ()):
            values = grid.values[:, column] if grid is not None else np.empty(0)
            if np.isfinite(values).any():
                positions[repo, name] = len(series)
                numbers = [float(f"{value:.{DIGITS}g}") if np.isfinite(value) else None for value in values]
                unit = org.metric(name).unit
                series.append({"repo": visible(repo), "metric": visible(name), "unit": unit, "values": numbers})
    document = {
        "start": history.start // 1000,
        "step": step / 1000,
        "length": int(rows),
        "series": series,
        "first": [0, min(1, len(series) - 1)],
        "events": _events(org, positions),
    }
    return ExplorerPage(_page(org.name, document))


def _events(org: OrgData, positions: dict[tuple[str, str], int]) -> list[dict[str, object]]:
    rows = []
    for event in sorted(org.events, key=lambda event: event.timestamp, reverse=True)[:MAX_EVENTS]:
        try:
            turned = moved(org, event)
        except InputError:  # nothing was sampled since
            continue
        name = f"{event.kind} {event.title}{f' of {event.repo}' if event.repo else ''}"
        rows.append(
            {
                "time": to_micros(event.timestamp) // 1000,
                "title": visible(name),
                "said": visible(turned.told().sentences[0]),
                "moved": [positions[row.repo, row.metric] for row in turned.metrics if row.is_moved],
            }
        )
    return rows


def _page(title: str, document: dict[str, object]) -> str:
    script = (TEMPLATES / "explorer.js").read_text(encoding="utf-8")
    style = (TEMPLATES / "explorer.css").read_text(encoding="utf-8")
    # "<" ends no script where it is written as a code
    data = json.dumps(document, ensure_ascii=True, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
    name = escape(visible(title))
    own = f"script-src '{policy_hash(script)}'; style-src '{policy_hash(style)}'"
    policy = f"default-src 'none'; {own}; base-uri 'none'; form-action 'none'"
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Explorer: {name}</title>'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{style}</style></head><body>'
        f'<h1>{name}</h1><button type="button" id="all">All of the time</button><div id="panels"></div>'
        f'<h2>Events: pick one to see what moved</h2><ul id="events"></ul><h2>What moved</h2>'
        f'<p id="said">No event is picked.</p><ul id="moved"></ul>'
        f'<script type="application/json" id="data">{data}</script><script>{script}</script></body></html>\n'
    )
