"""The extract stage: from what a strategy reads to source frames in Parquet."""

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection

from projops.errors import WatermarkExpiredError
from projops.extract.chosen import ChosenRows
from projops.extract.frames import (
    deleted_frame,
    matching,
    newest,
    of_companies,
    with_identity,
    with_paths,
)
from projops.extract.lookups import Lookups
from projops.extract.reread import Reread
from projops.extract.source import Chunk, Source, Watermark
from projops.identities import Identities, pages
from projops.mapping.keys import has_parts, key_column
from projops.mapping.model import Deletes, Leaves, Leg, System, TableMap
from projops.mapping.paths import key_paths
from projops.pausing import refuse_stopped
from projops.poison import Quarantine, Sieve
from projops.staging import StageWriter
from projops.state import StateStore, crosswalk, dead_letters, in_flight
from projops.state.batches import Batch, runs_beside
from projops.state.dead_letters import Held

# Identity and key of a row that is to go; no key where a batch beside may be about to move the row.
_Gone = tuple[str, str | None]
_AT_ONCE = 5000  # rows that are read again at once


@dataclass(slots=True)
class ExtractJob:
    """All that the extract of one batch needs.

    Attributes:
        state: State database.
        table_map: The map.
        leg: The leg.
        batch: The batch.
        source: The strategy, from the batch's watermark.
        afresh: Gives the strategy that reads everything, should the watermark have expired.
        reread: Reads rows again by identity.
        lookups: Resolves lookup paths.
        companies: Company codes in lower case to keep, or None for all.
        pause: Shortest time between two looks at what a silent writer had on its way.
        quarantine: Takes rows that crash the extract.
        writer: Takes the parts.
    """

    state: StateStore
    table_map: TableMap
    leg: Leg
    batch: Batch
    source: Source
    afresh: Callable[[], Source]
    reread: Reread
    lookups: Lookups
    companies: frozenset[str] | None
    pause: timedelta
    quarantine: Quarantine
    writer: StageWriter
    _awaited: Identities = field(default_factory=Identities, init=False)
    _held: dict[Held, datetime | None] = field(default_factory=dict, init=False)

    @property
    def system(self) -> System:
        """The system that rows come from."""
        return self.leg.direction.source


async def extract_rows(job: ExtractJob) -> Watermark:
    """Write all parts of a batch; give the watermark that its commit will set.

    Rows that were set aside and may be tried again are read afresh by their identity, never kept.

    Raises:
        MapPausedError: Somebody has stopped the map while it was read.
    """
    _look_at_state(job)
    source = job.source
    try:
        await _read(job, source)
    except WatermarkExpiredError:
        source = job.afresh()
        await _read(job, source)
    await _read_again(job)
    return source.watermark()


def _look_at_state(job: ExtractJob) -> None:
    """Note the rows that are to be read afresh, and the deletes that wait for a person.

    A batch of chosen rows reads no others.
    """
    map_id, leg = job.table_map.map, job.leg.direction.value

    def to_retry(last: str) -> list[str]:
        with job.state.begin() as connection:
            return dead_letters.to_retry(connection, map_id, leg, last, _AT_ONCE)

    for some in pages(to_retry) if not isinstance(job.source, ChosenRows) else ():
        job._awaited.note((row_id, "") for row_id in some)
    with job.state.begin() as connection:
        if job.batch.advances:  # a run for some companies leaves the others' rows out, and ends no look
            _look_at_doubts(job, connection)
        job._held.update(dead_letters.held_deletes(connection, map_id, leg))


def _look_at_doubts(job: ExtractJob, connection: Connection) -> None:
    """Note the rows that a silent writer had on its way, to be read afresh here and at the target.

    If one of them was created and is gone at the source by now, nothing but its pair tells of it.
    """
    map_id, direction = job.table_map.map, job.leg.direction
    looked = in_flight.look(connection, map_id, direction.value, job.batch.id, job.pause)
    job._awaited.note((row.source_id, "") for row in looked)
    ours = job.system is System.DATAVERSE
    rows = [(row.key, row.source_id if ours else None) for row in looked]
    crosswalk.doubt(connection, map_id, job.batch.id, direction, rows)


async def _read(job: ExtractJob, source: Source) -> None:
    async for chunk in source.chunks():
        refuse_stopped(job.state, job.table_map.map)
        await _sift(job, chunk)


async def _sift(job: ExtractJob, chunk: Chunk) -> None:
    """Write the parts of a chunk but for rows that crash us: those are set aside."""
    sieve = Sieve(chunk.rows)
    for part in sieve:
        try:
            await _write(job, Chunk(part))
        except Exception as error:
            if sieve.crashed(part, error):
                _set_aside(job, part, error)
    if chunk.deleted:
        await _write(job, Chunk(chunk.rows.slice(0, 0), chunk.deleted))


def _set_aside(job: ExtractJob, row: pa.Table, error: Exception) -> None:
    with suppress(Exception):  # where even its key crashes us, it is set aside without one
        row = with_identity(job.table_map, job.leg, row)
        if job.system is System.FINANCE:  # by its key the row is read again, once the defect is mended
            parts = [row[name] for name in key_paths(job.table_map, System.FINANCE)]
            row = row.append_column("_key", key_column(parts))
    job.quarantine.set_aside(row, error)
    job._awaited.forget(row["_id"].drop_null().to_pylist())
    job.writer.count("read", 1)
    job.writer.count("rejected", 1)


