"""What is said of the rows of an import: what went wrong with them, and that they were written."""

from collections.abc import Iterator, Sequence

from sandbox.finance.addresses import key_predicate
from sandbox.finance.packages.executions import STAGING, TARGET, Problem
from sandbox.finance.packages.staging import Refusal, StagedRow, Step, record_id
from sandbox.finance.packages.target import Outcome
from sandbox.stats import Operation, Stats
from sandbox.write_log import WrittenRow, written_row


def refused_in(step: Step, stage: str, row: StagedRow) -> Iterator[Problem]:
    """Yield what keeps a row from becoming values."""
    for refusal in row.refusals:
        yield _problem(step, stage, row, refusal)


def failed_in(step: Step, outcome: Outcome) -> Iterator[Problem]:
    """Yield what kept a row from being written."""
    if outcome.refusal is not None:
        yield _problem(step, TARGET, outcome.row, outcome.refusal)


def _problem(step: Step, stage: str, row: StagedRow, refusal: Refusal) -> Problem:
    """A row that failed: staging shows the whole of it, the target its key [D]."""
    keys = [name.upper() for name in step.table.keys[0]]
    sources = {column.name.upper(): source for source, column in step.columns.items()}
    key = {name: row.texts.get(sources[name], "") for name in keys if name in sources}
    record = row.texts if stage == STAGING else key
    return Problem(
        step.position, stage, row.number, refusal.field, refusal.message, record_id(step.table, key), record
    )


def _written(step: Step, outcome: Outcome) -> WrittenRow:
    key = (
        key_predicate(step.table, outcome.values)
        if outcome.values
        else record_id(step.table, outcome.row.texts)
    )
    return written_row(key, tuple(outcome.row.values), outcome.row.values)


def log_outcomes(stats: Stats, step: Step, outcomes: Sequence[Outcome], now: str) -> None:
    """Put rows into the counters and the write log, those that were refused too.

    Args:
        stats: Where to.
        step: Their entity.
        outcomes: What became of them, committed.
        now: The sandbox's time, ISO.
    """
    for status in (200, 400):
        rows = [it for it in outcomes if (it.refusal is None) == (status == 200)]
        written = tuple(_written(step, it) for it in rows)
        if rows:
            count = len(rows) if status == 200 else 0
            name = "ImportFromPackage"
            stats.record(Operation("finance", step.table.name, name, status, count, written), now)
