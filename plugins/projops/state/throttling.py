"""What tasks of one user share of a system's limits, kept where all of them see it.

Tasks run in different processes and on different machines: the state database is what they have in
common. A session comes for a turn (`systems.allowance`) about twice a second while it is busy: one
short transaction, which also counts what it sent against the day's budget. A killed task leaves
nothing behind for longer than `_EXPIRY`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping, Table, delete, select, update

from projops.mapping.model import System
from projops.settings import Settings
from projops.state.clock import present
from projops.state.store import StateStore
from projops.state.tables import request_count, throttle, throttle_holder, throttle_use
from projops.state.upserts import insert_into
from projops.systems.allowance import Ask, Holder, Left, Picture, Turn, Use, turn
from projops.systems.limits import Limits

# How long a silent session keeps its slots: several beats of `systems.admission`.
_EXPIRY = timedelta(seconds=6)
# One that waits and does not come when it was told to loses its place, lest the others wait for it.
_GRACE = timedelta(seconds=1)
# Requests are counted in steps of this share of the window, so that few rows tell them all.
_STEPS_A_WINDOW = 60
# How long the system's own word is believed, as a share of the window: others may have sent since.
_FRESH_SHARE = 20


@dataclass(frozen=True, slots=True)
class SharedLimits:
    """The turns of one system and user; what `systems.admission` asks.

    Attributes:
        store: State database.
        system: Dataverse or Finance.
        principal: The system's address and who we are there.
        limits: What it allows.
    """

    store: StateStore
    system: System
    principal: str
    limits: Limits

    def turn(self, ask: Ask) -> Turn:
        """Report what was sent, give back what is left, and take a turn or a place in the line."""
        with self.store.begin() as connection:
            facts = self._locked(connection)
            now = present(connection)
            self._report(connection, ask, now)
            picture = self._picture(connection, ask, facts, now)
            self._count_day(connection, ask, _still(facts["not_before"], picture.not_before, now), now)
            given = turn(ask, picture, self.limits, now)
            self._keep(connection, ask, picture, given, now)
            return given

    def _locked(self, connection: Connection) -> RowMapping:
        """Let one session at a time decide; give what is known of the principal."""
        named = throttle.c.principal == self.principal
        connection.execute(
            insert_into(connection, throttle).values(principal=self.principal).on_conflict_do_nothing()
        )
        return connection.execute(select(throttle).where(named).with_for_update()).mappings().one()

    def _report(self, connection: Connection, ask: Ask, now: datetime) -> None:
        """Count what was sent, and what killed sessions were allowed to send: they may have."""
        fallen = connection.execute(
            delete(throttle_holder)
            .where(
                throttle_holder.c.principal == self.principal,
                throttle_holder.c.expires_at < now,
                throttle_holder.c.holder != ask.holder,
            )
            .returning(throttle_holder.c.requests)
        )
        requests = ask.sent + sum(fallen.scalars())
        if requests:
            self._count(connection, requests, round(ask.seconds * 1000), now)

    def _count_day(self, connection: Connection, ask: Ask, still: timedelta, now: datetime) -> None:
        """Count against the day what was sent, what the system refused, and how long it wants no request."""
        counts = {
            "requests": ask.sent,
            "refused": ask.refused,
            "still_milliseconds": round(still / timedelta(milliseconds=1)),
        }
        if any(counts.values()):
            day = {"day": now.date().isoformat(), "system": self.system.value}
            _add(connection, request_count, day, counts)

    def _count(self, connection: Connection, requests: int, milliseconds: int, now: datetime) -> None:
        """Count them as sent at the end of the next step: they leave the window late, never early."""
        step = self.limits.window_seconds / _STEPS_A_WINDOW
        until = datetime.fromtimestamp((now.timestamp() // step + 2) * step, now.tzinfo)
        _add(
            connection,
            throttle_use,
            {"principal": self.principal, "until": until},
            {"requests": requests, "milliseconds": milliseconds},
        )
        connection.execute(
            delete(throttle_use).where(
                throttle_use.c.principal == self.principal, throttle_use.c.until < now - self.limits.window
            )
        )

    def _picture(self, connection: Connection, ask: Ask, facts: RowMapping, now: datetime) -> Picture:
        holders = connection.execute(
            select(throttle_holder).where(throttle_holder.c.principal == self.principal)
        ).mappings()
        known = {row["holder"]: row for row in holders}
        own = known.pop(ask.holder, None)
        uses = connection.execute(
            select(throttle_use.c.until, throttle_use.c.requests, throttle_use.c.milliseconds).where(
                throttle_use.c.principal == self.principal, throttle_use.c.until >= now - self.limits.window
            )
        )
        return Picture(
            others=[_holder(row, now) for row in known.values()],
            uses=[Use(use.until + self.limits.window, use.requests, use.milliseconds / 1000) for use in uses],
            left=self._left(ask, facts, now),
            not_before=_later(facts["not_before"], ask, now),
            paced_until=facts["paced_until"],
            waiting_since=own["waiting_since"] if own is not None else None,
        )

    def _left(self, ask: Ask, facts: RowMapping, now: datetime) -> Left:
        if ask.left is not None:
            return ask.left
        if facts["left_at"] is None or now - facts["left_at"] > self.limits.window / _FRESH_SHARE:
            return Left()
        milliseconds = facts["left_milliseconds"]
        return Left(facts["left_requests"], None if milliseconds is None else milliseconds / 1000)

    def _keep(self, connection: Connection, ask: Ask, picture: Picture, given: Turn, now: datetime) -> None:
        changed: dict[str, Any] = {"not_before": picture.not_before, "paced_until": given.paced_until}
        if ask.left is not None:
            seconds = ask.left.seconds
            changed |= {
                "left_requests": ask.left.requests,
                "left_milliseconds": None if seconds is None else round(seconds * 1000),
                "left_at": now,
            }
        connection.execute(update(throttle).where(throttle.c.principal == self.principal).values(**changed))
        mine = throttle_holder.c.holder == ask.holder
        connection.execute(delete(throttle_holder).where(mine))
        waits = given.wait > 0
        if not (waits or given.slots):
            return
        awaited_until = now + timedelta(seconds=given.wait) + _GRACE
        connection.execute(
            insert_into(connection, throttle_holder).values(
                holder=ask.holder,
                principal=self.principal,
                slots=given.slots,
                requests=given.requests,
                waiting_since=(picture.waiting_since or now) if waits else None,
                awaited_until=awaited_until if waits else None,
                expires_at=max(now + _EXPIRY, awaited_until) if given.slots else awaited_until,
            )
        )


@dataclass(frozen=True, slots=True)
class Budget:
    """The day's requests, in UTC.

    Attributes:
        budget: Requests that a day may cost, in all.
        by_system: Requests sent today, by system.
        refused: Of these, requests that a system refused for coming too fast, by system.
        still: For how long today each system wanted no request (Retry-After), by system.
    """

    budget: int
    by_system: Mapping[str, int]
    refused: Mapping[str, int] = field(default_factory=dict)
    still: Mapping[str, timedelta] = field(default_factory=dict)

    @property
    def sent(self) -> int:
        """Requests sent today."""
        return sum(self.by_system.values())

    @property
    def left(self) -> int:
        """Requests left of the budget, never negative."""
        return max(self.budget - self.sent, 0)


def budget_today(connection: Connection, settings: Settings) -> Budget:
    """Give what today's requests (UTC) have cost so far, against `settings.request_budget`."""
    return budget_of(connection, settings, present(connection).date())


