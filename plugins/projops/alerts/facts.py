"""What is known when a watch begins: read once, in one transaction, and judged by `causes`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from projops.alerts.model import AlertRules, Kind
from projops.engine import Engine
from projops.mapping.findings import Finding
from projops.mapping.model import Direction, System
from projops.mapping.reader import BrokenMap
from projops.reconcile.model import Scope
from projops.state import alert_facts, alerts, pauses, reconciliations, task_failures
from projops.state.alert_facts import BrokenBooks, Place, Tried
from projops.state.proofs import Proof, proofs
from projops.state.reconciliations import Reconciliation
from projops.state.task_failures import OpenFailure
from projops.state.throttling import Budget, budget_today

if TYPE_CHECKING:
    from sqlalchemy import Connection

CHANNEL_MEMORY = timedelta(days=7)
"""For how long a channel that did not work is remembered while nothing is sent there."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of the whole when a watch begins.

    Attributes:
        now: The present, UTC.
        areas: Area by map id: of maps that are on, and of those that are broken.
        finance_legs: Legs as (map, leg) that read Finance.
        told: Causes of which an alert is open.
        failures: Tasks that failed and were not mended.
        broken: Maps that cannot run.
        findings: What is wrong with the file of alerts.
        letters: Open dead letters by (map, error).
        recent: Those first seen within a time, by that time.
        parked: Rows by (map, leg) that have been parked for longer than a time, by that time.
        awaiting: Deletes by (map, leg) that nobody has approved.
        in_step: When each leg of the maps that has run was last known to be in step.
        paused: Maps that are paused.
        proofs: What the latest whole reconciliation of each leg found.
        proof: The latest reconciliation of everything, or None.
        books: What it found broken in the books.
        budget: Today's requests.
        tried: The latest attempt at each channel.
    """

    now: datetime
    areas: Mapping[str, str]
    finance_legs: frozenset[Place]
    told: frozenset[str]
    failures: Sequence[OpenFailure]
    broken: Sequence[BrokenMap]
    findings: Sequence[Finding]
    letters: Mapping[Place, int]
    recent: Mapping[timedelta, Mapping[Place, int]]
    parked: Mapping[timedelta, Mapping[Place, int]]
    awaiting: Mapping[Place, int]
    in_step: Mapping[Place, datetime]
    paused: frozenset[str]
    proofs: Sequence[Proof]
    proof: Reconciliation | None
    books: Sequence[BrokenBooks]
    budget: Budget
    tried: Mapping[str, Tried]


def gather(
    connection: "Connection", engine: Engine, rules: AlertRules, findings: Sequence[Finding], now: datetime
) -> Facts:
    """Read what the rules are judged by.

    Args:
        connection: Open transaction, which no other watch shares.
        engine: The engine.
        rules: The rules: what none of them asks for is not counted.
        findings: What is wrong with the file that they come from.
        now: The present, UTC.
    """
    task_failures.mend_moved(connection)
    legs = _legs(engine)
    proof = reconciliations.latest(connection, scope=Scope())
    windows = _times(rules, Kind.DEAD_LETTERS)
    return Facts(
        now=now,
        areas=areas_of(engine),
        finance_legs=frozenset(place for place, leg in legs.items() if leg.source is System.FINANCE),
        told=frozenset(alerts.open_causes(connection)),
        failures=task_failures.open_failures(connection),
        broken=engine.loaded.broken,
        findings=findings,
        letters=alert_facts.open_since(connection, None) if windows else {},
        recent={time: alert_facts.open_since(connection, now - time) for time in windows},
        parked={
            time: alert_facts.parked_before(connection, now - time) for time in _times(rules, Kind.PARKED)
        },
        awaiting=alert_facts.awaiting(connection),
        in_step={place: at for place, at in alert_facts.in_step_at(connection).items() if place in legs},
        paused=frozenset(pauses.paused(connection)),
        proofs=proofs(connection),
        proof=proof,
        books=alert_facts.broken_books(connection, proof.id) if proof else [],
        budget=budget_today(connection, engine.settings),
        tried=alert_facts.channels_tried(connection, now - CHANNEL_MEMORY),
    )


def areas_of(engine: Engine) -> Mapping[str, str]:
    """Give the areas of maps that are on, and of those that are broken, by map id."""
    on = {name: each.area for name, each in engine.maps.items() if each.enabled}
    return on | {each.map: each.area for each in engine.loaded.broken}


def _legs(engine: Engine) -> dict[Place, Direction]:
    return {(name, leg.value): leg for name, each in engine.maps.items() for leg in each.legs}


def _times(rules: AlertRules, kind: Kind) -> set[timedelta]:
    return {rule.within for rule in rules.rules if rule.when is kind}
