"""What people decide about dead letters: to replay, to approve, to dismiss them.

Nothing is moved here. A decision marks entries, and the next run of their leg acts on it. It is one
statement however many entries it is about, and marks them with the moment at which it was made: by that
it is told later what became of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    case,
    delete,
    false,
    func,
    literal,
    or_,
    select,
    true,
    tuple_,
    update,
)

from projops.mapping.model import Direction
from projops.state.dead_letters import AWAITING, FINANCE_STAGE, FORMER_KEY_FORM, MASS_DELETE
from projops.state.selection import Selection, conditions
from projops.state.slices import slices
from projops.state.tables import LIVE, UtcDateTime, crosswalk, dead_letter

NAMED = 1000  # entries that a decision names; of more their number is told
_FACTS = ("id", "map", "leg", "status", "stage", "rule", "closed_at", "closed_because")
_APPROVAL = "It is a delete that waits for a person's approval, not for a replay: approve or dismiss it."
_BY_FINANCE = "It is closed by itself once the job in Finance passes; run that job again."
_NO_KEY = "The row has no key to read it by; correct it in Finance, and the change brings it."
_NO_DELETE = "It is no delete that waits for approval: replay or dismiss it."


@dataclass(frozen=True, slots=True)
class Verb:
    """A decision: its name, whom it does not fit, and what it does to the others.

    Attributes:
        name: As the audit trail names it.
        statuses: Of which entries it is, where no numbers are given.
        unfit: Which of them stay as they are, and why, the first reason first.
        values: What it writes.
        pairs: Whether it forgets the pairs of rows that are to be deleted.
    """

    name: str
    values: Mapping[str, Any]
    statuses: Sequence[str] = LIVE
    unfit: Sequence[tuple[ColumnElement[bool], str]] = ()
    pairs: bool = False


@dataclass(frozen=True, slots=True)
class Marked:
    """Entries of one map that a decision has marked.

    Attributes:
        count: How many.
        first: The lowest number.
        last: The highest.
        legs: Their directions.
    """

    count: int
    first: int
    last: int
    legs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Staying:
    """Entries that a decision does not fit.

    Attributes:
        counts: How many stay, by reason.
        reasons: Why, by number: of the first `NAMED`.
    """

    counts: Mapping[str, int] = field(default_factory=dict)
    reasons: Mapping[int, str] = field(default_factory=dict)


def replaying() -> Verb:
    """Let the next run of their legs read rows again by key; what becomes of them then is new."""
    keyless = and_(dead_letter.c.key.is_(None), dead_letter.c.leg == Direction.FINANCE_TO_DATAVERSE.value)
    unfit = (
        (dead_letter.c.status == AWAITING, _APPROVAL),
        (dead_letter.c.stage == FINANCE_STAGE, _BY_FINANCE),
        (keyless, _NO_KEY),
    )
    return Verb("replay", {"retriable": True}, unfit=unfit)


def approving(actor: str, at: datetime) -> Verb:
    """Let the next run of their legs look whether rows are still gone, and remove them if so.

    Who approves a second time changes nothing.
    """
    values = {
        "approved_at": func.coalesce(dead_letter.c.approved_at, literal(at, UtcDateTime)),
        "approved_by": func.coalesce(dead_letter.c.approved_by, actor),
    }
    return Verb("approve", values, (AWAITING,), ((dead_letter.c.status != AWAITING, _NO_DELETE),))


def dismissing(reason: str, at: datetime) -> Verb:
    """Close entries that nobody will mend."""
    values = {"status": "dismissed", "closed_at": at, "closed_because": reason}
    return Verb("dismiss", values, pairs=True)


def carry_out(connection: Connection, wanted: Selection, verb: Verb, at: datetime) -> Staying:
    """Mark the entries that a decision fits; a run may close some meanwhile: those stay as they are.

    Args:
        connection: Open transaction.
        wanted: The entries.
        verb: The decision.
        at: Its moment, UTC, by which its entries are found afterwards.

    Returns:
        Which others stay as they are.
    """
    chosen = list(conditions(wanted, LIVE if wanted.numbers else verb.statuses))
    staying = _staying(connection, chosen, verb)
    fits = and_(true(), *(~each for each, _ in verb.unfit))
    for part in chosen:
        connection.execute(update(dead_letter).where(part, fits).values(decided_at=at, **verb.values))
    if verb.pairs:
        _forget_pairs(connection, at)
    return staying


def marked(connection: Connection, at: datetime) -> dict[str, Marked]:
    """Give what the decision of a moment has marked, by map."""
    counted = (func.count(), func.min(dead_letter.c.id), func.max(dead_letter.c.id))
    rows = connection.execute(
        select(dead_letter.c.map, dead_letter.c.leg, *counted)
        .where(dead_letter.c.decided_at == at)
        .group_by(dead_letter.c.map, dead_letter.c.leg)
        .order_by(dead_letter.c.map, dead_letter.c.leg)
    )
    found: dict[str, Marked] = {}
    for map_id, leg, count, first, last in rows:
        other = found.get(map_id, Marked(0, first, last, ()))
        ends = min(first, other.first), max(last, other.last)
        found[map_id] = Marked(other.count + count, *ends, (*other.legs, leg))
    return found


def numbers_of(connection: Connection, at: datetime, map_id: str | None = None) -> list[int]:
    """Give the numbers of what the decision of a moment has marked, lowest first: the first `NAMED`."""
    statement = select(dead_letter.c.id).where(dead_letter.c.decided_at == at)
    if map_id is not None:
        statement = statement.where(dead_letter.c.map == map_id)
    return list(connection.execute(statement.order_by(dead_letter.c.id).limit(NAMED)).scalars())


def chosen(connection: Connection, wanted: Selection) -> list[dict[str, Any]]:
    """List live entries whole, oldest first."""
    parts = [select(dead_letter).where(each).order_by(dead_letter.c.id) for each in conditions(wanted)]
    return [dict(row) for part in parts for row in connection.execute(part).mappings()]


def named(connection: Connection, numbers: Sequence[int]) -> list[dict[str, Any]]:
    """Give what must be known of entries to decide on them, in whatever status: nothing of what they hold."""
    facts = select(*(dead_letter.c[name] for name in _FACTS)).order_by(dead_letter.c.id)
    parts = (facts.where(dead_letter.c.id.in_(part)) for part in slices(sorted(set(numbers))))
    return [dict(row) for part in parts for row in connection.execute(part).mappings()]


def _staying(connection: Connection, chosen: Sequence[ColumnElement[bool]], verb: Verb) -> Staying:
    if not verb.unfit:
        return Staying()
    why = case(*((rule, literal(reason)) for rule, reason in verb.unfit)).label("why")
    stays = or_(false(), *(rule for rule, _ in verb.unfit))
    counts: dict[str, int] = {}
    reasons: dict[int, str] = {}
    for part in chosen:
        stay = select(dead_letter.c.id, why).where(part, stays).subquery()
        by_reason = select(stay.c.why, func.count()).group_by(stay.c.why).order_by(func.min(stay.c.id))
        for reason, count in connection.execute(by_reason):
            counts[reason] = counts.get(reason, 0) + count
        first = select(stay).order_by(stay.c.id).limit(NAMED)
        reasons |= {row.id: row.why for row in connection.execute(first)}
    return Staying(counts, reasons)


def _forget_pairs(connection: Connection, at: datetime) -> None:
    """Forget the pairs of deletes just decided on, but for keys that belong to another row by now."""
    pair = and_(crosswalk.c.map == dead_letter.c.map, crosswalk.c.key == dead_letter.c.key)
    own = or_(
        dead_letter.c.leg == Direction.FINANCE_TO_DATAVERSE.value,
        crosswalk.c.dataverse_id == dead_letter.c.source_id,
    )
    is_delete = dead_letter.c.rule.in_((MASS_DELETE, FORMER_KEY_FORM))
    gone = (
        select(crosswalk.c.map, crosswalk.c.key)
        .join(dead_letter, pair)
        .where(dead_letter.c.decided_at == at, is_delete, own)
    )
    connection.execute(delete(crosswalk).where(tuple_(crosswalk.c.map, crosswalk.c.key).in_(gone)))