def budget_of(connection: Connection, settings: Settings, day: date) -> Budget:
    """Give what the requests of a day (UTC) have cost, against `settings.request_budget`."""
    rows = connection.execute(select(request_count).where(request_count.c.day == day.isoformat())).all()
    return Budget(
        settings.request_budget,
        {row.system: row.requests for row in rows},
        {row.system: row.refused for row in rows},
        {row.system: timedelta(milliseconds=row.still_milliseconds) for row in rows},
    )


def _holder(row: RowMapping, now: datetime) -> Holder:
    awaited = row["waiting_since"] is not None and row["awaited_until"] >= now
    return Holder(row["slots"], row["requests"], row["waiting_since"] if awaited else None)


def _later(known: datetime | None, ask: Ask, now: datetime) -> datetime | None:
    asked = now + timedelta(seconds=ask.refused_for) if ask.refused_for > 0 else None
    both = [each for each in (known, asked) if each is not None]
    return max(both, default=None)


def _still(known: datetime | None, not_before: datetime | None, now: datetime) -> timedelta:
    """Give by how much a system's wish for no request has grown: several tasks may tell of the same one."""
    return max((not_before or now) - max(known or now, now), timedelta())


def _add(connection: Connection, table: Table, key: Mapping[str, Any], counts: Mapping[str, int]) -> None:
    """Add counts to the row of a key, which need not be there yet."""
    added = insert_into(connection, table).values(**key, **counts)
    connection.execute(
        added.on_conflict_do_update(
            index_elements=list(key), set_={name: table.c[name] + value for name, value in counts.items()}
        )
    )
