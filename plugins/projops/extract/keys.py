"""Which rows a side has, by integration key alone: what a restored state compares."""

from collections.abc import AsyncGenerator, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from projops import progress
from projops.engine import Systems
from projops.extract.frames import matching, of_companies
from projops.mapping.catalog import Table
from projops.mapping.expressions import columns_of, parse
from projops.mapping.keys import key_column
from projops.mapping.model import System, TableMap
from projops.mapping.paths import key_paths, table_of
from projops.systems.columns import entity_set, properties

_SCHEMA = pa.schema([("_id", pa.string()), ("_key", pa.string())])


async def keys_at(
    systems: Systems, table_map: TableMap, system: System, where: str | None = None
) -> pa.Table:
    """Read the keys of all rows of a side that belong to a map.

    Args:
        systems: Open sessions.
        table_map: The map; rows of companies that it leaves out are left out here too.
        system: The side.
        where: The map's filter, to have only the rows that it takes; None for all.

    Returns:
        `_id` (Dataverse GUID, or for Finance the key text) and `_key`; rows without a whole key are
        left out, as no run moves them.
    """
    filtered = () if where is None else columns_of(parse(where))
    paths = key_paths(table_map, system)
    parts = [_SCHEMA.empty_table()]
    async for read in pages_at(systems, table_map, system, (*paths, *filtered)):
        rows = of_companies(
            table_map, system, table_map.companies or None, read.filter(matching(where, read))
        )
        keys = key_column([rows[path] for path in paths])
        ids = rows["_id"] if system is System.DATAVERSE else keys
        parts.append(pa.table([ids, keys], schema=_SCHEMA).filter(pc.is_valid(keys)))
        progress.done("read", read.num_rows)
    return pa.concat_tables(parts)


async def pages_at(
    systems: Systems, table_map: TableMap, system: System, paths: Sequence[str]
) -> AsyncGenerator[pa.Table, None]:
    """Read some columns and lookup paths of all rows of a side, page by page.

    Args:
        systems: Open sessions.
        table_map: The map; its filters are not applied.
        system: The side.
        paths: Columns and, on the Dataverse side, lookup paths; one that is named twice comes once.

    Yields:
        `_id` (Dataverse GUID; null for Finance), `_version`, the columns, the paths and the lookups that
        they begin with.
    """
    table: Table = table_of(table_map, system)
    if system is System.FINANCE:
        names = tuple(dict.fromkeys(paths))
        pages = systems.finance.pages(table.entity_set, properties(table, names), order_by=table.keys[0])
        async for page in pages:
            yield pa.Table.from_batches([page.batch])
        return
    lookups = systems.lookups()
    own = tuple(dict.fromkeys(path.partition(".")[0] for path in paths))
    async for page in systems.dataverse.rows(entity_set(table), properties(table, own)):
        yield await lookups.add(table.name, pa.Table.from_batches([page.batch]), paths)
