"""Healing a state database that was put back from a backup: nothing is lost, nothing doubled.

Between the backup and now both systems moved on, and so did what we had moved: rows were written that
the state does not know, and the state says "in step" of rows that have changed, and perhaps changed
back, since. So it forgets what it cannot know any more (`projops.state.recovery`), and the next runs
find it out by comparing with the target, writing only what differs. One thing no run would find: a row
that was made and moved after the backup and deleted at its source before the restore. The source does
not name it any more, and the state never knew it. It is looked for here, where deletes matter to the map.
"""

import asyncio
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa  # noqa: TID253  no DAG file leads here
import pyarrow.compute as pc  # noqa: TID253
from sqlalchemy import Connection  # noqa: TID253

from projops.engine import Engine, Systems
from projops.errors import StopError
from projops.extract.keys import keys_at
from projops.mapping.model import Deletes, Leaves, Leg, Strategy, System, TableMap
from projops.run import LegRef
from projops.state import crosswalk, dead_letters, overview, pauses, recovery
from projops.state.audit import record_action
from projops.state.batches import leg_state
from projops.state.crosswalk import Entry, only_paired
from projops.state.dead_letters import AWAITING, Letter, Origin
from projops.state.recovery import Forgotten

UNKNOWN_AT_SOURCE = "unknown_at_source"
_ROWS = 5000
# A row of which only its key is left has no GUID any more; this one follows from the key.
_NAMESPACE = uuid.UUID("0d6a8f0c-5c0e-4a6e-8a53-8f3b1f1f7a26")


@dataclass(frozen=True, slots=True)
class Strays:
    """What both sides hold of a leg whose deletes matter.

    Attributes:
        paired: Rows that both have: `_id` (Dataverse GUID) and `_key`.
        strays: Rows that only the target has, and that the state does not know: `_id` there, and `_key`.
    """

    paired: pa.Table
    strays: pa.Table


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did.

    Attributes:
        forgotten: What the state does not believe any more.
        strays: Keys of rows that only the target has, by leg; each awaits approval.
        paused: Maps that were paused at the time of the backup, and so are now.
    """

    forgotten: Forgotten
    strays: Mapping[str, tuple[str, ...]]
    paused: tuple[str, ...]


def restore(engine: Engine, actor: str) -> Restored:
    """Heal a state that was put back from a backup.

    It does no harm to a state that was not: the next runs read more than they would have to.

    Args:
        engine: The engine, on the state that was put back.
        actor: Who asks for it.

    Raises:
        StopError: Somebody is writing a map at this moment.
        EnvironmentMismatchError: The backup is of other environments.
    """
    _require_still(engine)
    found = asyncio.run(_look(engine))
    with engine.state.begin() as connection:
        _refuse_writers(connection)
        forgotten = recovery.forget(connection, uuid.uuid4().hex, _keeps_watermark(engine))
        for ref, strays in found.items():
            _take_up(engine, connection, ref, strays)
        record_action(connection, actor, "restore", "the state database")
        paused = tuple(pauses.paused(connection))
    named = {str(ref): tuple(each.strays["_key"].to_pylist()) for ref, each in found.items()}
    return Restored(forgotten, {leg: keys for leg, keys in named.items() if keys}, paused)


def _require_still(engine: Engine) -> None:
    with engine.state.begin() as connection:
        _refuse_writers(connection)


def _refuse_writers(connection: Connection) -> None:
    for map_id, owner in overview.writers(connection).items():
        raise StopError(
            f"Map {map_id} is being written by {owner}, so the state is in use.",
            remedy="Pause the DAGs, wait until their runs have ended, then restore.",
            map=map_id,
        )


def _keeps_watermark(engine: Engine) -> dict[tuple[str, str], bool]:
    """Say which legs read on from where the backup was: Dataverse tells all changes since, again."""
    return {
        (each.map, leg.direction.value): leg.extract.strategy is Strategy.CHANGE_TRACKING
        for each in engine.maps.values()
        for leg in each.legs.values()
    }


async def _look(engine: Engine) -> dict[LegRef, Strays]:
    """Compare both sides by key alone, for the legs of which deletes are passed on."""
    found = {}
    async with engine.systems() as systems:
        for table_map in engine.maps.values():
            for leg in table_map.legs.values():
                if table_map.enabled and leg.deletes is not Deletes.IGNORE:
                    ref = LegRef(table_map.map, leg.direction.value)
                    found[ref] = await _compare(engine, systems, table_map, leg)
    return found


async def _compare(engine: Engine, systems: Systems, table_map: TableMap, leg: Leg) -> Strays:
    # The target first: what is made and moved meanwhile is then no stray.
    target = await keys_at(systems, table_map, leg.direction.target)
    where = leg.extract.where if leg.extract.leaves is not Leaves.KEEP else None
    source = await keys_at(systems, table_map, leg.direction.source, where)
    dataverse = source if leg.direction.source is System.DATAVERSE else target
    other = target if dataverse is source else source
    only = target.filter(pc.invert(_among(target, source)))
    with engine.state.begin() as connection:
        known = crosswalk.by_keys(connection, table_map.map, only["_key"].to_pylist())
    unknown = pc.invert(pc.is_in(only["_key"], value_set=pa.array(list(known), pa.string())))
    return Strays(dataverse.filter(_among(dataverse, other)), only.filter(unknown))


def _among(rows: pa.Table, others: pa.Table) -> pa.Array:
    return pc.is_in(rows["_key"], value_set=others["_key"].combine_chunks())


def _take_up(engine: Engine, connection: Connection, ref: LegRef, found: Strays) -> None:
    """Note the pairs, so that their deletes are known when they come, and set the strays aside."""
    table_map, leg = engine.leg(ref)
    batch = leg_state(connection, ref.map, ref.leg).batch or 0
    for part in found.paired.to_batches(max_chunksize=_ROWS):
        entries = [only_paired(row["_key"], row["_id"], leg.direction) for row in part.to_pylist()]
        crosswalk.put(connection, ref.map, batch, entries)
    for part in found.strays.to_batches(max_chunksize=_ROWS):
        pairs = [
            only_paired(row["_key"], guid_of_stray(ref, row["_key"], row["_id"]), leg.direction)
            for row in part.to_pylist()
        ]
        crosswalk.put(connection, ref.map, batch, pairs)
        letters = [_letter(leg, pair) for pair in pairs]
        dead_letters.record(connection, Origin(ref.map, ref.leg, batch, table_map.version), letters)


def guid_of_stray(ref: LegRef, key: str, target_id: str | None) -> str | None:
    """Give the GUID by which a row that only the target has is paired.

    Args:
        ref: The leg.
        key: Its key text.
        target_id: Its identity at the target.
    """
    if ref.direction.target is System.DATAVERSE:
        return target_id
    return str(uuid.uuid5(_NAMESPACE, f"{ref} {key}"))


def _letter(leg: Leg, pair: Entry) -> Letter:
    source, target = leg.direction.source, leg.direction.target
    message = (
        f"{target.value.capitalize()} has this row, {source.value.capitalize()} does not, and the restored "
        "state never knew it: moved after the backup and deleted at the source since, or the target's own. "
        "Approve to delete it, dismiss to keep it."
    )
    identity = pair.dataverse_id if source is System.DATAVERSE else pair.key
    return Letter(identity or pair.key, pair.key, AWAITING, "load", UNKNOWN_AT_SOURCE, message)
