"""Strategy `change_tracking`: Dataverse delta links [D]."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from projops.extract.source import Chunk, Watermark
from projops.mapping.catalog import Table
from projops.systems.columns import entity_set, properties
from projops.systems.dataverse import Dataverse


@dataclass(slots=True)
class ChangeTracking:
    """Reads what changed since a delta link, or everything where there is none.

    The delta token is taken before the first page, so that a change made while pages are read comes
    again next time: at least once, and the load is idempotent.

    Attributes:
        dataverse: Where it is read.
        table: What is read.
        columns: Own columns of the table.
        since: Watermark; an empty one reads everything.
        page_size: Rows a page.
    """

    dataverse: Dataverse
    table: Table
    columns: Sequence[str]
    since: Watermark
    page_size: int
    _delta_link: str = field(default="", init=False)

    async def chunks(self) -> AsyncIterator[Chunk]:
        """Read page by page.

        Raises:
            WatermarkExpiredError: The delta token is too old: start again without a watermark.
        """
        pages = self.dataverse.changes(
            entity_set(self.table),
            properties(self.table, self.columns),
            self.since.facts.get("delta_link"),
            self.page_size,
        )
        async for page in pages:
            self._delta_link = page.delta_link or self._delta_link
            yield Chunk(pa.Table.from_batches([page.batch]), page.deleted)

    def watermark(self) -> Watermark:
        """Give the next delta link."""
        return Watermark({"delta_link": self._delta_link})
