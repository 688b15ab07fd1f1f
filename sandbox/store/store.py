"""The store: both systems in one database, with versions that change tracking can rely on."""

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from itertools import islice
from threading import Lock
from typing import Any

import sqlalchemy as sa

from sandbox.clock import Clock
from sandbox.schema import load_dataverse, load_finance
from sandbox.schema.model import Table
from sandbox.store.defaults import Value, finance_blank
from sandbox.store.engine import WRITING, open_engine
from sandbox.store.loading import by_column, insert_columns
from sandbox.store.past import Past, lag
from sandbox.store.tables import (
    REC_ID,
    REC_VERSION,
    VERSION,
    declare_tables,
    table_name,
)
from sandbox.store.types import instant_text
from sandbox.store.unit import WriteUnit

_CHUNK = 2_000
_FIRST_REC_ID = 22_565_420_000  # Finance's record ids are long from the start; shape as seen [L]
_COMMIT: ContextVar[int | None] = ContextVar("commit", default=None)


def last_commit() -> int | None:
    """Return the version up to which the last transaction of this request has written, None before one.

    Versions grow from transaction to transaction: what has the higher one was written later.
    """
    return _COMMIT.get()


class OtherVersionError(ValueError):
    """A database whose tables have other columns than this version's."""


class Store:
    """Both systems' rows. Handlers read and write with SQLAlchemy Core over `sql(table)`.

    What a select returns is ready for the wire: text for GUIDs, dates and time stamps
    (`2026-10-31T22:00:00Z`), Decimal for decimals, int, bool, str.
    """

    def __init__(self, url: str, clock: Clock) -> None:
        """Open the database at `url` and create what is missing in it.

        Raises:
            OtherVersionError: Another version of the sandbox made its tables.
        """
        self.clock = clock
        self.dataverse = load_dataverse()
        self.finance = load_finance()
        self.engine = open_engine(url)
        self._writer = self.engine.execution_options(**{WRITING: True})
        self._writing = Lock()
        tables = declare_tables()
        self.environment, self.tombstone, self._sql = tables.environment, tables.tombstone, tables.by_name
        environment = self.environment.c
        self._counters = sa.select(environment.version, environment.recid).with_for_update()
        self._count = sa.update(self.environment).values(
            version=sa.bindparam("now_version"), recid=sa.bindparam("now_recid")
        )
        self.create_tables(tables.metadata)
        self.environment_id = self._identify()
        self.past = Past(self._snapshot)

    def create_tables(self, metadata: sa.MetaData) -> None:
        """Create what is missing of further tables in the same database.

        Raises:
            OtherVersionError: One is there with other columns. It is said at the start, rather than that
                some request fails: new columns are not added to old tables.
        """
        found = sa.inspect(self.engine).get_multi_columns(filter_names=list(metadata.tables))
        for (_, name), columns in found.items():
            known = {column["name"] for column in columns}
            if known != set(metadata.tables[name].columns.keys()):
                raise OtherVersionError(
                    f"The database {self.engine.url.render_as_string()} was made by another version of the "
                    f"sandbox (its table {name} has other columns): begin with a new one, or delete it."
                )
        there = {name for _, name in found}
        missing = [table for name, table in metadata.tables.items() if name not in there]
        metadata.create_all(self.engine, missing, checkfirst=False)

    def sql(self, table: Table) -> sa.Table:
        """Return the SQL table that holds the rows of `table`."""
        return self._sql[table_name(table)]

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """Open a transaction that sees one snapshot of the database, an older one for a stale read."""
        with self.past.reading(lag()) as old:
            if old is not None:
                yield old
                return
        with self._snapshot() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[WriteUnit]:
        """Open the one write transaction of the moment; commit at the end, roll back on error."""
        # The database serialises writers too, but SQLite makes them poll for their turn.
        with self._writing:
            with self._writer.begin() as connection:
                self.past.before_write()
                counters = self._lock_counters(connection)
                unit = WriteUnit(connection, self.clock.now().replace(microsecond=0), counters)
                yield unit
                if unit.counters != counters:
                    version, recid = unit.counters
                    connection.execute(self._count, {"now_version": version, "now_recid": recid})
            for call in unit.after_commit:
                call()
        _COMMIT.set(unit.counters[0])

    def latest_version(self) -> int:
        """Return the version of the last write, whatever a stale read sees."""
        with self._snapshot() as connection:
            version: int = connection.execute(sa.select(self.environment.c.version)).scalar_one()
            return version

    def seed_name(self) -> str | None:
        """Return the name of the seed that filled this database, None where there is none."""
        with self.read() as connection:
            seed: str | None = connection.execute(sa.select(self.environment.c.seed)).scalar_one()
            return seed

    def mark_seeded(self, seed: str) -> None:
        """Remember that `seed` has filled this database."""
        with self.write() as unit:
            unit.connection.execute(sa.update(self.environment).values(seed=seed))

    def clear(self) -> None:
        """Delete all rows of both systems; change-tracking tokens of before expire.

        The environment's id and its counters stay: it is the same environment, emptied.
        """
        with self.write() as unit:
            for sql in (*self._sql.values(), self.tombstone):
                unit.connection.execute(sa.delete(sql))
            unit.connection.execute(
                sa.update(self.environment).values(seed=None, reset_version=unit.next_version())
            )

    def bulk_insert(self, table: Table, rows: Iterable[Mapping[str, Any]]) -> None:
        """Insert many rows quickly, in one transaction; missing columns get defaults.

        Args:
            table: A table of either system.
            rows: By column name: Decimal, datetime (aware), date, str, bool, int or None. The values
                are trusted to fit the schema. They are taken from the iterable chunk by chunk.

        Raises:
            sqlalchemy.exc.IntegrityError: When a key occurs twice.
        """
        pending = iter(rows)
        with self.write() as unit:
            blanks = {name: self.default(table, name, unit.now) for name in table.columns}
            while chunk := list(islice(pending, _CHUNK)):
                columns = by_column(chunk, blanks) | _identity(table, chunk, unit)
                insert_columns(unit.connection, self.sql(table), columns)

    def close(self) -> None:
        """Close all connections."""
        self.past.keep(0)
        self.engine.dispose()

    @contextmanager
    def _snapshot(self) -> Iterator[sa.Connection]:
        options = {} if self._sqlite else {"isolation_level": "REPEATABLE READ"}
        with self.engine.connect().execution_options(**options) as connection, connection.begin():
            yield connection

    @property
    def _sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    def default(self, table: Table, column: str, now: datetime) -> Value:
        """Return what a created row holds in `column` where the request says nothing."""
        if table.system == "finance":
            return finance_blank(table.columns[column])
        if column in {"createdon", "modifiedon"}:
            return instant_text(now)
        return table.columns[column].default

    def _lock_counters(self, connection: sa.Connection) -> tuple[int, int]:
        version, recid = connection.execute(self._counters).one()
        return version, recid

    def _identify(self) -> str:
        """Return the environment's own id, given at the database's first start."""
        with self._writer.begin() as connection:
            known = connection.execute(sa.select(self.environment.c.environment_id)).scalar()
            if known is not None:
                return str(known)
            first = {
                "id": 1,
                "environment_id": str(uuid.uuid4()),
                "version": 1_000,
                "recid": _FIRST_REC_ID,
                "reset_version": 0,
                "seed": None,
            }
            connection.execute(sa.insert(self.environment).values(first))
            return str(first["environment_id"])


def _identity(table: Table, rows: Sequence[Mapping[str, Any]], unit: WriteUnit) -> dict[str, Sequence[Any]]:
    """Return the columns that tell the rows of a system apart, which no row has to name."""
    versions = {VERSION: unit.next_versions(len(rows))}
    if table.system == "finance":
        return versions | {REC_ID: unit.next_recids(len(rows)), REC_VERSION: [1] * len(rows)}
    name = table.primary_id or ""
    return {name: [row.get(name) or str(uuid.uuid4()) for row in rows], **versions}
