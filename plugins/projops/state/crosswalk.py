"""The crosswalk: a row on one side, the row on the other, and what was last in step."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Row, delete, func, select, update

from projops.mapping.model import Direction, System
from projops.state.slices import among, slices
from projops.state.tables import crosswalk
from projops.state.upserts import insert_into, insert_rows

# No row has this payload hash: the pair is there, and what the target holds is to be looked at.
UNKNOWN = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One pair of rows.

    Attributes:
        key: Canonical integration key text.
        dataverse_id: GUID of the Dataverse row, or None where only Finance is known.
        hash_dataverse_to_finance: Payload hash last in step in that direction.
        hash_finance_to_dataverse: Likewise, back.
        shared_dataverse: Digest of each shared column on the Dataverse side when it was last in step.
        shared_finance: Digest of each shared column on the Finance side when it was last in step.
    """

    key: str
    dataverse_id: str | None = None
    hash_dataverse_to_finance: str | None = None
    hash_finance_to_dataverse: str | None = None
    shared_dataverse: Mapping[str, str] | None = None
    shared_finance: Mapping[str, str] | None = None

    def payload_hash(self, direction: Direction) -> str | None:
        """Give the payload hash last in step in a direction."""
        value: str | None = getattr(self, f"hash_{direction.value}")
        return value


@dataclass(frozen=True, slots=True)
class InStep:
    """When a pair was last in step, and by which batches.

    Attributes:
        entry: The pair.
        at: When, in UTC, in either direction.
        batches: By direction the batch that last had it in step; None where none of those known had.
    """

    entry: Entry
    at: datetime
    batches: Mapping[Direction, int | None]


def shared_in_step(entry: Entry | None, source: System) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Give the digests of the shared columns of a source and its target when they were last in step."""
    if entry is None:
        return {}, {}
    dataverse, finance = entry.shared_dataverse or {}, entry.shared_finance or {}
    return (dataverse, finance) if source is System.DATAVERSE else (finance, dataverse)


_COLUMNS = [crosswalk.c[name] for name in Entry.__slots__]
_FIELDS = [name for name in Entry.__slots__ if name != "key"]
_BATCHES = {direction: f"batch_{direction.value}" for direction in Direction}


def by_keys(connection: Connection, map_id: str, keys: Iterable[str]) -> dict[str, Entry]:
    """Read entries by integration key."""
    return {entry.key: entry for entry in _read(connection, map_id, crosswalk.c.key, keys)}


def by_ids(connection: Connection, map_id: str, ids: Iterable[str]) -> list[Entry]:
    """Read entries by Dataverse GUID; a row that was given another key has one for each of its keys."""
    return _read(connection, map_id, crosswalk.c.dataverse_id, ids)


def keys_of(connection: Connection, map_id: str, ids: Iterable[str]) -> list[tuple[str, str]]:
    """Give GUID and key of entries by Dataverse GUID: as `by_ids`, where no more is asked for."""
    wanted = list(ids)
    if not wanted:
        return []
    known = crosswalk.c.dataverse_id
    statement = select(known, crosswalk.c.key).where(
        crosswalk.c.map == map_id, among(connection, known, wanted)
    )
    return [(row_id, key) for row_id, key in connection.execute(statement).all()]


def in_step(connection: Connection, map_id: str, keys: Iterable[str]) -> list[InStep]:
    """Read pairs by integration key, with the batches that last had them in step."""
    found: list[InStep] = []
    for part in slices(keys):
        statement = select(crosswalk).where(crosswalk.c.map == map_id, crosswalk.c.key.in_(part))
        for row in connection.execute(statement):
            values = row._asdict()
            batches = {direction: values[name] for direction, name in _BATCHES.items()}
            found.append(InStep(_entry(row), values["in_step_at"], batches))
    return found


def keys_with_part(connection: Connection, map_id: str, part: str, limit: int) -> list[str]:
    """Give the keys of a map that have a text as one of their parts, in order; at most so many.

    Args:
        connection: Open connection.
        map_id: Map.
        part: The part as key texts hold it: folded, and in JSON's quotes.
        limit: At most so many.
    """
    statement = (
        select(crosswalk.c.key)
        .where(crosswalk.c.map == map_id, crosswalk.c.key.contains(part, autoescape=True))
        .order_by(crosswalk.c.key)
        .limit(limit)
    )
    return [str(key) for key in connection.execute(statement).scalars()]


def keys_after(connection: Connection, map_id: str, direction: Direction, last: str, limit: int) -> list[str]:
    """Give the next keys, behind the last one, of pairs that were in step in a direction."""
    statement = (
        select(crosswalk.c.key)
        .where(
            crosswalk.c.map == map_id,
            crosswalk.c.key > last,
            crosswalk.c[f"hash_{direction.value}"].is_not(None),
        )
        .order_by(crosswalk.c.key)
        .limit(limit)
    )
    return [str(key) for key in connection.execute(statement).scalars()]


def ids_after(connection: Connection, map_id: str, last: str, limit: int) -> list[str]:
    """Give the next GUIDs, behind the last one, of a map's pairs, each once."""
    statement = (
        select(crosswalk.c.dataverse_id)
        .where(crosswalk.c.map == map_id, crosswalk.c.dataverse_id > last)
        .distinct()
        .order_by(crosswalk.c.dataverse_id)
        .limit(limit)
    )
    return [str(each) for each in connection.execute(statement).scalars()]


def count(connection: Connection, map_id: str) -> int:
    """Count the pairs of a map."""
    statement = select(func.count()).select_from(crosswalk).where(crosswalk.c.map == map_id)
    return int(connection.execute(statement).scalar_one())