async def _read_again(job: ExtractJob) -> None:
    """Read rows that were set aside; of those that are gone, what stands at the target is to go too."""
    await _read(job, ChosenRows(job.table_map, job.leg, job.reread, lambda: job._awaited.pages(_AT_ONCE)))


async def _write(job: ExtractJob, chunk: Chunk) -> None:
    """Resolve lookups, filter, add keys, and write one part of rows and one of deletes."""
    table_map, leg = job.table_map, job.leg
    gone = _deletes(job, chunk.deleted)
    if chunk.rows.num_rows:
        rows = newest(with_identity(table_map, leg, chunk.rows))
        rows = await with_paths(table_map, leg, job.lookups, rows)
        wanted = matching(leg.extract.where, rows)
        gone += _left(job, rows.filter(pc.invert(wanted)))
        rows = of_companies(table_map, job.system, job.companies, rows.filter(wanted))
        job._awaited.forget(rows["_id"].to_pylist())
        _close_held(job, rows)
        job.writer.count("read", rows.num_rows)
        job.writer.write(rows)
    if gone:
        job._awaited.forget([identity for identity, _ in gone])
        job.writer.count("read", len(gone))
        job.writer.count("deletes", sum(not _needs_nobody(job, *each) for each in gone))
        job.writer.write(deleted_frame(table_map, leg, gone))


def _left(job: ExtractJob, rows: pa.Table) -> list[_Gone]:
    """Of rows that the filter does not take, give those sent before, where the map says that they go."""
    ids = rows["_id"].to_pylist()
    keeps = job.leg.extract.leaves is Leaves.KEEP
    known = [] if keeps else _known(job, ids)
    _need_not_move(job, ids, known, "outside the map's filter")
    return [] if keeps else [*known, *_on_their_way(job, ids, known)]


def _deletes(job: ExtractJob, ids: Sequence[str]) -> list[_Gone]:
    """Give identity and key of deleted rows that were moved before; others concern nobody any more."""
    known = _known(job, ids)
    ignored = job.leg.deletes is Deletes.IGNORE
    _need_not_move(job, ids, [] if ignored else known, "gone at the source")
    return [*known] if ignored else [*known, *_on_their_way(job, ids, known)]


def _on_their_way(job: ExtractJob, ids: Sequence[str], known: Sequence[Held]) -> list[_Gone]:
    """Of rows that are to go, give those that a batch beside may move between now and the load of this one.

    Should that batch write some of them and then fail, nothing else would ever tell that they are gone.
    """
    others = sorted(set(ids).difference(identity for identity, _ in known))
    if not others:
        return []
    with job.state.begin() as connection:
        beside = runs_beside(connection, job.batch)
    return [(identity, None) for identity in others] if beside else []


def _need_not_move(job: ExtractJob, ids: Sequence[str], remove: Sequence[Held], because: str) -> None:
    """Close what was set aside of these rows, but for those that are to be removed from the target."""
    over = set(ids).difference(identity for identity, _ in remove)
    _close(job, over, because)
    _close_deletes(job, [each for each in job._held if each[0] in over], because)


def _close_held(job: ExtractJob, rows: pa.Table) -> None:
    """Close the deletes that wait for approval of rows that are there again, under the same key."""
    if job._held:
        pairs = zip(rows["_id"].to_pylist(), rows["_key"].to_pylist(), strict=True)
        back = [each for each in pairs if each in job._held]
        _close_deletes(job, back, "there again at the source: nothing was deleted")


def _needs_nobody(job: ExtractJob, identity: str, key: str | None) -> bool:
    """Say whether a delete needs nobody's approval: it has it, is never sent, or may be of no row at all."""
    if key is None or not has_parts(key, len(job.table_map.key)):
        return True
    approved_at = job._held.get((identity, key))
    return approved_at is not None and approved_at <= job.batch.started_at


def _close(job: ExtractJob, ids: Collection[str], because: str) -> None:
    if ids:
        leg = job.leg.direction.value
        with job.state.begin() as connection:
            # A worker that froze may read this late: what a later batch has set aside is not its to close.
            last = job.batch.id
            dead_letters.resolve(connection, job.table_map.map, leg, ids, because, last_batch=last)


def _close_deletes(job: ExtractJob, deletes: Sequence[Held], because: str) -> None:
    if deletes:
        leg = job.leg.direction.value
        with job.state.begin() as connection:
            last = job.batch.id
            dead_letters.resolve_deletes(
                connection, job.table_map.map, leg, deletes, because, last_batch=last
            )


def _known(job: ExtractJob, ids: Sequence[str]) -> list[Held]:
    """Give identity and key of those rows that the crosswalk knows."""
    with job.state.begin() as connection:
        if job.system is System.DATAVERSE:
            entries = crosswalk.by_ids(connection, job.table_map.map, ids)
            return [(entry.dataverse_id, entry.key) for entry in entries if entry.dataverse_id]
        return [(key, key) for key in crosswalk.by_keys(connection, job.table_map.map, ids)]
