"""Gathers what the differences of a leg are judged by, from the state and from what Dataverse names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import Connection

from projops.engine import Engine, Systems
from projops.identities import Identities
from projops.mapping.model import Direction, Leg, TableMap
from projops.pausing import described
from projops.reconcile.judge.ground import Ground
from projops.reconcile.judge.pending import Coming, Place, coming_of
from projops.reconcile.judge.shared_columns import Counterpart, found_digests
from projops.reconcile.model import RowDifference
from projops.run import LegRef
from projops.state import StateStore, crosswalk, differences, explanations, pauses, reconciliations
from projops.state.explanations import Letters


@dataclass(frozen=True, slots=True)
class Outlook:
    """What holds for all differences of a leg while they are judged.

    Attributes:
        state: State database.
        table_map: The map.
        leg: The leg.
        coming: What its next run would read.
        back: What the next run of the other leg would read; None where there is none.
        last: The last reconciliation that compared the leg, and when it read it, in UTC; or None.
        pause: Who paused the map, since when and why; "" if nobody did.
        counterparts: Pairs as the other leg sees them (`Counterpart`), by key.
    """

    state: StateStore
    table_map: TableMap
    leg: Leg
    coming: Coming
    back: Coming | None
    last: tuple[int, datetime] | None
    pause: str
    counterparts: Identities = field(default_factory=Identities)

    @property
    def ref(self) -> LegRef:
        """The leg as the state names it."""
        return LegRef(self.table_map.map, self.leg.direction.value)

    @property
    def back_ref(self) -> LegRef | None:
        """The other leg as the state names it."""
        back = self.leg.direction.opposite
        return LegRef(self.table_map.map, back.value) if back in self.table_map.legs else None


async def outlooks(
    engine: Engine,
    systems: Systems,
    table_map: TableMap,
    reconciliation: int,
    places: Mapping[Direction, Place],
) -> dict[Direction, Outlook]:
    """Look ahead for each leg of a map; both see each other's.

    A change that was made before a row was read is named only if this is asked after the row was read. It
    is at the target already only if the place was noted before.

    Args:
        engine: State and maps.
        systems: Open sessions.
        table_map: The map.
        reconciliation: The one that runs; earlier ones tell since when rows differ.
        places: Where the legs stood before the rows were read that are to be judged.
    """
    coming = {
        direction: await coming_of(engine, systems, table_map, leg, places[direction])
        for direction, leg in table_map.legs.items()
    }
    with engine.state.begin() as connection:
        held = pauses.paused(connection).get(table_map.map)
        refs = {each: LegRef(table_map.map, each.value) for each in table_map.legs}
        last = {each: reconciliations.last_of(connection, reconciliation, ref) for each, ref in refs.items()}
    return {
        leg.direction: Outlook(
            engine.state,
            table_map,
            leg,
            coming[leg.direction],
            coming.get(leg.direction.opposite),
            last[leg.direction],
            described(held) if held is not None else "",
        )
        for leg in table_map.legs.values()
    }


def ground_of(outlook: Outlook, rows: Sequence[RowDifference]) -> Ground:
    """Gather what some differences of a leg are judged by."""
    with outlook.state.begin() as connection:
        ground = _from_state(connection, outlook, rows)
    ids = [
        *(row.source_id for row in rows),
        *(row.target_id for row in rows),
        *(entry.dataverse_id for entry in ground.entries.values()),
    ]
    noted = outlook.counterparts.among(
        list(ground.entries) + [row.key for row in rows if row.key is not None]
    )
    return replace(
        ground,
        ahead=outlook.coming.among(ids),
        back=None if outlook.back is None else outlook.back.among(ids),
        found=found_digests(outlook.table_map, outlook.leg, rows),
        counterparts={key: Counterpart.of(text) for key, text in noted.items()},
    )


def entries_of(
    connection: Connection, map_id: str, rows: Sequence[RowDifference]
) -> Mapping[str, crosswalk.Entry]:
    """Give the pairs of rows, by key."""
    return crosswalk.by_keys(connection, map_id, [row.key for row in rows if row.key is not None])


def _from_state(connection: Connection, outlook: Outlook, rows: Sequence[RowDifference]) -> Ground:
    ref, back_ref, last = outlook.ref, outlook.back_ref, outlook.last
    return Ground(
        table_map=outlook.table_map,
        leg=outlook.leg,
        ahead=outlook.coming.among(()),
        entries=entries_of(connection, ref.map, rows),
        letters=explanations.set_aside(connection, ref, rows),
        back_letters=Letters() if back_ref is None else explanations.set_aside(connection, back_ref, rows),
        on_the_way=explanations.on_the_way(connection, ref.map),
        sightings={} if last is None else differences.sightings(connection, last[0], ref, rows),
        last_read_at=None if last is None else last[1],
        pause=outlook.pause,
    )
