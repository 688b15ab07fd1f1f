"""The nightly reconciliation run on demand through Airflow, and what it came to."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from projops.state import StateStore
from projops.state.reconciliations import latest
from runner.errors import RunnerError
from runner.moves import run_areas
from runner.stack import RECONCILIATION, Stack


@dataclass(frozen=True, slots=True)
class Proof:
    """What a reconciliation came to.

    Attributes:
        matched: Rows that are equal on both sides.
        explained: Rows that differ for a known reason.
        drift: Rows that differ for none.
        report: File of its report.
    """

    matched: int
    explained: int
    drift: int
    report: str


def prove(stack: Stack, say: Callable[[str], None]) -> Proof:
    """Run the reconciliation of all maps and of the books.

    Raises:
        RunnerError: It failed: drift, books that do not hold, or a map that could not be compared.
    """
    stack.api.unpause(RECONCILIATION)
    run_areas(stack, (RECONCILIATION,), say)
    store = StateStore(stack.layout.state_url)
    try:
        with store.begin() as connection:
            found = latest(connection, RECONCILIATION)
    finally:
        store.close()
    if found is None or found.report is None:
        raise RunnerError("The reconciliation has left no report.")
    return Proof(found.matched, found.explained, found.drift, urlsplit(found.report).path)
