"""The report of a reconciliation, from what the state has kept of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from projops.engine import Engine
from projops.reconcile.reconciliation import finish, not_compared
from projops.reconcile.report.model import Report
from projops.reconcile.report.publishing import publish
from projops.reconcile.report.verdict import Numbers
from projops.state import differences, invariants, quality, reconciliations
from projops.state.reconciliations import Reconciliation

MOST_NAMED = 1_000  # differing rows on the page; the Parquet file has all
_DAYS_OF_RULES = 31


@dataclass(frozen=True, slots=True)
class Written:
    """A report that was written.

    Attributes:
        numbers: What the reconciliation came to.
        uri: Where the page is.
    """

    numbers: Numbers
    uri: str


def write_report(engine: Engine, reconciliation: int, repairs: Sequence[str] = ()) -> Written:
    """Sum a reconciliation up, and write its report; written again it replaces the earlier one.

    Args:
        engine: Open engine.
        reconciliation: Number that `begin` gave.
        repairs: What was repaired before both sides were compared for the last time, in sentences.

    Raises:
        ConfigurationError: There is no such reconciliation.
    """
    finished = finish(engine, reconciliation)
    report = read_report(engine, finished, repairs)
    uri = publish(engine.staging, report)
    with engine.state.begin() as connection:
        reconciliations.note_report(connection, reconciliation, uri)
    return Written(report.numbers, uri)


def read_report(engine: Engine, finished: Reconciliation, repairs: Sequence[str] = ()) -> Report:
    """Read what a report tells."""
    since = finished.started_at - timedelta(days=_DAYS_OF_RULES)
    with engine.state.reading() as connection:
        legs = tuple(reconciliations.legs(connection, finished.id))
        return Report(
            reconciliation=finished,
            legs=legs,
            titles={name: table_map.title for name, table_map in engine.maps.items()},
            not_compared=not_compared(engine, finished, [leg.leg for leg in legs]),
            seen=tuple(differences.found(connection, finished.id, limit=MOST_NAMED)),
            invariants=tuple(invariants.of(connection, finished.id)),
            history=tuple(reconciliations.history(connection, finished)),
            repairs=tuple(repairs),
            rules=tuple(
                each for each in quality.trend(connection, None, since) if each.severity == quality.ERROR
            ),
        )
