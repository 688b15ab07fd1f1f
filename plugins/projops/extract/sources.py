"""Which strategy reads a leg, and from where."""

from datetime import timedelta

from projops.engine import Engine, Systems
from projops.extract import reread
from projops.extract.change_tracking import ChangeTracking
from projops.extract.frames import companies_asked
from projops.extract.incremental_export import FullRead, IncrementalExport
from projops.extract.reread import Reread
from projops.extract.snapshot import Snapshot
from projops.extract.source import Known, Source, Watermark, nobody
from projops.extract.stage import ExtractJob
from projops.identities import pages
from projops.mapping.fingerprint import fingerprint
from projops.mapping.model import Deletes, Leg, Strategy, System, TableMap
from projops.mapping.paths import key_paths, source_columns, table_of
from projops.poison import Quarantine
from projops.run import RunRequest
from projops.staging import StageWriter
from projops.state import crosswalk
from projops.state.batches import Batch, leg_state
from projops.state.environments import bound_at, mark_of
from projops.systems.packages import Packages


async def extract_job(
    engine: Engine,
    systems: Systems,
    table_map: TableMap,
    leg: Leg,
    batch: Batch,
    request: RunRequest,
    writer: StageWriter,
) -> ExtractJob:
    """Choose the strategy that the mapping names, at the watermark that the batch starts from."""
    companies = companies_asked(table_map, request.companies)
    since = _since(engine, table_map, leg, batch)
    return ExtractJob(
        state=engine.state,
        table_map=table_map,
        leg=leg,
        batch=batch,
        source=await _source(engine, systems, table_map, leg, batch, since, companies),
        afresh=lambda: _all_rows(engine, systems, table_map, leg, batch),
        reread=_reread(systems, table_map, leg),
        lookups=systems.lookups(),
        companies=companies,
        pause=timedelta(seconds=engine.settings.lease_seconds),
        quarantine=Quarantine.of(engine, table_map, batch, "extract"),
        writer=writer,
    )


def own_columns(table_map: TableMap, leg: Leg) -> list[str]:
    """Give the columns that are read from the source itself, without those behind lookups."""
    return [path for path in source_columns(table_map, leg) if "." not in path]


def _since(engine: Engine, table_map: TableMap, leg: Leg, batch: Batch) -> Watermark | None:
    """Give the watermark to go on from; None for a full read, asked for or needed by a changed mapping."""
    with engine.state.begin() as connection:
        state = leg_state(connection, batch.map, batch.leg)
    meaning = fingerprint(table_map, leg, engine.loaded.value_maps)
    same_meaning = state.fingerprint in (None, meaning)
    if batch.mode == "full" or batch.watermark_from is None or not same_meaning or not batch.advances:
        return None
    return Watermark.of(batch.watermark_from)


async def _source(
    engine: Engine,
    systems: Systems,
    table_map: TableMap,
    leg: Leg,
    batch: Batch,
    since: Watermark | None,
    companies: frozenset[str] | None,
) -> Source:
    table = table_of(table_map, leg.direction.source)
    columns = own_columns(table_map, leg)
    if leg.extract.strategy is Strategy.CHANGE_TRACKING and since is not None:
        return ChangeTracking(systems.dataverse, table, columns, since, engine.settings.chunk_rows)
    # The first export of all holds everything, and from it on Finance keeps its mark.
    first = batch.watermark_from is None and batch.advances
    if leg.extract.strategy is not Strategy.INCREMENTAL_EXPORT or (since is None and not first):
        return _all_rows(engine, systems, table_map, leg, batch)
    with engine.state.begin() as connection:
        mark = mark_of(bound_at(connection, System.FINANCE))
    return IncrementalExport(
        engine.state,
        Packages(systems.finance.session),
        table,
        columns,
        table_map.map,
        leg,
        batch,
        await _striped_by(systems, table.company_column, companies),
        mark,
    )


def _all_rows(engine: Engine, systems: Systems, table_map: TableMap, leg: Leg, batch: Batch) -> Source:
    """Read everything: at the beginning, when asked for, and where a watermark is of no use any more."""
    table = table_of(table_map, leg.direction.source)
    columns = own_columns(table_map, leg)
    deletes = leg.deletes is not Deletes.IGNORE
    known = _known(engine, table_map, leg) if batch.advances else nobody
    if leg.extract.strategy is Strategy.CHANGE_TRACKING:
        gone_from = known if deletes else nobody
        size = engine.settings.chunk_rows
        return ChangeTracking(systems.dataverse, table, columns, Watermark(), size, gone_from)
    if leg.extract.strategy is Strategy.SNAPSHOT:
        key = key_paths(table_map, System.FINANCE)
        return Snapshot(systems.finance, table, columns, key, known, deletes)
    return FullRead(engine.state, systems.finance, table, columns, table_map.map, leg)


def _known(engine: Engine, table_map: TableMap, leg: Leg) -> Known:
    """Give the rows that a full read should find: GUIDs, or key texts of Finance."""
    map_id, size = table_map.map, engine.settings.chunk_rows

    def after(last: str) -> list[str]:
        with engine.state.begin() as connection:
            if leg.direction.source is System.DATAVERSE:
                return crosswalk.ids_after(connection, map_id, last, size)
            return crosswalk.keys_after(connection, map_id, leg.direction, last, size)

    return lambda: pages(after)


async def _striped_by(
    systems: Systems, company_column: str | None, companies: frozenset[str] | None
) -> list[str]:
    """Give the companies to export one by one; an entity without companies is exported once."""
    if company_column is None:
        return [""]
    return sorted(companies) if companies else await systems.companies()


def _reread(systems: Systems, table_map: TableMap, leg: Leg) -> Reread:
    table = table_of(table_map, leg.direction.source)
    columns = own_columns(table_map, leg)
    if leg.direction.source is System.DATAVERSE:
        return reread.from_dataverse(systems.dataverse, table, columns)
    return reread.from_finance(systems.finance, table, columns, key_paths(table_map, System.FINANCE))
