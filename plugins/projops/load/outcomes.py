"""Committing a chunk: crosswalk and dead letters in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy import Connection

from projops.load.decide import Action, Kind, Row
from projops.load.job import LoadJob
from projops.load.sending import sent
from projops.load.target import Outcome, Result
from projops.mapping.keys import has_parts
from projops.mapping.model import Direction, System
from projops.payload import payload_text
from projops.state import crosswalk, dead_letters, in_flight
from projops.state.batches import Counts
from projops.state.crosswalk import UNKNOWN, Entry
from projops.state.dead_letters import Letter, Origin

_STATUS = {Result.REFUSED: "open", Result.WAITS: "parked", Result.AWAITS_APPROVAL: "awaiting_approval"}


@dataclass(frozen=True, slots=True)
class Done:
    """An action and what became of it."""

    action: Action
    outcome: Outcome


def commit_chunk(job: LoadJob, done: Sequence[Done], marks: Sequence[int] = (), *, in_step: bool) -> Counts:
    """Write down what became of a chunk's rows, and that nothing of it is on its way any more.

    Rows without a clear answer stay marked, under a token that no writer has.

    Args:
        job: The batch.
        done: Actions with their outcomes.
        marks: The marks under which they were sent.
        in_step: False where rows were written without a reference and must come again.

    Raises:
        LeaseHeldError: Somebody else has taken the map meanwhile: nothing is written down, and the rows
            stay marked.
    """
    map_id, origin = job.table_map.map, job.origin
    written = [pair for pair in done if pair.outcome.result is Result.WRITTEN]
    gone = [pair.action.row.key for pair in written if pair.action.kind is Kind.DELETE]
    removed = [pair.action.row for pair in written if pair.action.kind in (Kind.DELETE, Kind.DEACTIVATE)]
    stays = [pair for pair in written if pair.action.kind is not Kind.DELETE]
    direction = Direction(origin.leg)
    with job.state.begin() as connection:
        job.lease.confirm(connection)
        in_flight.landed(connection, job.lease.token, marks)
        _keep_unclear(job, connection, done)
        entries = [_entry(pair, direction, in_step) for pair in stays]
        crosswalk.put(connection, map_id, origin.batch, entries)
        crosswalk.remove(connection, map_id, gone)
        crosswalk.remove_absent(connection, map_id, direction, _absent(done))
        _forget_former_forms(job, connection, entries)
        letters = [_letter(pair) for pair in done if pair.outcome.result in _STATUS]
        dead_letters.record(connection, origin, letters)
        moved = [pair.action.row.source_id for pair in stays if pair.action.kind is not Kind.DEACTIVATE]
        dead_letters.resolve(connection, map_id, origin.leg, moved, f"moved by batch {origin.batch}")
        close_removed(connection, origin, removed, f"deleted by batch {origin.batch}")
    return _count(done)


def _forget_former_forms(job: LoadJob, connection: Connection, entries: Sequence[Entry]) -> None:
    """Forget the pairs of rows from when the map's key had another number of parts, once they have new ones.

    They are the same rows at the target: a change of the mapping gives no row another key, and deletes none.
    """
    own, parts = job.origin, len(job.table_map.key)
    paired = [entry.dataverse_id for entry in entries if entry.dataverse_id is not None]
    now = {entry.key for entry in entries}
    found = [pair for pair in crosswalk.keys_of(connection, own.map, paired) if pair[1] not in now]
    former = [(row_id, key) for row_id, key in found if not has_parts(key, parts)]
    if not former:
        return
    crosswalk.remove(connection, own.map, [key for _, key in former])
    because = f"paired under its new key by batch {own.batch}"
    of_finance = [(key, key) for _, key in former]
    dead_letters.resolve_deletes(
        connection, own.map, Direction.FINANCE_TO_DATAVERSE.value, of_finance, because
    )
    if job.from_dataverse:
        dead_letters.resolve_deletes(connection, own.map, own.leg, former, because)


def _absent(done: Sequence[Done]) -> list[str]:
    """Give the keys of rows that the target was seen not to have, and has clearly not taken.

    A pair of them that is left from a writer in doubt would pass for a row that is there.
    """
    tried = [pair for pair in done if pair.action.kind in (Kind.CREATE, Kind.REJECT)]
    there = {pair.action.row.key for pair in done if pair.outcome.result is Result.WRITTEN}
    unclear = {pair.action.row.key for pair in tried if pair.outcome.retriable}
    return [key for key in {pair.action.row.key: None for pair in tried} if key not in there | unclear]


def close_removed(connection: Connection, origin: Origin, rows: Sequence[Row], because: str) -> None:
    """Close what was set aside of rows that do not stand at the target any more.

    A row that stands there under another key is alive: what is said of that one stays.
    """
    ids = [row.source_id for row in rows]
    alive = {row_id for row_id, _ in crosswalk.keys_of(connection, origin.map, ids)}
    gone = [source_id for source_id in ids if source_id not in alive]
    dead_letters.resolve(connection, origin.map, origin.leg, gone, because)
    deletes = [(row.source_id, row.key) for row in rows]
    dead_letters.resolve_deletes(connection, origin.map, origin.leg, deletes, because)


def _keep_unclear(job: LoadJob, connection: Connection, done: Sequence[Done]) -> None:
    """Keep the marks of rows that were sent, however often, without a clear answer: they may be there.

    The next run reads them at both sides, and knows what of them is our own late write.
    """
    rows = [
        sent(pair.action)
        for pair in done
        if pair.action.kind is not Kind.SKIP
        and pair.outcome.result is Result.REFUSED
        and pair.outcome.retriable
    ]
    if rows:
        nobody = replace(job.writing, token=f"unclear {job.batch.id}")
        in_flight.record(connection, nobody, rows, timedelta(seconds=job.settings.lease_seconds))


def _count(done: Sequence[Done]) -> Counts:
    results = [pair.outcome.result for pair in done]
    skipped = sum(pair.action.kind is Kind.SKIP and pair.outcome.result is Result.WRITTEN for pair in done)
    return Counts(
        unchanged=skipped,
        loaded=results.count(Result.WRITTEN) - skipped,
        parked=results.count(Result.WAITS) + results.count(Result.AWAITS_APPROVAL),
        failed=results.count(Result.REFUSED),
    )


def _entry(pair: Done, direction: Direction, in_step: bool) -> Entry:
    row = pair.action.row
    forth = direction is Direction.DATAVERSE_TO_FINANCE
    # Where only the row's own columns were written, the shared ones are not in step yet.
    digest = row.hash if in_step else None
    if pair.action.leaves_shared:
        digest = UNKNOWN  # nor does what was in step before still stand, should the source go back to it
    # What was written to shared columns, or left to the way back, is news for it, also if it stood before.
    news = pair.action.kind is not Kind.SKIP or pair.action.leaves_shared
    shared = pair.action.shared
    back = UNKNOWN if shared is not None and news else None
    source, target = (None, None) if shared is None else (shared.source, shared.target)
    return Entry(
        key=row.key,
        dataverse_id=row.source_id if direction.source is System.DATAVERSE else pair.outcome.target_id,
        hash_dataverse_to_finance=digest if forth else back,
        hash_finance_to_dataverse=back if forth else digest,
        shared_dataverse=source if forth else target,
        shared_finance=target if forth else source,
    )


def _letter(pair: Done) -> Letter:
    outcome, row = pair.outcome, pair.action.row
    waiting = outcome.waiting
    return Letter(
        source_id=row.source_id,
        key=row.key,
        status=_STATUS[outcome.result],
        stage="load",
        rule=outcome.code or "refused",
        message=outcome.message,
        field=waiting.field if waiting else None,
        waits_for_map=waiting.map if waiting else None,
        waits_for_id=waiting.id if waiting else None,
        retriable=outcome.retriable,
        payload=payload_text({**row.identity, **row.payload}),
    )
