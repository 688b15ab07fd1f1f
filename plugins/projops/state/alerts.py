"""Alerts that people were told of: one open one a cause."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, or_, select, text, update

from projops.alerts.model import Action, Alert, Kind, MessageKind, Severity
from projops.state import deliveries, texts
from projops.state.tables import alert as alerts
from projops.state.upserts import insert_into

_LOCK = 5_283_018  # any constant of ours: the key of Postgres' advisory lock
_LIMITS = {"cause": 300, "title": 300, "page": 500}
_ALERT = tuple(each.name for each in fields(Alert) if each.name != "count")


@dataclass(frozen=True, slots=True)
class Found:
    """A cause that holds now, with what the rules want of it.

    Attributes:
        alert: As people are told of it.
        rules: Names of the rules that it is of.
        notify: Names of channels.
        action: What else to do.
        tells_end: Whether its end is told too.
    """

    alert: Alert
    rules: tuple[str, ...]
    notify: tuple[str, ...] = ()
    action: Action = Action.NONE
    tells_end: bool = True


@dataclass(frozen=True, slots=True)
class Kept:
    """An alert as the state keeps it.

    Attributes:
        id: Its number.
        alert: As people were told of it.
        rule: Names of the rules that it is of, with commas.
        action: What was to be done beside telling.
        opened_at: UTC.
        last_seen: When the cause was last found, UTC.
        acted_at: When the action was carried out, UTC, or None.
        resolved_at: When the cause was over, UTC, or None while it holds.
    """

    id: int
    alert: Alert
    rule: str
    action: Action
    opened_at: datetime
    last_seen: datetime
    acted_at: datetime | None
    resolved_at: datetime | None


def one_watch_at_a_time(connection: Connection) -> None:
    """Let no other watch begin before this transaction ends, so that none judges by what is past.

    On SQLite the transaction itself does that.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


def open_causes(connection: Connection) -> list[str]:
    """Give the causes of which an alert is open."""
    return list(connection.execute(select(alerts.c.cause).where(alerts.c.resolved_at.is_(None))).scalars())


def settle(
    connection: Connection, found: Sequence[Found], now: datetime, closes: bool = True
) -> tuple[Sequence[int], Sequence[int]]:
    """Open an alert for each new cause, renew those that still hold, and close those that are over.

    Args:
        connection: Open transaction, which no other watch shares.
        found: The causes that hold.
        now: The present, UTC.
        closes: Whether these are all that hold; else those that are open stay so.

    Returns:
        Numbers of the alerts that were opened, and of those that were closed.
    """
    known = {
        row["cause"]: row
        for row in connection.execute(select(alerts).where(alerts.c.resolved_at.is_(None))).mappings()
    }
    opened = []
    for each in found:
        cause = _values(each)["cause"]
        if cause in known:
            _renew(connection, known[cause], each, now)
        else:
            opened.append(_open(connection, each, now))
    holding = {_values(each)["cause"] for each in found}
    over = [row for cause, row in known.items() if closes and cause not in holding]
    for row in over:
        _close(connection, row, now)
    return opened, [row["id"] for row in over]


def to_act_on(connection: Connection) -> list[Kept]:
    """Give the open alerts whose action has not been carried out yet."""
    wanted = (alerts.c.resolved_at.is_(None), alerts.c.acted_at.is_(None))
    statement = select(alerts).where(*wanted, alerts.c.action != Action.NONE.value)
    return [_kept(row) for row in connection.execute(statement).mappings()]


def note_action(connection: Connection, number: int, now: datetime) -> None:
    """Note that the action of an alert was carried out."""
    connection.execute(update(alerts).where(alerts.c.id == number).values(acted_at=now))


