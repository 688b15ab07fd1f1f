"""An empty state, and an engine on one that may ask neither system for anything."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from projops.engine import Engine
from projops.mapping.model import System
from projops.settings import Settings
from projops.state import StateStore
from projops.systems.connection import Connection


@pytest.fixture
def store(tmp_path: Path) -> Iterator[StateStore]:
    state = StateStore(f"sqlite:///{tmp_path / 'state.db'}")
    state.prepare()
    yield state
    state.close()


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    settings = Settings(state_url=f"sqlite:///{tmp_path / 'state.db'}", staging=str(tmp_path / "staging"))
    with Engine.open(settings, _no_connection) as opened:
        yield opened


def _no_connection(system: System) -> Connection:
    raise AssertionError(f"{system} is asked for something")
