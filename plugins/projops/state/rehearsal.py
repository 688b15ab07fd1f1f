"""A copy of the state that may be written to freely: what a run would note down is found out on it.

Rehearsing within the state itself, in a transaction that is rolled back, would keep every other run
waiting for as long as the rehearsal reads from both systems.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Table, create_engine, insert

from projops.state.store import StateStore
from projops.state.tables import (
    audit,
    lease,
    metadata,
    request_count,
    signal,
    signal_count,
    throttle,
    throttle_holder,
    throttle_use,
)

_ROWS = 5000
# A rehearsal waits for no writer and is nobody's action; requests are counted where all others are.
_LEFT_OUT = (lease, audit, request_count, signal, signal_count, throttle, throttle_holder, throttle_use)


@contextmanager
def copied(store: StateStore, folder: Path) -> Iterator[StateStore]:
    """Copy the state, as it stands at one moment, to a database of its own until the block ends.

    Args:
        store: The state; no writer waits for the copying.
        folder: Where the copy is to lie, a SQLite file whatever the state's own database is.
    """
    copy = StateStore(f"sqlite:///{folder / 'state.db'}")
    try:
        with _one_moment(store) as source, copy.begin() as target:
            metadata.create_all(target)
            for table in metadata.sorted_tables:
                if table not in _LEFT_OUT:
                    _copy(table, source, target)
        yield copy
    finally:
        copy.close()


@contextmanager
def _one_moment(store: StateStore) -> Iterator[Connection]:
    """Read everything as of now. The state's own connections would lock a SQLite file for writing."""
    if store.url.get_backend_name() == "sqlite":
        reader = create_engine(store.url)
    else:
        reader = create_engine(store.url, isolation_level="REPEATABLE READ")
    with reader.connect() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN")  # Python's driver begins by itself only before it writes
        yield connection
    reader.dispose()


def _copy(table: Table, source: Connection, target: Connection) -> None:
    rows = source.execution_options(yield_per=_ROWS).execute(table.select())
    for part in rows.mappings().partitions():
        target.execute(insert(table), [dict(row) for row in part])
