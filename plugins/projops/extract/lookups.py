"""Lookup paths: `msdyn_project.msdyn_owningcompany.cdm_companycode` as one more column of a row.

Neither change tracking nor exports follow lookups, so we do: hop by hop, reading only the rows whose
GUID occurs, each once a run. Whole columns are joined, never row by row.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from projops.mapping import catalog
from projops.mapping.keys import guid_column
from projops.mapping.paths import lookup_tables

# Rows of one table that are remembered; beyond them all are forgotten, and read again where they occur.
MOST_REMEMBERED = 50_000

_ASKED = "__asked"  # the GUID that a remembered row was asked for by

# Table, GUIDs, columns -> rows with `_id` and those columns; absent rows are left out.
ReadByIds = Callable[[str, Sequence[str], Sequence[str]], Awaitable[pa.Table]]


@dataclass(slots=True)
class Lookups:
    """Resolves lookup paths for one run, remembering some of what it has read.

    Attributes:
        read_by_ids: Reads rows of a table by GUID.
    """

    read_by_ids: ReadByIds
    _known: dict[tuple[str, tuple[str, ...]], pa.Table] = field(default_factory=dict)

    async def add(self, table: str, rows: pa.Table, paths: Sequence[str]) -> pa.Table:
        """Add a column for each dotted path.

        Args:
            table: Logical name of the table that the rows are of.
            rows: Rows with at least the GUID column of each path's first hop.
            paths: Paths; those without a dot, and those already there, are left as they are.

        Returns:
            The rows with the paths as further columns, typed as the last hop's column; null where a
            hop leads nowhere.
        """
        for hop, rest in _by_first_hop(path for path in paths if path not in rows.column_names).items():
            ids = guid_column(rows[hop]) if _is_text(table, hop) else rows[hop]
            for name, values in (await self._follow(table, ids, hop, rest)).items():
                rows = rows.append_column(f"{hop}.{name}", values)
        return rows

    async def _follow(
        self, table: str, ids: pa.ChunkedArray, hop: str, rest: Sequence[str]
    ) -> Mapping[str, pa.ChunkedArray]:
        """Give the columns at the end of a hop, aligned with `ids`."""
        found: dict[str, pa.ChunkedArray] = {}
        occurring = pc.drop_null(pc.unique(ids))
        place = pc.index_in(ids, value_set=occurring)
        for parent in lookup_tables(catalog.dataverse_tables()[table], hop, rest):
            rows = await self._rows(parent.name, occurring, sorted({path.split(".")[0] for path in rest}))
            rows = await self.add(parent.name, rows, rest)
            for path in rest:
                values = rows[path].take(place)
                found[path] = pc.coalesce(found[path], values) if path in found else values
        return found

    async def _rows(self, table: str, ids: pa.Array, columns: Sequence[str]) -> pa.Table:
        """Give the rows of some different GUIDs, aligned with them, reading those not read before."""
        kept = (table, tuple(columns))
        known = self._known.get(kept)
        if known is not None and known.num_rows > MOST_REMEMBERED:
            known = None
        place = None if known is None else _places(known, ids)
        if known is None or place is None or place.null_count:
            unread = ids if place is None else ids.filter(pc.is_null(place))
            known = _remember(known, await self.read_by_ids(table, unread.to_pylist(), columns), unread)
            self._known[kept] = known
            place = _places(known, ids)
        return known.take(place)


def _places(known: pa.Table, ids: pa.Array) -> pa.Array:
    return pc.index_in(ids, value_set=known[_ASKED].combine_chunks())


def _remember(known: pa.Table | None, read: pa.Table, asked: pa.Array) -> pa.Table:
    """Join what was read to what was asked for, so that an absent row is not asked for again."""
    place = pc.index_in(asked, value_set=read["_id"].combine_chunks())
    rows = read.take(place).append_column(_ASKED, asked)
    return (rows if known is None else pa.concat_tables([known, rows])).combine_chunks()


def _by_first_hop(paths: Iterable[str]) -> dict[str, list[str]]:
    hops: dict[str, list[str]] = {}
    for path in paths:
        hop, dot, rest = path.partition(".")
        if dot:
            hops.setdefault(hop, []).append(rest)
    return hops


def _is_text(table: str, hop: str) -> bool:
    """Whether a hop's GUIDs stand in a text column, where they may have any form, or be none."""
    return catalog.dataverse_tables()[table].columns[hop].is_text
