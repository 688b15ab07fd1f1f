"""The billing gate: an invoice header goes to Finance after everything that it bills.

Finance takes the lines of a proposal from the billed sales actuals, all or none (R802), and counts
them against Dataverse (R803). So a header waits until the state says of each actual that names it,
of each actual connected with one of those, and of those connections, that it is in step. Actuals
with skip-sync never go to Finance (R501); neither do connections with them concern the gate.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from projops.load.target import Waiting
from projops.mapping import catalog
from projops.mapping.keys import guid_column
from projops.mapping.model import Direction, Gate, System
from projops.state import StateStore, crosswalk, dead_letters, in_flight
from projops.state.dead_letters import Stopped
from projops.systems import quoting
from projops.systems.columns import entity_set, properties
from projops.systems.dataverse import Dataverse

ACTUAL, CONNECTION = "msdyn_actual", "msdyn_transactionconnection"
ACTUALS, CONNECTIONS = Gate.waits_for
RULE = "billing_gate"
_LEG = Direction.DATAVERSE_TO_FINANCE
_ENDS = ("msdyn_transaction1", "msdyn_transaction2")
_HEADERS_A_REQUEST = 50
_IDS_A_FILTER = 500
_SHOWN = 3


@dataclass(slots=True)
class Lack:
    """What of an invoice is not in Finance yet.

    Attributes:
        counts: Missing rows by map.
        first: The first few of them: map and GUID.
        stopped: A dead letter among them, or None.
    """

    counts: dict[str, int] = field(default_factory=dict)
    first: list[tuple[str, str]] = field(default_factory=list)
    stopped: tuple[str, Stopped] | None = None

    def add(self, map_id: str, row_id: str, stopped: Stopped | None) -> None:
        """Count one missing row."""
        self.counts[map_id] = self.counts.get(map_id, 0) + 1
        if len(self.first) < _SHOWN:
            self.first.append((map_id, row_id))
        if stopped is not None and self.stopped is None:
            self.stopped = (map_id, stopped)

    def sentence(self) -> str:
        """Say what is missing, and what a person can do where one must."""
        counts = " and ".join(f"{count} rows of map {name}" for name, count in self.counts.items())
        first = ", ".join(row_id for _, row_id in self.first)
        waits = (
            f"Waits for {counts} that belong to this invoice and are not in step in Finance (first: {first})"
        )
        if self.stopped is None:
            return f"{waits}; goes by itself once they are."
        map_id, letter = self.stopped
        return (
            f"{waits}. Dead letter {letter.id} stands in the way: map {map_id}, key {letter.key}, "
            f"rule {letter.rule}. Do what it says; this header then goes by itself."
        )


@dataclass(frozen=True, slots=True)
class BillingGate:
    """Says which headers of a chunk must wait.

    Dataverse is asked afresh, page by page and for the chunk's headers only, so that memory does not
    grow with the number of lines.

    Attributes:
        dataverse: Where actuals and their connections are read.
        state: What is in step.
        gate: Names the lookup from the actual to the header.
    """

    dataverse: Dataverse
    state: StateStore
    gate: Gate

    async def waiting(self, table: pa.Table) -> list[Waiting]:
        """Give the headers of a target frame whose gate is closed."""
        headers = table["_id"].to_pylist()
        lacks: dict[str, Lack] = {}
        for start in range(0, len(headers), _HEADERS_A_REQUEST):
            await self._look(headers[start : start + _HEADERS_A_REQUEST], lacks)
        return [_waiting(index, lacks[each]) for index, each in enumerate(headers) if each in lacks]

    async def _look(self, headers: Sequence[str], lacks: dict[str, Lack]) -> None:
        """Find what some headers lack, going through their actuals page by page."""
        actual = catalog.table(System.DATAVERSE, ACTUAL)
        lookup = self.gate.billed_actuals
        columns = properties(actual, [lookup])
        theirs = quoting.key_filter(System.DATAVERSE, columns, [[each] for each in headers])
        pages = self.dataverse.rows(entity_set(actual), columns, f"({theirs}) and msdyn_skipsync eq false")
        async for page in pages:
            ids, invoices = page.batch["_id"].to_pylist(), page.batch[lookup].to_pylist()
            await self._judge(dict(zip(ids, invoices, strict=True)), lacks)

    async def _judge(self, invoice_of: Mapping[str, str], lacks: dict[str, Lack]) -> None:
        """Add what is missing of a page of actuals, and of what they are connected with."""
        directed = list(_directed(await self._connections(invoice_of), invoice_of))
        # An actual, or a connection, may concern several invoices.
        wanted = {(each, invoice) for each, invoice in invoice_of.items()}
        wanted |= {(other, invoice_of[mine]) for _, mine, other in directed}
        absent = self._absent(ACTUALS, {each for each, _ in wanted})
        skipped = await self._skipped([each for each in absent if each not in invoice_of])
        _add(lacks, ACTUALS, absent, ((each, invoice) for each, invoice in wanted if each not in skipped))
        needed = {(each, invoice_of[mine]) for each, mine, other in directed if other not in skipped}
        _add(lacks, CONNECTIONS, self._absent(CONNECTIONS, {each for each, _ in needed}), needed)

    async def _connections(self, ids: Iterable[str]) -> list[tuple[str, str | None, str | None]]:
        """Give the connections of actuals with actuals: GUID, and both ends where they are GUIDs."""
        table = catalog.table(System.DATAVERSE, CONNECTION)
        wanted = list(ids)
        filters = []
        for start in range(0, len(wanted), _IDS_A_FILTER):
            part = wanted[start : start + _IDS_A_FILTER]
            either = " or ".join(quoting.guid_in(end, part) for end in _ENDS)
            kinds = " and ".join(f"{end}type eq '{ACTUAL}'" for end in _ENDS)
            filters.append(f"({either}) and {kinds}")
        found = await self.dataverse.matching(
            entity_set(table), properties(table, _ENDS), filters, "reading connections of billed actuals"
        )
        ends = [guid_column(found[end].combine_chunks()).to_pylist() for end in _ENDS]
        return list(zip(found["_id"].to_pylist(), *ends, strict=True))

    async def _skipped(self, ids: Sequence[str]) -> frozenset[str]:
        """Of actuals that are not in Finance, give those that will never be: skip-sync, or deleted."""
        actual = catalog.table(System.DATAVERSE, ACTUAL)
        found, gone = await self.dataverse.by_ids(
            entity_set(actual), properties(actual, ["msdyn_skipsync"]), ids
        )
        skip = zip(found["_id"].to_pylist(), found["msdyn_skipsync"].to_pylist(), strict=True)
        return frozenset([*gone, *(row_id for row_id, skipped in skip if skipped)])

    def _absent(self, map_id: str, ids: Iterable[str]) -> dict[str, Stopped | None]:
        """Give the rows that are not in step, each with the dead letter that holds it, if one does."""
        wanted = list(ids)
        with self.state.begin() as connection:
            stopped = dead_letters.stopped(connection, map_id, _LEG.value, wanted)
            # Of what a silent writer had on its way to Finance, the crosswalk knows no more than the pair.
            in_doubt = in_flight.marked(connection, map_id, _LEG.value)
            there = {
                entry.dataverse_id
                for entry in crosswalk.by_ids(connection, map_id, wanted)
                if entry.payload_hash(_LEG) is not None
                and (entry.payload_hash(_LEG) != crosswalk.UNKNOWN or entry.dataverse_id not in in_doubt)
            }
        return {each: stopped.get(each) for each in wanted if each not in there or each in stopped}


def _add(
    lacks: dict[str, Lack],
    map_id: str,
    absent: Mapping[str, Stopped | None],
    wanted: Iterable[tuple[str, str]],
) -> None:
    """Count the absent ones of the rows that invoices want, given as (row, invoice)."""
    for row_id, invoice in sorted(each for each in wanted if each[0] in absent):
        lacks.setdefault(invoice, Lack()).add(map_id, row_id, absent[row_id])


def _directed(
    connections: Iterable[tuple[str, str | None, str | None]], mine: Mapping[str, str]
) -> Iterator[tuple[str, str, str]]:
    """Give each connection as (its GUID, an actual of ours at one end, the actual at the other)."""
    for connection, one, two in connections:
        if one is not None and two is not None:
            if one in mine:
                yield connection, one, two
            if two in mine:
                yield connection, two, one


def _waiting(index: int, lack: Lack) -> Waiting:
    map_id, row_id = lack.first[0]
    return Waiting(index, "", map_id, row_id, lack.sentence(), map_id, RULE)
