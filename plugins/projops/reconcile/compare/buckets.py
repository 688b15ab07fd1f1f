"""One side of a leg on disk, in buckets by the hash of the key, with a digest of each bucket.

Two sides whose digests of a bucket are equal hold the same rows there, so that nothing of it is opened.
A digest is the number of rows and the sum of their hashes modulo 2**64; a row's hash is of its key and of
all compared columns, each in its place, and is mixed once more, so that values that are swapped between
columns or rows do not cancel out. That two different contents share a digest has a chance of 2**-64.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from projops.reconcile.compare.sides import LEFT_FILTER, Terms

BUCKETS = 4096
ROW_HASH = pa.field("_row", pa.uint64())
# What pairs a row, and where it stands: the number of its run, and its own number there.
INDEX = pa.schema(
    [
        ("_key", pa.string()),
        ("_id", pa.string()),
        ("_reason", pa.string()),
        ("_counts", pa.bool_()),
        ROW_HASH,
        ("_at", pa.int64()),
    ]
)
_ROW_BITS = 32
_ROW_MASK = 2**_ROW_BITS - 1
_BYTES_A_RUN = 32 * 2**20
_MODULUS = 2**64


@dataclass(frozen=True, slots=True)
class Digest:
    """Number of rows that count, and the sum of their hashes."""

    rows: int = 0
    sum: int = 0

    def plus(self, rows: int, hashes: int) -> "Digest":
        """Give the digest with more rows."""
        return Digest(self.rows + rows, (self.sum + hashes) % _MODULUS)


@dataclass(frozen=True, slots=True)
class Run:
    """Some rows on disk, sorted by bucket.

    Attributes:
        path: Arrow file of one record batch.
        starts: Row at which each bucket begins, and behind them the number of rows.
    """

    path: Path
    starts: Sequence[int]

    @contextmanager
    def batch(self) -> Iterator[pa.RecordBatch]:
        """Open it: what is taken out of it is copied, since a mapped file counts as memory of the process."""
        with pa.memory_map(str(self.path)) as file:
            yield pa.ipc.open_file(file).get_batch(0)


@dataclass(frozen=True, slots=True)
class Side:
    """All rows of one side.

    Attributes:
        schema: Of the leg's frames, and `_row`, the hash of each row.
        runs: Where they are.
        digests: Of each bucket.
        aside: Buckets with rows that break a rule: that is to be told, whatever the digests say.
    """

    schema: pa.Schema
    runs: tuple[Run, ...]
    digests: tuple[Digest, ...]
    aside: frozenset[int]

    def size(self, bucket: int) -> int:
        """Give the number of rows of a bucket."""
        return sum(run.starts[bucket + 1] - run.starts[bucket] for run in self.runs)

    def index(self, buckets: Sequence[int]) -> pa.Table:
        """Read of the rows of some buckets what pairs them.

        Args:
            buckets: Their numbers, ascending.

        Returns:
            The columns of `INDEX`; `_at` says where the row is, for `rows`.
        """
        parts = [_index(number, run, buckets) for number, run in enumerate(self.runs)]
        return pa.concat_tables([INDEX.empty_table(), *parts])

    def rows(self, places: pa.Array, columns: Sequence[str]) -> pa.Table:
        """Read some rows.

        Args:
            places: `_at` of each; null gives a row of nulls.
            columns: Columns that are wanted.

        Returns:
            A row for each place, in that order.
        """
        wanted = pc.unique(places.drop_null())
        numbers = pc.shift_right(wanted, _ROW_BITS)
        parts, order = [self.schema.empty_table().select(columns)], [wanted.slice(0, 0)]
        for number, run in enumerate(self.runs):
            here = wanted.filter(pc.equal(numbers, number))
            if len(here):
                with run.batch() as batch:
                    parts.append(_copied(batch.select(columns), pc.bit_wise_and(here, _ROW_MASK)))
                order.append(here)
        found = pc.index_in(places, value_set=pa.concat_arrays(order))
        return pa.concat_tables(parts).combine_chunks().take(found)


@dataclass(slots=True)
class SideWriter:
    """Writes one side, in runs: what it holds in memory is one run, however many rows come.

    Attributes:
        folder: Where the runs go.
        terms: Of the leg.
        database: Hashes whole columns.
    """

    folder: Path
    terms: Terms
    database: duckdb.DuckDBPyConnection
    _waiting: list[pa.Table] = field(default_factory=list, init=False)
    _runs: list[Run] = field(default_factory=list, init=False)
    _digests: list[Digest] = field(default_factory=lambda: [Digest()] * BUCKETS, init=False)
    _aside: set[int] = field(default_factory=set, init=False)

    def write(self, frame: pa.Table) -> None:
        """Take a page, as a frame of the leg's schema."""
        self._waiting.append(frame)
        if sum(each.nbytes for each in self._waiting) >= _BYTES_A_RUN:
            self._flush()

    def close(self) -> Side:
        """Write what is left; give the side."""
        self._flush()
        return Side(
            self.terms.schema.append(ROW_HASH),
            tuple(self._runs),
            tuple(self._digests),
            frozenset(self._aside),
        )

    def _flush(self) -> None:
        frame = pa.concat_tables([self.terms.schema.empty_table(), *self._waiting]).combine_chunks()
        self._waiting.clear()
        if not frame.num_rows:
            return
        hashed = hashes(self.database, self.terms, frame)
        frame = frame.append_column("_row", hashed["_row"])
        frame = frame.take(pc.sort_indices(hashed["_bucket"])).combine_chunks()
        path = self.folder / f"run-{len(self._runs):05d}.arrow"
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, frame.schema) as writer:
            writer.write_table(frame)
        self._runs.append(Run(path, self._counted(hashed)))

    def _counted(self, hashed: pa.Table) -> Sequence[int]:
        """Add a run to the digests; give where its buckets begin."""
        statement = (
            "SELECT _bucket, count(*) AS size, count(*) FILTER (_counts) AS rows, "  # nosec B608
            "(coalesce(sum(_row) FILTER (_counts), 0) % 18446744073709551616)::UBIGINT AS hashes, "
            f"coalesce(bool_or(_reason <> '{LEFT_FILTER}'), false) AS aside FROM hashed GROUP BY _bucket"
        )
        sizes = [0] * BUCKETS
        for found in query(self.database, statement, hashed=hashed).to_pylist():
            bucket = found["_bucket"]
            sizes[bucket] = found["size"]
            self._digests[bucket] = self._digests[bucket].plus(found["rows"], found["hashes"])
            if found["aside"]:
                self._aside.add(bucket)
        return tuple(accumulate(sizes, initial=0))


