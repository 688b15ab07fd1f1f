"""From the rows that a strategy reads to source frames: identity, newest version, lookup paths, filters."""

from collections.abc import Collection, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from projops.extract.lookups import Lookups
from projops.mapping.catalog import arrow_type
from projops.mapping.conditions import matches
from projops.mapping.expressions import parse
from projops.mapping.keys import fold_column, key_column
from projops.mapping.model import Leg, System, TableMap
from projops.mapping.paths import company_path, key_paths, source_column, source_columns
from projops.transform.hashing import row_hash


def with_identity(table_map: TableMap, leg: Leg, rows: pa.Table) -> pa.Table:
    """Give each row the identity by which the state knows it: GUID, or for Finance its key text."""
    if leg.direction.source is System.DATAVERSE:
        return rows
    key = key_column([rows[name] for name in key_paths(table_map, System.FINANCE)])
    # A row without a whole key is still told from others: by what it holds.
    identity = pc.coalesce(key, row_hash([rows[name] for name in rows.column_names]))
    return rows.set_column(rows.column_names.index("_id"), "_id", identity)


def newest(rows: pa.Table) -> pa.Table:
    """Of several versions of a row keep the last: changes come in order of their version."""
    if pc.count_distinct(rows["_id"], mode="all").as_py() == rows.num_rows:
        return rows
    numbered = rows.append_column("__place", pa.arange(0, rows.num_rows))
    last = numbered.group_by("_id").aggregate([("__place", "max")])["__place_max"].combine_chunks()
    return rows.take(last.sort())


async def with_paths(table_map: TableMap, leg: Leg, lookups: Lookups, rows: pa.Table) -> pa.Table:
    """Add lookup paths and the facts that every source frame has."""
    columns = source_columns(table_map, leg)
    if leg.direction.source is System.DATAVERSE:
        rows = await lookups.add(table_map.dataverse, rows, columns)
    key = key_column([rows[path] for path in key_paths(table_map, leg.direction.source)])
    facts = {
        "_id": rows["_id"],
        "_key": key,
        "_version": rows["_version"],
        "_deleted": pa.repeat(False, rows.num_rows),
    }
    return pa.table({**facts, **{path: rows[path] for path in columns}})


def matching(where: str | None, rows: pa.Table) -> pa.Array | pa.ChunkedArray:
    """Say which rows a map's filter takes; None takes all."""
    if where is None:
        return pa.repeat(True, rows.num_rows)
    return pc.fill_null(matches(parse(where), rows), False)


def companies_asked(table_map: TableMap, asked: Collection[str] | None) -> frozenset[str] | None:
    """Give the companies (codes in lower case) that both the map and a run ask for; None for all."""
    named = [set(code.lower() for code in codes) for codes in (table_map.companies, asked) if codes]
    return frozenset(set.intersection(*named)) if named else None


def of_companies(
    table_map: TableMap, system: System, companies: Collection[str] | None, rows: pa.Table
) -> pa.Table:
    """Keep the rows of some companies (codes in lower case); of a global map, or for None, all."""
    path = company_path(table_map, system)
    if companies is None or path is None:
        return rows
    codes = fold_column(rows[path].combine_chunks())
    return rows.filter(pc.is_in(codes, value_set=pa.array(sorted(companies))))


def deleted_frame(table_map: TableMap, leg: Leg, gone: Sequence[tuple[str, str | None]]) -> pa.Table:
    """Make a frame of deletes.

    Args:
        table_map: The map.
        leg: The leg.
        gone: Identity of each row, and its key text, or None where only its load can tell it.
    """
    columns = {
        path: pa.nulls(len(gone), arrow_type(source_column(table_map, leg, path)))
        for path in source_columns(table_map, leg)
    }
    facts = {
        "_id": pa.array([identity for identity, _ in gone], pa.string()),
        "_key": pa.array([key for _, key in gone], pa.string()),
        "_version": pa.nulls(len(gone), pa.string()),
        "_deleted": pa.repeat(True, len(gone)),
    }
    return pa.table({**facts, **columns})
