"""The load stage: decide on each row, write, and commit outcomes and crosswalk chunk by chunk."""

import gc
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from projops import progress
from projops.load.decide import Action, Kind, Policy, Row, TargetRow, decide, decide_unread, in_step
from projops.load.deletes import delete_former_keys, delete_gone
from projops.load.doubts import last_in_step
from projops.load.frames import rows_of, without_own_references
from projops.load.job import LoadJob
from projops.load.outcomes import Done, commit_chunk
from projops.load.put_off import PutOff
from projops.load.results import out_of_luck, refused
from projops.load.sending import Sender
from projops.load.target import Outcome, Result
from projops.load.waiting import Deferred, find_waiting, set_aside
from projops.mapping.paths import table_of
from projops.pausing import refuse_stopped
from projops.poison import Sieve
from projops.state import conflicts, crosswalk, dead_letters, in_flight
from projops.state.batches import Counts
from projops.state.crosswalk import Entry

# A row is decided again after reading the target at most this often: each time is a race lost.
_LOOKS = 3


async def load_tables(job: LoadJob, tables: Iterable[pa.Table]) -> Counts:
    """Load the chunks of a batch.

    Args:
        job: The batch and its target.
        tables: Target frames, in order.

    Returns:
        Rows by what became of them; `read` and `rejected` are the earlier stages' to count.

    Raises:
        MapPausedError: Somebody has stopped the map: the chunks so far are written, and no others.
    """
    counts, waiting = Counts(), PutOff()
    for table in _until_stopped(job, tables):
        # Rows that come again, in a newer version, or are deleted: the older would be written last.
        counts += Counts(unchanged=waiting.drop(table["_id"].to_pylist()))
        gone = pc.fill_null(table["_deleted"], False)
        counts += await delete_gone(job, table.filter(gone))
        more, deferred = await _load_sifted(job, table.filter(pc.invert(gone)), defer=True)
        counts += more
        waiting.add(deferred.table, deferred.needs)
        progress.done("load", table.num_rows)
    return counts + await _load_deferred(job, waiting)


