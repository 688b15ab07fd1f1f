"""Rows that wait for others: of another map until it has brought them, of their own map for a moment."""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from projops.load.job import LoadJob
from projops.load.parents import missing_parents
from projops.load.results import refused, rule_of
from projops.load.target import PARENT_KEY_CHANGED, Outcome, Result, Waiting


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
    waits = [*await job.target.resolve(table), *missing_parents(job, table)]
    if job.gate is not None:
        waits += await job.gate.waiting(table)
    for wait in waits:
        found.setdefault(wait.index, []).append(wait)
    return found


def set_aside(wait: Waiting) -> Outcome:
    """Give the outcome of a row that lacks another one.

    It is parked where a map brings that one; where none does, or under another key, it is for a
    person to see, and still tried again by each run.
    """
    if wait.map is None or wait.rule == PARENT_KEY_CHANGED:
        return refused(wait.message, wait.rule, retriable=True)
    return Outcome(Result.WAITS, code=rule_of(wait.message, wait.rule), message=wait.message, waiting=wait)
