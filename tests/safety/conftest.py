"""One session through all commands, shared by what is looked for in it."""

from __future__ import annotations

import pytest
from safety_samples import Session, live


@pytest.fixture(scope="session")
def session(tmp_path_factory: pytest.TempPathFactory) -> Session:
    return live(tmp_path_factory.mktemp("session"))
