"""The billing gate against rows of the tests' own: what it asks, and whom it lets pass."""

import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import pyarrow as pa

from projops.load.gate import BillingGate
from projops.mapping.model import Direction, Gate
from projops.state import StateStore, crosswalk, dead_letters, in_flight
from projops.state.crosswalk import Entry
from projops.state.dead_letters import Letter, Origin
from projops.systems.dataverse import EntitySet
from projops.systems.decoding import Page
from projops.systems.properties import Property

FORTH = "dataverse_to_finance"


def guid(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


@dataclass
class Rows:
    """A Dataverse that holds actuals by invoice, connections, and which actuals skip the sync."""

    invoice_of: dict[str, str]
    connections: list[tuple[str, str, str]] = field(default_factory=list)
    skipping: frozenset[str] = frozenset()
    page_size: int = 5000
    requests: list[str] = field(default_factory=list)
    most_rows: int = 0

    async def rows(self, table: EntitySet, columns: Sequence[Property], where: str) -> AsyncIterator[Page]:
        billed = [each for each, invoice in self.invoice_of.items() if invoice in where]
        for start in range(0, len(billed), self.page_size):
            self.requests.append(where)
            part = billed[start : start + self.page_size]
            self.most_rows = max(self.most_rows, len(part))
            invoices = [self.invoice_of[each] for each in part]
            yield Page(pa.RecordBatch.from_pydict({"_id": part, "msdyn_invoice": invoices}), (), None, None)

    async def matching(
        self, table: EntitySet, columns: Sequence[Property], filters: Sequence[str], what: str
    ) -> pa.Table:
        self.requests += filters
        asked = set(re.findall(r"[0-9a-f-]{36}", "".join(filters)))
        found = [each for each in self.connections if each[1] in asked or each[2] in asked]
        names = ("_id", "msdyn_transaction1", "msdyn_transaction2")
        schema = pa.schema([(each, pa.string()) for each in names])
        return pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in found], schema)

    async def by_ids(
        self, table: EntitySet, columns: Sequence[Property], ids: Sequence[str]
    ) -> tuple[pa.Table, tuple[str, ...]]:
        skips = [each in self.skipping for each in ids]
        found = {"_id": pa.array(ids, pa.string()), "msdyn_skipsync": pa.array(skips, pa.bool_())}
        return pa.table(found), ()


def in_step(store: StateStore, map_id: str, *ids: str) -> None:
    entries = [Entry(f'["{each}"]', each, hash_dataverse_to_finance="h") for each in ids]
    with store.begin() as connection:
        crosswalk.put(connection, map_id, 1, entries)


async def waiting(rows: Rows, store: StateStore, *headers: str) -> dict[str, str]:
    """What each header that may not go waits for, in words."""
    gate = BillingGate(rows, store, Gate("msdyn_invoice"))  # type: ignore[arg-type]
    table = pa.table({"_id": pa.array(headers, pa.string())})
    return {headers[each.index]: each.message for each in await gate.waiting(table)}


INVOICE, OTHER, BILLED, UNBILLED, CONNECTION = (guid(number) for number in range(1, 6))
ONE_LINE = Rows({BILLED: INVOICE}, [(CONNECTION, BILLED, UNBILLED)])


async def test_a_header_without_actuals_goes(store: StateStore) -> None:
    assert await waiting(Rows({}), store, INVOICE) == {}


async def test_each_missing_row_closes_the_gate(store: StateStore) -> None:
    [message] = (await waiting(ONE_LINE, store, INVOICE)).values()
    assert message.startswith("Waits for 2 rows of map actuals and 1 rows of map transaction_connections")
    in_step(store, "actuals", BILLED)
    assert UNBILLED in (await waiting(ONE_LINE, store, INVOICE))[INVOICE]
    in_step(store, "actuals", UNBILLED)
    assert CONNECTION in (await waiting(ONE_LINE, store, INVOICE))[INVOICE]
    in_step(store, "transaction_connections", CONNECTION)
    assert await waiting(ONE_LINE, store, INVOICE) == {}


async def test_a_row_that_only_came_back_from_finance_is_not_in_step(store: StateStore) -> None:
    with store.begin() as connection:
        crosswalk.put(connection, "actuals", 1, [Entry("k", BILLED, hash_finance_to_dataverse="h")])
    assert list(await waiting(Rows({BILLED: INVOICE}), store, INVOICE)) == [INVOICE]


async def test_a_row_set_aside_since_it_was_in_step_is_named(store: StateStore) -> None:
    in_step(store, "actuals", BILLED)
    letter = Letter(BILLED, '["b","uspm"]', "open", "load", "E6", "No line property.")
    with store.begin() as connection:
        dead_letters.record(connection, Origin("actuals", FORTH, 1, "1"), [letter])
    message = (await waiting(Rows({BILLED: INVOICE}), store, INVOICE))[INVOICE]
    assert 'Dead letter 1 stands in the way: map actuals, key ["b","uspm"], rule E6.' in message


async def test_what_skips_the_sync_is_not_waited_for(store: StateStore) -> None:
    in_step(store, "actuals", BILLED)
    rows = Rows({BILLED: INVOICE}, [(CONNECTION, BILLED, UNBILLED)], frozenset({UNBILLED}))
    assert await waiting(rows, store, INVOICE) == {}


async def test_an_actual_that_two_invoices_share_holds_both(store: StateStore) -> None:
    second, between = guid(10), guid(11)
    rows = Rows(
        {BILLED: INVOICE, second: OTHER}, [(CONNECTION, BILLED, UNBILLED), (between, UNBILLED, second)]
    )
    in_step(store, "actuals", BILLED, second)
    in_step(store, "transaction_connections", CONNECTION, between)
    assert list(await waiting(rows, store, INVOICE, OTHER)) == [INVOICE, OTHER]
    in_step(store, "actuals", UNBILLED)
    assert await waiting(rows, store, INVOICE, OTHER) == {}


async def test_ten_thousand_lines_are_judged_a_page_at_a_time_in_few_requests(store: StateStore) -> None:
    billed, unbilled = [guid(1000 + n) for n in range(10_000)], [guid(20_000 + n) for n in range(10_000)]
    connections = [guid(40_000 + n) for n in range(10_000)]
    rows = Rows(dict.fromkeys(billed, INVOICE), list(zip(connections, billed, unbilled, strict=True)))
    in_step(store, "actuals", *billed, *unbilled)
    in_step(store, "transaction_connections", *connections[:-1])
    [message] = (await waiting(rows, store, INVOICE)).values()
    assert message.startswith("Waits for 1 rows of map transaction_connections")
    assert connections[-1] in message
    assert rows.most_rows == 5000
    assert len(rows.requests) == 22  # two pages, and ten filters of a batch for each
    in_step(store, "transaction_connections", connections[-1])
    assert await waiting(rows, store, INVOICE) == {}


async def test_a_row_that_was_on_its_way_when_its_writer_fell_silent_is_not_in_step(
    store: StateStore,
) -> None:
    rows, sender = Rows({BILLED: INVOICE}), in_flight.Writing("actuals", FORTH, 1, "silent")
    with store.begin() as connection:
        doubt = in_flight.Doubt(BILLED, '["b","uspm"]')
        in_flight.record(connection, sender, [doubt], timedelta(hours=24))
        crosswalk.doubt(connection, "actuals", 2, Direction(FORTH), [(doubt.key, BILLED)])
    assert list(await waiting(rows, store, INVOICE)) == [INVOICE]
    in_step(store, "actuals", BILLED)
    assert await waiting(rows, store, INVOICE) == {}