def put(connection: Connection, map_id: str, batch_id: int, entries: Sequence[Entry]) -> None:
    """Insert or update entries; a None leaves what is there."""
    if not entries:
        return
    statement = insert_into(connection, crosswalk)
    new = statement.excluded
    kept = {name: func.coalesce(new[name], crosswalk.c[name]) for name in (*_FIELDS, *_BATCHES.values())}
    statement = statement.on_conflict_do_update(
        index_elements=[crosswalk.c.map, crosswalk.c.key],
        set_=kept | {"batch": new.batch, "in_step_at": new.in_step_at},
    )
    insert_rows(connection, statement, _stored_rows(map_id, batch_id, entries))


def put_new(connection: Connection, map_id: str, batch_id: int, entries: Sequence[Entry]) -> None:
    """Insert entries whose keys are not known yet; those that are known stay as they are."""
    if entries:
        statement = insert_into(connection, crosswalk).on_conflict_do_nothing()
        insert_rows(connection, statement, _stored_rows(map_id, batch_id, entries))


def doubt(
    connection: Connection,
    map_id: str,
    batch_id: int,
    direction: Direction,
    rows: Iterable[tuple[str, str | None]],
) -> None:
    """Say of rows no more than that they are pairs: nobody knows what of them was written in a direction.

    Where a row stands, its next load asks the target; where it is gone at the source, its delete is sent.
    Which batch had it in step stays, as this one has not.

    Args:
        connection: Open transaction.
        map_id: Map.
        batch_id: Batch that meets them.
        direction: Where they were sent.
        rows: Integration key and, of a row that comes from Dataverse, GUID.
    """
    pairs = [only_paired(key, own_id, direction) for key, own_id in rows]
    put_new(connection, map_id, batch_id, pairs)
    for part in slices(pair.key for pair in pairs):
        mine = (crosswalk.c.map == map_id, crosswalk.c.key.in_(part))
        unknown = {f"hash_{direction.value}": UNKNOWN}
        connection.execute(update(crosswalk).where(*mine).values(unknown))


def contest(connection: Connection, map_id: str, keys: Iterable[str]) -> None:
    """Forget what stood in the shared columns of pairs when they were last in step.

    Their next load takes them for changed on both sides: the map's winner has them.
    """
    for part in slices(keys):
        mine = (crosswalk.c.map == map_id, crosswalk.c.key.in_(part))
        connection.execute(update(crosswalk).where(*mine).values(shared_dataverse=None, shared_finance=None))


def only_paired(key: str, dataverse_id: str | None, direction: Direction) -> Entry:
    """Give a pair of which nothing is known but that it is one: a load in that direction reads its target."""
    if direction is Direction.DATAVERSE_TO_FINANCE:
        return Entry(key, dataverse_id, hash_dataverse_to_finance=UNKNOWN)
    return Entry(key, dataverse_id, hash_finance_to_dataverse=UNKNOWN)


def remove(connection: Connection, map_id: str, keys: Iterable[str]) -> None:
    """Forget pairs whose rows are gone."""
    for part in slices(keys):
        connection.execute(delete(crosswalk).where(crosswalk.c.map == map_id, crosswalk.c.key.in_(part)))


def remove_absent(connection: Connection, map_id: str, direction: Direction, keys: Iterable[str]) -> None:
    """Forget pairs whose row the target was seen not to have, and would not take.

    Those stay that tell more than that it was sent there: what is in step the other way, or which row of
    Dataverse it was, as that one may stand there under another key.
    """
    tells_no_more: ColumnElement[bool]
    if direction.target is System.FINANCE:
        tells_no_more = crosswalk.c.hash_finance_to_dataverse.is_(None)
    else:
        no_row = crosswalk.c.dataverse_id.is_(None)
        tells_no_more = crosswalk.c.hash_dataverse_to_finance.is_(None) & no_row
    for part in slices(keys):
        mine = (crosswalk.c.map == map_id, crosswalk.c.key.in_(part))
        connection.execute(delete(crosswalk).where(*mine, tells_no_more))


def _read(connection: Connection, map_id: str, column: Column[Any], values: Iterable[str]) -> list[Entry]:
    wanted = list(values)
    if not wanted:
        return []
    statement = select(*_COLUMNS).where(crosswalk.c.map == map_id, among(connection, column, wanted))
    return [
        Entry(key, row_id, forth, back, _digests(dataverse), _digests(finance))
        for key, row_id, forth, back, dataverse, finance in connection.execute(statement).all()
    ]


def _entry(row: Row[Any]) -> Entry:
    key, row_id, forth, back, *shared = (getattr(row, name) for name in Entry.__slots__)
    return Entry(key, row_id, forth, back, *map(_digests, shared))


def _stored_rows(map_id: str, batch_id: int, entries: Sequence[Entry]) -> list[tuple[Any, ...]]:
    """Give what is stored of entries, in the order of the columns."""
    now = datetime.now(UTC)
    return [
        (
            map_id,
            entry.key,
            entry.dataverse_id,
            entry.hash_dataverse_to_finance,
            entry.hash_finance_to_dataverse,
            _stored(entry.shared_dataverse),
            _stored(entry.shared_finance),
            batch_id,
            now,
            batch_id if entry.hash_dataverse_to_finance else None,
            batch_id if entry.hash_finance_to_dataverse else None,
        )
        for entry in entries
    ]


def _stored(digests: Mapping[str, str] | None) -> str | None:
    return None if digests is None else json.dumps(dict(digests))


def _digests(text: str | None) -> Mapping[str, str] | None:
    digests: Mapping[str, str] | None = None if text is None else json.loads(text)
    return digests
