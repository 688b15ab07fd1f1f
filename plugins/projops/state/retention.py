"""What the state need not remember any longer: rows that are closed and older than their period."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Table, and_, delete, func, select, update

from projops.state.dead_letters import FINANCE_STAGE
from projops.state.tables import LIVE, audit, conflict, dead_letter, export_execution, request_count

CLEANING = "clean"


@dataclass(frozen=True, slots=True)
class Limits:
    """Since when things are kept, in UTC; None keeps them for ever.

    Attributes:
        letters: Closed dead letters, by when they were closed, and conflicts.
        audit: The audit trail, and counts of requests.
        staging: Exports that were loaded: their package is gone from Finance after 7 days [D].
    """

    letters: datetime | None
    audit: datetime | None
    staging: datetime | None


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
    if limits.staging is not None:
        yield "exports", export_execution, export_execution.c.committed_at < limits.staging


def _closed_letters(limit: datetime) -> ColumnElement[bool]:
    holds = and_(dead_letter.c.status == "dismissed", dead_letter.c.stage == FINANCE_STAGE)
    return and_(_was_closed(limit), ~holds)


def _was_closed(limit: datetime) -> ColumnElement[bool]:
    return and_(dead_letter.c.status.not_in(LIVE), dead_letter.c.closed_at < limit)
