"""Events on their way, as rows that are committed with the write that they tell of."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from sandbox.odata.wire import dumps, loads
from sandbox.store import Store, WriteUnit

_AT_ONCE = 200  # events that are taken up before the service looks again


@dataclass(frozen=True, slots=True)
class Outgoing:
    """An event that waits.

    Attributes:
        number: Grows from event to event.
        endpoint: Name of the endpoint that it is for.
        headers: What its request says beside the body.
        body: JSON text.
    """

    number: int
    endpoint: str
    headers: Mapping[str, str]
    body: str


class Outbox:
    """The rows of events that no receiver has taken yet."""

    def __init__(self, store: Store) -> None:
        """Create what is missing of the table."""
        self._store = store
        metadata = sa.MetaData()
        self.table = sa.Table(
            "finance_event",
            metadata,
            sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
            sa.Column("endpoint", sa.Text, nullable=False),
            sa.Column("headers", sa.Text, nullable=False),  # JSON
            sa.Column("body", sa.Text, nullable=False),
            sa.Column("error", sa.Text, nullable=False),  # why all attempts failed, "" of what still waits
        )
        store.create_tables(metadata)

    def put(self, unit: WriteUnit, event: Outgoing) -> None:
        """Let an event wait, in the transaction of the write that it tells of."""
        unit.connection.execute(
            sa.insert(self.table).values(
                number=event.number,
                endpoint=event.endpoint,
                headers=dumps(dict(event.headers)).decode(),
                body=event.body,
                error="",
            )
        )

    def waiting(self, busy: Collection[str]) -> list[Outgoing]:
        """Return the oldest events of endpoints that are not at work, in order."""
        event = self.table.c
        query = (
            sa.select(self.table)
            .where(event.error == "", event.endpoint.not_in(sorted(busy)))
            .order_by(event.number)
            .limit(_AT_ONCE)
        )
        with self._store.read() as connection:
            rows = connection.execute(query).all()
        return [Outgoing(row.number, row.endpoint, loads(row.headers.encode()), row.body) for row in rows]

    def finish(self, event: Outgoing, error: str) -> None:
        """Forget an event that was taken; keep one that was not in the log of errors."""
        this = self.table.c.number == event.number
        change = (
            sa.update(self.table).where(this).values(error=error)
            if error
            else sa.delete(self.table).where(this)
        )
        with self._store.write() as unit:
            unit.connection.execute(change)

    def resend(self) -> int:
        """Let everything in the log of errors wait again; return how many events."""
        with self._store.write() as unit:
            change = sa.update(self.table).where(self.table.c.error != "").values(error="")
            return int(unit.connection.execute(change).rowcount)

    def keep_only(self, connection: sa.Connection, endpoints: Sequence[str]) -> None:
        """Delete the events of endpoints that are there no more."""
        connection.execute(sa.delete(self.table).where(self.table.c.endpoint.not_in(endpoints)))

    def counts(self) -> Mapping[str, tuple[int, int]]:
        """Count what waits and what is in the log of errors, by endpoint."""
        event = self.table.c
        failed = sa.func.count(sa.case((event.error != "", 1)))
        query = sa.select(event.endpoint, sa.func.count(), failed).group_by(event.endpoint)
        with self._store.read() as connection:
            return {name: (total - bad, bad) for name, total, bad in connection.execute(query)}

    def errors(self) -> list[Mapping[str, object]]:
        """Return the log of errors: events that no attempt has brought to their endpoint."""
        event = self.table.c
        query = (
            sa.select(event.number, event.endpoint, event.error)
            .where(event.error != "")
            .order_by(event.number)
        )
        with self._store.read() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]
