"""Events follow from writes, whoever writes: a request, an import, a job, or another rule."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.bell import Bell
from sandbox.finance.books import Books
from sandbox.finance.events.activation import Endpoint
from sandbox.finance.events.business import BUSINESS_EVENTS, business_event
from sandbox.finance.events.endpoints import EndpointRegistry
from sandbox.finance.events.message import Origin, data_event, message_name, virtual_table
from sandbox.finance.events.outbox import Outbox, Outgoing
from sandbox.rules.hooks import Caller, Change, Rulebook, Verb
from sandbox.schema.model import Table


@dataclass(frozen=True, kw_only=True)
class EventRules(Rulebook[Books]):
    """The rules of Finance, and the events that are active beside them.

    Attributes:
        registry: Which events are active, for which endpoints.
        outbox: Where events wait.
        bell: Rung when some do.
        user_id: GUID of who writes.
    """

    registry: EndpointRegistry
    outbox: Outbox
    bell: Bell
    user_id: str

    def concerns(self, table: str, verb: Verb, caller: Caller, columns: Iterable[str] = ()) -> bool:
        """Whether a rule or an event may follow: where none does, rows are written in sets."""
        if super().concerns(table, verb, caller, frozenset(columns)):
            return True
        return bool(self.registry.telling(table, verb.capitalize()) or self._business(table))

    def follow(self, books: Books, change: Change) -> None:
        """Do what follows from a row that was written, then let events wait for their endpoints."""
        super().follow(books, change)
        if not self.registry.endpoints():
            return
        before = books.unit.counters
        self._tell_data(books, change)
        self._tell_business(books, change)
        if books.unit.counters != before and self.bell.ring not in books.unit.after_commit:
            books.unit.after_commit.append(self.bell.ring)

    def _tell_data(self, books: Books, change: Change) -> None:
        table = books.catalog.sets[change.table]
        endpoints = _meant(self.registry.telling(change.table, change.verb.capitalize()), table, change.after)
        if not endpoints:
            return
        body = data_event(table, change, self._origin(books))
        headers = {
            "x-ms-dynamics-entity-name": virtual_table(table),
            "x-ms-dynamics-request-name": message_name(change.verb),
        }
        for each in endpoints:
            self.outbox.put(books.unit, Outgoing(books.unit.next_recid(), each.name, headers, body))

    def _tell_business(self, books: Books, change: Change) -> None:
        table = books.catalog.sets[change.table]
        for event in BUSINESS_EVENTS.values():
            if event.table != change.table or not event.happens(change):
                continue
            for each in _meant(self.registry.listening(event.event_id), table, change.after):
                number = books.unit.next_recid()
                body = business_event(event, change.after, self._origin(books), number)
                self.outbox.put(books.unit, Outgoing(number, each.name, {}, body))

    def _business(self, table: str) -> bool:
        return any(
            self.registry.listening(each.event_id) for each in BUSINESS_EVENTS.values() if each.table == table
        )

    def _origin(self, books: Books) -> Origin:
        return Origin(books.catalog.store.environment_id, self.user_id, books.now)


def _meant(endpoints: Iterable[Endpoint], table: Table, row: Mapping[str, Any]) -> list[Endpoint]:
    """Keep the endpoints that take events of the row's company; what has none is told to all [D]."""
    company = row[table.company_column].lower() if table.company_column else None
    return [each for each in endpoints if company is None or each.legal_entity.lower() in {"", company}]
