"""The stages as functions: what a DAG's tasks and the command line both call.

    detect -> for each leg: extract -> validate -> transform -> load

Each stage of a batch may be run again at any time and gives the same result; a batch whose leg was
moved on by a later one is superseded and writes nothing.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime

from projops.due import due_legs, selected_maps
from projops.engine import Engine
from projops.errors import MapPausedError, StopError
from projops.extract.finance_messages import hear_finance
from projops.extract.source import Watermark
from projops.extract.sources import extract_job
from projops.extract.stage import extract_rows
from projops.load.stage import load_tables
from projops.load.targets import load_job
from projops.mapping.fingerprint import column_digests, fingerprint
from projops.mapping.model import Leg, Strategy, TableMap
from projops.passes import PASSES
from projops.pausing import refuse_paused
from projops.rejects import record_rejects
from projops.retention import clean_daily
from projops.run import LegOutcome, LegRef, RunRequest, Staged
from projops.staging import Manifest, StageWriter
from projops.state import exports, in_flight, meanings
from projops.state.batches import (
    Batch,
    Counts,
    NewBatch,
    commit_batch,
    get_batch,
    mark_superseded,
    open_batch,
    record_extracted,
    record_stop,
    superseded_by,
)
from projops.state.leases import Lease, held
from projops.validate.breaker import check_breaker


def detect(engine: Engine, area: str, request: RunRequest) -> list[LegRef]:
    """Find the legs of an area that have something to move; and what Finance's jobs said of its rows.

    Once a day it also removes what is older than its period.

    Raises:
        ConfigurationError: A connection, map or company does not exist.
        SystemUnavailableError: A system cannot be reached.
    """

    async def look() -> list[LegRef]:
        async with engine.systems() as systems:
            due = await due_legs(engine, systems, area, request)
            await hear_finance(engine.state, systems.finance, selected_maps(engine, area, request))
            return due

    due = asyncio.run(look())
    clean_daily(engine)
    return due


def extract(engine: Engine, ref: LegRef, request: RunRequest) -> Staged:
    """Read what changed since the batch's watermark into the staging area.

    Raises:
        MapPausedError: Somebody has paused the map since the run began.
    """
    table_map, leg = engine.leg(ref)
    refuse_paused(engine, [ref.map])
    batch = _open(engine, table_map, leg, request)
    later = _superseded(engine, batch)
    if later is not None:
        return Staged(batch.id, ref.map, ref.leg, "extract", "", 0, later)
    # An export moves Finance's own mark, so that only one run at a time may ask for it.
    exporting = leg.extract.strategy is Strategy.INCREMENTAL_EXPORT
    seconds = engine.settings.lease_seconds
    hold = held(engine.state, ref.map, f"{request.owner} extract", seconds) if exporting else nullcontext()
    with _noting_stop(engine, batch.id), hold as lease:
        return asyncio.run(_extract(engine, table_map, leg, batch, request, lease))


def validate(engine: Engine, staged: Staged) -> Staged:
    """Set bad rows aside as dead letters; stop the leg where they are too many.

    Raises:
        BreakerOpenError: Too many rows are bad; nothing is loaded.
        StagingLostError: The extracted files are gone.
    """
    with _noting_stop(engine, staged.batch):
        return _through(engine, staged, "validate")


def transform(engine: Engine, staged: Staged) -> Staged:
    """Turn source frames into target frames; set rows aside that do not fit the target.

    Raises:
        StagingLostError: The validated files are gone.
    """
    with _noting_stop(engine, staged.batch):
        return _through(engine, staged, "transform")


def load(engine: Engine, staged: Staged) -> LegOutcome:
    """Write what is not in step yet, then move the leg's watermark.

    Raises:
        LeaseHeldError: Another writer holds the map.
        MapPausedError: Somebody has paused the map since the run began; its rows are read again later.
        StagingLostError: The transformed files are gone.
    """
    table_map, leg = engine.leg(LegRef(staged.map, staged.leg))
    with engine.state.begin() as connection:
        batch = get_batch(connection, staged.batch)
    later = staged.superseded_by or _superseded(engine, batch)
    if later is not None:
        return LegOutcome(batch.id, staged.map, staged.leg, superseded_by=later)
    with _noting_stop(engine, batch.id):
        _require_same_mapping(engine, table_map, leg, batch)
        manifest = engine.staging.open(staged.uri)
        seconds = engine.settings.lease_seconds
        with held(engine.state, staged.map, f"batch {batch.id} load", seconds) as lease:
            later = _superseded(engine, batch)
            if later is not None:
                return LegOutcome(batch.id, staged.map, staged.leg, superseded_by=later)
            refuse_paused(engine, [staged.map])  # from here on the batch is finished, whoever pauses the map
            counts = asyncio.run(_load(engine, table_map, leg, batch, manifest, lease))
            return _finish(engine, leg, batch, counts, lease)


def close_empty(engine: Engine, staged: Staged) -> LegOutcome:
    """Take a batch without rows through the other stages at once, so that its watermark moves."""
    return load(engine, transform(engine, validate(engine, staged)))


@contextmanager
def _noting_stop(engine: Engine, batch_id: int) -> Iterator[None]:
    """Keep why a batch stops, for its leg's status; a pause is no stop."""
    try:
        yield
    except StopError as error:
        if not isinstance(error, MapPausedError):
            with engine.state.begin() as connection:
                record_stop(connection, batch_id, str(error))
        raise


