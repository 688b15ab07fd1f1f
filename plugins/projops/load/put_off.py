"""Rows put off because they refer to rows of their own map that are not at the target yet, on disk.

A first load may put off nearly all of a map: they must cost no memory.
"""

import json
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet

import pyarrow as pa
import pyarrow.compute as pc

from projops.scratch import scratch_database

_TABLES = """
CREATE TABLE chunk (number INTEGER PRIMARY KEY, rows BLOB);
CREATE TABLE waiting (id TEXT PRIMARY KEY, chunk INTEGER);
CREATE INDEX waiting_by_chunk ON waiting (chunk);
CREATE TABLE circle (id TEXT PRIMARY KEY, chunk INTEGER);
CREATE INDEX circle_by_chunk ON circle (chunk);
CREATE TABLE need (id TEXT, needed TEXT, PRIMARY KEY (id, needed)) WITHOUT ROWID;
"""
_OUTSIDE = """
DELETE FROM circle WHERE id IN (
    SELECT need.id FROM need JOIN circle AS own ON own.id = need.id
    LEFT JOIN circle AS other ON other.id = need.needed WHERE other.id IS NULL)
"""
_IDS_WAITING = "SELECT id FROM waiting WHERE chunk = ?"
_IDS_IN_CIRCLES = "SELECT id FROM circle WHERE chunk = ?"
_FORGET = "DELETE FROM waiting WHERE id IN (SELECT value FROM json_each(?))"
_FORGET_NEEDS = "DELETE FROM need WHERE id IN (SELECT value FROM json_each(?))"


class PutOff:
    """Chunks of target frames, each row with the rows that it waits for, in a temporary database.

    Rows are known by `_id`, by which they also name each other: a GUID, or a key text of Finance.
    """

    def __init__(self) -> None:
        self._database = scratch_database(self, _TABLES)

    def __len__(self) -> int:
        """Count the rows that wait."""
        return int(self._database.execute("SELECT count(*) FROM waiting").fetchone()[0])

    def add(self, table: pa.Table, needs: Sequence[AbstractSet[str]]) -> None:
        """Put off the rows of a chunk.

        Args:
            table: Target frame.
            needs: For each row, the identities of the rows that it waits for.
        """
        if table.num_rows == 0:
            return
        ids = table["_id"].to_pylist()
        pairs = [(row_id, needed) for row_id, all_ in zip(ids, needs, strict=True) for needed in all_]
        self._database.execute("BEGIN")
        number = self._database.execute("INSERT INTO chunk (rows) VALUES (?)", (_bytes(table),)).lastrowid
        places = ((row_id, number) for row_id in ids)
        self._database.executemany("INSERT OR REPLACE INTO waiting VALUES (?, ?)", places)
        self._database.executemany("INSERT OR IGNORE INTO need VALUES (?, ?)", pairs)
        self._database.execute("COMMIT")

    def drop(self, ids: Sequence[str]) -> int:
        """Drop rows that come again, in a newer version, or are deleted; give how many there were."""
        listed = (json.dumps(ids),)
        self._database.execute(_FORGET_NEEDS, listed)
        return self._database.execute(_FORGET, listed).rowcount

    def chunks(self) -> Iterator[pa.Table]:
        """Give the rows that wait, chunk by chunk as they were put off."""
        return self._chunks(_IDS_WAITING)

    def circles(self) -> Iterator[pa.Table]:
        """Give the rows that wait, directly or not, for nothing but each other, chunk by chunk."""
        self._database.execute("DELETE FROM circle")
        self._database.execute("INSERT INTO circle SELECT id, chunk FROM waiting")
        while self._database.execute(_OUTSIDE).rowcount:
            pass
        return self._chunks(_IDS_IN_CIRCLES)

    def _chunks(self, ids_of: str) -> Iterator[pa.Table]:
        numbers = self._database.execute("SELECT number FROM chunk ORDER BY number").fetchall()
        for number in numbers:
            ids = [row_id for (row_id,) in self._database.execute(ids_of, number)]
            if ids:
                [rows] = self._database.execute("SELECT rows FROM chunk WHERE number = ?", number).fetchone()
                table = pa.ipc.open_stream(rows).read_all()
                yield table.filter(pc.is_in(table["_id"], value_set=pa.array(ids, pa.string())))


def _bytes(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as stream:
        stream.write_table(table)
    return bytes(sink.getvalue())
