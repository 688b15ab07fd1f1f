"""Strategy `change_tracking`: Dataverse delta links [D]."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from projops.extract.source import Chunk, Watermark, nothing_came
from projops.mapping.catalog import Table
from projops.systems.columns import entity_set, properties
from projops.systems.dataverse import Dataverse


@dataclass(slots=True)
class ChangeTracking:
    """Reads what changed since a delta link, or everything where there is none.

    The delta token is taken before the first page, so that a change made while pages are read comes
    again next time: at least once, and the load is idempotent. Reading everything tells of no
    deletes; those are the rows known before that did not come and are not there by their id either.

    Attributes:
        dataverse: Where it is read.
        table: What is read.
        columns: Own columns of the table.
        since: Watermark; an empty one reads everything.
        page_size: Rows a page.
        known: GUIDs of rows that were in step before, where deletes matter to the leg, else empty.
    """

    dataverse: Dataverse
    table: Table
    columns: Sequence[str]
    since: Watermark
    page_size: int
    known: frozenset[str] = frozenset()
    _delta_link: str = field(default="", init=False)
    _came: int = field(default=0, init=False)

    async def chunks(self) -> AsyncIterator[Chunk]:
        """Read page by page.

        Raises:
            WatermarkExpiredError: The delta token is too old: start again without a watermark.
            ImplausibleReadError: Reading everything gave nothing, though there were rows before.
        """
        delta_link = self.since.facts.get("delta_link")
        unseen = set() if delta_link else set(self.known)
        names = properties(self.table, self.columns)
        pages = self.dataverse.changes(entity_set(self.table), names, delta_link, self.page_size)
        async for page in pages:
            self._delta_link = page.delta_link or self._delta_link
            rows = pa.Table.from_batches([page.batch])
            self._came += rows.num_rows
            unseen.difference_update(rows["_id"].to_pylist())
            yield Chunk(rows, page.deleted)
        if unseen:
            yield Chunk(rows.schema.empty_table(), await self._gone(unseen))

    async def _gone(self, unseen: set[str]) -> Sequence[str]:
        if self._came == 0:
            raise nothing_came(self.table.entity_set, len(unseen))
        _, gone = await self.dataverse.by_ids(entity_set(self.table), (), sorted(unseen))
        return gone

    def watermark(self) -> Watermark:
        """Give the next delta link."""
        return Watermark({"delta_link": self._delta_link})
