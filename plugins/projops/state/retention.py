"""What the state need not remember any longer: rows that are closed and older than their period."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Table, and_, delete, func, select, update

from projops.state.dead_letters import FINANCE_STAGE
from projops.state.tables import (
    LIVE,
    alert,
    audit,
    conflict,
    dead_letter,
    delivery,
    difference,
    export_execution,
    invariant,
    quality,
    reconciled_leg,
    reconciliation,
    request_count,
    signal_count,
    task_failure,
)

CLEANING = "clean"


@dataclass(frozen=True, slots=True)
class Limits:
    """Since when things are kept, in UTC; None keeps them for ever.

    Attributes:
        letters: Closed dead letters, by when they were closed, and conflicts.
        audit: The audit trail, counts of requests, and alerts that are over.
        staging: Exports that were loaded: their package is gone from Finance after 7 days [D].
        reports: Reconciliations with all that they found, by when they began, and what broke rules.
    """

    letters: datetime | None
    audit: datetime | None
    staging: datetime | None
    reports: datetime | None


def expired(connection: Connection, limits: Limits) -> dict[str, int]:
    """Count what is older than its limit, by name."""
    return {
        name: connection.execute(select(func.count()).select_from(table).where(rule)).scalar_one()
        for name, table, rule in _rules(limits)
    }


def evidence_needed(connection: Connection, limits: Limits) -> set[str]:
    """Give the evidence of dead letters that are kept, live or closed."""
    rule: ColumnElement[bool] = dead_letter.c.evidence.is_not(None)
    if limits.letters is not None:
        rule = and_(rule, ~_closed_letters(limits.letters))
    return set(connection.execute(select(dead_letter.c.evidence).where(rule)).scalars())


def forget(connection: Connection, limits: Limits) -> dict[str, int]:
    """Delete what is older than its limit; give the numbers by name.

    Of a message of Finance's jobs that somebody dismissed the entry itself stays, without its row:
    Finance repeats its messages for as long as the job stands, and the dismissal is to hold.
    """
    if limits.letters is not None:
        told = and_(_was_closed(limits.letters), dead_letter.c.stage == FINANCE_STAGE)
        connection.execute(update(dead_letter).where(told).values(payload=None, value=None))
    return {
        name: connection.execute(delete(table).where(rule)).rowcount for name, table, rule in _rules(limits)
    }


def last_cleaned(connection: Connection) -> datetime | None:
    """Say when the state was cleaned last, by the audit trail."""
    latest = select(audit.c.at).where(audit.c.action == CLEANING).order_by(audit.c.id.desc()).limit(1)
    return connection.execute(latest).scalar_one_or_none()


def _rules(limits: Limits) -> Iterator[tuple[str, Table, ColumnElement[bool]]]:
    if limits.letters is not None:
        yield "dead letters", dead_letter, _closed_letters(limits.letters)
        yield "conflicts", conflict, conflict.c.seen_at < limits.letters
    if limits.audit is not None:
        yield "actions", audit, audit.c.at < limits.audit
        yield "request counts", request_count, request_count.c.day < limits.audit.date().isoformat()
        yield "signal counts", signal_count, signal_count.c.day < limits.audit.date().isoformat()
        yield from _alerts(limits.audit)
    if limits.staging is not None:
        yield "exports", export_execution, export_execution.c.committed_at < limits.staging
    if limits.reports is not None:
        yield from _reconciliations(limits.reports)
        yield "rejected rows by rule", quality, quality.c.at < limits.reports


def _alerts(limit: datetime) -> Iterator[tuple[str, Table, ColumnElement[bool]]]:
    """Give alerts that are over, behind where they were sent, and failures that were mended."""
    old = select(alert.c.id).where(alert.c.resolved_at < limit)
    yield "deliveries of alerts", delivery, delivery.c.alert.in_(old)
    yield "alerts", alert, alert.c.resolved_at < limit
    yield "failures of tasks", task_failure, task_failure.c.mended_at < limit


def _reconciliations(limit: datetime) -> Iterator[tuple[str, Table, ColumnElement[bool]]]:
    """Give reconciliations behind what they found: nothing of them is left without them."""
    old = select(reconciliation.c.id).where(reconciliation.c.started_at < limit)
    yield "differences", difference, difference.c.reconciliation.in_(old)
    yield "invariants", invariant, invariant.c.reconciliation.in_(old)
    yield "reconciled legs", reconciled_leg, reconciled_leg.c.reconciliation.in_(old)
    yield "reconciliations", reconciliation, reconciliation.c.started_at < limit


def _closed_letters(limit: datetime) -> ColumnElement[bool]:
    holds = and_(dead_letter.c.status == "dismissed", dead_letter.c.stage == FINANCE_STAGE)
    return and_(_was_closed(limit), ~holds)


def _was_closed(limit: datetime) -> ColumnElement[bool]:
    return and_(dead_letter.c.status.not_in(LIVE), dead_letter.c.closed_at < limit)
