"""Differences that reconciliations found: what each was judged to be, and since when it has been seen.

The database keeps so many of each leg; all of them are in the Parquet file of their map. They hold
personal data as their rows do.
"""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    and_,
    case,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from projops.payload import value_text
from projops.reconcile.model import ColumnDifference, Finding, Kind, RowDifference, Verdict
from projops.run import LegRef
from projops.state import texts
from projops.state.slices import slices
from projops.state.tables import crosswalk, difference

MOST_OF_A_VERDICT = 5_000  # of a leg: as many rows of drift, and as many that something explains
_DRIFT_FIRST = case((difference.c.verdict == Verdict.DRIFT.value, 0), else_=1)


@dataclass(frozen=True, slots=True)
class Seen:
    """A difference with its judgement, and since when it has been seen.

    Attributes:
        finding: The difference, judged; read back, its values are exact texts.
        first_seen: When a reconciliation saw the same row differ with the same source first, UTC.
        repaired_by: Batch that sent the row again, or None.
    """

    finding: Finding
    first_seen: datetime
    repaired_by: int | None = None


@dataclass(frozen=True, slots=True)
class Sighting:
    """What an earlier reconciliation said of a row.

    Attributes:
        source_hash: Payload hash of its source then; None where it had none.
        verdict: What the difference was.
        first_seen: Since when it was seen so, UTC.
        moved_at: When a run had the pair in step last, UTC; None where none has.
    """

    source_hash: str | None
    verdict: Verdict
    first_seen: datetime
    moved_at: datetime | None


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which differences of a reconciliation.

    Attributes:
        reconciliation: Its number.
        verdict: What they were judged to be.
        maps: Of these maps.
        leg: Of this direction, or of both.
        cause: Of this cause, or of any.
    """

    reconciliation: int
    verdict: Verdict
    maps: Collection[str]
    leg: str | None = None
    cause: str | None = None


def replace_of_map(connection: Connection, number: int, map_id: str, seen: Sequence[Seen]) -> None:
    """Keep the differences of a map, in place of what an earlier try has kept."""
    mine = (difference.c.reconciliation == number, difference.c.map == map_id)
    connection.execute(delete(difference).where(*mine))
    for part in slices(seen):
        connection.execute(insert(difference), [_values(number, each) for each in part])


def found(
    connection: Connection,
    number: int,
    map_id: str | None = None,
    verdict: Verdict | None = None,
    limit: int | None = None,
) -> list[Seen]:
    """Give differences of a reconciliation, drift first.

    Args:
        connection: Open connection.
        number: The reconciliation.
        map_id: Only those of this map.
        verdict: Only those that were judged so.
        limit: At most so many.
    """
    statement = select(difference).where(difference.c.reconciliation == number)
    if map_id is not None:
        statement = statement.where(difference.c.map == map_id)
    if verdict is not None:
        statement = statement.where(difference.c.verdict == verdict.value)
    statement = statement.order_by(_DRIFT_FIRST, difference.c.id).limit(limit)
    return [_seen(row) for row in connection.execute(statement).mappings()]


def page(connection: Connection, chosen: Chosen, after: int, limit: int) -> dict[int, Seen]:
    """Give some differences by their numbers, in their order, which is that of the comparison.

    Args:
        connection: Open connection.
        chosen: Which.
        after: The number behind which to begin.
        limit: At most so many.
    """
    # The numbers come from an index alone, so that only the rows of the page are read.
    numbers = select(difference.c.id).where(_of(chosen), difference.c.id > after)
    some = numbers.order_by(difference.c.id).limit(limit)
    statement = select(difference).where(difference.c.id.in_(some)).order_by(difference.c.id)
    return {row["id"]: _seen(row) for row in connection.execute(statement).mappings()}


def by_cause(connection: Connection, chosen: Chosen) -> dict[str, int]:
    """Count differences by their cause, the most frequent first."""
    rows = func.count()
    statement = select(difference.c.cause, rows).where(_of(replace(chosen, cause=None)))
    grouped = statement.group_by(difference.c.cause).order_by(rows.desc(), difference.c.cause)
    return {cause: number for cause, number in connection.execute(grouped)}


def _of(chosen: Chosen) -> ColumnElement[bool]:
    terms = [
        difference.c.reconciliation == chosen.reconciliation,
        difference.c.map.in_(chosen.maps),
        difference.c.verdict == chosen.verdict.value,
    ]
    if chosen.leg is not None:
        terms.append(difference.c.leg == chosen.leg)
    if chosen.cause is not None:
        terms.append(difference.c.cause == chosen.cause)
    return and_(*terms)


def sightings(
    connection: Connection, number: int, ref: LegRef, rows: Iterable[RowDifference]
) -> dict[str, Sighting]:
    """Give what a reconciliation said of some rows, by their `identity`; others are left out.

    Args:
        connection: Open connection.
        number: The reconciliation.
        ref: The leg.
        rows: The rows.
    """
    pair = and_(crosswalk.c.map == difference.c.map, crosswalk.c.key == difference.c.key)
    statement = (
        select(difference, crosswalk.c.in_step_at)
        .outerjoin(crosswalk, pair)
        .where(
            difference.c.reconciliation == number, difference.c.map == ref.map, difference.c.leg == ref.leg
        )
    )
    told: dict[str, Sighting] = {}
    for part in slices(rows):
        keys = [row.key for row in part if row.key is not None]
        keyless = [texts.identity(row.source_id) for row in part if row.key is None and row.source_id]
        these = or_(
            difference.c.key.in_(keys), and_(difference.c.key.is_(None), difference.c.source_id.in_(keyless))
        )
        for row in connection.execute(statement.where(these)):
            name = row.source_id if row.key is None else row.key
            told[name] = Sighting(row.source_hash, Verdict(row.verdict), row.first_seen, row.in_step_at)
    return told


def identity(row: RowDifference) -> str:
    """Give the name under which a row is found again: its key, or without one its source's identity."""
    return row.key if row.key is not None else texts.identity(row.source_id or "")


