"""The crosswalk: a row on one side, the row on the other, and what was last in step."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, func, select, update

from projops.mapping.model import Direction, System
from projops.state.slices import slices
from projops.state.tables import crosswalk
from projops.state.upserts import insert_into

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


_FIELDS = [name for name in Entry.__slots__ if name != "key"]


def by_keys(connection: Connection, map_id: str, keys: Iterable[str]) -> dict[str, Entry]:
    """Read entries by integration key."""
    return {entry.key: entry for entry in _read(connection, map_id, crosswalk.c.key, keys)}


def by_ids(connection: Connection, map_id: str, ids: Iterable[str]) -> list[Entry]:
    """Read entries by Dataverse GUID; a row that was given another key has one for each of its keys."""
    return list(_read(connection, map_id, crosswalk.c.dataverse_id, ids))


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
    kept = {name: func.coalesce(new[name], crosswalk.c[name]) for name in _FIELDS}
    statement = statement.on_conflict_do_update(
        index_elements=[crosswalk.c.map, crosswalk.c.key],
        set_=kept | {"batch": new.batch, "in_step_at": new.in_step_at},
    )
    connection.execute(statement, _stored_rows(map_id, batch_id, entries))


def put_new(connection: Connection, map_id: str, batch_id: int, entries: Sequence[Entry]) -> None:
    """Insert entries whose keys are not known yet; those that are known stay as they are."""
    if entries:
        statement = insert_into(connection, crosswalk).on_conflict_do_nothing()
        connection.execute(statement, _stored_rows(map_id, batch_id, entries))


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


def _read(connection: Connection, map_id: str, column: Any, values: Iterable[str]) -> Iterable[Entry]:
    columns = [crosswalk.c[name] for name in Entry.__slots__]
    for part in slices(values):
        rows = connection.execute(select(*columns).where(crosswalk.c.map == map_id, column.in_(part)))
        yield from map(_entry, rows)


def _entry(row: Row[Any]) -> Entry:
    values = row._asdict()
    sides = {name: _digests(values[name]) for name in ("shared_dataverse", "shared_finance")}
    return Entry(**(values | sides))


def _stored_rows(map_id: str, batch_id: int, entries: Sequence[Entry]) -> list[dict[str, Any]]:
    facts = {"map": map_id, "batch": batch_id, "in_step_at": datetime.now(UTC)}
    return [
        facts | {"key": entry.key} | {name: _stored(getattr(entry, name)) for name in _FIELDS}
        for entry in entries
    ]


def _stored(value: str | Mapping[str, str] | None) -> str | None:
    return json.dumps(dict(value)) if isinstance(value, Mapping) else value


def _digests(text: str | None) -> Mapping[str, str] | None:
    digests: Mapping[str, str] | None = None if text is None else json.loads(text)
    return digests
