"""What is measured, as plain values: of a batch when it ends, and of how everything stands."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from projops.alerts.model import Severity
from projops.mapping.model import System
from projops.metrics import catalog
from projops.metrics.catalog import Measure
from projops.reconcile.model import Scope
from projops.run import LegOutcome, LegRef
from projops.standing import LegStatus, Standing, standings
from projops.state import alerts, reconciliations
from projops.state.clock import present
from projops.state.tables import LIVE
from projops.state.throttling import Budget, budget_today

if TYPE_CHECKING:
    from projops.engine import Engine
    from projops.state.reconciliations import Reconciliation

_OUTCOMES = ("read", "unchanged", "loaded", "parked", "rejected", "failed", "deleted")


@dataclass(frozen=True, slots=True)
class Facts:
    """How everything stands at one moment.

    Attributes:
        now: That moment, UTC.
        legs: How each leg stands.
        budget: Today's requests.
        proof: The last reconciliation of everything, or None.
        alerts: How pressing each open alert is.
    """

    now: datetime
    legs: Sequence[LegStatus]
    budget: Budget
    proof: "Reconciliation | None"
    alerts: Sequence[Severity]


def of_batch(outcome: LegOutcome) -> Iterator[Measure]:
    """Measure a batch that has ended; one that was superseded moved nothing, and counts nowhere."""
    if outcome.superseded_by is not None:
        return
    leg = (outcome.map, outcome.leg)
    for name in _OUTCOMES:
        if rows := getattr(outcome, name):
            yield catalog.ROWS.measure(rows, name, *leg)
    yield catalog.BATCH.measure(timedelta(seconds=outcome.seconds), *leg)


def of_stage(ref: LegRef, stage: str, took: timedelta) -> Measure:
    """Measure one stage of a batch."""
    return catalog.STAGE.measure(took, stage, ref.map, ref.leg)


def gather(engine: "Engine") -> Facts:
    """Read how everything stands, in a handful of statements whatever the number of rows."""
    legs = standings(engine)
    with engine.state.reading() as connection:
        return Facts(
            now=present(connection),
            legs=legs,
            budget=budget_today(connection, engine.settings),
            proof=reconciliations.latest(connection, scope=Scope()),
            alerts=[each.alert.severity for each in alerts.open_ones(connection)],
        )


def of_everything(facts: Facts) -> Iterator[Measure]:
    """Measure how everything stands; what is nil is told too, since a receiver keeps what it heard last."""
    yield from _of_legs(facts)
    yield from _of_requests(facts.budget)
    yield from _of_proof(facts.proof)
    for severity in Severity:
        yield catalog.ALERTS.measure(facts.alerts.count(severity), severity)


def _of_legs(facts: Facts) -> Iterator[Measure]:
    for standing in Standing:
        number = sum(each.standing is standing for each in facts.legs)
        yield catalog.LEGS.measure(number, standing.value.replace(" ", "_"))
    for each in facts.legs:
        leg = (each.map, each.leg)
        if each.facts.fresh_at is not None:
            yield catalog.LAG.measure((facts.now - each.facts.fresh_at).total_seconds(), *leg)
        yield catalog.BACKLOG.measure(each.facts.backlog, *leg)
        if each.proof is not None:
            yield catalog.MATCHED.measure(each.proof.matched, *leg)
            yield catalog.DRIFT.measure(each.proof.drift, *leg)
        for status in LIVE:
            yield catalog.DEAD_LETTERS.measure(each.facts.aside.get(status, 0), status, *leg)


def _of_requests(budget: Budget) -> Iterator[Measure]:
    yield catalog.BUDGET.measure(budget.budget)
    for system in System:
        yield catalog.REQUESTS.measure(budget.by_system.get(system, 0), system)
        yield catalog.THROTTLED.measure(budget.refused.get(system, 0), system)
        still = budget.still.get(system, timedelta())
        yield catalog.THROTTLED_SECONDS.measure(still.total_seconds(), system)


def _of_proof(proof: "Reconciliation | None") -> Iterator[Measure]:
    if proof is not None and proof.finished_at is not None:
        took = proof.finished_at - proof.started_at
        yield catalog.RECONCILIATION_SECONDS.measure(took.total_seconds())
        yield catalog.BROKEN.measure(proof.broken_invariants)