def note_repair(connection: Connection, number: int, map_id: str, keys: Iterable[str], batch: int) -> None:
    """Note which batch has sent rows again that differed."""
    drift = difference.c.verdict == Verdict.DRIFT.value
    mine = (difference.c.reconciliation == number, difference.c.map == map_id, drift)
    for part in slices(keys):
        statement = update(difference).where(*mine, difference.c.key.in_(part))
        connection.execute(statement.values(repaired_by=batch))


def columns_json(columns: Iterable[ColumnDifference]) -> list[dict[str, str | None]]:
    """Write differing columns as plain values: column, expected and found as exact texts; null is None."""
    return [
        {"column": each.column, "expected": _exact(each.expected), "found": _exact(each.found)}
        for each in columns
    ]


def _exact(value: object) -> str | None:
    return None if value is None else texts.storable(value_text(value))


def _values(number: int, seen: Seen) -> dict[str, Any]:
    finding = seen.finding
    row = finding.difference
    return {
        "reconciliation": number,
        "map": row.leg.map,
        "leg": row.leg.leg,
        "key": texts.key(row.key),
        "kind": row.kind.value,
        "verdict": finding.verdict.value,
        "cause": finding.cause,
        "explanation": texts.storable(finding.explanation),
        "columns": json.dumps(columns_json(row.columns), ensure_ascii=False),
        "source_id": None if row.source_id is None else texts.identity(row.source_id),
        "target_id": None if row.target_id is None else texts.identity(row.target_id),
        "source_hash": row.source_hash,
        "company": row.company,
        "period": row.period,
        "first_seen": seen.first_seen,
        "repaired_by": seen.repaired_by,
    }


def _seen(row: RowMapping) -> Seen:
    names = ("key", "source_id", "target_id", "source_hash", "company", "period")
    told = RowDifference(
        leg=LegRef(row["map"], row["leg"]),
        kind=Kind(row["kind"]),
        columns=tuple(ColumnDifference(**each) for each in json.loads(row["columns"])),
        **{name: row[name] for name in names},
    )
    finding = Finding(told, Verdict(row["verdict"]), row["cause"], row["explanation"])
    return Seen(finding, row["first_seen"], row["repaired_by"])
