"""Reading rows again by identity: what was set aside is never kept, always read afresh."""

from collections.abc import Awaitable, Callable, Sequence

import pyarrow as pa

from projops.mapping.catalog import Table
from projops.systems.columns import entity_set, key_values, properties
from projops.systems.dataverse import Dataverse
from projops.systems.finance import Finance

# Identities (GUIDs, or key texts) -> the rows that are still there, own columns only.
Reread = Callable[[Sequence[str]], Awaitable[pa.Table]]


def from_dataverse(dataverse: Dataverse, table: Table, columns: Sequence[str]) -> Reread:
    """Read Dataverse rows again by GUID."""

    async def reread(ids: Sequence[str]) -> pa.Table:
        found, _ = await dataverse.by_ids(entity_set(table), properties(table, columns), ids)
        return found

    return reread


def from_finance(finance: Finance, table: Table, columns: Sequence[str], key: Sequence[str]) -> Reread:
    """Read Finance rows again by key text.

    Args:
        finance: Where they are read.
        table: Entity set.
        columns: Properties to read.
        key: Key fields in the map's order.
    """

    async def reread(texts: Sequence[str]) -> pa.Table:
        keys = properties(table, key)
        values = [key_values(text, keys) for text in texts]
        return await finance.by_keys(table.entity_set, properties(table, columns), keys, values)

    return reread
