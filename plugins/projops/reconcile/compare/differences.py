"""Pairs of rows that differ as values: which columns, and what stands there on both sides."""

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from projops.reconcile.compare.sides import Terms
from projops.reconcile.compare.totals import periods
from projops.reconcile.model import ColumnDifference, Kind, RowDifference

_KINDS = {kind.value: kind for kind in Kind}


def are_told(kinds: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """Say which pairs are differences, and nothing that only settles the counts."""
    return pc.is_in(kinds, value_set=pa.array(list(_KINDS)))


def differences_of(
    terms: Terms, pairs: pa.Table, expected: pa.Table, found: pa.Table
) -> dict[int, RowDifference]:
    """Describe pairs of rows by their place; those whose columns turn out equal are left out.

    Args:
        terms: Of the leg.
        pairs: `kind` (of `model.Kind`) and `reason` of each pair.
        expected: The expected rows, one a pair, in its order; null in every column where there is none.
        found: Likewise the found ones.
    """
    columns = _changed_columns(terms, pc.equal(pairs["kind"], Kind.CHANGED.value), expected, found)
    # In the order of the fields of a difference.
    facts = (
        pc.coalesce(expected["_key"], found["_key"]),
        pairs["kind"],
        expected["_id"],
        found["_id"],
        pc.if_else(pc.equal(pairs["kind"], Kind.EXTRA.value), None, expected["_hash"]),
        pc.coalesce(expected["_company"], found["_company"]),
        periods(pc.coalesce(expected["_day"], found["_day"])),
        pc.fill_null(pairs["reason"], ""),
    )
    rows = enumerate(zip(*(each.to_pylist() for each in facts), strict=True))
    ref, changed, none = terms.ref, Kind.CHANGED.value, ()
    return {
        place: RowDifference(
            ref,
            key,
            _KINDS[kind],
            source_id,
            target_id,
            payload,
            tuple(columns.get(place, none)),
            *rest,
        )
        for place, (key, kind, source_id, target_id, payload, *rest) in rows
        if kind != changed or place in columns
    }


def _changed_columns(
    terms: Terms, changed: pa.ChunkedArray, expected: pa.Table, found: pa.Table
) -> Mapping[int, list[ColumnDifference]]:
    """Give the columns that differ of each changed pair that has any, by its place."""
    columns: dict[int, list[ColumnDifference]] = {}
    for name in terms.columns:
        differ = _differ(terms.comparable(name, expected[name]), terms.comparable(name, found[name]))
        places = pc.indices_nonzero(pc.and_(changed, differ))
        ours, theirs = (each[name].take(places).to_pylist() for each in (expected, found))
        for place, our, their in zip(places.to_pylist(), ours, theirs, strict=True):
            columns.setdefault(place, []).append(ColumnDifference(name, our, their))
    return columns


def _differ(ours: pa.Array, theirs: pa.Array) -> pa.Array:
    """Say where values differ; null is equal to null alone."""
    one_is_null = pc.xor(pc.is_null(ours), pc.is_null(theirs))
    return pc.or_(one_is_null, pc.fill_null(pc.not_equal(ours, theirs), False))
