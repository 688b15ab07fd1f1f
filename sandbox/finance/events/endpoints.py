"""Which endpoints are registered, as rows beside Finance's books: a restart forgets none."""

from collections.abc import Mapping
from threading import Lock

import msgspec
import sqlalchemy as sa

from sandbox.finance.events.activation import Endpoint
from sandbox.store import Store
from sandbox.store.past import lagging


class EndpointRegistry:
    """The endpoints, read from the database once until somebody changes them.

    Attributes:
        table: A row an endpoint.
    """

    def __init__(self, store: Store) -> None:
        """Create what is missing of the table; read from `store` when first asked."""
        self._store = store
        self._lock = Lock()
        self._endpoints: Mapping[str, Endpoint] | None = None
        metadata = sa.MetaData()
        self.table = sa.Table(
            "finance_event_endpoint",
            metadata,
            sa.Column("name", sa.Text, primary_key=True),
            sa.Column("definition", sa.Text, nullable=False),  # JSON
        )
        store.create_tables(metadata)

    def endpoints(self) -> Mapping[str, Endpoint]:
        """Return all endpoints by name."""
        with self._lock:
            if self._endpoints is None:
                self._endpoints = self._read()
            return self._endpoints

    def replace(self, connection: sa.Connection, endpoints: tuple[Endpoint, ...]) -> None:
        """Put endpoints in the place of all before; `forget` is to be called once it has committed."""
        connection.execute(sa.delete(self.table))
        rows = [{"name": each.name, "definition": msgspec.json.encode(each).decode()} for each in endpoints]
        if rows:
            connection.execute(sa.insert(self.table), rows)

    def forget(self) -> None:
        """Read anew when next asked: they have changed."""
        with self._lock:
            self._endpoints = None

    def telling(self, entity_set: str, message: str) -> list[Endpoint]:
        """Return the endpoints for which a data event is active, whatever their legal entity."""
        return [each for each in self.endpoints().values() if message in each.data_events.get(entity_set, ())]

    def listening(self, event_id: str) -> list[Endpoint]:
        """Return the endpoints for which a business event is active, whatever their legal entity."""
        return [each for each in self.endpoints().values() if event_id in each.business_events]

    def _read(self) -> Mapping[str, Endpoint]:
        # They are kept for requests to come: a stale read of the one that asks first is not theirs.
        with lagging(0), self._store.read() as connection:
            definitions = connection.execute(sa.select(self.table.c.definition)).scalars().all()
        found = (msgspec.json.decode(text, type=Endpoint) for text in definitions)
        return {each.name: each for each in found}
