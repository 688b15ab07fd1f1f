"""The load stage: decide on each row, write, and commit outcomes and crosswalk chunk by chunk."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc

from projops.load.decide import (
    Action,
    Kind,
    Policy,
    Row,
    decide,
    decide_unread,
    deletion,
    is_in_step,
    is_of,
    too_many_deletes,
)
from projops.load.outcomes import Done, commit_chunk
from projops.load.target import Outcome, Result, Target, Waiting
from projops.mapping.model import Leg, System, TableMap
from projops.mapping.paths import key_paths, table_of
from projops.settings import Settings
from projops.state import StateStore, crosswalk, dead_letters
from projops.state.batches import Batch, Counts
from projops.state.crosswalk import Entry
from projops.systems.columns import key_values, properties
from projops.transform.hashing import row_hash

# A row is decided again after reading the target at most this often: each time is a race lost.
_LOOKS = 3


@dataclass(frozen=True, slots=True)
class LoadJob:
    """All that the load of one batch needs.

    Attributes:
        state: State database.
        table_map: The map.
        leg: The leg.
        batch: The batch.
        target: The side that is written.
        settings: For the limits of deletes.
    """

    state: StateStore
    table_map: TableMap
    leg: Leg
    batch: Batch
    target: Target
    settings: Settings

    @property
    def policy(self) -> Policy:
        """What the mapping allows."""
        return Policy.of(self.table_map, self.leg)

    @property
    def origin(self) -> dead_letters.Origin:
        """Where dead letters of this batch come from."""
        return dead_letters.Origin(
            self.table_map.map, self.leg.direction.value, self.batch.id, self.table_map.version
        )


@dataclass(frozen=True, slots=True)
class Deferred:
    """Rows put off because they refer to rows of their own map that are not at the target yet.

    Attributes:
        table: The rows.
        needs: For each row, the identities (GUIDs or key texts) of the rows that it waits for.
    """

    table: pa.Table
    needs: Sequence[frozenset[str]]

    def cyclic(self, identity: str) -> pa.Table:
        """Give the rows that wait, directly or not, for nothing but each other.

        Args:
            identity: Column by which rows name each other: `_id` or `_key`.
        """
        waiting = dict(zip(self.table[identity].to_pylist(), self.needs, strict=True))
        while outside := [name for name, needs in waiting.items() if not needs <= waiting.keys()]:
            for name in outside:
                del waiting[name]
        return self.table.filter(pc.is_in(self.table[identity], pa.array(list(waiting), pa.string())))


async def load_tables(job: LoadJob, tables: Iterable[pa.Table]) -> Counts:
    """Load the chunks of a batch.

    Args:
        job: The batch and its target.
        tables: Target frames, in order.

    Returns:
        Rows by what became of them; `read` and `rejected` are the earlier stages' to count.
    """
    counts = Counts()
    put_off: list[Deferred] = []
    for table in tables:
        gone = pc.fill_null(table["_deleted"], False)
        counts += await _delete(job, table.filter(gone))
        more, deferred = await _load_chunk(job, table.filter(pc.invert(gone)), defer=True)
        counts += more
        put_off += [deferred] if deferred.needs else []
    return counts + await _load_deferred(job, put_off)


async def _load_deferred(job: LoadJob, put_off: list[Deferred]) -> Counts:
    """Write rows that refer to rows of their own map, level by level; cycles first without the reference."""
    counts = Counts()
    if not put_off:
        return counts
    waiting = pa.concat_tables([each.table for each in put_off])
    while waiting.num_rows:
        more, deferred = await _load_chunk(job, waiting, defer=True)
        counts += more
        if deferred.table.num_rows == waiting.num_rows:
            identity = "_id" if job.leg.direction.source is System.DATAVERSE else "_key"
            await _load_chunk(job, deferred.cyclic(identity), defer=False, without_own_references=True)
            more, _ = await _load_chunk(job, waiting, defer=False)
            return counts + more
        waiting = deferred.table
    return counts


async def _load_chunk(
    job: LoadJob, table: pa.Table, *, defer: bool, without_own_references: bool = False
) -> tuple[Counts, Deferred]:
    """Load one chunk; give its counts and the rows put off until others of their map are there."""
    own = job.table_map.map
    entries, table, unchanged = _drop_rows_in_step(job, table)
    waits = await _waiting(job, table)
    if without_own_references:
        waits = {index: rest for index, all_ in waits.items() if (rest := [w for w in all_ if w.map != own])}
    later = [index for index, all_ in waits.items() if defer and all(wait.map == own for wait in all_)]
    parked = [index for index in waits if index not in set(later)]
    rows = _rows(job, table)
    going = [row for index, row in enumerate(rows) if index not in waits]
    done = await _write(job, going, entries)
    done += [Done(Action(Kind.SKIP, rows[index]), _parked(waits[index][0])) for index in parked]
    counts = commit_chunk(job.state, own, job.origin, done, in_step=not without_own_references)
    needs = [frozenset(wait.id for wait in waits[index]) for index in later]
    return counts + Counts(unchanged=unchanged), Deferred(table.take(pa.array(later, pa.int64())), needs)


def _drop_rows_in_step(job: LoadJob, table: pa.Table) -> tuple[dict[str, Entry], pa.Table, int]:
    policy = job.policy
    ids, keys, hashes = (table[name].to_pylist() for name in ("_id", "_key", "_hash"))
    with job.state.begin() as connection:
        entries = crosswalk.by_keys(connection, job.table_map.map, set(keys))
        probe = (
            is_in_step(Row(source_id, key, digest, None, None, {}, {}), entries.get(key), policy)
            for source_id, key, digest in zip(ids, keys, hashes, strict=True)
        )
        mask = pa.array(list(probe), pa.bool_())
        same = table.filter(mask)
        dead_letters.resolve(
            connection,
            job.table_map.map,
            job.leg.direction.value,
            same["_id"].to_pylist(),
            f"in step at batch {job.batch.id}",
        )
    return entries, table.filter(pc.invert(mask)), same.num_rows


async def _waiting(job: LoadJob, table: pa.Table) -> dict[int, list[Waiting]]:
    """Find the rows whose parents are not at the target yet, by row number."""
    found: dict[int, list[Waiting]] = {}
    for wait in [*await job.target.resolve(table), *_missing_parents(job, table)]:
        found.setdefault(wait.index, []).append(wait)
    return found


def _missing_parents(job: LoadJob, table: pa.Table) -> list[Waiting]:
    """Find parents that the crosswalk does not know: rows of Finance name their parents by key."""
    if job.leg.direction.source is not System.DATAVERSE:
        return []
    parents = [row or () for row in table["_parents"].to_pylist()]
    wanted: dict[str, set[str]] = {}
    for parent in (parent for row in parents for parent in row):
        wanted.setdefault(parent["map"], set()).add(parent["id"])
    with job.state.begin() as connection:
        known = {
            name: {entry.dataverse_id for entry in crosswalk.by_ids(connection, name, ids)}
            for name, ids in wanted.items()
        }
    return [
        _waits_for_parent(index, parent["map"], parent["id"])
        for index, row in enumerate(parents)
        for parent in row
        if parent["id"] not in known[parent["map"]]
    ]


def _waits_for_parent(index: int, map_id: str, row_id: str) -> Waiting:
    message = (
        f"Waits for row {row_id} of map {map_id}, which is not in Finance yet; goes by itself once it is."
    )
    return Waiting(index, "", map_id, row_id, message, map_id)


def _parked(wait: Waiting) -> Outcome:
    return Outcome(Result.WAITS, code="parent_missing", message=wait.message, waiting=wait)


async def _write(job: LoadJob, rows: Sequence[Row], entries: dict[str, Entry]) -> list[Done]:
    """Decide and write; rows that lost a race are looked at again."""
    policy, done, pending = job.policy, [], list(rows)
    forced = False
    for _ in range(_LOOKS):
        actions = await _decide_all(job, pending, entries, policy, forced=forced)
        outcomes = await _carry_out(job, actions)
        pairs = [Done(action, outcome) for action, outcome in zip(actions, outcomes, strict=True)]
        again = [pair for pair in pairs if pair.outcome.result is Result.LOOK_AGAIN]
        done += [pair for pair in pairs if pair.outcome.result is not Result.LOOK_AGAIN]
        pending, forced = [pair.action.row for pair in again], True
        if not pending:
            return done
    return done + [replace(pair, outcome=replace(pair.outcome, result=Result.REFUSED)) for pair in again]


async def _decide_all(
    job: LoadJob, rows: Sequence[Row], entries: dict[str, Entry], policy: Policy, *, forced: bool
) -> list[Action]:
    unread = [] if forced or policy.shared else [row for row in rows if row.key in entries]
    skip = {row.key for row in unread}
    targets = await job.target.read([row for row in rows if row.key not in skip])
    return [
        decide_unread(row, entries[row.key], policy)
        if row.key in skip
        else decide(row, entries.get(row.key), targets.get(row.key), policy)
        for row in rows
    ]


async def _carry_out(job: LoadJob, actions: Sequence[Action]) -> list[Outcome]:
    """Send what must be sent; skips and rejects are outcomes already."""
    outcomes: list[Outcome | None] = [_settled(action) for action in actions]
    open_at = [index for index, outcome in enumerate(outcomes) if outcome is None]
    written = await job.target.write([actions[index] for index in open_at])
    for index, outcome in zip(open_at, written, strict=True):
        outcomes[index] = outcome
    return [outcome for outcome in outcomes if outcome is not None]


def _settled(action: Action) -> Outcome | None:
    if action.kind is Kind.SKIP:
        return Outcome(Result.WRITTEN, action.target_id)
    if action.kind is Kind.REJECT:
        return Outcome(Result.REFUSED, code="not_at_target", message=action.reason)
    return None


async def _delete(job: LoadJob, table: pa.Table) -> Counts:
    """Do at the target what the mapping says of deletes; very many wait for a person's approval.

    A key that belongs to another row by now is alive, and what the crosswalk has forgotten is gone.
    """
    kind = deletion(job.leg.deletes)
    if table.num_rows == 0 or kind is Kind.SKIP:
        return Counts(unchanged=table.num_rows)
    rows = [
        Row(source_id, key, "", None, None, _identity(job, key), {})
        for source_id, key in zip(table["_id"].to_pylist(), table["_key"].to_pylist(), strict=True)
    ]
    with job.state.begin() as connection:
        known = crosswalk.count(connection, job.table_map.map)
        entries = crosswalk.by_keys(connection, job.table_map.map, [row.key for row in rows])
    rows = [row for row in rows if row.key in entries and is_of(row, entries[row.key], job.policy)]
    if too_many_deletes(len(rows), known, job.settings.delete_share, job.settings.delete_rows):
        done = [Done(Action(kind, row), _awaiting_approval(len(rows), known)) for row in rows]
    else:
        actions = [Action(kind, row, _dataverse_id(entries.get(row.key))) for row in rows]
        outcomes = await job.target.write(actions)
        done = [Done(action, outcome) for action, outcome in zip(actions, outcomes, strict=True)]
    counts = commit_chunk(job.state, job.table_map.map, job.origin, done, in_step=True)
    return counts + Counts(unchanged=table.num_rows - len(rows))


def _awaiting_approval(deletes: int, known: int) -> Outcome:
    message = f"One of {deletes} deletes in one batch, of {known} rows known: approve them, or dismiss them."
    return Outcome(Result.AWAITS_APPROVAL, code="mass_delete", message=message)


def _identity(job: LoadJob, key: str) -> dict[str, object]:
    """Give the target's key columns of a row of which only the key text is known."""
    system = job.leg.direction.target
    if system is System.DATAVERSE:
        return {}  # Dataverse rows are deleted by GUID
    names = key_paths(job.table_map, system)
    values = key_values(key, properties(table_of(job.table_map, system), names))
    return dict(zip(names, values, strict=True))


def _dataverse_id(entry: Entry | None) -> str | None:
    return entry.dataverse_id if entry else None


def _rows(job: LoadJob, table: pa.Table) -> list[Row]:
    """Cut a target frame into rows: only what is about to be written passes here."""
    keys = key_paths(job.table_map, job.leg.direction.target)
    payload = [rule.target for rule in job.leg.fields]
    shared = target_shared(job, table)
    identities = table.select(keys).to_pylist()
    payloads = table.select(payload).to_pylist()
    facts = table.select(["_id", "_key", "_hash", "_source_shared"]).to_pylist()
    return [
        Row(fact["_id"], fact["_key"], fact["_hash"], fact["_source_shared"], mine, identity, values)
        for fact, mine, identity, values in zip(facts, shared, identities, payloads, strict=True)
    ]


def target_shared(job: LoadJob, table: pa.Table) -> list[str | None]:
    """Hash the shared columns as the target will have them."""
    side = 0 if job.leg.direction.target is System.FINANCE else 1
    names = [pair[side] for pair in job.table_map.shared_fields()]
    if not names:
        return [None] * table.num_rows
    hashes: list[str | None] = row_hash([table[name] for name in names]).to_pylist()
    return hashes