def _open(engine: Engine, table_map: TableMap, leg: Leg, request: RunRequest) -> Batch:
    new = NewBatch(
        dag_id=request.dag_id,
        run_id=request.run_id,
        map=table_map.map,
        leg=leg.direction.value,
        mode=request.mode,
        mapping_version=table_map.version,
        fingerprint=fingerprint(table_map, leg, engine.loaded.value_maps),
        advances=not request.companies,
    )
    columns = column_digests(table_map, leg, engine.loaded.value_maps)
    with engine.state.begin() as connection:
        meanings.remember(connection, new.fingerprint, columns)
        return open_batch(connection, new)


def _require_same_mapping(engine: Engine, table_map: TableMap, leg: Leg, batch: Batch) -> None:
    """Refuse to go on with rows that were staged by another mapping, as after a deployment."""
    if batch.fingerprint != fingerprint(table_map, leg, engine.loaded.value_maps):
        raise StopError(
            f"The mapping of {batch.map} {batch.leg} has changed since batch {batch.id} was extracted.",
            remedy="Clear the extract task of this leg too.",
            map=batch.map,
            leg=batch.leg,
        )


def _superseded(engine: Engine, batch: Batch) -> int | None:
    with engine.state.begin() as connection:
        later = superseded_by(connection, batch)
        if later is not None:
            mark_superseded(connection, batch)
    return later


async def _extract(
    engine: Engine, table_map: TableMap, leg: Leg, batch: Batch, request: RunRequest, lease: Lease | None
) -> Staged:
    async with engine.systems(lease.seconds_left if lease else None) as systems:
        with engine.staging.writer(table_map.map, leg.direction.value, batch.id, "extract") as writer:
            job = await extract_job(engine, systems, table_map, leg, batch, request, writer)
            watermark = await extract_rows(job)
    with engine.state.begin() as connection:
        meaning = fingerprint(table_map, leg, engine.loaded.value_maps)
        record_extracted(connection, batch, watermark.text(), meaning, table_map.version)
    return _staged(engine, batch, "extract", writer)


def _through(engine: Engine, staged: Staged, stage: str) -> Staged:
    """Pass the parts of a batch through validate or transform, one after another."""
    with engine.state.begin() as connection:
        batch = get_batch(connection, staged.batch)
    later = staged.superseded_by or _superseded(engine, batch)
    if later is not None:
        return replace(staged, stage=stage, uri="", rows=0, superseded_by=later)
    table_map, leg = engine.leg(LegRef(staged.map, staged.leg))
    _require_same_mapping(engine, table_map, leg, batch)
    manifest = engine.staging.open(staged.uri)
    judge = PASSES[stage](engine, table_map, leg)
    rejected = 0
    with engine.staging.writer(staged.map, staged.leg, batch.id, stage) as writer:
        for table in engine.staging.tables(manifest):
            good, rejects = judge(table)
            rejected += record_rejects(engine.state, table_map, leg, batch, rejects, table)
            writer.write(good)
        for counted in ("read", "deletes"):
            writer.count(counted, manifest.counts.get(counted, 0))
        writer.count("rejected", rejected + manifest.counts.get("rejected", 0))
        settings = engine.settings
        check_breaker(
            rejected, manifest.rows, settings.breaker_share, settings.breaker_rows, leg=str(staged.map)
        )
    return _staged(engine, batch, stage, writer)


def _staged(engine: Engine, batch: Batch, stage: str, writer: StageWriter) -> Staged:
    return Staged(batch.id, batch.map, batch.leg, stage, engine.staging.uri_of(writer), writer.rows)


async def _load(
    engine: Engine, table_map: TableMap, leg: Leg, batch: Batch, manifest: Manifest, lease: Lease
) -> Counts:
    async with engine.systems(lease.seconds_left) as systems:
        job = load_job(engine, systems, table_map, leg, batch, manifest.counts.get("deletes", 0), lease)
        counts = await load_tables(job, engine.staging.tables(manifest))
    earlier = Counts(read=manifest.counts.get("read", 0), rejected=manifest.counts.get("rejected", 0))
    return earlier + counts


def _finish(engine: Engine, leg: Leg, batch: Batch, counts: Counts, lease: Lease) -> LegOutcome:
    """Close the batch; the watermark moves last, in one transaction with the exports that it stands for."""
    with engine.state.begin() as connection:
        lease.confirm(connection)
        fresh = get_batch(connection, batch.id)
        later = commit_batch(connection, fresh, counts)
        if later is not None:
            return LegOutcome(batch.id, batch.map, batch.leg, superseded_by=later)
        if leg.extract.strategy is Strategy.INCREMENTAL_EXPORT and fresh.advances:
            exports.commit(connection, Watermark.of(fresh.watermark_to).facts["executions"])
        in_flight.end_look(connection, batch.id)
    seconds = (datetime.now(UTC) - batch.started_at).total_seconds()
    return LegOutcome(
        batch.id,
        batch.map,
        batch.leg,
        counts.read,
        counts.unchanged,
        counts.loaded,
        counts.parked,
        counts.rejected,
        counts.failed,
        round(seconds, 3),
    )
