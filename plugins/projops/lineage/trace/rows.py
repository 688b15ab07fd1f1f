"""One row of a map, whole: both sides as they stand, what moved it, and how its fields come about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from projops.engine import Engine, Systems
from projops.errors import ProjOpsError
from projops.extract import reread
from projops.extract.frames import with_identity, with_paths
from projops.extract.lookups import Lookups
from projops.lineage.trace import explaining
from projops.lineage.trace.addresses import dataverse_link, finance_link, run_link
from projops.lineage.trace.model import LegTrace, Moved, RowTrace, Side
from projops.mapping.fingerprint import fingerprint
from projops.mapping.keys import key_column
from projops.mapping.model import Leg, System, TableMap
from projops.mapping.paths import key_paths, source_columns, table_of
from projops.reconcile.compare.rows_by_key import rows_by_key
from projops.state import crosswalk, row_history
from projops.state.crosswalk import InStep
from projops.validate.written import read_expectations

_CHANGED_AT = "modifiedon"


async def trace_row(
    engine: Engine, systems: Systems, lookups: Lookups, table_map: TableMap, key: str
) -> RowTrace:
    """Trace one row of a map by its integration key; nothing is written.

    Args:
        engine: State and maps.
        systems: Open sessions.
        lookups: Resolves lookup paths.
        table_map: The map.
        key: Canonical key text; of a row that neither side has, the state's memory of it is told.

    Raises:
        MappingError: An expectation of the map cannot be read or judged.
        ProjOpsError: A system cannot be read.
    """
    with engine.state.begin() as connection:
        pair = next(iter(crosswalk.in_step(connection, table_map.map, [key])), None)
    guid = None if pair is None else pair.entry.dataverse_id
    rows = {system: await _row(systems, lookups, table_map, system, key, guid) for system in System}
    here = rows[System.DATAVERSE]
    guids = [each for each in (guid, None if here is None else str(here["_id"][0])) if each]
    with engine.state.begin() as connection:
        letters = row_history.letters_of(connection, table_map.map, key, guids)
        conflicts = row_history.conflicts_of(connection, table_map.map, key)
        numbers = [] if pair is None else [each for each in pair.batches.values() if each is not None]
        batches = row_history.batches_of(connection, numbers)
    both = table_map.legs.values()
    legs = [await _leg(engine, lookups, table_map, leg, rows, pair, batches) for leg in both]
    return RowTrace(
        map=table_map.map,
        title=table_map.title,
        key=key,
        in_step_at=None if pair is None else pair.at,
        sides={each: _side(systems, table_map, each, row) for each, row in rows.items() if row is not None},
        legs=tuple(legs),
        letters=tuple(letters),
        conflicts=tuple(conflicts),
    )


async def _row(
    systems: Systems, lookups: Lookups, table_map: TableMap, system: System, key: str, guid: str | None
) -> pa.Table | None:
    """Read the row of one side: by key, or in Dataverse by the GUID that it had; None where it is gone."""
    table, paths = table_of(table_map, system), _paths(table_map, system)
    own = tuple(dict.fromkeys(path.partition(".")[0] for path in paths))
    rows = await rows_by_key(systems, table_map, system, [key], own)
    if system is System.DATAVERSE:
        rows = await lookups.add(table.name, rows, paths)
    rows = rows.filter(pc.equal(key_column([rows[path] for path in key_paths(table_map, system)]), key))
    if rows.num_rows == 0 and system is System.DATAVERSE and guid is not None:
        rows = await reread.from_dataverse(systems.dataverse, table, own)([guid])
        rows = await lookups.add(table.name, rows, paths)
    if rows.num_rows > 1 and guid is not None:
        mine = rows.filter(pc.equal(rows["_id"], guid))
        rows = mine if mine.num_rows else rows
    return rows.slice(0, 1) if rows.num_rows else None


def _paths(table_map: TableMap, system: System) -> tuple[str, ...]:
    """Name the columns and lookup paths of one side that a map looks at, and when the row was changed."""
    paths = dict.fromkeys(key_paths(table_map, system))
    for leg in table_map.legs.values():
        ours = leg.direction.source is system
        paths |= dict.fromkeys(
            source_columns(table_map, leg) if ours else (each.target for each in leg.fields)
        )
    if _CHANGED_AT in table_of(table_map, system).columns:
        paths[_CHANGED_AT] = None
    return tuple(paths)


def _side(systems: Systems, table_map: TableMap, system: System, row: pa.Table) -> Side:
    values: dict[str, Any] = row.to_pylist()[0]
    table, guid = table_of(table_map, system), values.pop("_id")
    version = values.pop("_version")
    if system is System.DATAVERSE:
        link = dataverse_link(systems.dataverse.session.connection.base_url, table.name, guid)
    else:
        key = [values[name] for name in table.keys[0]]
        link = finance_link(systems.finance.session.connection.base_url, table, key)
    return Side(system, table.name, guid, version, values.pop(_CHANGED_AT, None), values, link)


async def _leg(
    engine: Engine,
    lookups: Lookups,
    table_map: TableMap,
    leg: Leg,
    rows: Mapping[System, pa.Table | None],
    pair: InStep | None,
    batches: Mapping[int, Mapping[str, Any]],
) -> LegTrace:
    number = None if pair is None else pair.batches[leg.direction]
    moved = batches.get(number) if number is not None else None
    facts: dict[str, Any] = {
        "direction": leg.direction,
        "version": table_map.version,
        "fingerprint": fingerprint(table_map, leg, engine.loaded.value_maps),
        "moved": None if moved is None else _moved(moved),
        "hash_then": None if pair is None else pair.entry.payload_hash(leg.direction),
    }
    row, target = rows[leg.direction.source], rows[leg.direction.target]
    if row is None:
        return LegTrace(takes=None, hash_now=None, **facts)
    source = await with_paths(table_map, leg, lookups, with_identity(table_map, leg, row))
    return LegTrace(
        takes=explaining.takes(leg, source), **facts, **_explained(engine, table_map, leg, source, target)
    )


def _explained(
    engine: Engine, table_map: TableMap, leg: Leg, source: pa.Table, target: pa.Table | None
) -> dict[str, Any]:
    """Explain what the mapping makes of a row; one that crashes it is told of: a run would set it aside."""
    written = read_expectations(engine.settings.expectations, table_map, leg)
    try:
        made, rejects = explaining.transformed(table_map, leg, source, engine.loaded)
        return {
            "hash_now": str(made["_hash"][0]) if made.num_rows else None,
            "fields": explaining.fields(table_map, leg, source, made, target, engine.loaded),
            "checks": explaining.checks(table_map, leg, source, engine.loaded, written),
            "rejects": rejects,
        }
    except ProjOpsError:
        raise
    except Exception as error:
        crash = (
            f"The row crashes the mapping with {type(error).__name__}: a defect of this program. Report it."
        )
        return {"hash_now": None, "rejects": (crash,)}


def _moved(row: Mapping[str, Any]) -> Moved:
    names = (
        "dag_id",
        "run_id",
        "status",
        "mode",
        "mapping_version",
        "fingerprint",
        "started_at",
        "finished_at",
    )
    return Moved(
        batch=row["id"], link=run_link(row["dag_id"], row["run_id"]), **{name: row[name] for name in names}
    )
