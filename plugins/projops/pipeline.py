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

from projops.dual_write import refuse_dual_write
from projops.due import due_legs, selected_maps
from projops.engine import Engine
from projops.errors import MapPausedError, StopError
from projops.extract.chosen import ChosenRows
from projops.extract.finance_messages import hear_finance
from projops.extract.source import Known, Watermark
from projops.extract.sources import extract_job
from projops.extract.stage import extract_rows
from projops.load.job import LoadJob
from projops.load.stage import load_tables
from projops.load.targets import end_imports, load_job
from projops.mapping.fingerprint import column_digests, fingerprint
from projops.mapping.model import Leg, Strategy, TableMap
from projops.mapping.wording import leg_words
from projops.passes import StagePass
from projops.pausing import refuse_paused
from projops.poison import keeping_pages
from projops.request_budget import is_spent
from projops.retention import clean_daily
from projops.run import LegOutcome, LegRef, RunRequest, Staged
from projops.staging import Manifest, StageWriter
from projops.state import exports, in_flight, meanings, quality
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

_TOLD = ("read", "unchanged", "loaded", "parked", "rejected", "failed", "deleted")


def detect(engine: Engine, area: str, request: RunRequest) -> list[LegRef]:
    """Find the legs of an area that have something to move; and what Finance's jobs said of its rows.

    A run that only signals woke asks only the sources that have signalled. Once a day what is older than its
    period is removed too.

    Raises:
        ConfigurationError: A connection, map or company does not exist.
        SystemUnavailableError: A system cannot be reached.
    """

    async def look() -> list[LegRef]:
        async with engine.systems() as systems:
            due = await due_legs(engine, systems, area, request)
            if request.manual or not (request.signalled or is_spent(engine)):
                await hear_finance(engine.state, systems.finance, selected_maps(engine, area, request))
            return due

    due = asyncio.run(look())
    clean_daily(engine)
    return due


def extract(engine: Engine, ref: LegRef, request: RunRequest, chosen: Known | None = None) -> Staged:
    """Read what changed since the batch's watermark into the staging area.

    Args:
        engine: The engine.
        ref: The leg.
        request: The run.
        chosen: Identities of the rows that are to move, and no others: the watermark stays then.

    Raises:
        MapPausedError: Somebody has paused the map since the run began.
    """
    table_map, leg = engine.leg(ref)
    refuse_paused(engine, [ref.map])
    batch = begin_batch(engine, ref, request, advances=not request.companies and chosen is None)
    later = _superseded(engine, batch)
    if later is not None:
        return Staged(batch.id, ref.map, ref.leg, "extract", "", 0, later)
    # An export moves Finance's own mark, so that only one run at a time may ask for it.
    exporting = leg.extract.strategy is Strategy.INCREMENTAL_EXPORT and chosen is None
    seconds = engine.settings.lease_seconds
    hold = held(engine.state, ref.map, f"{request.owner} extract", seconds) if exporting else nullcontext()
    with _noting_stop(engine, batch.id), keeping_pages(engine.staging, batch), hold as lease:
        return asyncio.run(_extract(engine, table_map, leg, batch, request, lease, chosen))


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
    with _noting_stop(engine, batch.id), keeping_pages(engine.staging, batch):
        manifest = _open_staged(engine, table_map, leg, staged)
        seconds = engine.settings.lease_seconds
        with held(engine.state, staged.map, f"batch {batch.id} load", seconds) as lease:
            later = _superseded(engine, batch)
            if later is not None:
                return LegOutcome(batch.id, staged.map, staged.leg, superseded_by=later)
            refuse_paused(engine, [staged.map])  # from here on the batch is finished, whoever pauses the map
            counts = asyncio.run(_load(engine, table_map, leg, batch, manifest, lease))
            return _finish(engine, leg, batch, manifest, counts, lease)


def close_empty(engine: Engine, staged: Staged) -> LegOutcome:
    """Take a batch without rows through the other stages at once, so that its watermark moves."""
    return load(engine, transform(engine, validate(engine, staged)))


def begin_batch(engine: Engine, ref: LegRef, request: RunRequest, *, advances: bool) -> Batch:
    """Open the batch of a run's leg; one that the run has opened before is found again as it was.

    Args:
        engine: The engine.
        ref: The leg.
        request: The run.
        advances: Whether the batch moves the leg's watermark.
    """
    table_map, leg = engine.leg(ref)
    new = NewBatch(
        dag_id=request.dag_id,
        run_id=request.run_id,
        map=ref.map,
        leg=ref.leg,
        mode=request.mode,
        mapping_version=table_map.version,
        fingerprint=fingerprint(table_map, leg, engine.loaded.value_maps),
        advances=advances,
    )
    columns = column_digests(leg, engine.loaded.value_maps)
    words = leg_words(table_map, leg, engine.loaded.value_maps)
    with engine.state.begin() as connection:
        meanings.remember(connection, new.fingerprint, columns, words)
        return open_batch(connection, new)


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


