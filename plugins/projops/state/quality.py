"""How many rows of a batch broke which rule: the trend of the data's quality.

A row that breaks several rules counts under each of them in `validate`, and under the first in the other
stages. Warnings count too, with their severity. A stage that runs again replaces what it said.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from sqlalchemy import Connection, delete, func, insert, select

from projops.state.batches import Batch, superseded_by
from projops.state.tables import dead_letter, quality

ERROR = "error"
_LONGEST = 200  # characters of a field's name, or of several


@dataclass(frozen=True, slots=True)
class Breach:
    """Rows that break one rule in one field.

    Attributes:
        rule: Id of the rule or error.
        field: Source column, columns, or target field; "" where it concerns none.
        severity: "error", the rows were set aside; "warning", they went on.
        rows: How many.
    """

    rule: str
    field: str
    severity: str
    rows: int


@dataclass(frozen=True, slots=True)
class Found:
    """A breach, and the stage of a batch that found it.

    Attributes:
        batch: Number of the batch.
        stage: validate, transform or load.
        breach: What it found.
        at: When, in UTC.
    """

    batch: int
    stage: str
    breach: Breach
    at: datetime


@dataclass(frozen=True, slots=True)
class Trend:
    """Rows that broke one rule on one day.

    Attributes:
        day: In UTC.
        map: Map id.
        leg: Direction.
        stage: validate, transform or load.
        rule: Id of the rule or error.
        severity: error or warning.
        rows: How many.
        batches: In how many batches.
    """

    day: date
    map: str
    leg: str
    stage: str
    rule: str
    severity: str
    rows: int
    batches: int


def record(connection: Connection, batch: Batch, stage: str, breaches: Iterable[Breach]) -> None:
    """Note what a stage of a batch found, in place of what it found before; nothing if it is superseded.

    Args:
        connection: Open transaction.
        batch: The batch.
        stage: validate, transform or load.
        breaches: What broke which rule; several of one rule and field are added up.
    """
    if superseded_by(connection, batch) is not None:
        return
    connection.execute(delete(quality).where(quality.c.batch == batch.id, quality.c.stage == stage))
    facts = {"batch": batch.id, "stage": stage, "map": batch.map, "leg": batch.leg, "at": datetime.now(UTC)}
    rows = [
        {**facts, "rule": each.rule, "field": each.field, "severity": each.severity, "rows": each.rows}
        for each in _added_up(breaches)
    ]
    if rows:
        connection.execute(insert(quality), rows)


def record_refusals(connection: Connection, batch: Batch) -> None:
    """Note what the target refused of a batch, as its dead letters tell; rows that wait are no refusals."""
    field = func.coalesce(dead_letter.c.field, "")
    statement = (
        select(dead_letter.c.rule, field, func.count())
        .where(dead_letter.c.map == batch.map, dead_letter.c.leg == batch.leg)
        .where(dead_letter.c.batch == batch.id, dead_letter.c.stage == "load", dead_letter.c.status == "open")
        .group_by(dead_letter.c.rule, field)
    )
    found = [Breach(rule, name, ERROR, rows) for rule, name, rows in connection.execute(statement)]
    record(connection, batch, "load", found)


def of_batch(connection: Connection, batch_id: int) -> list[Found]:
    """Give what the stages of a batch found, by stage, rule and field."""
    order = (quality.c.stage, quality.c.rule, quality.c.field)
    statement = select(quality).where(quality.c.batch == batch_id).order_by(*order)
    return [
        Found(row.batch, row.stage, Breach(row.rule, row.field, row.severity, row.rows), row.at)
        for row in connection.execute(statement)
    ]


def trend(connection: Connection, map_id: str | None, since: datetime) -> list[Trend]:
    """Give the rows that broke each rule, day by day.

    Args:
        connection: Open connection.
        map_id: A map, or None for all.
        since: The first moment, aware.

    Returns:
        By day (UTC), map, leg, stage and rule; days on which nothing broke a rule are left out.
    """
    names = ("at", "map", "leg", "stage", "rule", "severity", "batch")
    statement = select(*(quality.c[name] for name in names), func.sum(quality.c.rows).label("rows"))
    statement = statement.where(quality.c.at >= since).group_by(*(quality.c[name] for name in names))
    if map_id is not None:
        statement = statement.where(quality.c.map == map_id)
    days: dict[tuple[date, str, str, str, str, str], list[tuple[int, int]]] = {}
    for row in connection.execute(statement):
        place = (row.at.date(), row.map, row.leg, row.stage, row.rule, row.severity)
        days.setdefault(place, []).append((row.batch, int(row.rows)))
    return [
        Trend(*place, sum(rows for _, rows in found), len({batch for batch, _ in found}))
        for place, found in sorted(days.items())
    ]


def _added_up(breaches: Iterable[Breach]) -> Sequence[Breach]:
    """Bring breaches into the form of the table: one of each rule and field, an error before a warning."""
    found: dict[tuple[str, str], Breach] = {}
    for each in breaches:
        place = (each.rule[:100], each.field[:_LONGEST])
        before = found.get(place)
        rows = each.rows + (before.rows if before else 0)
        severity = ERROR if before and before.severity == ERROR else each.severity
        found[place] = Breach(*place, severity, rows)
    return list(found.values())
