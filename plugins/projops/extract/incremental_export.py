"""Strategy `incremental_export`: data packages with Finance's own change tracking [D].

Finance moves its mark at each export, whether or not we get the package. So an execution gets its
id from us, is recorded before it is asked for, and is fetched again until a batch has loaded it.
"""

import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from projops.extract.source import Chunk, Watermark
from projops.mapping.catalog import Table
from projops.mapping.model import Leg
from projops.state import StateStore, exports
from projops.state.batches import Batch
from projops.state.exports import Execution
from projops.systems.columns import properties
from projops.systems.finance import Finance
from projops.systems.packages import Export, Packages


@dataclass(slots=True)
class IncrementalExport:
    """Asks for an export of each company and reads it, after those that were never loaded.

    Attributes:
        state: State database.
        packages: Data packages of Finance.
        table: Entity set.
        columns: Properties.
        map_id: Map.
        leg: Leg.
        batch: Batch.
        companies: Company codes; "" alone for an entity without companies.
    """

    state: StateStore
    packages: Packages
    table: Table
    columns: Sequence[str]
    map_id: str
    leg: Leg
    batch: Batch
    companies: Sequence[str]
    _fetched: list[str] = field(default_factory=list, init=False)

    async def chunks(self) -> AsyncIterator[Chunk]:
        """Read package by package, oldest first: a row that comes twice is newest where it comes last.

        Raises:
            WatermarkExpiredError: A package that was never loaded is gone: a full read heals it.
        """
        for execution in self._recorded():
            yield Chunk(await self._read(execution))
        for company in self.companies:
            execution = Execution(str(uuid.uuid4()), company, self.batch.id, full=False)
            await self.packages.ensure_group(self._export(execution))
            with self.state.begin() as connection:
                exports.record_request(connection, self.map_id, self.leg.direction.value, execution)
            await self.packages.start(self._export(execution))
            yield Chunk(await self._read(execution))

    def watermark(self) -> Watermark:
        """Name the executions that the batch's commit settles."""
        return Watermark({"executions": self._fetched})

    def _recorded(self) -> list[Execution]:
        with self.state.begin() as connection:
            return exports.uncommitted(connection, self.map_id, self.leg.direction.value)

    async def _read(self, execution: Execution) -> pa.Table:
        names = properties(self.table, self.columns)
        rows = await self.packages.fetch(self._export(execution), names)
        self._fetched.append(execution.execution_id)
        return rows

    def _export(self, execution: Execution) -> Export:
        group = f"projops-{self.map_id}-{execution.company or 'all'}"
        return Export(execution.execution_id, group, self.table.label, execution.company)


@dataclass(slots=True)
class FullRead:
    """Reads all rows over OData: after an expired export, a changed mapping, or when asked for.

    What exports hold that were never loaded is in it too, so that its batch settles them.

    Attributes:
        state: State database.
        finance: Where it is read.
        table: Entity set.
        columns: Properties.
        map_id: Map.
        leg: Leg.
    """

    state: StateStore
    finance: Finance
    table: Table
    columns: Sequence[str]
    map_id: str
    leg: Leg
    _settled: list[str] = field(default_factory=list, init=False)

    async def chunks(self) -> AsyncIterator[Chunk]:
        """Read page by page."""
        with self.state.begin() as connection:
            recorded = exports.uncommitted(connection, self.map_id, self.leg.direction.value)
        self._settled = [execution.execution_id for execution in recorded]
        names = properties(self.table, self.columns)
        async for page in self.finance.pages(self.table.entity_set, names, order_by=self.table.keys[0]):
            yield Chunk(pa.Table.from_batches([page.batch]))

    def watermark(self) -> Watermark:
        """Name the executions that the batch's commit settles."""
        return Watermark({"executions": self._settled})