def hashes(database: duckdb.DuckDBPyConnection, terms: Terms, frame: pa.Table) -> pa.Table:
    """Hash rows over key and compared columns, each in its place.

    Args:
        database: `query_engine`.
        terms: Of the leg.
        frame: A frame of the leg's schema.

    Returns:
        `_bucket`, `_row` (the hash), `_counts`, `_reason`; one row for each of the frame, in its order.
    """
    values = {f"c{place}": terms.comparable(name, frame[name]) for place, name in enumerate(terms.columns)}
    rows = pa.table({name: frame[name] for name in ("_key", "_id", "_reason", "_counts")} | values)
    statement = (
        f"SELECT (hash(coalesce(_key, _id)) % {BUCKETS})::INTEGER AS _bucket, "  # names of ours  # nosec B608
        f"hash(hash({', '.join(('_key', *values))})) AS _row, _counts, _reason FROM rows"
    )
    return query(database, statement, rows=rows)


def query_engine(folder: Path | None = None) -> duckdb.DuckDBPyConnection:
    """Open a database of the moment in bounded memory.

    Args:
        folder: Local disk for what it cannot hold; without one, that is an error.
    """
    return duckdb.connect(config={"memory_limit": "256MB", "temp_directory": str(folder or "")})


def query(database: duckdb.DuckDBPyConnection, statement: str, **tables: pa.Table) -> pa.Table:
    """Ask a question of Arrow tables, under the names that they are given."""
    for name, table in tables.items():
        database.register(name, table)
    try:
        return database.sql(statement).to_arrow_table()
    finally:
        for name in tables:
            database.unregister(name)


def _index(number: int, run: Run, buckets: Sequence[int]) -> pa.Table:
    rows = pa.array(
        [row for bucket in buckets for row in range(run.starts[bucket], run.starts[bucket + 1])], pa.int64()
    )
    with run.batch() as batch:
        found = _copied(batch.select(INDEX.names[:-1]), rows)
    return found.append_column(INDEX.field("_at"), pc.add(rows, number << _ROW_BITS))


def _copied(batch: pa.RecordBatch, rows: pa.Array) -> pa.Table:
    """Copy rows out of a mapped file, so that nothing holds on to it."""
    return pa.Table.from_batches([batch.take(rows)])
