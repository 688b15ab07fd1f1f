"""Digests of the shared columns, one for each: they tell which side has changed which column.

A side is only ever compared with itself, as it was when both were last in step; so the digests of
the two sides need not be alike, but those of one side must be, whichever leg reads it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from projops.mapping.keys import fold_column
from projops.mapping.model import System, TableMap
from projops.mapping.paths import table_of
from projops.transform.canonical import empty_is_null, finance_canonical
from projops.transform.hashing import value_digests
from projops.transform.outcome import one_array

# Digest of each shared column, under the name that its side gives it.
Digests = Mapping[str, str]


def shared_digests(table_map: TableMap, system: System, rows: pa.Table) -> pa.Array:
    """Digest the shared columns of rows of one side.

    Args:
        table_map: The map.
        system: Whose columns the rows have.
        rows: Frame with the shared columns, as that side names them.

    Returns:
        A string array: a JSON object a row, digest by column; null for a map without shared columns.
    """
    names = {
        (dataverse if system is System.DATAVERSE else finance): "." in dataverse
        for finance, dataverse in table_map.shared_fields()
    }
    if not names:
        return pa.nulls(rows.num_rows, pa.string())
    shared = rows.select(list(names))
    if system is System.FINANCE:
        shared = finance_canonical(table_of(table_map, System.FINANCE), shared)
    digests = {
        name: value_digests(_comparable(one_array(shared[name]), reference))
        for name, reference in names.items()
    }
    return _objects(digests)


def read_digests(texts: pa.Array | pa.ChunkedArray) -> Sequence[Digests | None]:
    """Read digests back, one object a row; None for a map without shared columns."""
    return [None if text is None else json.loads(text) for text in texts.to_pylist()]


def without_digests(texts: pa.Array | pa.ChunkedArray, columns: Collection[str]) -> pa.Array:
    """Drop the digests of some columns, as of columns that are not in step yet."""
    kept = [
        None if each is None else json.dumps({name: each[name] for name in each if name not in columns})
        for each in read_digests(texts)
    ]
    return pa.array(kept, pa.string())


def _comparable(values: pa.Array, reference: bool) -> pa.Array:
    """Values as they are compared: what stands for a lookup is a key, and keys are compared folded."""
    values = empty_is_null(values)
    return fold_column(values) if reference and pa.types.is_string(values.type) else values


def _objects(digests: Mapping[str, pa.Array]) -> pa.Array:
    """Join columns of digests to one JSON object a row, over whole columns."""
    parts: list[pa.Array | str] = []
    for name, values in digests.items():
        parts += [f'{"," if parts else "{"}{json.dumps(name)}:"', values, '"']
    return pc.binary_join_element_wise(*parts, "}", "")
