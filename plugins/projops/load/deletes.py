"""Deletes at the source, and what they do at the target."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import pyarrow as pa

from projops.load.decide import Action, Kind, Row, deletion, is_of
from projops.load.job import LoadJob
from projops.load.outcomes import Done, close_removed, commit_chunk
from projops.load.results import out_of_luck, refused
from projops.load.sending import Sender
from projops.load.target import Result
from projops.mapping.keys import has_parts
from projops.mapping.model import System
from projops.mapping.paths import key_paths, table_of
from projops.state import crosswalk
from projops.state.batches import Counts
from projops.state.crosswalk import Entry
from projops.state.dead_letters import FORMER_KEY_FORM, Held
from projops.systems.columns import key_values, properties

# A delete without a clear answer is sent again at most this often: what is gone already counts as deleted.
_ATTEMPTS = 3


async def delete_gone(job: LoadJob, table: pa.Table) -> Counts:
    """Do at the target what the mapping says of the deletes in a chunk.

    A key that belongs to another row by now is alive, and what the crosswalk has forgotten is gone.
    """
    if table.num_rows == 0 or deletion(job.leg.deletes) is Kind.SKIP:
        return Counts(unchanged=table.num_rows)
    counts = await _delete(job, _with_keys(job, table))
    settled = counts.loaded + counts.parked + counts.failed
    return counts + Counts(unchanged=max(table.num_rows - settled, 0))


async def delete_former_keys(job: LoadJob, table: pa.Table) -> None:
    """Delete what stands at the target under a former key of rows that stand there under a new one."""
    if not job.from_dataverse or deletion(job.leg.deletes) is Kind.SKIP:
        return
    keys = dict(zip(table["_id"].to_pylist(), table["_key"].to_pylist(), strict=True))
    with job.state.begin() as connection:
        pairs = crosswalk.keys_of(connection, job.table_map.map, keys)
    others = [(row_id, key) for row_id, key in pairs if key != keys[row_id]]
    if not others:
        return
    moved = {row_id for row_id, key in pairs if key == keys[row_id]}
    former = [(row_id, key) for row_id, key in others if row_id in moved and _has_form(job, key)]
    if former:
        await _delete(job, former)


def _with_keys(job: LoadJob, table: pa.Table) -> list[Held]:
    """Give identity and key of deleted rows: of those that the extract did not know, as they are known now.

    A batch beside this one may have moved them since; now nobody but the holder of the lease moves any.
    """
    pairs = list(zip(table["_id"].to_pylist(), table["_key"].to_pylist(), strict=True))
    late = [source_id for source_id, key in pairs if key is None]
    gone = [(source_id, key) for source_id, key in pairs if key is not None]
    if not job.from_dataverse:
        return gone + [(key, key) for key in late]
    with job.state.begin() as connection:
        return gone + crosswalk.keys_of(connection, job.table_map.map, late)


async def _delete(job: LoadJob, gone: Iterable[Held]) -> Counts:
    """Delete rows by identity and key; very many wait for a person's approval, but for those that have it."""
    standing, entries = _standing(job, gone)
    found = [row for row in standing if _has_form(job, row.key)]
    rows = [row for row in found if (row.source_id, row.key) not in job.guard.awaiting]
    asked = [row for row in rows if (row.source_id, row.key) not in job.guard.approved]
    wait = job.guard.holds(len(asked))
    held = {row.key for row in asked} if wait is not None else set()
    kind = deletion(job.leg.deletes)
    going = [Action(kind, row, entries[row.key].dataverse_id) for row in rows if row.key not in held]
    sender = Sender(job)
    done = await _send(sender, going)
    if wait is not None:
        done += [Done(Action(Kind.SKIP, row), wait) for row in await _as_they_stand(job, asked)]
    done += [_of_former_form(job, row) for row in standing if not _has_form(job, row.key)]
    counts = commit_chunk(job, done, sender.marks, in_step=True)
    written = {pair.action.row.key for pair in done if pair.outcome.result is Result.WRITTEN}
    deleted = sum(row.key in written for row in asked)
    return counts + Counts(parked=len(found) - len(rows), deleted=deleted)


def _standing(job: LoadJob, gone: Iterable[Held]) -> tuple[list[Row], dict[str, Entry]]:
    """Give the rows that stand at the target still, with their pairs; close what waited for the others."""
    rows = [Row(source_id, key, "", None, None, _identity(job, key), {}) for source_id, key in gone]
    origin = job.origin
    with job.state.begin() as connection:
        job.lease.confirm(connection)
        entries = crosswalk.by_keys(connection, origin.map, [row.key for row in rows])
        stands = [row for row in rows if row.key in entries and is_of(row, entries[row.key], job.policy)]
        standing = {(row.source_id, row.key) for row in stands}
        over = [row for row in rows if (row.source_id, row.key) not in standing]
        close_removed(connection, origin, over, "nothing of it stands at the target")
    return stands, entries


async def _send(sender: Sender, actions: Sequence[Action]) -> list[Done]:
    """Send deletes, again where no clear answer came; then they are set aside, for the next run to try."""
    done: list[Done] = []
    unclear: list[Done] = []
    for _ in range(_ATTEMPTS):
        outcomes = await sender.send(actions)
        pairs = [Done(action, outcome) for action, outcome in zip(actions, outcomes, strict=True)]
        done += [pair for pair in pairs if pair.outcome.result is not Result.LOOK_AGAIN]
        unclear = [pair for pair in pairs if pair.outcome.result is Result.LOOK_AGAIN]
        actions = [pair.action for pair in unclear]
        if not actions:
            break
    return done + [Done(pair.action, out_of_luck(pair.outcome)) for pair in unclear]


async def _as_they_stand(job: LoadJob, rows: Sequence[Row]) -> list[Row]:
    """Give rows with what Finance holds of them now: what would go, for whoever is asked.

    Dataverse rows are named by their key alone, as their lookups are not resolved for a delete.
    """
    if job.leg.direction.target is System.DATAVERSE:
        return list(rows)
    found = await job.target.read(rows)
    return [replace(row, payload=found[row.key].values) if row.key in found else row for row in rows]


def _has_form(job: LoadJob, key: str) -> bool:
    return has_parts(key, len(job.table_map.key))


def _of_former_form(job: LoadJob, row: Row) -> Done:
    """Leave a delete to people where only a key of a former mapping tells which row is to go."""
    source, target = (each.capitalize() for each in (job.leg.direction.source, job.leg.direction.target))
    message = (
        f"{source} has no row any more that is known under this key, and the key has a form that the map "
        f"has given up: look in {target} whether the row is to go, delete it there, and dismiss this; "
        "should the row come under its new key, this closes by itself."
    )
    return Done(Action(Kind.SKIP, row), refused(message, FORMER_KEY_FORM))


def _identity(job: LoadJob, key: str) -> dict[str, object]:
    """Give the target's key columns of a row of which only the key text is known."""
    system = job.leg.direction.target
    if system is System.DATAVERSE or not _has_form(job, key):
        return {}  # Dataverse rows are deleted by GUID, and those of a former key by nobody here
    names = key_paths(job.table_map, system)
    values = key_values(key, properties(table_of(job.table_map, system), names))
    return dict(zip(names, values, strict=True))
