"""What people do about rows that were set aside: replay them, approve deletes, dismiss entries.

Nothing is written to either system here. A decision marks entries; the next run of their leg reads the
rows again by key and takes them through all stages. Success closes an entry, a newer failure replaces it.
Each decision leaves a line in the audit trail for each map.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection  # noqa: TID253  no DAG file leads here

from projops.errors import StopError
from projops.state import StateStore, decisions
from projops.state.audit import record_action
from projops.state.decisions import Marked, Staying, Verb
from projops.state.selection import Selection
from projops.state.tables import LIVE

__all__ = ["Decided", "Selection", "approve", "dismiss", "replay"]

_LIST = "`projops dead-letters list` shows those that are live."
_LONGEST_SUBJECT = 400
_MOST_LISTED = 10
_MATCHED = (
    ("map", "map", "is of the map {}, not of {}"),
    ("error", "rule", "has the error {}, not {}"),
    ("leg", "leg", "goes {}, not {}"),
    ("status", "status", "is {}, not {}"),
)
_Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Decided:
    """What a decision has marked.

    Attributes:
        at: When, in UTC: what it has marked is found by that (`fates`).
        count: How many entries.
        marked: Their numbers, the first `decisions.NAMED` of them.
        legs: Their legs, as (map, leg).
        staying: How many others stay as they are, by reason.
        left: Why they do, by number: of the first `decisions.NAMED`.
    """

    at: datetime
    count: int
    marked: tuple[int, ...]
    legs: tuple[tuple[str, str], ...]
    staying: Mapping[str, int]
    left: Mapping[int, str]

    @property
    def maps(self) -> tuple[str, ...]:
        """The maps of the entries."""
        return tuple(dict.fromkeys(map_id for map_id, _ in self.legs))

    @property
    def stays(self) -> list[str]:
        """Why others stay as they are, one sentence a reason."""
        by_reason: dict[str, list[int]] = {reason: [] for reason in self.staying}
        for number, reason in self.left.items():
            by_reason[reason].append(number)
        return [f"{_listed(each, self.staying[reason])} {reason}" for reason, each in by_reason.items()]


def replay(state: StateStore, wanted: Selection, actor: str, reason: str = "") -> Decided:
    """Let the next run of their legs try rows again.

    Raises:
        StopError: Nothing was said to choose by, or a number is of no such live entry.
    """
    return _decide(state, wanted, actor, lambda _: decisions.replaying(), reason)


def approve(state: StateStore, wanted: Selection, actor: str, reason: str = "") -> Decided:
    """Let the next run of their legs delete rows that are still gone at the source.

    A row that is there again by then is not deleted, and its entry closed.

    Raises:
        StopError: Nothing was said to choose by, or a number is of no such live entry.
    """
    return _decide(state, wanted, actor, lambda at: decisions.approving(actor, at), reason)


def dismiss(state: StateStore, wanted: Selection, reason: str, actor: str) -> Decided:
    """Close entries for good; their rows come again when they change, or with a full run.

    Of a delete that is dismissed the pair is forgotten: the target's row stays, nobody is asked about it
    again, and it is the target's own until the source has such a row once more.

    Raises:
        StopError: Nothing was said to choose by, a number is of no such live entry, or there is no reason.
    """
    why = reason.strip()
    if not why:
        raise StopError("A dismissal needs a reason.", remedy="Say why nobody will mend it (--reason).")
    return _decide(state, wanted, actor, lambda at: decisions.dismissing(why, at), why)


def _decide(
    state: StateStore, wanted: Selection, actor: str, verb_at: Callable[[datetime], Verb], reason: str = ""
) -> Decided:
    """Carry a decision out on the entries that it fits, with its lines in the audit trail."""
    _require_choice(wanted)
    at = datetime.now(UTC)
    verb = verb_at(at)
    with state.begin() as connection:
        if wanted.numbers:
            _require(wanted, decisions.named(connection, wanted.numbers))
        staying = decisions.carry_out(connection, wanted, verb, at)
        marked = decisions.marked(connection, at)
        for map_id, entries in marked.items():
            record_action(connection, actor, verb.name, _subject(connection, at, map_id, entries), reason)
        numbers = decisions.numbers_of(connection, at)
    return _decided(at, marked, numbers, staying)


def _decided(at: datetime, marked: Mapping[str, Marked], numbers: Sequence[int], staying: Staying) -> Decided:
    legs = tuple((map_id, leg) for map_id, each in marked.items() for leg in each.legs)
    count = sum(each.count for each in marked.values())
    return Decided(at, count, tuple(numbers), legs, staying.counts, staying.reasons)


def _require_choice(wanted: Selection) -> None:
    if not wanted.says_which:
        raise StopError("It is not said which dead letters.", remedy="Give numbers, a map, an error, or all.")
    if wanted.numbers and wanted.everything:
        raise StopError("Numbers and all together are a contradiction.", remedy="Give one of them.")


def _require(wanted: Selection, rows: Sequence[_Row]) -> None:
    """Refuse numbers that do not exist, are closed, or are not of the map or error that was named too."""
    missing = sorted(set(wanted.numbers).difference(row["id"] for row in rows))
    if missing:
        raise StopError(f"There is no dead letter {', '.join(map(str, missing))}.", remedy=_LIST)
    for row in rows:
        problem = _mismatch(wanted, row)
        if problem is not None:
            raise StopError(f"Dead letter {row['id']} {problem}.", remedy=_LIST)


def _mismatch(wanted: Selection, row: _Row) -> str | None:
    if row["status"] not in LIVE:
        return f"was {row['status']} on {row['closed_at']:%Y-%m-%d} ({row['closed_because']})"
    for name, column, sentence in _MATCHED:
        asked, has = getattr(wanted, name), row[column]
        if asked is not None and has.lower() != asked.lower():
            return sentence.format(has, asked)
    return None


def _listed(numbers: Sequence[int], count: int) -> str:
    shown = numbers[:_MOST_LISTED]
    first, more = ", ".join(map(str, shown)), count - len(shown)
    if more:
        return f"{first} and {more} more stay." if shown else f"{more} stay."
    return f"{first} {'stays' if count == 1 else 'stay'}."


def _subject(connection: Connection, at: datetime, map_id: str, entries: Marked) -> str:
    if entries.count <= _LONGEST_SUBJECT:  # each number takes a character at least
        numbers = decisions.numbers_of(connection, at, map_id)
        listed = f"dead letter {', '.join(map(str, numbers))} of {map_id}"
        if len(listed) <= _LONGEST_SUBJECT:
            return listed
    return f"{entries.count} dead letters of {map_id}, from {entries.first} to {entries.last}"
