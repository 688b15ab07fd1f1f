"""Both sides of a leg compared: digests of buckets, then hashes of rows, then columns of rows that differ.

Each step opens only what the step before could not settle, so that equal parts of a big table cost little.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from projops.mapping.model import Leg, TableMap
from projops.reconcile.compare.buckets import BUCKETS, Side, query_engine
from projops.reconcile.compare.differences import are_told, differences_of
from projops.reconcile.compare.pairing import pair_rows
from projops.reconcile.compare.reading import Pair
from projops.reconcile.compare.sides import Terms
from projops.reconcile.compare.totals import Tally, in_scope, totals_of
from projops.reconcile.model import Kind, RowDifference, Scope, Total
from projops.transform.outcome import one_array

_ROWS_AT_ONCE = 100_000  # of both sides whose hashes are compared in one go
_PAIRS_AT_ONCE = 10_000  # whose columns are, and the most that one chunk tells of


@dataclass(slots=True)
class Comparison:
    """Differences of a leg, chunk by chunk; once all are taken, the counts stand.

    Attributes:
        terms: Of the leg.
        pair: Both sides on disk.
        scope: Days that are compared.
        rows_read: Rows of both sides whose columns were opened.
    """

    terms: Terms
    pair: Pair
    scope: Scope
    rows_read: int = field(default=0, init=False)
    _unequal: int = field(default=0, init=False)
    _expected: Tally = field(init=False)
    _found: Tally = field(init=False)

    def __post_init__(self) -> None:
        self._expected, self._found = self.pair.expected_tally.copy(), self.pair.found_tally.copy()

    @property
    def expected_rows(self) -> int:
        """Rows that the target should have."""
        return self._expected.rows

    @property
    def found_rows(self) -> int:
        """Rows that it has, as far as the leg is concerned."""
        return self._found.rows

    @property
    def matched(self) -> int:
        """Expected rows that the target holds as the mapping says."""
        return self.expected_rows - self._unequal

    @property
    def totals(self) -> tuple[Total, ...]:
        """Rows and sums of both sides by company and period."""
        return totals_of(self._expected, self._found)

    def __iter__(self) -> Iterator[Sequence[RowDifference]]:
        """Compare; give differences by bucket, in chunks of bounded size."""
        with query_engine(self.pair.folder) as database:
            for buckets in self._groups():
                yield from self._group(database, buckets)

    def _groups(self) -> Iterator[list[int]]:
        """Give the buckets to open, some at a time."""
        ours, theirs = self.pair.expected, self.pair.found
        group, rows = [], 0
        for bucket in range(BUCKETS):
            if ours.digests[bucket] != theirs.digests[bucket] or bucket in ours.aside:
                group.append(bucket)
                rows += ours.size(bucket) + theirs.size(bucket)
                if rows >= _ROWS_AT_ONCE:
                    yield group
                    group, rows = [], 0
        if group:
            yield group

    def _group(
        self, database: duckdb.DuckDBPyConnection, buckets: Sequence[int]
    ) -> Iterator[Sequence[RowDifference]]:
        ours, theirs = self.pair.expected.index(buckets), self.pair.found.index(buckets)
        pairs = pair_rows(database, ours, theirs, claims_all=self.terms.claims_all)
        self._settle(pairs)
        told = pairs.filter(are_told(pairs["kind"]))
        for start in range(0, told.num_rows, _PAIRS_AT_ONCE):
            differences = self._tell(told.slice(start, _PAIRS_AT_ONCE))
            if differences:
                yield differences

    def _rows(self, side: Side, places: pa.ChunkedArray) -> pa.Table:
        self.rows_read += len(places) - places.null_count
        return side.rows(one_array(places), self.terms.schema.names)

    def _settle(self, pairs: pa.Table) -> None:
        """Bring the tallies to what each row has turned out to be."""
        kind, counts = pairs["kind"], pc.fill_null(pairs["counts"], False)
        alone = pc.is_null(pairs["found"])
        again, twin = pc.equal(kind, "again"), pc.and_(pc.equal(kind, "rejected"), alone)
        off = pc.and_(counts, pc.and_(alone, pc.or_(again, twin)))
        self._count(self._expected, self.pair.expected, pairs["expected"].filter(off), -1)
        nobodys = ["again", "foreign"] if self.terms.claims_all else ["again", "foreign", "rejected"]
        none = pc.and_(pc.is_in(kind, value_set=pa.array(nobodys)), pc.invert(alone))
        self._count(self._found, self.pair.found, pairs["found"].filter(pc.and_(counts, none)), -1)
        ours = pc.is_in(kind, value_set=pa.array(["changed", "adopted"]))
        self._count(self._found, self.pair.found, pairs["found"].filter(pc.and_(ours, pc.invert(counts))), 1)

    def _count(self, tally: Tally, side: Side, places: pa.ChunkedArray, sign: int) -> None:
        if len(places):
            rows = side.rows(one_array(places), [*dict.fromkeys(("_company", "_day", *tally.money))])
            tally.add(rows.filter(self._in_scope(rows)), sign)

    def _tell(self, pairs: pa.Table) -> list[RowDifference]:
        """Open the rows of some pairs, and say how they differ as far as the scope goes."""
        expected = self._rows(self.pair.expected, pairs["expected"])
        found = self._rows(self.pair.found, pairs["found"])
        inside = self._in_scope(expected)
        wanted = pc.or_(inside, self._in_scope(found))
        pairs, expected, found = pairs.filter(wanted), expected.filter(wanted), found.filter(wanted)
        differences = differences_of(self.terms, pairs, expected, found)
        counted = inside.filter(wanted).to_pylist()
        unequal = (Kind.MISSING, Kind.CHANGED)
        self._unequal += sum(each.kind in unequal and counted[place] for place, each in differences.items())
        return list(differences.values())

    def _in_scope(self, rows: pa.Table) -> pa.ChunkedArray:
        return in_scope(self.scope, self.terms.table_map, rows["_day"])


def compare(table_map: TableMap, leg: Leg, pair: Pair, scope: Scope) -> Comparison:
    """Compare both sides of a leg.

    Args:
        table_map: The map.
        leg: The leg.
        pair: What `reading.read_map` gave for it.
        scope: The same as when it was read; of a map with periods, a pair counts whose day lies within it
            on either side.

    Returns:
        An iterable of chunks of differences, each of bounded size; and counts, once all are taken.
    """
    return Comparison(Terms.of(table_map, leg), pair, scope)
