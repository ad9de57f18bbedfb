"""Files whose names say that somebody should read them."""

from __future__ import annotations

import pytest

from tars_lib.files.misnamed import misnamed


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("org.yml", "org.yaml"),
        ("Org.yaml", "org.yaml"),
        ("org.yaml ", "org.yaml"),
        ("sla_policies.yaml", "sla-policies.yaml"),
        ("slas.json", "sla-policies.yaml"),
        ("events.tsv", "events.csv"),
        ("history.csv.gz", "history.csv or history.parquet"),
        ("history/part-1.json", "history.csv or history.parquet"),
        ("alerts.json", "alerts.yaml, or SERVICE/alerts/alerts.json"),
        ("web/alerts.json", "alerts.yaml, or SERVICE/alerts/alerts.json"),
    ],
)
def test_a_file_that_is_nearly_called_as_one_that_is_read_is_told(name: str, wanted: str) -> None:
    assert misnamed([name], set()) == [f"not read: {name} ({wanted} would be)"]


@pytest.mark.parametrize("name", ["README.md", "org.yaml", "history/a.csv", "history.py", "notes.json", "org"])
def test_other_files_are_left_alone(name: str) -> None:
    assert misnamed([name], set()) == []


def test_a_policy_file_that_an_option_names_is_read() -> None:
    assert misnamed(["policies.yaml"], {"policies.yaml"}) == []
