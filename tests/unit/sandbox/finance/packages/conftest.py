"""Data management over an empty store that knows one company."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.clock import Clock
from sandbox.finance.packages.worker import Worker
from sandbox.store import Store
from tests.unit.sandbox.finance.packages.desk import Desk, open_desk


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(f"sqlite:///{tmp_path / 'sandbox.db'}", Clock())
    opened.bulk_insert(opened.finance["LegalEntities"], [{"LegalEntityId": "USPM"}])
    yield opened
    opened.close()


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is submitted to a worker is done before the call returns."""
    monkeypatch.setattr(Worker, "submit", lambda self, task: task())


@pytest.fixture
def idle(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What is submitted to a worker is put into this list, and not done."""
    tasks: list[Any] = []
    monkeypatch.setattr(Worker, "submit", lambda self, task: tasks.append(task))
    return tasks


@pytest.fixture
def desk(store: Store, at_once: None) -> Desk:
    return open_desk(store)
