"""An engine on an empty state, of which each test has a copy: migrating takes longer than the tests."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from projops.engine import Engine
from projops.errors import ConfigurationError
from projops.mapping.model import System
from projops.settings import Settings
from projops.state import StateStore
from projops.state.environments import bind_environment
from projops.systems.connection import Connection

ORGANIZATION = "0b5e1b5c-0000-4000-8000-0000000000aa"


@pytest.fixture(scope="session")
def bound_state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("signals") / "state.db"
    store = StateStore(f"sqlite:///{path}")
    store.prepare()
    with store.begin() as connection:
        bind_environment(connection, System.DATAVERSE, ORGANIZATION)
        bind_environment(connection, System.FINANCE, "https://finance.example")
    store.close()
    return path


@pytest.fixture(scope="session")
def opened(bound_state: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    def connect(system: System) -> Connection:
        raise ConfigurationError(f"Nobody asks {system} here.")

    folder = tmp_path_factory.mktemp("staging")
    with Engine.open(Settings(state_url=f"sqlite:///{bound_state}", staging=str(folder)), connect) as engine:
        yield engine


@pytest.fixture
def engine(opened: Engine, bound_state: Path, tmp_path: Path) -> Iterator[Engine]:
    from dataclasses import replace

    store = StateStore(f"sqlite:///{shutil.copy(bound_state, tmp_path / 'state.db')}")
    yield replace(opened, state=store)
    store.close()
