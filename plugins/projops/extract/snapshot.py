"""Strategy `snapshot`: read a whole entity set, for small ones that change seldom.

What is in step already is told by the crosswalk when it is loaded; what is missing is told here.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import pyarrow as pa

from projops.extract.all_rows import all_rows
from projops.extract.source import Chunk, Known, Watermark, require_rows
from projops.identities import Identities
from projops.mapping.catalog import Table
from projops.mapping.keys import has_parts, key_column
from projops.systems.columns import key_values, properties
from projops.systems.finance import Finance


@dataclass(slots=True)
class Snapshot:
    """Reads all rows of a Finance entity set.

    Attributes:
        finance: Where it is read.
        table: What is read.
        columns: Properties.
        key: Key fields in the map's order.
        known: Key texts that were in step before; none where the read is not to tell of them.
        deletes: Whether missing rows matter to the leg.
    """

    finance: Finance
    table: Table
    columns: Sequence[str]
    key: Sequence[str]
    known: Known
    deletes: bool

    async def chunks(self) -> AsyncIterator[Chunk]:
        """Read page by page; then say which rows are gone.

        Raises:
            ImplausibleReadError: Nothing came, though there were rows before.
        """
        came, seen = 0, Identities()
        async for page in all_rows(self.finance, self.table, self.columns):
            rows = pa.Table.from_batches([page.batch])
            keys = key_column([rows[name] for name in self.key]).drop_null().to_pylist()
            came += len(keys)
            if self.deletes:
                seen.note((key, "") for key in keys)
            yield Chunk(rows)
        require_rows(self.table.entity_set, came, self.known)
        for some in self.known() if self.deletes else ():
            if gone := await self._gone(seen.missing(some)):
                yield Chunk(rows.schema.empty_table(), gone)

    async def _gone(self, unseen: Sequence[str]) -> list[str]:
        """Of the rows that did not come, give those that Finance says are not there.

        It cannot be asked for keys of a former mapping: the load tells which of those have a new one.
        """
        columns = properties(self.table, self.key)
        whole = [text for text in unseen if has_parts(text, len(columns))]
        values = [key_values(text, columns) for text in whole]
        there = await self.finance.are_there(self.table.entity_set, columns, values)
        found = {text for text, is_there in zip(whole, there, strict=True) if is_there}
        return [text for text in unseen if text not in found]

    def watermark(self) -> Watermark:
        """Note when it was read."""
        return Watermark({"read_at": datetime.now(UTC).isoformat()})
