"""Rows that wait for others: of another map until it has brought them, of their own map for a moment."""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from projops.load.job import LoadJob
from projops.load.results import refused, rule_of
from projops.load.target import Outcome, Result, Waiting
from projops.state import crosswalk


@dataclass(frozen=True, slots=True)
class Deferred:
    """Rows put off because they refer to rows of their own map that are not at the target yet.

    Attributes:
        table: The rows.
        needs: For each row, the identities (GUIDs or key texts) of the rows that it waits for.
    """

    table: pa.Table
    needs: Sequence[frozenset[str]]


async def find_waiting(job: LoadJob, table: pa.Table) -> dict[int, list[Waiting]]:
    """Find the rows whose parents are not at the target yet, by row number."""
    found: dict[int, list[Waiting]] = {}
    waits = [*await job.target.resolve(table), *_missing_parents(job, table)]
    if job.gate is not None:
        waits += await job.gate.waiting(table)
    for wait in waits:
        found.setdefault(wait.index, []).append(wait)
    return found


def set_aside(wait: Waiting) -> Outcome:
    """Give the outcome of a row that lacks another one.

    It is parked where a map brings that one; where none does, it is for a person to see, and still
    tried again by each run.
    """
    if wait.map is None:
        return refused(wait.message, wait.rule, retriable=True)
    return Outcome(Result.WAITS, code=rule_of(wait.message, wait.rule), message=wait.message, waiting=wait)


def _missing_parents(job: LoadJob, table: pa.Table) -> list[Waiting]:
    """Find parents that the crosswalk does not know: rows of Finance name their parents by key."""
    if not job.from_dataverse:
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
