"""Reconciliations: what was asked, how far each came, and how they went over time.

There is one for each run of a DAG, or of the command line; a task that is rerun finds it again and
replaces what it has written of its map.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, delete, insert, select, update

from projops.reconcile.model import LegResult, Scope, Total, Verdict
from projops.run import LegRef
from projops.state.tables import invariant, reconciled_leg
from projops.state.tables import reconciliation as reconciliations


class Status(StrEnum):
    """How a reconciliation stands."""

    RUNNING = "running"
    IN_STEP = "in_step"
    DRIFT = "drift"  # more rows than its threshold tolerates, or a broken invariant
    INCOMPLETE = "incomplete"  # a map could not be compared, or the books could not be checked


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """One proof that both sides are equal, or how far they are not.

    Attributes:
        id: Number, growing with time.
        dag_id: DAG, or "cli".
        run_id: Its run.
        status: How it stands.
        scope: What was asked.
        threshold: Rows of drift that are tolerated.
        started_at: UTC.
        finished_at: UTC, or None while it runs.
        matched: Rows that are equal.
        drift: Differing rows that nothing explains.
        explained: Differing rows that something explains.
        broken_invariants: Things that must hold of the books and do not.
        report: Where its report is, or None.
    """

    id: int
    dag_id: str
    run_id: str
    status: Status
    scope: Scope
    threshold: int
    started_at: datetime
    finished_at: datetime | None
    matched: int
    drift: int
    explained: int
    broken_invariants: int
    report: str | None


def begin(connection: Connection, dag_id: str, run_id: str, scope: Scope, threshold: int) -> int:
    """Begin the reconciliation of a run, or find it again when its task is rerun; give its number.

    What was compared before of that run stays until it is compared again.
    """
    asked = {"scope": scope_text(scope), "threshold": threshold, "status": Status.RUNNING.value}
    mine = (reconciliations.c.dag_id == dag_id, reconciliations.c.run_id == run_id)
    again = update(reconciliations).where(*mine).values(**asked, finished_at=None)
    found = connection.execute(again.returning(reconciliations.c.id)).scalar_one_or_none()
    if found is not None:
        return int(found)
    values = {**asked, "dag_id": dag_id, "run_id": run_id, "started_at": datetime.now(UTC)}
    new = insert(reconciliations).values(values).returning(reconciliations.c.id)
    return int(connection.execute(new).scalar_one())


def get(connection: Connection, number: int) -> Reconciliation | None:
    """Read a reconciliation by its number."""
    return _one(connection, select(reconciliations).where(reconciliations.c.id == number))


def latest(
    connection: Connection, dag_id: str | None = None, scope: Scope | None = None
) -> Reconciliation | None:
    """Read the latest reconciliation that has finished: of a DAG and a scope, or of all."""
    statement = select(reconciliations).where(reconciliations.c.finished_at.is_not(None))
    if dag_id is not None:
        statement = statement.where(reconciliations.c.dag_id == dag_id)
    if scope is not None:
        statement = statement.where(reconciliations.c.scope == scope_text(scope))
    return _one(connection, statement.order_by(reconciliations.c.id.desc()).limit(1))


def recent(connection: Connection, before: int | None, limit: int) -> list[Reconciliation]:
    """Give reconciliations, the newest first.

    Args:
        connection: Open connection.
        before: The number before which to begin; None for the newest.
        limit: At most so many.
    """
    statement = select(reconciliations).order_by(reconciliations.c.id.desc()).limit(limit)
    if before is not None:
        statement = statement.where(reconciliations.c.id < before)
    return [_reconciliation(row) for row in connection.execute(statement).mappings()]


def history(connection: Connection, like: Reconciliation, limit: int = 31) -> list[Reconciliation]:
    """Give the latest reconciliations of the same scope up to one, oldest first, that one last."""
    statement = (
        select(reconciliations)
        .where(reconciliations.c.scope == scope_text(like.scope), reconciliations.c.id <= like.id)
        .where(reconciliations.c.finished_at.is_not(None))
        .order_by(reconciliations.c.id.desc())
        .limit(limit)
    )
    return [_reconciliation(row) for row in connection.execute(statement).mappings()][::-1]


def finish(connection: Connection, number: int, expected: Sequence[LegRef]) -> Reconciliation:
    """Sum a reconciliation up and close it.

    Args:
        connection: Open transaction.
        number: The reconciliation.
        expected: Legs that were to be compared; where one is missing, or the books are where all maps
            were asked for, it is incomplete.
    """
    found = legs(connection, number)
    drift = sum(each.verdicts[Verdict.DRIFT] for each in found)
    books = _invariants(connection, number)
    broken = books.count(False)
    asked = connection.execute(
        select(reconciliations.c.threshold, reconciliations.c.scope).where(reconciliations.c.id == number)
    ).one()
    status = Status.DRIFT if broken or drift > asked.threshold else Status.IN_STEP
    books_missing = _scope(asked.scope).maps is None and not books
    if books_missing or set(expected).difference(each.leg for each in found):
        status = Status.INCOMPLETE
    values = {
        "status": status.value,
        "finished_at": datetime.now(UTC),
        "matched": sum(each.matched for each in found),
        "drift": drift,
        "explained": sum(sum(each.verdicts.values()) for each in found) - drift,
        "broken_invariants": broken,
    }
    mine = update(reconciliations).where(reconciliations.c.id == number).values(values)
    return _reconciliation(connection.execute(mine.returning(reconciliations)).mappings().one())


def note_report(connection: Connection, number: int, uri: str) -> None:
    """Note where the report of a reconciliation is."""
    connection.execute(update(reconciliations).where(reconciliations.c.id == number).values(report=uri))


def record_legs(
    connection: Connection, number: int, map_id: str, results: Sequence[tuple[LegResult, datetime]]
) -> None:
    """Keep what became of the legs of a map, in place of what an earlier try has kept.

    Args:
        connection: Open transaction.
        number: The reconciliation.
        map_id: The map.
        results: What was found of each leg, and when it was read, in UTC.
    """
    mine = (reconciled_leg.c.reconciliation == number, reconciled_leg.c.map == map_id)
    connection.execute(delete(reconciled_leg).where(*mine))
    if results:
        rows = [_leg_values(number, result, read_at) for result, read_at in results]
        connection.execute(insert(reconciled_leg), rows)


def legs(connection: Connection, number: int) -> list[LegResult]:
    """Give what a reconciliation found of each leg, by map and direction."""
    statement = (
        select(reconciled_leg)
        .where(reconciled_leg.c.reconciliation == number)
        .order_by(reconciled_leg.c.map, reconciled_leg.c.leg)
    )
    return [_leg_result(row) for row in connection.execute(statement).mappings()]


def last_of(connection: Connection, before: int, ref: LegRef) -> tuple[int, datetime] | None:
    """Give the last reconciliation before one that compared a leg, and when it read it, in UTC.

    One that looked at fewer rows does not count: what it does not tell of may differ all the same.
    """
    now = get(connection, before)
    statement = (
        select(reconciled_leg.c.reconciliation, reconciled_leg.c.read_at, reconciliations.c.scope)
        .join(reconciliations, reconciliations.c.id == reconciled_leg.c.reconciliation)
        .where(
            reconciled_leg.c.map == ref.map,
            reconciled_leg.c.leg == ref.leg,
            reconciled_leg.c.reconciliation < before,
        )
        .order_by(reconciled_leg.c.reconciliation.desc())
    )
    for row in connection.execute(statement):
        if now is None or _scope(row.scope).covers(now.scope):
            return int(row.reconciliation), row.read_at
    return None


def _invariants(connection: Connection, number: int) -> Sequence[bool]:
    """Say of all that was checked of the books whether it holds; nothing where they were not checked."""
    mine = select(invariant.c.holds).where(invariant.c.reconciliation == number)
    return connection.execute(mine).scalars().all()


def _one(connection: Connection, statement: Select[Any]) -> Reconciliation | None:
    row = connection.execute(statement).mappings().one_or_none()
    return None if row is None else _reconciliation(row)


def _reconciliation(row: RowMapping) -> Reconciliation:
    values = {name: row[name] for name in Reconciliation.__slots__}
    return Reconciliation(**(values | {"status": Status(row["status"]), "scope": _scope(row["scope"])}))


def scope_text(scope: Scope) -> str:
    """Write a scope as the state keeps it: the same scope is always the same text."""
    return json.dumps(asdict(scope), default=date.isoformat, sort_keys=True)


def _scope(text: str) -> Scope:
    values = json.loads(text)
    maps, companies = (values[name] and tuple(values[name]) for name in ("maps", "companies"))
    since, until = (values[name] and date.fromisoformat(values[name]) for name in ("since", "until"))
    return Scope(maps, companies, since, until)


def _leg_values(number: int, result: LegResult, read_at: datetime) -> dict[str, Any]:
    return {
        "reconciliation": number,
        "map": result.leg.map,
        "leg": result.leg.leg,
        "mapping_version": result.mapping_version,
        "batch": result.batch,
        "read_at": read_at,
        "expected_rows": result.expected_rows,
        "found_rows": result.found_rows,
        "matched": result.matched,
        **{verdict.value: result.verdicts.get(verdict, 0) for verdict in Verdict},
        "totals": json.dumps([asdict(total) for total in result.totals], default=str),
        "seconds": round(result.seconds),
    }


def _leg_result(row: RowMapping) -> LegResult:
    return LegResult(
        leg=LegRef(row["map"], row["leg"]),
        mapping_version=row["mapping_version"],
        batch=row["batch"],
        expected_rows=row["expected_rows"],
        found_rows=row["found_rows"],
        matched=row["matched"],
        verdicts={verdict: row[verdict.value] for verdict in Verdict},
        totals=tuple(_total(each) for each in json.loads(row["totals"])),
        seconds=float(row["seconds"]),
    )


def _total(values: Mapping[str, Any]) -> Total:
    sums = {
        side: {column: Decimal(amount) for column, amount in values[side].items()}
        for side in ("expected_sums", "found_sums")
    }
    return Total(**{**values, **sums})
