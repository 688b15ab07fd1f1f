"""Both systems' rules over one database: write through them, then look."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sandbox.clock import Clock, parse_instant
from sandbox.dataverse.api import open_api
from sandbox.dataverse.desk import Desk
from sandbox.finance.books import Books
from sandbox.finance.catalog import Catalog
from sandbox.jobs import open_jobs
from sandbox.odata.sql import register_functions
from sandbox.rules.hooks import Caller, read_rulebook
from sandbox.rules.jobs import Job
from sandbox.store import Store, WriteUnit

NOW = "2026-11-02T09:00:00Z"


class StandingClock(Clock):
    """Stands still wherever it was set: what a rule wrote is told to the second on slow machines too."""

    def now(self) -> datetime:
        """Return the instant that was set last, moved by what it was advanced since."""
        return self._stands

    def set(self, instant: datetime) -> None:
        """Make `instant` (aware) the present."""
        self._stands = instant.astimezone(UTC)

    def advance(self, seconds: float) -> None:
        """Move the present by `seconds`, backwards where negative."""
        self._stands += timedelta(seconds=seconds)


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with all tables and no rows; made once, copied for each test."""
    file = tmp_path_factory.mktemp("empty") / "sandbox.db"
    Store(f"sqlite:///{file}", StandingClock(parse_instant(NOW))).close()
    return file


@pytest.fixture
def sandbox_store(empty_database: Path, tmp_path: Path) -> Iterator[Store]:
    """An empty store whose clock stands at `NOW`."""
    file = shutil.copy(empty_database, tmp_path / "sandbox.db")
    store = Store(f"sqlite:///{file}", StandingClock(parse_instant(NOW)))
    register_functions(store.engine)
    yield store
    store.close()


@pytest.fixture
def jobs(sandbox_store: Store) -> dict[str, Job]:
    """All jobs by name, as the control plane runs them; each in a transaction of its own."""
    return open_jobs(open_api(sandbox_store), read_rulebook("sandbox.finance.rules"))


@pytest.fixture
def unit(sandbox_store: Store) -> Iterator[WriteUnit]:
    """One write transaction for the test; do not run `jobs` inside of it."""
    with sandbox_store.write() as opened:
        yield opened


@pytest.fixture
def desk(sandbox_store: Store, unit: WriteUnit) -> Desk:
    """Dataverse, written as the system: no guard is asked."""
    return Desk(unit, open_api(sandbox_store).writer)


@pytest.fixture
def books(sandbox_store: Store, unit: WriteUnit) -> Books:
    """Finance, written as the system unless a caller is named."""
    rules = read_rulebook("sandbox.finance.rules")
    return Books(unit, Catalog(sandbox_store, sandbox_store.finance, {}, None, rules))


def as_user(desk: Desk, table: str, row_id: str | None, values: dict[str, Any]) -> str:
    """Create (no id) or change a row of Dataverse as a user, so that guards are asked."""
    entity = desk.writer.entities.by_name[table]
    if row_id is None:
        return desk.writer.insert(desk.unit, entity, [values], Caller.USER)[0]
    desk.writer.update(desk.unit, entity, [(row_id, values)], Caller.USER)
    return row_id
