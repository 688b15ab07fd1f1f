"""Reading rows again by identity: what was set aside is never kept, always read afresh."""

from collections.abc import Awaitable, Callable, Sequence

import pyarrow as pa

from projops.mapping.catalog import Table
from projops.mapping.keys import has_parts, key_column
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

    What a filtered list leaves out is asked for once more by its whole key: a row is gone only when
    Finance says 404 to that. Under a key of a former mapping nothing is found: that mapping's end brought
    a full read, which finds the row under its new key.

    Args:
        finance: Where they are read.
        table: Entity set.
        columns: Properties to read.
        key: Key fields in the map's order.
    """
    names, keys = properties(table, columns), properties(table, key)

    async def reread(texts: Sequence[str]) -> pa.Table:
        texts = [text for text in texts if has_parts(text, len(key))]
        values = {text: key_values(text, keys) for text in texts}
        found = await finance.by_keys(table.entity_set, names, keys, list(values.values()))
        came = set(key_column([found[name] for name in key]).to_pylist())
        late = [own for text, own in values.items() if text not in came]
        return pa.concat_tables([found, await finance.by_whole_keys(table.entity_set, names, keys, late)])

    return reread