def _until_stopped(job: LoadJob, tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    for table in tables:
        refuse_stopped(job.state, job.table_map.map)
        with _uncollected():
            yield table


@contextmanager
def _uncollected() -> Iterator[None]:
    """Hold back the collector of cycles for a chunk: its rows have none, and it would look at all of them."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


async def _load_deferred(job: LoadJob, waiting: PutOff) -> Counts:
    """Write rows that refer to rows of their own map, level by level; cycles first without the reference."""
    counts = Counts()
    while len(waiting):
        still = PutOff()
        for table in _until_stopped(job, waiting.chunks()):
            more, deferred = await _load_sifted(job, table, defer=True)
            counts += more
            still.add(deferred.table, deferred.needs)
        if len(still) == len(waiting):
            return counts + await _load_circles(job, still)
        waiting = still
    return counts


async def _load_circles(job: LoadJob, waiting: PutOff) -> Counts:
    """Write rows that nothing but each other holds back; the rest is set aside."""
    counts = Counts()
    for table in _until_stopped(job, waiting.circles()):
        await _load_sifted(job, table, defer=False, complete=False)
    for table in _until_stopped(job, waiting.chunks()):
        more, _ = await _load_sifted(job, table, defer=False)
        counts += more
    return counts


async def _load_sifted(
    job: LoadJob, table: pa.Table, *, defer: bool, complete: bool = True
) -> tuple[Counts, Deferred]:
    """Load one chunk but for rows that crash the load: those are set aside, as `_load_chunk` is told."""
    counts, tables, needs = Counts(), [], list[frozenset[str]]()
    sieve, crashed = Sieve(table), list[int]()
    for part in sieve:
        sender = Sender(job)
        try:
            more, deferred = await _load_chunk(sender, part, defer=defer, complete=complete)
        except Exception as error:
            crashed += sender.marks
            if sieve.crashed(part, error):
                _set_aside(job, part, error)
                counts += Counts(failed=1)
            continue
        counts += more
        tables.append(deferred.table)
        needs += deferred.needs
    _unmark(job, crashed)
    return counts, Deferred(pa.concat_tables(tables) if tables else table.slice(0, 0), needs)


def _unmark(job: LoadJob, crashed: Sequence[int]) -> None:
    """Take away the marks of what crashed, once each row has gone in a smaller part or is set aside."""
    if crashed:
        with job.state.begin() as connection:
            job.lease.confirm(connection)
            in_flight.landed(connection, job.lease.token, crashed)


def _set_aside(job: LoadJob, row: pa.Table, error: Exception) -> None:
    """Set a row aside that crashed the load, nobody knows whether before or after it was written."""
    job.quarantine.set_aside(row, error)
    own_id = row["_id"][0].as_py() if job.from_dataverse else None
    place = (job.table_map.map, job.batch.id, job.leg.direction)
    with job.state.begin() as connection:
        job.lease.confirm(connection)
        crosswalk.doubt(connection, *place, [(row["_key"][0].as_py(), own_id)])


async def _load_chunk(
    sender: Sender, table: pa.Table, *, defer: bool, complete: bool = True
) -> tuple[Counts, Deferred]:
    """Load one chunk.

    Args:
        sender: Sends it; knows the batch and its target.
        table: Target frame without deletes.
        defer: Whether to put off rows that wait for nothing but rows of their own map.
        complete: False to write rows without their references to rows of their own map.

    Returns:
        Counts, and the rows put off.
    """
    job = sender.job
    own = job.table_map.map
    all_rows = table
    entries, table, unchanged = _drop_rows_in_step(job, table)
    waits = await find_waiting(job, table)
    if not complete:
        waits = {index: rest for index, all_ in waits.items() if (rest := [w for w in all_ if w.map != own])}
        table = without_own_references(job, table)
    later = [index for index, all_ in waits.items() if defer and all(wait.map == own for wait in all_)]
    rows = rows_of(job.table_map, job.leg, table)
    done = await _write(sender, [row for index, row in enumerate(rows) if index not in waits], entries)
    aside = waits.keys() - set(later)
    done += [Done(Action(Kind.SKIP, rows[index]), set_aside(waits[index][0])) for index in sorted(aside)]
    counts = commit_chunk(job, done, sender.marks, in_step=complete)
    await delete_former_keys(job, all_rows)
    needs = [frozenset(wait.id for wait in waits[index]) for index in later]
    return counts + Counts(unchanged=unchanged), Deferred(table.take(pa.array(later, pa.int64())), needs)


def _drop_rows_in_step(job: LoadJob, table: pa.Table) -> tuple[dict[str, Entry], pa.Table, int]:
    ids, keys, hashes = (table[name].to_pylist() for name in ("_id", "_key", "_hash"))
    with job.state.begin() as connection:
        job.lease.confirm(connection)
        entries = crosswalk.by_keys(connection, job.table_map.map, set(keys))
        known = in_step(zip(ids, keys, hashes, strict=True), entries, job.policy)
        if job.doubts.to_read:
            known = [same and key not in job.doubts.to_read for key, same in zip(keys, known, strict=True)]
        mask = pa.array(known, pa.bool_())
        same = table.filter(mask)
        because = f"in step at batch {job.batch.id}"
        dead_letters.resolve(
            connection, job.table_map.map, job.leg.direction.value, same["_id"].to_pylist(), because
        )
    return entries, table.filter(pc.invert(mask)), same.num_rows


async def _write(sender: Sender, rows: Sequence[Row], entries: dict[str, Entry]) -> list[Done]:
    """Decide and write; rows that lost a race, or got no answer, are looked at again, at last one by one."""
    job = sender.job
    policy, done, pending = job.policy, [], list(rows)
    forced = False
    for look in range(_LOOKS):
        actions = await _decide_all(job, pending, entries, policy, forced=forced)
        _keep_conflicts(job, actions)
        outcomes = await _carry_out(sender, actions, look)
        pairs = [Done(action, outcome) for action, outcome in zip(actions, outcomes, strict=True)]
        again = [pair for pair in pairs if pair.outcome.result is Result.LOOK_AGAIN]
        done += [pair for pair in pairs if pair.outcome.result is not Result.LOOK_AGAIN]
        pending, forced = [pair.action.row for pair in again], True
        if not pending:
            return done
    return done + [replace(pair, outcome=out_of_luck(pair.outcome)) for pair in again]


def _keep_conflicts(job: LoadJob, actions: Sequence[Action]) -> None:
    """Keep both values of what is contested before one of them is overwritten."""
    found = [action.conflict for action in actions if action.conflict is not None]
    if found:
        with job.state.begin() as connection:
            job.lease.confirm(connection)
            conflicts.record(connection, job.origin, found)


async def _decide_all(
    job: LoadJob, rows: Sequence[Row], entries: dict[str, Entry], policy: Policy, *, forced: bool
) -> list[Action]:
    direction, known = job.leg.direction, {} if forced or policy.shared else entries
    # Of some pairs nothing is known but that they are one, as after a restore.
    told = {key for key, entry in known.items() if entry.payload_hash(direction) != crosswalk.UNKNOWN}
    skip = {row.key for row in rows if row.key in told and row.key not in job.doubts.to_read}
    targets = await job.target.read([row for row in rows if row.key not in skip])
    return [
        decide_unread(row, entries[row.key], policy)
        if row.key in skip
        else _decide(job, row, entries.get(row.key), targets.get(row.key), policy)
        for row in rows
    ]


def _decide(job: LoadJob, row: Row, entry: Entry | None, target: TargetRow | None, policy: Policy) -> Action:
    before = last_in_step(row, entry, target, policy, job.doubts) if policy.shared else entry
    return decide(row, before, target, policy)


async def _carry_out(sender: Sender, actions: Sequence[Action], look: int) -> list[Outcome]:
    """Send what must be sent, at first packed, at last one by one; skips and rejects are outcomes already."""
    outcomes: list[Outcome | None] = [_settled(sender.job, action) for action in actions]
    open_at = [index for index, outcome in enumerate(outcomes) if outcome is None]
    going = [actions[index] for index in open_at]
    written = await sender.send(going, packed=look == 0, alone=look == _LOOKS - 1)
    for index, outcome in zip(open_at, written, strict=True):
        outcomes[index] = outcome
    return [outcome for outcome in outcomes if outcome is not None]


def _settled(job: LoadJob, action: Action) -> Outcome | None:
    if action.kind is Kind.SKIP:
        return Outcome(Result.WRITTEN, action.target_id)
    if action.kind is Kind.REJECT:
        target = table_of(job.table_map, job.leg.direction.target).entity_set
        values = ", ".join(map(str, action.row.identity.values()))
        sentence = f"Unable to look up {target} with values {{{values}}}: {action.reason}"
        return refused(sentence, "not_at_target")
    return None
