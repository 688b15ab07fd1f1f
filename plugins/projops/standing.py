"""How each leg stands: what people look at each morning."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from projops.engine import Engine
from projops.mapping.order import leg_order
from projops.state import overview, pauses
from projops.state.dead_letters import AWAITING
from projops.state.overview import LegFacts
from projops.state.pauses import Pause
from projops.state.tables import LIVE


class Standing(StrEnum):
    """How a leg stands, the most pressing first."""

    PAUSED = "paused"
    RUNNING = "running"
    STOPPED = "stopped"
    NOT_STARTED = "not started"
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
    """

    map: str
    leg: str
    area: str | None
    standing: Standing
    facts: LegFacts
    pause: Pause | None = None
    writer: str | None = None

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
            "batch": facts.batch,
            "loaded": facts.loaded,
            "version": facts.version,
            "underway": facts.underway,
            **{status: facts.aside.get(status, 0) for status in LIVE},
            "writer": self.writer,
            "paused_at": _text(pause.since) if pause else None,
            "paused_by": pause.by if pause else None,
            "pause_reason": pause.reason if pause else None,
            "stopped_because": facts.stopped_because,
        }


def standings(engine: Engine) -> list[LegStatus]:
    """Say how each leg stands: of the maps that are on, area by area, then of whatever else has run."""
    with engine.state.begin() as connection:
        facts = overview.leg_facts(connection)
        held = pauses.paused(connection)
        resumed = pauses.resumed(connection)
        writers = overview.writers(connection)
    return [
        LegStatus(
            map_id,
            leg,
            engine.maps[map_id].area if map_id in engine.maps else None,
            standing(known, map_id in held, writers.get(map_id), resumed.get(map_id)),
            known,
            held.get(map_id),
            writers.get(map_id),
        )
        for map_id, leg in _places(engine, facts)
        for known in [facts.get((map_id, leg), LegFacts())]
    ]


def standing(facts: LegFacts, paused: bool, writer: str | None, resumed_at: datetime | None) -> Standing:
    """Judge how a leg stands.

    Rows that are set aside keep it behind, as does what changed during a pause until it was read. Changes
    at the source that no run has looked at yet are not known here.

    Args:
        facts: What the state knows of it.
        paused: Whether its map is paused.
        writer: Who writes its map at this moment, or None.
        resumed_at: When its map was resumed last, in UTC, or None.
    """
    last = facts.in_step_at
    read_since = resumed_at is None or last is None or last >= resumed_at
    holds = {
        Standing.PAUSED: paused,
        Standing.RUNNING: writer is not None and facts.underway is not None,
        Standing.STOPPED: facts.stopped_because is not None,
        Standing.NOT_STARTED: last is None,
        Standing.CATCHING_UP: facts.afresh or not read_since,
        Standing.AWAITING_APPROVAL: bool(facts.aside.get(AWAITING)),
        Standing.BEHIND: any(facts.aside.values()),
        Standing.IN_STEP: True,
    }
    return next(each for each, applies in holds.items() if applies)


def _places(engine: Engine, facts: Mapping[tuple[str, str], LegFacts]) -> list[tuple[str, str]]:
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