@dataclass(frozen=True, slots=True)
class Sight:
    """Which alerts somebody may read.

    Attributes:
        maps: Those of these maps; None for those of all.
        general: Those of no single map, too.
    """

    maps: frozenset[str] | None = None
    general: bool = True

    def condition(self) -> ColumnElement[bool]:
        """Give it as a condition on `alert`."""
        of_none = alerts.c.map.is_(None)
        of_maps = ~of_none if self.maps is None else alerts.c.map.in_(sorted(self.maps))
        return or_(of_maps, of_none) if self.general else of_maps


def open_ones(connection: Connection, sight: Sight = Sight()) -> list[Kept]:
    """Give the open alerts, the most severe first, then the newest."""
    statement = select(alerts).where(alerts.c.resolved_at.is_(None), sight.condition())
    kept = [_kept(row) for row in connection.execute(statement).mappings()]
    order = list(Severity)
    return sorted(kept, key=lambda each: (order.index(each.alert.severity), -each.id))


def closed_ones(
    connection: Connection,
    limit: int,
    before: int | None = None,
    sight: Sight = Sight(),
) -> list[Kept]:
    """Give alerts that are over, newest first.

    Args:
        connection: Open connection.
        limit: At most so many.
        before: Only those of smaller numbers; None for the newest.
        sight: Which of them.
    """
    statement = select(alerts).where(alerts.c.resolved_at.is_not(None), sight.condition())
    if before is not None:
        statement = statement.where(alerts.c.id < before)
    rows = connection.execute(statement.order_by(alerts.c.id.desc()).limit(limit)).mappings()
    return [_kept(row) for row in rows]


def by_number(connection: Connection, numbers: Collection[int]) -> dict[int, Kept]:
    """Give some alerts by their numbers."""
    rows = connection.execute(select(alerts).where(alerts.c.id.in_(numbers))).mappings()
    return {row["id"]: _kept(row) for row in rows}


def _open(connection: Connection, found: Found, now: datetime) -> int:
    values = {**_values(found), "opened_at": now, "last_seen": now}
    made = insert_into(connection, alerts).values(values).returning(alerts.c.id)
    number = int(connection.execute(made).scalar_one())
    deliveries.queue(connection, number, found.notify, MessageKind.OPENED, now)
    return number


def _renew(connection: Connection, row: RowMapping, found: Found, now: datetime) -> None:
    """Bring an open alert up to date; what another rule wants of it by now is done once, too."""
    values = {**_values(found), "last_seen": now}
    order = list(Action)
    if order.index(found.action) <= order.index(Action(row["action"])):
        del values["action"]
    else:
        values["acted_at"] = None
    connection.execute(update(alerts).where(alerts.c.id == row["id"]).values(values))
    deliveries.queue(connection, row["id"], found.notify, MessageKind.OPENED, now)


def _close(connection: Connection, row: RowMapping, now: datetime) -> None:
    """Close an alert; its end is told where its beginning was, and the beginning nowhere any more."""
    connection.execute(update(alerts).where(alerts.c.id == row["id"]).values(resolved_at=now))
    told = deliveries.withdraw(connection, row["id"])
    if row["tells_end"]:
        deliveries.queue(connection, row["id"], told, MessageKind.RESOLVED, now)


def _values(found: Found) -> dict[str, Any]:
    told = {name: getattr(found.alert, name) for name in _ALERT}
    values = {name: None if value is None else texts.storable(str(value)) for name, value in told.items()}
    return {
        **{name: value and value[: _LIMITS.get(name)] for name, value in values.items()},
        "rows": found.alert.count,
        "rule": ", ".join(found.rules)[:100],
        "action": found.action.value,
        "tells_end": found.tells_end,
    }


def _kept(row: RowMapping) -> Kept:
    told = {name: row[name] for name in _ALERT}
    told |= {"kind": Kind(row["kind"]), "severity": Severity(row["severity"]), "count": row["rows"]}
    facts = {name: row[name] for name in Kept.__slots__ if name not in ("alert", "action")}
    return Kept(alert=Alert(**told), action=Action(row["action"]), **facts)
