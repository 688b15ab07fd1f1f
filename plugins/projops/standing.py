"""How each leg stands: what people look at each morning."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from projops.alerts.found_failures import in_scope
from projops.alerts.model import AlertRules, Kind
from projops.alerts.rules import read_rules
from projops.engine import Engine
from projops.mapping.order import leg_order
from projops.state import overview, pauses
from projops.state.dead_letters import AWAITING
from projops.state.leg_facts import LegFacts, Place, leg_facts
from projops.state.pauses import Pause
from projops.state.proofs import Proof, proofs
from projops.state.tables import LIVE

_LONGEST_TASK = timedelta(hours=1)  # as the DAGs limit it: a batch that shows no sign for longer is not run


class Standing(StrEnum):
    """How a leg stands, the most pressing first."""

    PAUSED = "paused"
    INITIAL_SYNC = "initial sync"
    RUNNING = "running"
    STOPPED = "stopped"
    NOT_RUNNING = "not running"
    CATCHING_UP = "catching up"
    AWAITING_APPROVAL = "awaiting approval"
    BEHIND = "behind"
    IN_STEP = "in step"


@dataclass(frozen=True, slots=True)
class LegStatus:
    """How a leg stands, and what is known of it.

    Attributes:
        map: Map id.
        leg: Direction.
        area: Area of the map, or None of a map that is not there any more.
        standing: How it stands.
        facts: What the state knows of it.
        pause: Set while the map is paused.
        writer: Who writes the map at this moment, or None.
        proof: What the last whole reconciliation found of it, or None.
        deadline: How old its last success may be, as the rules about alerts say; None where none does.
    """

    map: str
    leg: str
    area: str | None
    standing: Standing
    facts: LegFacts
    pause: Pause | None = None
    writer: str | None = None
    proof: Proof | None = None
    deadline: timedelta | None = None

    def is_late(self, now: datetime) -> bool:
        """Say whether it was last in step longer ago than its deadline; a paused map is not late."""
        since = self.facts.fresh_at
        if since is None or self.deadline is None or self.pause is not None:
            return False
        return now - since > self.deadline

    @property
    def stopped_because(self) -> str | None:
        """Why the batch that is under way stopped, in one sentence; None where it did not."""
        return self.facts.underway.stopped_because if self.facts.underway else None

    @property
    def failed_because(self) -> str | None:
        """Why a task of the batch that is under way failed, to be tried again; None where none did."""
        return self.facts.underway.failed_because if self.facts.underway else None

    def as_row(self, now: datetime) -> dict[str, Any]:
        """Give it as plain values under names that stay: what `status --json` prints.

        Args:
            now: The present, aware, from which the age of the last success is counted, in seconds.
        """
        facts, pause = self.facts, self.pause
        at = facts.in_step_at
        return {
            "map": self.map,
            "leg": self.leg,
            "area": self.area,
            "state": self.standing.value,
            "in_step_at": _text(at),
            "age_seconds": None if at is None else int((now - at).total_seconds()),
            **self._freshness(now),
            "batch": facts.batch,
            "loaded": facts.loaded,
            "version": facts.version,
            "underway": facts.underway.batch if facts.underway else None,
            **{status: facts.aside.get(status, 0) for status in LIVE},
            **self._backlog(),
            **{f"{name}_last_day": facts.day.get(name, 0) for name in ("loaded", "rejected", "failed")},
            **self._drift(),
            "writer": self.writer,
            "paused_at": _text(pause.since) if pause else None,
            "paused_by": pause.by if pause else None,
            "pause_reason": pause.reason if pause else None,
            "stopped_because": self.stopped_because,
            "failed_because": self.failed_because,
        }

    def _freshness(self, now: datetime) -> dict[str, Any]:
        at = self.facts.fresh_at
        return {
            "fresh_at": _text(at),
            "fresh_seconds": None if at is None else int((now - at).total_seconds()),
            "deadline_seconds": None if self.deadline is None else int(self.deadline.total_seconds()),
            "late": self.is_late(now),
        }

    def _backlog(self) -> dict[str, Any]:
        look = self.facts.look
        return {
            "backlog": self.facts.backlog,
            "backlog_more": look is not None and look.more,
            "looked_at": _text(look.at) if look else None,
            "may_go": self.facts.may_go,
        }

    def _drift(self) -> dict[str, Any]:
        return {
            "drift": self.proof.drift if self.proof else None,
            "reconciliation": self.proof.reconciliation if self.proof else None,
            "reconciled_at": _text(self.proof.read_at) if self.proof else None,
        }


def standings(engine: Engine) -> list[LegStatus]:
    """Say how each leg stands: of the maps that are on, area by area, then of whatever else has run."""
    now = datetime.now(UTC)
    with engine.state.reading() as connection:
        facts = leg_facts(connection, now)
        proven = {(each.leg.map, each.leg.leg): each for each in proofs(connection)}
        held, resumed = pauses.paused_and_resumed(connection)
        writers = overview.writers(connection)
    limits = deadlines(engine)
    return [
        LegStatus(
            map_id,
            leg,
            engine.maps[map_id].area if map_id in engine.maps else None,
            standing(known, map_id in held, writers.get(map_id), resumed.get(map_id), now),
            known,
            held.get(map_id),
            writers.get(map_id),
            proven.get((map_id, leg)),
            limits.get(map_id),
        )
        for map_id, leg in _places(engine, facts)
        for known in [facts.get((map_id, leg), LegFacts())]
    ]


def standing(
    facts: LegFacts, paused: bool, writer: str | None, resumed_at: datetime | None, now: datetime
) -> Standing:
    """Judge how a leg stands.

    Rows that are set aside keep it behind, as do changes that a look at the source has seen, a batch that
    has failed, and what changed during a pause, until they were read.

    Args:
        facts: What the state knows of it.
        paused: Whether its map is paused.
        writer: Who writes its map at this moment, or None.
        resumed_at: When its map was resumed last, in UTC, or None.
        now: The present, aware.
    """
    last, underway = facts.in_step_at, facts.underway
    read_since = resumed_at is None or last is None or last >= resumed_at
    runs = _runs(facts, writer, resumed_at, now)
    holds = {
        Standing.PAUSED: paused,
        Standing.INITIAL_SYNC: runs and underway is not None and underway.everything,
        Standing.RUNNING: runs,
        Standing.STOPPED: underway is not None and underway.stopped_because is not None,
        Standing.NOT_RUNNING: last is None,
        Standing.CATCHING_UP: facts.afresh or not read_since,
        Standing.AWAITING_APPROVAL: bool(facts.aside.get(AWAITING)),
        Standing.BEHIND: facts.is_waiting,
        Standing.IN_STEP: True,
    }
    return next(each for each, applies in holds.items() if applies)


def ago(age: timedelta) -> str:
    """Write an age in its largest unit."""
    seconds = int(age.total_seconds())
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{max(seconds, 0)} s"


def backlog(facts: LegFacts) -> str:
    """Say how much waits, as far as is known: nobody counts at the source what one look does not show."""
    more = facts.look is not None and facts.look.more
    return f"at least {facts.backlog}" if more else str(facts.backlog)


def deadlines(engine: Engine) -> dict[str, timedelta]:
    """Give how old the last success of each map may be, as the shortest rule about late maps says."""
    areas = {name: each.area for name, each in engine.maps.items()}
    rules, _ = read_rules(engine.settings.alerts, areas)
    found = {name: _deadline(rules, name, area) for name, area in areas.items()}
    return {name: limit for name, limit in found.items() if limit is not None}


def _deadline(rules: AlertRules, map_id: str, area: str) -> timedelta | None:
    late = (each for each in rules.rules if each.when is Kind.LATE and in_scope(each, map_id, area))
    return min((each.within for each in late), default=None)


def _runs(facts: LegFacts, writer: str | None, resumed_at: datetime | None, now: datetime) -> bool:
    """Say whether the batch under way is being worked on: its map is held, or it began a short while ago.

    What began before the last pause ended was given up in it.
    """
    batch = facts.underway
    if batch is None or writer is not None:
        return batch is not None
    ended = batch.stopped_because or batch.failed_because
    given_up = resumed_at is not None and batch.began_at < resumed_at
    return not ended and not given_up and now - batch.began_at < _LONGEST_TASK


def _places(engine: Engine, facts: Mapping[Place, LegFacts]) -> list[Place]:
    maps = {name: each for name, each in engine.maps.items() if each.enabled}
    areas = sorted({each.area for each in maps.values()})
    ordered = [
        (map_id, leg.value)
        for area in areas
        for map_id, leg in leg_order({name: each for name, each in maps.items() if each.area == area})
    ]
    return ordered + sorted(facts.keys() - set(ordered))


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat(timespec="seconds")
