"""Strategy `change_tracking`: Dataverse delta links [D]."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from projops.extract.source import Chunk, Known, Watermark, nobody, require_rows
from projops.identities import Identities
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
        known: GUIDs of rows that were in step before, where deletes matter to the leg, else of none.
    """

    dataverse: Dataverse
    table: Table
    columns: Sequence[str]
    since: Watermark
    page_size: int
    known: Known = nobody
    _delta_link: str = field(default="", init=False)

    async def chunks(self) -> AsyncIterator[Chunk]:
        """Read page by page.

        Raises:
            WatermarkExpiredError: The delta token is too old: start again without a watermark.
            ImplausibleReadError: Reading everything gave nothing, though there were rows before.
        """
        delta_link = self.since.facts.get("delta_link")
        known = nobody if delta_link else self.known
        table, names = entity_set(self.table), properties(self.table, self.columns)
        came, seen = 0, Identities()
        async for page in self.dataverse.changes(table, names, delta_link, self.page_size):
            self._delta_link = page.delta_link or self._delta_link
            rows = pa.Table.from_batches([page.batch])
            came += rows.num_rows
            if known is not nobody:
                seen.note((identity, "") for identity in rows["_id"].to_pylist())
            yield Chunk(rows, page.deleted)
        require_rows(self.table.entity_set, came, known)
        for some in known():
            if unseen := seen.missing(some):
                _, gone = await self.dataverse.by_ids(table, (), unseen)
                yield Chunk(rows.schema.empty_table(), gone)

    def watermark(self) -> Watermark:
        """Give the next delta link."""
        return Watermark({"delta_link": self._delta_link})
