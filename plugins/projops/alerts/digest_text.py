"""What the daily digest says: a few sentences, and a line for each thing that needs a person."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from projops import counting
from projops.alerts.model import Line, Message, MessageKind, Severity
from projops.alerts.texts import page_link
from projops.console.morning import Need
from projops.pages.wording import amount, minute
from projops.standing import Standing
from projops.state.alerts import Kept
from projops.state.reconciliations import Reconciliation
from projops.state.throttling import Budget

_MOST_MAPS = 5


@dataclass(frozen=True, slots=True)
class Facts:
    """What a digest tells of.

    Attributes:
        day: The day on which it is told, in its zone.
        standings: Number of legs by how they stand, the most pressing first.
        moved: Rows loaded in the last 24 hours, by map; maps that moved nothing are left out.
        needs: What needs a person, the most pressing first.
        open: Open alerts, the most severe first.
        opened: Alerts opened in the last 24 hours.
        over: Alerts that ended in the last 24 hours.
        proof: The last reconciliation of everything, or None.
        drift: Rows adrift by the last whole reconciliation of each leg.
        budget: Requests of the last whole day (UTC).
    """

    day: date
    standings: Mapping[str, int]
    moved: Mapping[str, int]
    needs: Sequence[Need]
    open: Sequence[Kept]
    opened: int
    over: int
    proof: Reconciliation | None
    drift: int
    budget: Budget


def digest(facts: Facts, console: str) -> Message:
    """Write a digest: a few sentences, and a line for each thing that needs a person.

    Args:
        facts: What it tells of.
        console: Absolute address of the console's root, without a slash at its end; "" if not known.
    """
    lines = tuple(_lines(facts, console))
    need = "1 thing needs a person" if len(lines) == 1 else f"{len(lines)} things need a person"
    return Message(
        kind=MessageKind.DIGEST,
        reference=f"digest-{facts.day.isoformat()}",
        subject=f"{facts.day.isoformat()}: {need if lines else 'nothing needs a person'}",
        happened=" ".join(told(facts) for told in (_stands, _has_moved, _is_proven, _was_told, _cost)),
        link=page_link(console, "maps"),
        lines=lines,
    )


def _lines(facts: Facts, console: str) -> Iterator[Line]:
    """Give the open alerts, then what they do not lead to."""
    for each in facts.open:
        word = "Critical" if each.alert.severity is Severity.CRITICAL else "Warning"
        yield Line(f"{word}: {each.alert.title}", page_link(console, each.alert.page))
    told = {each.alert.page for each in facts.open}
    for need in facts.needs:
        if need.page not in told:
            yield Line(need.sentence, page_link(console, need.page))


def _stands(facts: Facts) -> str:
    in_step, legs = facts.standings.get(Standing.IN_STEP, 0), sum(facts.standings.values())
    if in_step == legs:
        return f"All {legs} legs are in step."
    others = [f"{number} {name}" for name, number in facts.standings.items() if name != Standing.IN_STEP]
    return f"{in_step} of {legs} legs are in step; {', '.join(others)}."


def _has_moved(facts: Facts) -> str:
    rows = sum(facts.moved.values())
    if not rows:
        return "Nothing moved in the last 24 hours."
    most = [f"{name} {amount(number)}" for name, number in list(facts.moved.items())[:_MOST_MAPS]]
    others = ", and others" if len(facts.moved) > _MOST_MAPS else ""
    return f"In the last 24 hours {counting.rows(rows)} moved: {', '.join(most)}{others}."


def _is_proven(facts: Facts) -> str:
    proof = facts.proof
    if proof is None or proof.finished_at is None:
        return "Nothing has been reconciled yet."
    found = f"{counting.rows(facts.drift)} adrift" if facts.drift else "no drift"
    books = f", {proof.broken_invariants} broken rules of the books" if proof.broken_invariants else ""
    return f"The last reconciliation of everything ended at {minute(proof.finished_at)}: {found}{books}."


def _was_told(facts: Facts) -> str:
    if not (facts.open or facts.opened or facts.over):
        return "No alert."
    return f"Alerts: {facts.opened} new, {facts.over} over, {len(facts.open)} open."


def _cost(facts: Facts) -> str:
    return f"Requests of the day before: {amount(facts.budget.sent)} of {amount(facts.budget.budget)}."
