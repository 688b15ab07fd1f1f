"""Rows that could not be moved: open, parked, awaiting approval; resolved or dismissed.

There is one live entry a leg and source row: a newer failure replaces the reason and counts up the
attempts, a later success closes it. What people decide about entries is in `decisions`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, TextClause, case, func, select, true, tuple_, update

from projops.mapping.model import Direction
from projops.state import texts
from projops.state.slices import slices
from projops.state.tables import IS_LIVE, LIVE, crosswalk, dead_letter
from projops.state.upserts import insert_into

FINANCE_STAGE = "finance"  # set aside by a job of Finance, not by a stage of ours
TRIED_AGAIN = ("open", "parked")
AWAITING = "awaiting_approval"
MASS_DELETE = "mass_delete"  # the rule under which a delete waits for approval
FORMER_KEY_FORM = "former_key_form"  # that of a delete of which only a key of a former mapping is known
_LONGEST_VALUE = 500
_ROWS_AT_ONCE = 500
_LONGEST_MESSAGE = 2000  # a system may answer with a whole page
# A row of Finance is read again by its key: one without a whole key cannot be.
_IS_NAMED = (dead_letter.c.leg == Direction.DATAVERSE_TO_FINANCE.value) | dead_letter.c.key.is_not(None)
_IS_APPROVED = (dead_letter.c.status == AWAITING) & dead_letter.c.approved_at.is_not(None)

Held = tuple[str, str]  # source row, and key under which it stands at the target


@dataclass(frozen=True, slots=True)
class Letter:
    """Why a row was set aside.

    Attributes:
        source_id: Identity of the source row: Dataverse GUID, or the key text of a Finance row.
        key: Integration key text, or None where it cannot be formed.
        status: open, parked or awaiting_approval.
        stage: validate, transform or load; "finance" where a job of Finance refused the row.
        rule: Id of the rule or error.
        field: The field concerned, if one.
        message: One sentence: what is wrong and what to do.
        value: The offending value, for people who may see it.
        waits_for_map: For a parked row: map of the row that it waits for.
        waits_for_id: For a parked row: GUID or key text of that row.
        retriable: Whether each run tries it again by itself.
        payload: The row as a person may see it (`projops.payload`), or None.
        evidence: Where the bytes are kept that could not be read, or None.
    """

    source_id: str
    key: str | None
    status: str
    stage: str
    rule: str
    message: str
    field: str | None = None
    value: str | None = None
    waits_for_map: str | None = None
    waits_for_id: str | None = None
    retriable: bool = False
    payload: str | None = None
    evidence: str | None = None


@dataclass(frozen=True, slots=True)
class Stopped:
    """A live entry, as another row that waits for its row names it."""

    id: int
    key: str | None
    rule: str


@dataclass(frozen=True, slots=True)
class LiveLetter:
    """A live entry of one of our own stages, with the row as a person may see it.

    Attributes:
        id: Its number.
        map: Map.
        leg: Direction.
        status: open, parked or awaiting_approval.
        source_id: Identity of the source row.
        key: Integration key text, or None.
        payload: The row (`projops.payload`), or None.
    """

    id: int
    map: str
    leg: str
    status: str
    source_id: str
    key: str | None
    payload: str | None


@dataclass(frozen=True, slots=True)
class Origin:
    """Where letters come from: map, leg, batch and mapping version."""

    map: str
    leg: str
    batch: int
    mapping_version: str


def record(connection: Connection, origin: Origin, letters: Sequence[Letter]) -> None:
    """Set rows aside: a new entry, or the newer reason on the live one.

    Validate and transform hold no lease: a run beside this one may set the same row aside.
    """
    now = datetime.now(UTC)
    facts = {"mapping_version": origin.mapping_version, "batch": origin.batch, "last_seen": now}
    once = {"map": origin.map, "leg": origin.leg, "first_seen": now, "attempts": 1}
    rows = [once | facts | _values(each) for each in letters]
    if not rows:
        return
    statement = insert_into(connection, dead_letter)
    newer = {name: statement.excluded[name] for name in (*Letter.__slots__, *facts)}
    statement = statement.on_conflict_do_update(
        index_elements=[dead_letter.c.map, dead_letter.c.leg, dead_letter.c.source_id],
        index_where=IS_LIVE,
        set_=newer
        | {
            "attempts": _attempts(statement.excluded.batch),
            "approved_at": _still_approved(statement.excluded.status, dead_letter.c.approved_at),
            "approved_by": _still_approved(statement.excluded.status, dead_letter.c.approved_by),
        },
    )
    connection.execute(statement, rows)


def resolve(
    connection: Connection,
    map_id: str,
    leg: str,
    source_ids: Iterable[str],
    because: str,
    *,
    last_batch: int | None = None,
) -> int:
    """Close live entries of rows that are in step now, or need be no more; give their number.

    Deletes that wait for a person are left: a row may be in step under its new key, and what stands under
    its former one is still to be judged.

    Args:
        connection: Open transaction.
        map_id: Map.
        leg: Direction.
        source_ids: The rows.
        because: Why, for people.
        last_batch: Leaves what later batches than this one have set aside; None leaves nothing.
    """
    closable = (*_closable(map_id, leg, last_batch), dead_letter.c.status != AWAITING)
    if connection.execute(select(dead_letter.c.id).where(*closable).limit(1)).first() is None:
        return 0
    return _close(connection, closable, dead_letter.c.source_id, source_ids, because)


def resolve_deletes(
    connection: Connection,
    map_id: str,
    leg: str,
    deletes: Sequence[Held],
    because: str,
    *,
    last_batch: int | None = None,
) -> None:
    """Close live entries of deletes that are done, or need not be: of these rows under these keys.

    The arguments are those of `resolve`.
    """
    pair = tuple_(dead_letter.c.source_id, dead_letter.c.key)
    _close(connection, _closable(map_id, leg, last_batch), pair, deletes, because)


def stopped(connection: Connection, map_id: str, leg: str, source_ids: Sequence[str]) -> dict[str, Stopped]:
    """Of some source rows, give those that a live entry holds back, by source row."""
    found: dict[str, Stopped] = {}
    for part in slices(source_ids):
        rows = connection.execute(
            select(dead_letter.c.source_id, dead_letter.c.id, dead_letter.c.key, dead_letter.c.rule).where(
                dead_letter.c.map == map_id,
                dead_letter.c.leg == leg,
                IS_LIVE,
                dead_letter.c.source_id.in_(part),
            )
        )
        found |= {row.source_id: Stopped(row.id, row.key, row.rule) for row in rows}
    return found


def given_up(connection: Connection, map_id: str, leg: str, source_ids: Sequence[str]) -> dict[str, int]:
    """Of some source rows, give the latest entry that people have dismissed, by source row."""
    found: dict[str, int] = {}
    for part in slices(source_ids):
        rows = connection.execute(
            select(dead_letter.c.source_id, func.max(dead_letter.c.id))
            .where(
                dead_letter.c.map == map_id,
                dead_letter.c.leg == leg,
                dead_letter.c.status == "dismissed",
                dead_letter.c.stage != FINANCE_STAGE,
                dead_letter.c.source_id.in_(part),
            )
            .group_by(dead_letter.c.source_id)
        )
        found |= {source_id: number for source_id, number in rows}
    return found


def awaited_maps(connection: Connection) -> dict[tuple[str, str], set[str]]:
    """Give, for each (map, leg) with parked rows, the maps whose rows they wait for."""
    rows = connection.execute(
        select(dead_letter.c.map, dead_letter.c.leg, dead_letter.c.waits_for_map)
        .where(dead_letter.c.status == "parked", dead_letter.c.waits_for_map.is_not(None))
        .distinct()
    )
    waits: dict[tuple[str, str], set[str]] = {}
    for map_id, leg, awaited in rows:
        waits.setdefault((map_id, leg), set()).add(awaited)
    return waits


def to_retry(
    connection: Connection, map_id: str, leg: str, last: str = "", limit: int | None = None
) -> list[str]:
    """Give the source rows to look at again: parked ones, retriable open ones, and approved deletes.

    Rows of Finance without a whole key are left out, whoever made them retriable: nothing finds them.

    Args:
        connection: Open connection.
        map_id: Map.
        leg: Direction.
        last: Source row behind which to begin; they are sorted.
        limit: At most so many; None for all.
    """
    rows = connection.execute(
        select(dead_letter.c.source_id)
        .where(
            dead_letter.c.map == map_id,
            dead_letter.c.leg == leg,
            dead_letter.c.source_id > last,
            _IS_NAMED,
            (dead_letter.c.status == "parked")
            | ((dead_letter.c.status == "open") & dead_letter.c.retriable)
            | _IS_APPROVED,
        )
        .order_by(dead_letter.c.source_id)
        .limit(limit)
    )
    return list(rows.scalars())


def held_deletes(connection: Connection, map_id: str, leg: str) -> dict[Held, datetime | None]:
    """Give the deletes that wait for a person, each with the time at which it was approved, or None."""
    rows = connection.execute(
        select(dead_letter.c.source_id, dead_letter.c.key, dead_letter.c.approved_at).where(
            dead_letter.c.map == map_id,
            dead_letter.c.leg == leg,
            dead_letter.c.status == AWAITING,
            dead_letter.c.key.is_not(None),
        )
    )
    return {(row.source_id, row.key): row.approved_at for row in rows}


def held_since(connection: Connection, map_id: str, leg: str, since: datetime, batch_id: int) -> int:
    """Count the deletes of other batches that wait for a person, and began to after some time."""
    statement = (
        select(func.count())
        .select_from(dead_letter)
        .where(
            dead_letter.c.map == map_id,
            dead_letter.c.leg == leg,
            dead_letter.c.status == AWAITING,
            dead_letter.c.approved_at.is_(None),
            dead_letter.c.first_seen > since,
            dead_letter.c.batch != batch_id,
        )
    )
    return int(connection.execute(statement).scalar_one())


def may_go(connection: Connection, map_id: str, leg: str) -> bool:
    """Say whether a row that was set aside could move now.

    A parked row may go when the crosswalk knows the row that it waits for, or when nothing says
    what it waits for; any when it is retriable, by itself or because a person asked for its replay; a
    delete when a person has approved it.
    """
    parent = (
        select(crosswalk.c.key)
        .where(
            crosswalk.c.map == dead_letter.c.waits_for_map,
            (crosswalk.c.dataverse_id == dead_letter.c.waits_for_id)
            | (crosswalk.c.key == dead_letter.c.waits_for_id),
        )
        .exists()
    )
    statement = (
        select(func.count())
        .select_from(dead_letter)
        .where(
            dead_letter.c.map == map_id,
            dead_letter.c.leg == leg,
            _IS_NAMED,
            ((dead_letter.c.status == "parked") & (dead_letter.c.waits_for_map.is_(None) | parent))
            | (dead_letter.c.status.in_(TRIED_AGAIN) & dead_letter.c.retriable)
            | _IS_APPROVED,
        )
    )
    return bool(connection.execute(statement).scalar())


def live(connection: Connection, map_id: str | None = None, stage: str | None = None) -> list[dict[str, Any]]:
    """List live entries, newest first: of a map, of a stage, or all."""
    statement = select(dead_letter).where(dead_letter.c.status.in_(LIVE)).order_by(dead_letter.c.id.desc())
    for column, wanted in (("map", map_id), ("stage", stage)):
        if wanted is not None:
            statement = statement.where(dead_letter.c[column] == wanted)
    return [dict(row) for row in connection.execute(statement).mappings()]


def live_rows(connection: Connection) -> Iterator[LiveLetter]:
    """Give the live entries of our own stages, some at a time, oldest first."""
    columns = [dead_letter.c[name] for name in LiveLetter.__slots__]
    ours = select(*columns).where(dead_letter.c.status.in_(LIVE), dead_letter.c.stage != FINANCE_STAGE)
    rows = connection.execution_options(yield_per=_ROWS_AT_ONCE).execute(ours.order_by(dead_letter.c.id))
    return (LiveLetter(*row) for row in rows)


def get(connection: Connection, number: int) -> dict[str, Any] | None:
    """Read one entry, live or closed."""
    row = connection.execute(select(dead_letter).where(dead_letter.c.id == number)).mappings().one_or_none()
    return None if row is None else dict(row)


def earlier(connection: Connection, row: Mapping[str, Any], limit: int) -> list[dict[str, Any]]:
    """List the other entries of a row, live and closed, the newest first, without what the row holds.

    Args:
        connection: Open connection.
        row: One entry of it, with its `id`, `map`, `source_id` and `key`.
        limit: How many at most.
    """
    columns = (
        dead_letter.c[name] for name in ("id", "leg", "status", "rule", "first_seen", "closed_because")
    )
    names = [name for name in (row["source_id"], row["key"]) if name is not None]
    statement = (
        select(*columns)
        .where(
            dead_letter.c.map == row["map"], dead_letter.c.source_id.in_(names), dead_letter.c.id != row["id"]
        )
        .order_by(dead_letter.c.id.desc())
        .limit(limit)
    )
    return [dict(each) for each in connection.execute(statement).mappings()]


def dismissed(connection: Connection, map_id: str, stage: str) -> set[tuple[str, str]]:
    """Give what people have dismissed of a map and stage: source row and message."""
    rows = connection.execute(
        select(dead_letter.c.source_id, dead_letter.c.message).where(
            dead_letter.c.map == map_id, dead_letter.c.stage == stage, dead_letter.c.status == "dismissed"
        )
    )
    return {(row.source_id, row.message) for row in rows}


def _closable(map_id: str, leg: str, last_batch: int | None) -> tuple[ColumnElement[bool] | TextClause, ...]:
    """Give what holds of a leg's live entries, those of later batches than the last one left out."""
    early_enough = true() if last_batch is None else dead_letter.c.batch <= last_batch
    return dead_letter.c.map == map_id, dead_letter.c.leg == leg, IS_LIVE, early_enough


