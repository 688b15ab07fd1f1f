"""What the next run of a leg would read, asked without moving anything.

Dataverse tells it: its delta link is read from the leg's watermark, and stays where it is. Finance does
not: an export moves its own mark, and a snapshot is read whole. There a row whose source is not as it
was last in step counts as changed, until a run that began after the difference was seen has passed it by.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from projops.engine import Engine, Systems
from projops.errors import WatermarkExpiredError
from projops.extract.source import Watermark
from projops.identities import Identities
from projops.mapping.fingerprint import fingerprint
from projops.mapping.model import Direction, Leg, Strategy, TableMap
from projops.mapping.paths import table_of
from projops.state.batches import LegState, began_at, leg_state
from projops.systems.columns import entity_set


@dataclass(frozen=True, slots=True)
class Coming:
    """What the next run of a leg would read.

    Attributes:
        all_because: Why it reads everything (`NOT_STARTED`, ...), or "".
        named: Rows of Dataverse that changed or went since the watermark, by GUID; None where only time
            can tell, as of Finance.
        last_began: When the batch that moved the leg last began, UTC; None before the first.
    """

    all_because: str = ""
    named: Identities | None = None
    last_began: datetime | None = None

    def among(self, ids: Iterable[str | None]) -> "Ahead":
        """Say it of some rows, by their identity at the source."""
        if self.named is None:
            return Ahead(self.all_because, None, self.last_began)
        wanted = [row_id for row_id in ids if row_id is not None]
        return Ahead(self.all_because, frozenset(self.named.among(wanted)), self.last_began)


@dataclass(frozen=True, slots=True)
class Ahead:
    """What the next run of a leg would read of some rows; attributes as of `Coming`."""

    all_because: str = ""
    named: frozenset[str] | None = None
    last_began: datetime | None = None

    def brings(self, row_id: str | None, first_seen: datetime | None) -> bool:
        """Say whether the run would bring a row whose source is not as it was last in step.

        Args:
            row_id: Identity at the source, or None.
            first_seen: Since when the row has been seen to differ with the same source, UTC; None for now.
        """
        if self.all_because:
            return True
        if self.named is not None:
            return row_id in self.named
        return first_seen is None or self.last_began is None or self.last_began <= first_seen


NOT_STARTED = "not_started"
MAPPING_CHANGED = "mapping_changed"
WATERMARK_EXPIRED = "watermark_expired"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a leg stands.

    Attributes:
        state: Its watermark and what that belongs to.
        last_began: When the batch that moved it there began, UTC; None before the first.
    """

    state: LegState
    last_began: datetime | None


def places_of(engine: Engine, table_map: TableMap) -> dict[Direction, Place]:
    """Say where each leg of a map stands."""
    places = {}
    with engine.state.begin() as connection:
        for direction in table_map.legs:
            state = leg_state(connection, table_map.map, direction.value)
            began = began_at(connection, state.batch) if state.batch is not None else None
            places[direction] = Place(state, began)
    return places


async def coming_of(engine: Engine, systems: Systems, table_map: TableMap, leg: Leg, place: Place) -> Coming:
    """Ask what a run of a leg would read from some place on.

    Args:
        engine: Maps and settings.
        systems: Open sessions.
        table_map: The map.
        leg: The leg.
        place: Where it stands, or stood.
    """
    if place.state.watermark is None:
        return Coming(NOT_STARTED)
    if place.state.fingerprint != fingerprint(table_map, leg, engine.loaded.value_maps):
        return Coming(MAPPING_CHANGED, last_began=place.last_began)
    if leg.extract.strategy is not Strategy.CHANGE_TRACKING:
        return Coming(last_began=place.last_began)
    try:
        named = await _named(engine, systems, table_map, leg, Watermark.of(place.state.watermark))
    except WatermarkExpiredError:
        return Coming(WATERMARK_EXPIRED, last_began=place.last_began)
    return Coming(named=named, last_began=place.last_began)


async def _named(
    engine: Engine, systems: Systems, table_map: TableMap, leg: Leg, since: Watermark
) -> Identities:
    """Read what Dataverse names as changed or deleted since a watermark: the GUIDs alone."""
    table = entity_set(table_of(table_map, leg.direction.source))
    named = Identities()
    pages = systems.dataverse.changes(table, (), since.facts["delta_link"], engine.settings.chunk_rows)
    async for page in pages:
        named.note((row_id, "changed") for row_id in page.batch["_id"].to_pylist())
        named.note((row_id, "deleted") for row_id in page.deleted)
    return named
