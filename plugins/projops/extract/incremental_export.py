"""Strategy `incremental_export`: data packages with Finance's own change tracking [D].

Finance moves its mark at each export, whether or not we get the package. So an execution gets its
id from us, is recorded before it is asked for, and is fetched again until a batch has loaded it.
"""

import tempfile
import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from projops.extract.all_rows import all_rows
from projops.extract.source import Chunk, Watermark
from projops.mapping.catalog import Table
from projops.mapping.model import Leg
from projops.state import StateStore, exports
from projops.state.batches import Batch
from projops.state.exports import Execution
from projops.systems.columns import properties
from projops.systems.definition_groups import DefinitionGroup, ensure_group
from projops.systems.finance import Finance
from projops.systems.package_files import Columns, read_package
from projops.systems.packages import ExecutionStatus, Export, Packages

_REPEATED = frozenset({ExecutionStatus.FAILED, ExecutionStatus.CANCELED, ExecutionStatus.PARTIALLY_SUCCEEDED})


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
        mark: Tells this state's definition groups from another's. Finance keeps its mark with the group:
            of two states that shared one, each would miss what the other has exported.
    """

    state: StateStore
    packages: Packages
    table: Table
    columns: Sequence[str]
    map_id: str
    leg: Leg
    batch: Batch
    companies: Sequence[str]
    mark: str
    _fetched: list[str] = field(default_factory=list, init=False)

    async def chunks(self) -> AsyncIterator[Chunk]:
        """Read package by package, oldest first: of a row that comes twice the newest comes last.

        Raises:
            WatermarkExpiredError: A package that was never loaded is gone: a full read heals it.
            SystemUnavailableError: An export failed, or did not finish in time.
        """
        for execution in self._recorded():
            await self._ask_again(execution)
            async for chunk in self._package(execution):
                yield chunk
        for company in self.companies:
            execution = Execution(str(uuid.uuid4()), company, self.batch.id, full=False)
            await self._ask(execution)
            async for chunk in self._package(execution):
                yield chunk

    def watermark(self) -> Watermark:
        """Name the executions that the batch's commit settles."""
        return Watermark({"executions": self._fetched})

    def _recorded(self) -> list[Execution]:
        with self.state.begin() as connection:
            return exports.uncommitted(connection, self.map_id, self.leg.direction.value)

    async def _ask(self, execution: Execution) -> None:
        group = DefinitionGroup(self._export(execution).group, self.table.label)
        await ensure_group(self.packages.session, group)
        with self.state.begin() as connection:
            exports.record_request(connection, self.map_id, self.leg.direction.value, execution)
        await self.packages.export(self._export(execution))

    async def _ask_again(self, execution: Execution) -> None:
        """Repeat a request that never arrived, or an export that failed, from where it began."""
        status = await self.packages.status(execution.execution_id)
        if status is None or status in _REPEATED:
            await self.packages.export(self._export(execution), re_execute=status is not None)

    async def _package(self, execution: Execution) -> AsyncIterator[Chunk]:
        await self.packages.wait(execution.execution_id)
        with tempfile.TemporaryFile() as package:
            await self.packages.download(execution.execution_id, package)
            for batch in read_package(package, self.table.label, self._taken(execution)):
                yield Chunk(pa.Table.from_batches([batch]))
        self._fetched.append(execution.execution_id)

    def _taken(self, execution: Execution) -> Columns:
        """Say what to take from a file, which does not name the company that it is of."""
        stripe = self.table.company_column
        given = {stripe: execution.company} if stripe and execution.company else {}
        return Columns(properties(self.table, self.columns), given)

    def _export(self, execution: Execution) -> Export:
        group = f"projops-{self.map_id}-{execution.company or 'all'}-{self.mark}"
        return Export(group, execution.execution_id, execution.company)


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
        async for page in all_rows(self.finance, self.table, self.columns):
            yield Chunk(pa.Table.from_batches([page.batch]))

    def watermark(self) -> Watermark:
        """Name the executions that the batch's commit settles."""
        return Watermark({"executions": self._settled})
