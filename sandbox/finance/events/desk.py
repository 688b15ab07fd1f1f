"""Events of Finance as the server opens them and as the control plane moves them."""

from collections.abc import Mapping, Sequence

import msgspec

from sandbox.bell import Bell
from sandbox.data.environment import identity
from sandbox.finance.events.activation import read_endpoints
from sandbox.finance.events.business import BUSINESS_EVENTS
from sandbox.finance.events.endpoints import EndpointRegistry
from sandbox.finance.events.outbox import Outbox
from sandbox.finance.events.rules import EventRules
from sandbox.finance.events.service import EventService
from sandbox.rules.hooks import read_rulebook
from sandbox.store import Store


class EventDesk:
    """Endpoints, and events on their way to them.

    Attributes:
        rules: The rules of Finance, with the events that follow from writes.
    """

    def __init__(self, store: Store) -> None:
        """Create what is missing of the tables.

        Raises:
            OtherVersionError: Another version of the sandbox made them.
        """
        self._store = store
        self._registry, self._outbox, self._bell = EndpointRegistry(store), Outbox(store), Bell()
        rules = read_rulebook("sandbox.finance.rules")
        self.rules = EventRules(
            rules.hooks,
            rules.jobs,
            registry=self._registry,
            outbox=self._outbox,
            bell=self._bell,
            user_id=identity(store.environment_id).user_id,
        )

    def service(self, host: str) -> EventService:
        """Return the service that sends events; `host` is the domain name of the linked Dataverse."""
        return EventService(self._registry, self._outbox, self._bell, host)

    def listing(self) -> list[Mapping[str, object]]:
        """Return the endpoints, with how many events wait for each and how many are in its log of errors."""
        counts = self._outbox.counts()
        return [
            {
                **msgspec.to_builtins(each),
                "waiting": counts.get(name, (0, 0))[0],
                "errors": counts.get(name, (0, 0))[1],
            }
            for name, each in sorted(self._registry.endpoints().items())
        ]

    def replace(self, body: object) -> None:
        """Put endpoints in the place of all before; events of those that are gone are forgotten.

        Raises:
            EndpointsError: They cannot be as they were told.
        """
        endpoints = read_endpoints(body, self._store.finance, BUSINESS_EVENTS)
        with self._store.write() as unit:
            self._registry.replace(unit.connection, endpoints)
            self._outbox.keep_only(unit.connection, [each.name for each in endpoints])
            unit.after_commit += [self._registry.forget, self._bell.ring]

    def clear(self) -> None:
        """Forget all endpoints and all that waits for them."""
        self.replace([])

    def errors(self) -> Sequence[Mapping[str, object]]:
        """Return the log of errors."""
        return self._outbox.errors()

    def resend(self) -> int:
        """Send again what is in the log of errors; return how many events."""
        number = self._outbox.resend()
        self._bell.ring()
        return number
