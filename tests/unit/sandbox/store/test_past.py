"""States of the past, by a clock of the test's own: how far back a read looks, and what is kept for it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from sandbox.store.engine import WRITING, open_engine
from sandbox.store.past import Past

SECONDS = 8.0


class Database:
    """A database that holds the time of its last write, and a clock."""

    def __init__(self, url: str) -> None:
        self.now = 100.0
        self.open = 0
        self.engine = open_engine(url)
        self.past = Past(self.snapshot, lambda: self.now)
        with self.writing() as connection:
            connection.execute(sa.text("CREATE TABLE environment (version REAL)"))
            connection.execute(sa.text("INSERT INTO environment VALUES (0)"))

    @contextmanager
    def snapshot(self) -> Iterator[sa.Connection]:
        with self.engine.connect() as connection, connection.begin():
            self.open += 1
            yield connection
            self.open -= 1

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        with self.engine.connect().execution_options(**{WRITING: True}) as connection, connection.begin():
            yield connection

    def write(self) -> None:
        with self.writing() as connection:
            self.past.before_write()
            connection.execute(sa.text("UPDATE environment SET version = :now"), {"now": self.now})

    def read(self, seconds: float) -> float:
        """Return the time of the last write that a read of so many seconds ago sees."""
        with self.past.reading(seconds) as old, self.snapshot() as fresh:
            connection = fresh if old is None else old
            seen: float = connection.execute(sa.text("SELECT version FROM environment")).scalar_one()
            return seen


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'past.db'}")
    yield database
    database.past.keep(0)
    database.engine.dispose()


def test_a_read_looks_back_as_far_as_it_says_but_for_an_eighth(database: Database) -> None:
    database.past.keep(SECONDS)
    for step in range(200):
        database.now = 100 + step / 5
        database.write()
        seen = database.read(SECONDS)
        if database.now > 101 + SECONDS:
            assert database.now - SECONDS - 0.2 <= seen <= database.now - SECONDS * 7 / 8
        assert database.open <= 10


def test_the_last_write_is_seen_when_its_time_has_come(database: Database) -> None:
    database.past.keep(SECONDS)
    database.write()
    assert database.read(SECONDS) == 0
    database.now += SECONDS + 0.1
    assert database.read(SECONDS) == 100


def test_nothing_is_kept_that_nobody_wants(database: Database) -> None:
    database.write()
    assert database.open == 0
    database.past.keep(SECONDS)
    database.write()
    assert database.open == 1
    database.past.keep(0)
    assert database.open == 0
