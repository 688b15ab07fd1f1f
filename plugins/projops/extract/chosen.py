"""Strategy of a repair: exactly some rows, read afresh by their identity."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from projops.extract.frames import with_identity
from projops.extract.reread import Reread
from projops.extract.source import Chunk, Known, Watermark
from projops.mapping.model import Leg, TableMap


@dataclass(frozen=True, slots=True)
class ChosenRows:
    """Reads chosen rows again, and tells which of them are gone.

    Attributes:
        table_map: The map.
        leg: The leg.
        reread: Reads rows by identity.
        chosen: The rows' identities (GUIDs, or key texts), some at a time.
    """

    table_map: TableMap
    leg: Leg
    reread: Reread
    chosen: Known

    async def chunks(self) -> AsyncIterator[Chunk]:
        """Read them as they are now, and those that are gone as deletes."""
        for wanted in self.chosen():
            found = await self.reread(wanted)
            there = with_identity(self.table_map, self.leg, found)["_id"].to_pylist()
            yield Chunk(found, sorted(set(wanted).difference(there)))

    def watermark(self) -> Watermark:
        """Give none: whoever reads chosen rows moves no watermark."""
        return Watermark()
