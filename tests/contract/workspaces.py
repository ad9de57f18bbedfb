"""Organisations whose truth is planted, as a responder finds them on disk."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import numpy as np
from org_samples import T0, RootBuilder, counts, series

PATH = ("ledger", "payments", "checkout")
CALM = tuple(f"calm-{n}" for n in range(9))
DAYS = 90
BACK = 6
"""The incident begins in ledger this many days before the end, and a day later in each further repo of the path."""
_FAILING = {"ledger": 0.05, "payments": 0.03, "checkout": 0.02}


def scores(seed: int = 1) -> dict[str, np.ndarray]:
    """Daily health of 12 repos, (90,) each, in points; those of the path step down one after the other."""
    rng = np.random.default_rng(seed)
    found = {}
    for repo in (*PATH, *CALM):
        steps, noise = rng.standard_normal(DAYS + 50), np.zeros(DAYS + 50)
        for day in range(1, noise.size):
            noise[day] = 0.5 * noise[day - 1] + steps[day]
        values = 85.0 + 2.0 * noise[-DAYS:]
        if repo in PATH:
            values[DAYS - BACK + PATH.index(repo) :] -= 35.0 if repo == "ledger" else 25.0
        found[repo] = np.clip(values, 0.0, 100.0)
    return found


def cascade(folder: Path) -> Path:
    """A root in the tidy layout: scores, request counts, dependencies, one deploy and one SLA over requests."""
    root = RootBuilder(folder)
    rng = np.random.default_rng(2)
    for repo, values in scores().items():
        total = rng.poisson(50_000, DAYS)
        share = np.full(DAYS, 0.0002)
        if repo in PATH:
            share[DAYS - BACK + PATH.index(repo) :] += _FAILING[repo]
        root.add(series(repo, "health_score", values))
        root.add(counts(repo, total, rng.binomial(total, share)))
    root.file(
        "org.yaml",
        "name: Acme\n"
        "repos: {checkout: {customer_facing: true}}\n"
        "dependencies:\n"
        "  - {from: payments, to: ledger}\n"
        "  - {from: checkout, to: payments}\n"
        "  - {from: calm-0, to: calm-1}\n",
    )
    deploy = T0 + timedelta(days=DAYS - BACK) - timedelta(minutes=20)
    root.file(
        "events.csv",
        f"timestamp,repo,kind,title,ref\n{deploy:%Y-%m-%dT%H:%M:%SZ},ledger,deploy,Connection pool rewrite,v41\n",
    )
    root.file(
        "sla-policies.yaml",
        "policies:\n"
        "  - {sla_id: availability, sla_name: Availability, sla_type: availability, objective: 0.999, priority: 1,\n"
        "     good: {total: requests_total, bad: requests_failed}, period_days: 30}\n",
    )
    return root.write()


def artefacts(folder: Path) -> Path:
    """The same scores in the predecessor's layout and nothing else: no counts, no dependencies, no policies."""
    for repo, values in scores().items():
        times = [f"{T0 + timedelta(days=day):%Y-%m-%dT%H:%M:%SZ}" for day in range(DAYS)]
        score = round(float(values[-1]), 3)
        documents = {
            "dashboard/health-dashboard.json": {
                "repository_name": repo,
                "overall_health": "RED" if score < 60 else "GREEN",
                "repository_score": score,
                "total_issues": 3,
                "critical_issues": 1 if repo == "ledger" else 0,
                "scan_timestamp": times[-1],
            },
            "trends/trend-report.json": {
                "overall_trend": "stable",
                "history": [
                    {"timestamp": time, "score": round(float(value), 3)}
                    for time, value in zip(times, values, strict=True)
                ],
            },
            "alerts/alerts.json": {
                "total_alerts": 1 if repo == "ledger" else 0,
                "critical_alerts": 1 if repo == "ledger" else 0,
                "alerts": [{"severity": "critical", "title": "Pool exhausted", "timestamp": times[-1]}]
                if repo == "ledger"
                else [],
            },
        }
        for name, document in documents.items():
            path = folder / repo / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(document), encoding="utf-8")
    return folder


def write_panel(path: Path) -> None:
    """Four weeks of a panel as Grafana exports it, in milliseconds: in the last 20 hours checkout takes three times as long."""
    rng = np.random.default_rng(5)
    hours, begin = 28 * 24 + 1, 1_767_225_600_000
    levels = {"checkout": 210.0, "payments": 320.0, "search": 95.0}
    day = 1.0 + 0.2 * np.sin(np.arange(hours) % 24 / 24 * 2 * np.pi)
    columns = {name: level * day * rng.uniform(0.9, 1.1, hours) for name, level in levels.items()}
    columns["checkout"][-20:] *= 3.0
    lines = [",".join(f'"{name}"' for name in ("Time", *columns))]
    lines += [
        f"{begin + hour * 3_600_000},{','.join(f'{columns[name][hour]:.2f}' for name in columns)}"
        for hour in range(hours)
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
