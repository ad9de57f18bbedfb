"""Where tests of a pull work."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A folder for the root of a test."""
    return tmp_path / "org-health"
