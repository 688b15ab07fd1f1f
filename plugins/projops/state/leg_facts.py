"""What the state knows of each leg, in few statements however much has moved: what people look at."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, exists, func, select

from projops.state.tables import (
    IS_LIVE,
    IS_UNDERWAY,
    MAY_GO,
    batch,
    dead_letter,
    leg,
    look,
    task_failure,
)

Place = tuple[str, str]
"""Map id and direction."""
DAY = timedelta(days=1)
_SUMMED = ("loaded", "rejected", "failed")


@dataclass(frozen=True, slots=True)
class Look:
    """What the last look at a leg's source has found.

    Attributes:
        at: When, UTC.
        changes: Changes that it has seen.
        more: Whether there were more.
        quiet_at: When a look last found nothing, UTC, or None.
    """

    at: datetime
    changes: int
    more: bool
    quiet_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Underway:
    """A batch that has not ended.

    Attributes:
        batch: Its number.
        began_at: When, UTC.
        everything: Whether it reads all rows: a leg's first, or a full one.
        stopped_because: Why it stopped, in one sentence; None while it may go on.
        failed_because: Why a task of it has failed for good, which a later run mends by itself; or None.
    """

    batch: int
    began_at: datetime
    everything: bool = False
    stopped_because: str | None = None
    failed_because: str | None = None


@dataclass(frozen=True, slots=True)
class LegFacts:
    """What the state knows of a leg.

    Attributes:
        in_step_at: When a batch last moved its watermark, in UTC; None before the first.
        batch: That batch.
        loaded: Rows that it loaded.
        version: Version of the mapping by which it did.
        read_from: When it began to read, in UTC.
        afresh: Whether the next run reads everything, as after a restore.
        look: What was found at the source since then; None where nobody has looked.
        underway: A later batch that has not ended, or None.
        aside: Rows that are set aside, by status.
        may_go: Of those, how many the next run tries again whatever they wait for.
        day: Rows that were loaded, rejected by us (`rejected`) and refused by the target (`failed`) by the
            batches that began within the last day.
    """

    in_step_at: datetime | None = None
    batch: int | None = None
    loaded: int | None = 0
    version: str | None = None
    read_from: datetime | None = None
    afresh: bool = False
    look: Look | None = None
    underway: Underway | None = None
    aside: Mapping[str, int] = field(default_factory=dict)
    may_go: int = 0
    day: Mapping[str, int] = field(default_factory=dict)

    @property
    def fresh_at(self) -> datetime | None:
        """When source and target were last known to be in step: a commit, or a look that found nothing."""
        quiet = self.look.quiet_at if self.look else None
        return max(self.in_step_at, quiet) if self.in_step_at and quiet else self.in_step_at

    @property
    def unread(self) -> int:
        """Changes at the source, seen and not read yet: at least so many."""
        return self.look.changes if self.look is not None else 0

    @property
    def backlog(self) -> int:
        """Rows that the next run has to move, as far as is known: at least so many."""
        return self.unread + self.may_go

    @property
    def is_waiting(self) -> bool:
        """Whether anything is known that no batch has moved yet."""
        more = self.look is not None and self.look.more
        return bool(self.backlog or more or self.underway or any(self.aside.values()))


def leg_facts(connection: Connection, now: datetime) -> dict[Place, LegFacts]:
    """Give what the state knows of each leg that has run, or of which rows are set aside.

    Finance's jobs tell of any map's rows, also of a leg that never runs.

    Args:
        connection: Open connection.
        now: The present, aware: the last day ends there.
    """
    facts = {(row.map, row.leg): _facts(row) for row in connection.execute(_legs())}
    aside = _set_aside(connection)
    found: Mapping[str, Mapping[Place, Any]] = {
        "underway": _underway(connection),
        "aside": {place: counts for place, (counts, _) in aside.items()},
        "may_go": {place: number for place, (_, number) in aside.items()},
        "day": _moved_since(connection, now - DAY),
    }
    for name, by_place in found.items():
        for place, value in by_place.items():
            facts[place] = replace(facts.get(place, LegFacts()), **{name: value})
    return facts


def full_reads(connection: Connection, maps: Collection[str]) -> dict[Place, int]:
    """Give how many rows the last full read of each leg of some maps had; one without is left out."""
    whole = (batch.c.mode == "full") | batch.c.watermark_from.is_(None)
    last = (
        select(func.max(batch.c.id))
        .where(batch.c.map.in_(maps), batch.c.status == "committed", batch.c.advances, whole)
        .group_by(batch.c.map, batch.c.leg)
    )
    rows = connection.execute(select(batch.c.map, batch.c.leg, batch.c.read).where(batch.c.id.in_(last)))
    return {(row.map, row.leg): row.read for row in rows}


def _legs() -> Select[Any]:
    """Each leg with the batch that moved it last, and what was seen at its source since then."""
    seen = (look.c.map == leg.c.map) & (look.c.leg == leg.c.leg) & (look.c.looked_at > batch.c.started_at)
    last = (batch.c.id, batch.c.loaded, batch.c.mapping_version, batch.c.started_at)
    columns = (leg.c.map, leg.c.leg, leg.c.committed_at, *last, leg.c.watermark.is_(None).label("afresh"))
    found = (look.c.looked_at, look.c.changes, look.c.more, look.c.quiet_at)
    ends = leg.outerjoin(batch, batch.c.id == leg.c.batch).outerjoin(look, seen)
    return select(*columns, *found).select_from(ends)


def _facts(row: Any) -> LegFacts:
    found = None if row.looked_at is None else Look(row.looked_at, row.changes, row.more, row.quiet_at)
    return LegFacts(
        row.committed_at, row.id, row.loaded, row.mapping_version, row.started_at, bool(row.afresh), found
    )


def _underway(connection: Connection) -> dict[Place, Underway]:
    """Give the newest batch of each leg where it has not ended."""
    newer = batch.alias()
    later = exists().where(newer.c.map == batch.c.map, newer.c.leg == batch.c.leg, newer.c.id > batch.c.id)
    failed = (
        select(task_failure.c.message)
        .where(
            task_failure.c.mended_at.is_(None),
            task_failure.c.run_id == batch.c.run_id,
            task_failure.c.map == batch.c.map,
            task_failure.c.leg == batch.c.leg,
        )
        .limit(1)
        .scalar_subquery()
    )
    everything = (batch.c.mode == "full") | batch.c.watermark_from.is_(None)
    facts = (batch.c.id, batch.c.started_at, everything, batch.c.stopped_because, failed)
    rows = connection.execute(select(batch.c.map, batch.c.leg, *facts).where(IS_UNDERWAY, ~later))
    return {(row[0], row[1]): Underway(row[2], row[3], bool(row[4]), row[5], row[6]) for row in rows}


def _set_aside(connection: Connection) -> dict[Place, tuple[dict[str, int], int]]:
    """Count the live entries of each leg by status; and of all, those that may go."""
    columns = (dead_letter.c.map, dead_letter.c.leg, dead_letter.c.status)
    numbers = (func.count(), func.count().filter(MAY_GO))
    rows = connection.execute(select(*columns, *numbers).where(IS_LIVE).group_by(*columns))
    found: dict[Place, tuple[dict[str, int], int]] = {}
    for map_id, leg_id, status, number, going in rows:
        counts, before = found.get((map_id, leg_id), ({}, 0))
        found[map_id, leg_id] = ({**counts, status: number}, before + going)
    return found


def _moved_since(connection: Connection, since: datetime) -> dict[Place, dict[str, int]]:
    """Sum up what became of the rows of the batches that began after some time."""
    columns = (batch.c[name] for name in ("map", "leg", *_SUMMED))
    # Set apart by the offset: else SQLite goes through all batches there are, in the order of the groups.
    recent = select(*columns).where(batch.c.started_at > since).offset(0).subquery()
    place, sums = (recent.c.map, recent.c.leg), [func.sum(recent.c[name]) for name in _SUMMED]
    rows = connection.execute(select(*place, *sums).group_by(*place))
    return {(row[0], row[1]): dict(zip(_SUMMED, map(int, row[2:]), strict=True)) for row in rows}
