"""Rows of a side by integration key, as it stands in state and differences."""

from collections.abc import Collection, Mapping, Sequence

import pyarrow as pa

from projops.engine import Systems
from projops.extract import reread
from projops.load.references import References
from projops.mapping import catalog
from projops.mapping.catalog import ColumnType, arrow_type
from projops.mapping.keys import has_parts
from projops.mapping.model import System, TableMap
from projops.mapping.paths import alternate_key, company_path, key_paths, table_of
from projops.systems.columns import entity_set, key_values, properties
from projops.systems.properties import Property


async def rows_by_key(
    systems: Systems, table_map: TableMap, system: System, texts: Collection[str], columns: Sequence[str]
) -> pa.Table:
    """Read rows by integration key.

    Args:
        systems: Open sessions.
        table_map: The map.
        system: The side.
        texts: Canonical key texts; those with another number of parts are of a former mapping, and of none.
        columns: The side's own columns to read, no lookup paths.

    Returns:
        The rows that there are, with `_id` and `_version`. Several may have one key on the Dataverse side,
        and more rows than asked for may come: the caller compares keys.
    """
    table = table_of(table_map, system)
    whole = sorted(text for text in texts if has_parts(text, len(table_map.key)))
    if system is System.FINANCE:
        return await reread.from_finance(
            systems.finance, table, columns, key_paths(table_map, System.FINANCE)
        )(whole)
    key = alternate_key(table_map)
    values = await _values(systems, table_map, key, _parts(table_map, whole))
    wanted = [row for row in zip(*values, strict=True) if None not in row]
    return await systems.dataverse.by_keys(
        entity_set(table), properties(table, columns), properties(table, key), wanted
    )


def _parts(table_map: TableMap, texts: Sequence[str]) -> pa.Table:
    """Give the parts of keys as columns under the names that Dataverse has for them."""
    table = table_of(table_map, System.DATAVERSE)
    paths = key_paths(table_map, System.DATAVERSE)
    typed = [Property(path, arrow_type(catalog.resolve(table, path).column)) for path in paths]
    rows = [key_values(text, typed) for text in texts]
    return pa.table(
        {
            column.name: pa.array([row[place] for row in rows], column.type)
            for place, column in enumerate(typed)
        }
    )


async def _values(
    systems: Systems, table_map: TableMap, key: Sequence[str], parts: pa.Table
) -> list[Sequence[object]]:
    """Give the values of the key's columns; of a lookup GUIDs, null where no row is referred to."""
    table = table_of(table_map, System.DATAVERSE)
    path = company_path(table_map, System.DATAVERSE)
    companies = parts[path].to_pylist() if path else [None] * parts.num_rows
    references = References(systems.dataverse)
    found = await references.resolve(table, parts, parts.column_names, companies)
    guids: Mapping[str, Sequence[str | None]] = {each.lookup: each.guids for each in found}
    return [
        guids[column] if table.columns[column].type is ColumnType.LOOKUP else parts[column].to_pylist()
        for column in key
    ]
