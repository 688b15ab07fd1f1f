"""Rows of both sides paired by key, and what is to be told of each pair, by hashes of whole rows alone."""

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from projops.reconcile.compare.buckets import query
from projops.reconcile.compare.sides import LEFT_FILTER

DUPLICATE_KEY = "duplicate_key"  # why a row of the target is one too many: another one has its key
_TWIN = "Another row of the source has the same integration key; give one of them another key."

# What is told of a pair is a `model.Kind`, or that the row of the target is none that the leg would make
# (foreign), is one though the map's own filter does not say so (adopted), or that a row came twice while
# pages moved (again).
PAIRS = pa.schema(
    [
        ("expected", pa.int64()),
        ("found", pa.int64()),
        ("kind", pa.string()),
        ("reason", pa.string()),
        ("counts", pa.bool_()),
    ]
)

_JOIN = """
SELECT e._at AS expected, f._at AS found, CASE
    WHEN e._at IS NULL OR e._reason = '{left}'
        THEN CASE WHEN f._counts AND {claims_all} THEN 'extra' ELSE 'foreign' END
    WHEN e._reason IS NOT NULL THEN 'rejected'
    WHEN f._at IS NULL THEN 'missing'
    WHEN e._row <> f._row THEN 'changed'
    ELSE 'adopted' END AS kind, e._reason AS reason, f._counts AS counts
FROM expected e FULL OUTER JOIN found f ON e._key = f._key
WHERE e._at IS NULL OR e._row <> f._row OR NOT f._counts OR e._reason <> '{left}'
    OR (f._at IS NULL AND e._reason IS NULL) OR (f._at IS NOT NULL AND e._reason IS NOT NULL)
ORDER BY e._at, f._at
"""

_RANKED = """
SELECT _at, _reason, _counts, row_number() OVER same AS rank,
    _id IS NOT DISTINCT FROM first_value(_id) OVER same AS again
FROM ours
WINDOW same AS (
    PARTITION BY coalesce(_key, _id)
    ORDER BY _reason IS NOT NULL, _counts DESC, _row IN (SELECT _row FROM theirs) DESC, _id, _at DESC
)
ORDER BY _at
"""


def pair_rows(
    database: duckdb.DuckDBPyConnection, expected: pa.Table, found: pa.Table, *, claims_all: bool
) -> pa.Table:
    """Pair rows by key; leave out the pairs that are equal.

    Of several rows with one key that is paired which is equal, else the first by identity; the others are
    rejected on the expected side, and too many on the found one.

    Args:
        database: `buckets.query_engine`.
        expected: The expected side, columns as of `buckets.INDEX`; others may be there.
        found: Likewise the found side.
        claims_all: Whether rows of the target that no source row has are too many.

    Returns:
        A table of `PAIRS`: `_at` of both rows (null for none), what is to be told of them,
        why, and whether the row counts by itself: the found one, or else the expected one.
    """
    our_twins = their_twins = PAIRS.empty_table()
    ours, theirs = expected, found
    if _has_twins(ours):
        ours, ranked = _ranked(database, ours, theirs)
        our_twins = _twins_expected(ranked)
    if _has_twins(theirs):
        theirs, ranked = _ranked(database, theirs, ours)
        their_twins = _twins_found(ranked, claims_all)
    join = _JOIN.format(left=LEFT_FILTER, claims_all=claims_all)
    pairs = query(database, join, expected=ours, found=theirs).cast(PAIRS)
    return pa.concat_tables([pairs, our_twins, their_twins])


def _has_twins(index: pa.Table) -> bool:
    keys = index["_key"]
    return bool(pc.count_distinct(keys, mode="only_valid").as_py() < len(keys) - keys.null_count)


def _ranked(
    database: duckdb.DuckDBPyConnection, ours: pa.Table, theirs: pa.Table
) -> tuple[pa.Table, pa.Table]:
    """Give the one row of each key that is paired, and what is known of the others."""
    ranked = query(database, _RANKED, ours=ours, theirs=theirs)
    first = pc.equal(ranked["rank"], 1)
    return ours.filter(first), ranked.filter(pc.invert(first))


def _twins_expected(twins: pa.Table) -> pa.Table:
    left = pc.fill_null(pc.equal(twins["_reason"], LEFT_FILTER), False)
    twins = twins.filter(pc.invert(left))
    kind = pc.if_else(twins["again"], "again", "rejected")
    reason = pc.fill_null(twins["_reason"], _TWIN)
    none = pa.nulls(twins.num_rows, pa.int64())
    return pa.table([twins["_at"], none, kind, reason, twins["_counts"]], schema=PAIRS)


def _twins_found(twins: pa.Table, claims_all: bool) -> pa.Table:
    other = pc.if_else(pc.and_(twins["_counts"], claims_all), "extra", "foreign")
    kind = pc.if_else(twins["again"], "again", other)
    reason = pa.array([DUPLICATE_KEY] * twins.num_rows, pa.string())
    none = pa.nulls(twins.num_rows, pa.int64())
    return pa.table([none, twins["_at"], kind, reason, twins["_counts"]], schema=PAIRS)
