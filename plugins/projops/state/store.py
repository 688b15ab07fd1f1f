"""Opening the state database and bringing it to the current schema."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, InterfaceError, InternalError, OperationalError

from projops.errors import ConfigurationError, SystemUnavailableError

HEAD = "0006"
_AWAY = (OperationalError, InterfaceError, InternalError)
_READS = "projops_reads"
_READING: Mapping[str, Mapping[str, Any]] = {
    "sqlite": {_READS: True},
    "postgresql": {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True},
}
_LONGEST_SILENCE = "60s"  # between two statements of a transaction; writers on SQLite wait as long


class StateStore:
    """The state database, on SQLite or Postgres.

    Args:
        url: SQLAlchemy URL, `sqlite:///…` or `postgresql+psycopg://…`.
    """

    def __init__(self, url: str) -> None:
        self.url = _parsed(url)
        self.engine = _create_engine(self.url.render_as_string(hide_password=False))
        self._reading = self.engine.execution_options(**_READING.get(self.engine.dialect.name, {}))

    def prepare(self) -> None:
        """Create or upgrade the schema, once, under a lock.

        Raises:
            ConfigurationError: The database cannot be reached.
            StopError: The database was written by a newer version.
        """
        try:
            if self.revision() == HEAD:
                return
            from projops.state.upgrade import upgrade  # Alembic is needed once a database

            with self.engine.begin() as connection:
                upgrade(connection)
        except OperationalError as error:
            raise ConfigurationError(
                f"The state database {self.url.render_as_string()} cannot be opened: {error.orig}.",
                remedy="Check the connection projops_state.",
                connection="projops_state",
            ) from error

    def revision(self) -> str | None:
        """Give the schema revision, or None for an empty database."""
        with self.engine.connect() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return None
            row = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
            return None if row is None else str(row)

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """Open a transaction; it is committed at the end and rolled back on an error.

        Raises:
            SystemUnavailableError: The database is away, is locked for too long, or has ended our session.
        """
        with self._answering(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a transaction that only reads, as a page does: it waits for no writer, and none waits for it.

        All its statements see one state of the database, so that a count and a list of one page agree.

        Raises:
            SystemUnavailableError: The database is away, has ended our session, or is to be written to.
        """
        with self._answering(), self._reading.begin() as connection:
            if connection.dialect.name != "sqlite":
                yield connection
                return
            connection.exec_driver_sql("PRAGMA query_only=ON")
            try:
                yield connection
            finally:  # the connection goes back to the pool, from which a writer may take it
                connection.exec_driver_sql("PRAGMA query_only=OFF")

    @contextmanager
    def _answering(self) -> Iterator[None]:
        try:
            yield
        except _AWAY as error:
            raise SystemUnavailableError(
                f"The state database {self.url.render_as_string()} does not answer well: {error.orig}.",
                remedy="Retried by itself; see whether it is up.",
                connection="projops_state",
            ) from error

    def close(self) -> None:
        """Close all pooled connections."""
        self.engine.dispose()


def _parsed(url: str) -> URL:
    """Read a URL; one that is wrong is not repeated, for it may hold a password."""
    try:
        parsed = make_url(url)
        if parsed.drivername in {"postgres", "postgresql"}:
            parsed = parsed.set(drivername="postgresql+psycopg")
        parsed.get_dialect()
    except (ArgumentError, ImportError, ValueError):
        raise ConfigurationError(
            "The URL of the state database is none that SQLAlchemy knows.",
            remedy="Write it as sqlite:///… or postgresql+psycopg://… into the connection projops_state.",
        ) from None
    return parsed


def _create_engine(url: str) -> Engine:
    engine = create_engine(url, pool_pre_ping=not url.startswith("sqlite"), hide_parameters=True)
    if engine.dialect.name == "sqlite":
        if engine.url.database not in {None, "", ":memory:"}:
            Path(str(engine.url.database)).parent.mkdir(parents=True, exist_ok=True)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin)
    else:
        event.listen(engine, "connect", _prepare_postgres)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # Transactions are opened by us (_begin): a reader that turns writer halfway would
    # otherwise fail with "database is locked" instead of waiting.
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA busy_timeout=60000")
    # After a power cut the last commits must be there: an export that we asked for has moved Finance's mark.
    connection.execute("PRAGMA synchronous=FULL")


def _prepare_postgres(connection: Any, _record: object) -> None:
    # A machine that freezes inside of a transaction would keep its locks, the lease's row among them, for as
    # long as it sleeps. On SQLite nobody can take them from it.
    connection.execute(f"SET idle_in_transaction_session_timeout = '{_LONGEST_SILENCE}'")
    connection.commit()


def _begin(connection: Connection) -> None:
    # Without IMMEDIATE a reader takes no writer's lock.
    reads = connection.get_execution_options().get(_READS)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")
