"""Deletes at the source, and what they do at the target."""

from collections.abc import Iterable

import pyarrow as pa

from projops.load.decide import Action, Kind, Row, deletion, is_of, too_many_deletes
from projops.load.job import LoadJob
from projops.load.outcomes import Done, commit_chunk
from projops.load.sending import send
from projops.load.target import Outcome, Result
from projops.mapping.model import System
from projops.mapping.paths import key_paths, table_of
from projops.state import crosswalk
from projops.state.batches import Counts
from projops.state.crosswalk import Entry
from projops.systems.columns import key_values, properties


async def delete_gone(job: LoadJob, table: pa.Table) -> Counts:
    """Do at the target what the mapping says of the deletes in a chunk.

    A key that belongs to another row by now is alive, and what the crosswalk has forgotten is gone.
    """
    if table.num_rows == 0 or deletion(job.leg.deletes) is Kind.SKIP:
        return Counts(unchanged=table.num_rows)
    counts = await _delete(job, zip(table["_id"].to_pylist(), table["_key"].to_pylist(), strict=True))
    return counts + Counts(unchanged=table.num_rows - sum(getattr(counts, name) for name in Counts.__slots__))


async def delete_former_keys(job: LoadJob, table: pa.Table) -> None:
    """Delete what stands at the target under a former key of rows that stand there under a new one."""
    if not job.from_dataverse or deletion(job.leg.deletes) is Kind.SKIP:
        return
    keys = dict(zip(table["_id"].to_pylist(), table["_key"].to_pylist(), strict=True))
    with job.state.begin() as connection:
        entries = crosswalk.by_ids(connection, job.table_map.map, keys)
    moved = {entry.dataverse_id for entry in entries if entry.key == keys[str(entry.dataverse_id)]}
    former = [
        (str(entry.dataverse_id), entry.key)
        for entry in entries
        if entry.dataverse_id in moved and entry.key != keys[str(entry.dataverse_id)]
    ]
    if former:
        await _delete(job, former)


async def _delete(job: LoadJob, gone: Iterable[tuple[str, str]]) -> Counts:
    """Delete rows by identity and key; very many wait for a person's approval."""
    kind = deletion(job.leg.deletes)
    rows = [Row(source_id, key, "", None, None, _identity(job, key), {}) for source_id, key in gone]
    with job.state.begin() as connection:
        known = crosswalk.count(connection, job.table_map.map)
        entries = crosswalk.by_keys(connection, job.table_map.map, [row.key for row in rows])
    rows = [row for row in rows if row.key in entries and is_of(row, entries[row.key], job.policy)]
    deletes = max(job.deletes, len(rows))
    if too_many_deletes(deletes, known, job.settings.delete_share, job.settings.delete_rows):
        done = [Done(Action(kind, row), _awaiting_approval(deletes, known)) for row in rows]
    else:
        actions = [Action(kind, row, _dataverse_id(entries.get(row.key))) for row in rows]
        outcomes = await send(job, actions)
        done = [Done(action, outcome) for action, outcome in zip(actions, outcomes, strict=True)]
    return commit_chunk(job, done, in_step=True)


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