def _close(
    connection: Connection,
    closable: Sequence[ColumnElement[bool] | TextClause],
    identity: ColumnElement[Any],
    wanted: Iterable[Any],
    because: str,
) -> int:
    values = {"status": "resolved", "closed_at": datetime.now(UTC), "closed_because": because}
    statement = update(dead_letter).where(*closable).values(**values)
    return sum(connection.execute(statement.where(identity.in_(part))).rowcount for part in slices(wanted))


def _attempts(batch_id: ColumnElement[int]) -> ColumnElement[int]:
    # A rerun of the same batch is the same attempt.
    return case((dead_letter.c.batch == batch_id, dead_letter.c.attempts), else_=dead_letter.c.attempts + 1)


def _still_approved(status: ColumnElement[str], column: Column[Any]) -> ColumnElement[Any]:
    # An approval is of one delete: whatever else becomes of the row needs another.
    return case((status == AWAITING, column), else_=None)


def _values(letter: Letter) -> dict[str, Any]:
    values = {name: getattr(letter, name) for name in Letter.__slots__}
    return values | {
        "source_id": texts.identity(letter.source_id),
        "key": texts.key(letter.key),
        "message": texts.storable(letter.message)[:_LONGEST_MESSAGE],
        "value": letter.value and texts.storable(letter.value)[:_LONGEST_VALUE],
    }
