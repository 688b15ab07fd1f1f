"""Live dead letters by cause: counted on an index alone, so that a hundred thousand are told in a moment.

A cause is a rule, the leg that met it, the status, and for parked rows the map that they wait for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select, true

from projops.state.selection import NOTHING_KNOWN, Selection, conditions
from projops.state.tables import dead_letter
from projops.state.tables.set_aside import CAUSE

_LONGEST_EXAMPLE = 600  # characters; the page of the entry has the whole sentence
_ROW = ("id", "key", "source_id", "field", "stage", "first_seen", "last_seen", "attempts", "retriable")
_APPROVAL = ("approved_at", "approved_by", "waits_for_id")


@dataclass(frozen=True, slots=True)
class Group:
    """Live entries of one cause.

    Attributes:
        rule: Id of the rule or error.
        map: Map.
        leg: Direction.
        status: open, parked or awaiting_approval.
        waits_for: The map that the rows wait for; "" where none is known.
        count: How many.
        since: When the first was met, in UTC.
        newest: When one was met last, in UTC.
        latest: Number of the newest entry.
    """

    rule: str
    map: str
    leg: str
    status: str
    waits_for: str
    count: int
    since: datetime
    newest: datetime
    latest: int

    @property
    def selection(self) -> Selection:
        """The group as a choice."""
        return Selection(
            map=self.map, error=self.rule, leg=self.leg, status=self.status, waits_for=self.waits_for
        )


def groups(connection: Connection, wanted: Selection) -> list[Group]:
    """Count live entries by cause, in no order; there are as many groups as causes, and those are few.

    Args:
        connection: Open connection.
        wanted: Which entries: `Selection(everything=True)`, those with a text, or one group.
    """
    cause = [dead_letter.c[name] for name in CAUSE[:5]]  # in the order of the index, which then is but read
    since, newest = func.min(dead_letter.c.first_seen), func.max(dead_letter.c.last_seen)
    [rule] = conditions(wanted)
    rows = connection.execute(
        select(*cause, func.count(), since, newest, func.max(dead_letter.c.id)).where(rule).group_by(*cause)
    )
    return [
        Group(rule_id, map_id, leg, status, waits_for or NOTHING_KNOWN, *facts)
        for status, rule_id, map_id, leg, waits_for, *facts in rows
    ]


def group_of(row: Mapping[str, Any]) -> Selection:
    """Give the group that an entry belongs to while it is live."""
    return Selection(
        map=row["map"],
        error=row["rule"],
        leg=row["leg"],
        status=row["status"],
        waits_for=row["waits_for_map"] or NOTHING_KNOWN,
    )


def examples(connection: Connection, numbers: Sequence[int]) -> dict[int, Mapping[str, str]]:
    """Give `stage`, `field` and `message` of some entries, by number."""
    message = func.substr(dead_letter.c.message, 1, _LONGEST_EXAMPLE).label("message")
    rows = connection.execute(
        select(dead_letter.c.id, dead_letter.c.stage, dead_letter.c.field, message).where(
            dead_letter.c.id.in_(numbers)
        )
    )
    return {row["id"]: dict(row) for row in rows.mappings()}


def rows_of(
    connection: Connection, wanted: Selection, limit: int, before: int | None = None
) -> list[dict[str, Any]]:
    """List entries of a group, the newest first, without what their rows hold.

    Args:
        connection: Open connection.
        wanted: The group (`Group.selection`), or a part of it.
        limit: How many at most.
        before: Only those with a lower number; None for the newest.
    """
    columns = [dead_letter.c[name] for name in (*_ROW, *_APPROVAL)]
    message = func.substr(dead_letter.c.message, 1, _LONGEST_EXAMPLE).label("message")
    [rule] = conditions(wanted)
    earlier = true() if before is None else dead_letter.c.id < before
    # The rest of the order is the same of all; said, it lets every database follow the index.
    order = [dead_letter.c[name].desc() for name in ("status", "rule", "map", "leg", "waits_for_map", "id")]
    rows = connection.execute(select(*columns, message).where(rule, earlier).order_by(*order).limit(limit))
    return [dict(row) for row in rows.mappings()]