def _open_staged(engine: Engine, table_map: TableMap, leg: Leg, staged: Staged) -> Manifest:
    """Open what the stage before has written; after a deployment, rows of another mapping go no further."""
    manifest = engine.staging.open(staged.uri, staged.batch)
    if manifest.facts["fingerprint"] != fingerprint(table_map, leg, engine.loaded.value_maps):
        raise StopError(
            f"The mapping of {staged.map} {staged.leg} has changed since batch {staged.batch} was extracted.",
            remedy="Clear the extract task of this leg too.",
            map=staged.map,
            leg=staged.leg,
        )
    return manifest


def _superseded(engine: Engine, batch: Batch) -> int | None:
    with engine.state.begin() as connection:
        later = superseded_by(connection, batch)
        if later is not None:
            mark_superseded(connection, batch)
    return later


async def _extract(
    engine: Engine,
    table_map: TableMap,
    leg: Leg,
    batch: Batch,
    request: RunRequest,
    lease: Lease | None,
    chosen: Known | None,
) -> Staged:
    async with engine.systems(lease.seconds_left if lease else None) as systems:
        await refuse_dual_write(systems.dataverse, table_map, engine.maps)
        with engine.staging.writer(table_map.map, leg.direction.value, batch.id, "extract") as writer:
            job = await extract_job(engine, systems, table_map, leg, batch, request, writer)
            if chosen is not None:
                job = replace(job, source=ChosenRows(table_map, leg, job.reread, chosen))
            watermark = await extract_rows(job)
            # Two tries of this task may run side by side: rows and watermark are published in one step.
            writer.facts["watermark_to"] = watermark.text()
            writer.facts["fingerprint"] = fingerprint(table_map, leg, engine.loaded.value_maps)
            writer.facts["mapping_version"] = table_map.version
    return _staged(engine, batch, "extract", writer)


def _through(engine: Engine, staged: Staged, stage: str) -> Staged:
    """Pass the parts of a batch through validate or transform, one after another."""
    with engine.state.begin() as connection:
        batch = get_batch(connection, staged.batch)
    later = staged.superseded_by or _superseded(engine, batch)
    if later is not None:
        return replace(staged, stage=stage, uri="", rows=0, superseded_by=later)
    table_map, leg = engine.leg(LegRef(staged.map, staged.leg))
    manifest = _open_staged(engine, table_map, leg, staged)
    writer = StagePass(engine, table_map, leg, batch, stage).run(manifest)
    later = _superseded(engine, batch)
    if later is not None:
        return replace(staged, stage=stage, uri="", rows=0, superseded_by=later)
    return _staged(engine, batch, stage, writer)


def _staged(engine: Engine, batch: Batch, stage: str, writer: StageWriter) -> Staged:
    return Staged(batch.id, batch.map, batch.leg, stage, engine.staging.uri_of(writer), writer.rows)


async def _load(
    engine: Engine, table_map: TableMap, leg: Leg, batch: Batch, manifest: Manifest, lease: Lease
) -> Counts:
    async with engine.systems(lease.seconds_left) as systems:
        await refuse_dual_write(systems.dataverse, table_map, engine.maps)
        await end_imports(engine, systems, table_map, leg, lease)
        job = load_job(engine, systems, table_map, leg, batch, manifest.counts.get("deletes", 0), lease)
        return await load_staged(engine, job, manifest)


async def load_staged(engine: Engine, job: LoadJob, manifest: Manifest) -> Counts:
    """Load what has been staged; give the counts of all stages together."""
    earlier = Counts(read=manifest.counts.get("read", 0), rejected=manifest.counts.get("rejected", 0))
    return earlier + await load_tables(job, engine.staging.tables(manifest))


def _finish(
    engine: Engine, leg: Leg, batch: Batch, manifest: Manifest, counts: Counts, lease: Lease
) -> LegOutcome:
    """Close the batch; the watermark moves last, in one transaction with the exports that it stands for."""
    with engine.state.begin() as connection:
        lease.confirm(connection)
        record_extracted(connection, batch, **manifest.facts)
        fresh = get_batch(connection, batch.id)
        quality.record_refusals(connection, fresh)
        later = commit_batch(connection, fresh, counts)
        if later is not None:
            return LegOutcome(batch.id, batch.map, batch.leg, superseded_by=later)
        if leg.extract.strategy is Strategy.INCREMENTAL_EXPORT and fresh.advances:
            exports.commit(connection, Watermark.of(fresh.watermark_to).facts["executions"])
        in_flight.end_look(connection, batch.id)
    told = {name: getattr(counts, name) for name in _TOLD}
    seconds = round((datetime.now(UTC) - batch.started_at).total_seconds(), 3)
    return LegOutcome(batch.id, batch.map, batch.leg, **told, seconds=seconds)
