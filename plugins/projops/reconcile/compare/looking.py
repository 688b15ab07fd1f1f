"""Rows that differ, looked at again: what changed between two reads is no drift.

The source is read, then the target, then the source once more: a row whose source stood still meanwhile,
and which the target still does not hold as the mapping says, differs indeed.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from projops.engine import Engine, Systems
from projops.extract import reread
from projops.extract.frames import newest
from projops.mapping.model import Leg, System, TableMap
from projops.mapping.paths import table_of
from projops.reconcile.compare.buckets import hashes, query_engine
from projops.reconcile.compare.differences import are_told, differences_of
from projops.reconcile.compare.pairing import pair_rows
from projops.reconcile.compare.reading import paths_of, source_frame
from projops.reconcile.compare.rows_by_key import rows_by_key
from projops.reconcile.compare.sides import Terms, expected_frame, found_frame
from projops.reconcile.compare.totals import days
from projops.reconcile.model import RowDifference


@dataclass(frozen=True, slots=True)
class SecondLook:
    """What a second look at some differences has shown; those in neither list are equal by now.

    Attributes:
        differences: As they are now, of rows whose source stood still.
        unsettled: As they were given, of rows whose source changed while it was read twice.
    """

    differences: tuple[RowDifference, ...]
    unsettled: tuple[RowDifference, ...]


async def look_again(
    engine: Engine, systems: Systems, table_map: TableMap, leg: Leg, differences: Sequence[RowDifference]
) -> SecondLook:
    """Read the rows of some differences afresh, by identity and key, and compare them anew.

    Args:
        engine: Maps, value maps and companies.
        systems: Open sessions.
        table_map: The map.
        leg: The leg.
        differences: Of the leg; some thousands at most, since their rows are held in memory.

    Raises:
        ProjOpsError: A system cannot be read.
    """
    terms = Terms.of(table_map, leg)
    # A Finance row without a whole key cannot be asked for: what was seen of it stands.
    keyless = [each for each in differences if each.key is None and leg.direction.source is System.FINANCE]
    ids = {each.source_id for each in differences if each.source_id is not None}
    keys = {each.key for each in differences if each.key is not None}
    with query_engine() as database:
        before = _hashed(database, terms, await _source(engine, systems, terms, ids, keys))
        # A row that has another key by now stands, or is missing, under that one.
        keys |= set(before["_key"].drop_null().to_pylist())
        found = _hashed(database, terms, await _target(engine, systems, terms, keys))
        after = _hashed(database, terms, await _source(engine, systems, terms, ids, keys))
        pairs = pair_rows(database, after, found, claims_all=terms.claims_all)
    moved = {name for row in _facts(before) ^ _facts(after) for name in row[:2]} - {None}
    unsettled = tuple(each for each in differences if moved & {each.source_id, each.key})
    now = _told(terms, pairs, after, found)
    still = [each for each in now if not moved & {each.source_id, each.key}]
    return SecondLook((*keyless, *still), unsettled)


async def _source(
    engine: Engine, systems: Systems, terms: Terms, ids: Collection[str], keys: Collection[str]
) -> pa.Table:
    """Read what the target should hold of some rows: by identity, and by key, which may be another row's."""
    table_map, system = terms.table_map, terms.leg.direction.source
    rows = await rows_by_key(systems, table_map, system, keys, _own(terms, system))
    if system is System.DATAVERSE:
        by_id = reread.from_dataverse(systems.dataverse, table_of(table_map, system), _own(terms, system))
        rows = newest(pa.concat_tables([rows, await by_id(sorted(ids))]))
    rows = await _with_lookups(systems, terms, system, rows)
    source = await source_frame(terms, systems.lookups(), rows)
    return expected_frame(
        terms, engine.loaded, source, days(table_map, system, rows, engine.loaded.companies)
    )


async def _target(engine: Engine, systems: Systems, terms: Terms, keys: Collection[str]) -> pa.Table:
    """Read what the target holds under some keys."""
    table_map, system = terms.table_map, terms.leg.direction.target
    rows = await rows_by_key(systems, table_map, system, keys, _own(terms, system))
    rows = await _with_lookups(systems, terms, system, rows)
    frame = found_frame(terms, rows, days(table_map, system, rows, engine.loaded.companies))
    return frame.filter(pc.is_in(frame["_key"], value_set=pa.array(sorted(keys), pa.string())))


async def _with_lookups(systems: Systems, terms: Terms, system: System, rows: pa.Table) -> pa.Table:
    if system is System.FINANCE:
        return rows
    return await systems.lookups().add(terms.table_map.dataverse, rows, _paths(terms, system))


def _paths(terms: Terms, system: System) -> tuple[str, ...]:
    return paths_of({terms.leg.direction: terms}, terms.table_map, system)


def _own(terms: Terms, system: System) -> tuple[str, ...]:
    return tuple(dict.fromkeys(path.partition(".")[0] for path in _paths(terms, system)))


def _hashed(database: duckdb.DuckDBPyConnection, terms: Terms, frame: pa.Table) -> pa.Table:
    """Give a frame what pairs its rows; their places are those in the frame itself."""
    hashed = hashes(database, terms, frame)
    return frame.append_column("_row", hashed["_row"]).append_column(
        "_at", pa.array(range(frame.num_rows), pa.int64())
    )


def _facts(frame: pa.Table) -> set[tuple[Any, ...]]:
    """Give identity, key and all that is known of each row."""
    return set(zip(*(frame[name].to_pylist() for name in ("_id", "_key", "_reason", "_row")), strict=True))


def _told(terms: Terms, pairs: pa.Table, expected: pa.Table, found: pa.Table) -> Iterable[RowDifference]:
    pairs = pairs.filter(are_told(pairs["kind"]))
    ours, theirs = expected.take(pairs["expected"]), found.take(pairs["found"])
    return differences_of(terms, pairs, ours, theirs).values()
