"""What people do about rows that were set aside: replay them, approve deletes, dismiss entries.

Nothing is written to either system here. A decision marks entries; the next run of their leg reads the
rows again by key and takes them through all stages. Success closes an entry, a newer failure replaces it.
Each decision leaves a line in the audit trail.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection  # noqa: TID253  no DAG file leads here

from projops.errors import StopError
from projops.mapping.model import Direction, System
from projops.state import StateStore, crosswalk, dead_letters, decisions
from projops.state.audit import record_action
from projops.state.tables import LIVE

_LIST = "`projops dead-letters list` shows those that are live."
_LONGEST_SUBJECT = 400
_MOST_LISTED = 10
_Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Selection:
    """Which dead letters somebody means.

    Attributes:
        numbers: These; each must be live, and of the map and error if those are named too.
        map: Those of this map.
        error: Those of this error id or rule (`E6`, `mass_delete`).
        everything: All of them.
    """

    numbers: tuple[int, ...] = ()
    map: str | None = None
    error: str | None = None
    everything: bool = False


@dataclass(frozen=True, slots=True)
class Decided:
    """What a decision has marked.

    Attributes:
        marked: Numbers of the entries.
        legs: Their legs, as (map, leg).
        left: Why others stay as they are, by number.
        at: When, in UTC.
    """

    marked: tuple[int, ...]
    legs: tuple[tuple[str, str], ...]
    left: Mapping[int, str]
    at: datetime

    @property
    def maps(self) -> tuple[str, ...]:
        """The maps of the entries."""
        return tuple(dict.fromkeys(map_id for map_id, _ in self.legs))

    @property
    def stays(self) -> list[str]:
        """Why others stay as they are, one sentence a reason."""
        by_reason: dict[str, list[int]] = {}
        for number, reason in self.left.items():
            by_reason.setdefault(reason, []).append(number)
        return [f"{_listed(numbers)} {reason}" for reason, numbers in by_reason.items()]


def replay(state: StateStore, wanted: Selection, actor: str) -> Decided:
    """Let the next run of their legs try rows again.

    Raises:
        StopError: Nothing was said to choose by, or a number is of no such live entry.
    """

    def act(connection: Connection, rows: Sequence[_Row]) -> None:
        decisions.mark_for_replay(connection, _numbers(rows))

    return _decide(state, wanted, actor, _Verb("replay", _not_to_replay, act))


def approve(state: StateStore, wanted: Selection, actor: str) -> Decided:
    """Let the next run of their legs delete rows that are still gone at the source.

    A row that is there again by then is not deleted, and its entry closed.

    Raises:
        StopError: Nothing was said to choose by, or a number is of no such live entry.
    """

    def act(connection: Connection, rows: Sequence[_Row]) -> None:
        decisions.approve(connection, _numbers(rows), actor)

    return _decide(state, wanted, actor, _Verb("approve", _not_to_approve, act, (dead_letters.AWAITING,)))


def dismiss(state: StateStore, wanted: Selection, reason: str, actor: str) -> Decided:
    """Close entries for good; their rows come again when they change, or with a full run.

    Of a delete that is dismissed the pair is forgotten: the target's row stays, nobody is asked about it
    again, and it is the target's own until the source has such a row once more.

    Raises:
        StopError: Nothing was said to choose by, a number is of no such live entry, or there is no reason.
    """
    why = reason.strip()
    if not why:
        raise StopError("A dismissal needs a reason.", remedy="Give it with --reason.")

    def act(connection: Connection, rows: Sequence[_Row]) -> None:
        decisions.dismiss(connection, _numbers(rows), why)
        _forget_pairs(connection, [row for row in rows if _is_delete(row)])

    return _decide(state, wanted, actor, _Verb("dismiss", _never, act, reason=why))


@dataclass(frozen=True, slots=True)
class _Verb:
    """A decision: its name, whom it does not fit and why, what it does, and of which entries by default."""

    name: str
    refusal: Callable[[_Row], str | None]
    act: Callable[[Connection, Sequence[_Row]], None]
    statuses: Sequence[str] = LIVE
    reason: str = ""


def _decide(state: StateStore, wanted: Selection, actor: str, verb: _Verb) -> Decided:
    """Choose entries and carry a decision out on those that it fits, with its line in the audit trail."""
    at = datetime.now(UTC)
    with state.begin() as connection:
        rows = _chosen(connection, wanted, verb.statuses)
        left = {row["id"]: why for row in rows if (why := verb.refusal(row)) is not None}
        going = [row for row in rows if row["id"] not in left]
        verb.act(connection, going)
        for map_id in dict.fromkeys(row["map"] for row in going):
            numbers = [row["id"] for row in going if row["map"] == map_id]
            record_action(connection, actor, verb.name, _subject(map_id, numbers), verb.reason)
    legs = tuple(dict.fromkeys((row["map"], row["leg"]) for row in going))
    return Decided(tuple(_numbers(going)), legs, left, at)


def _chosen(connection: Connection, wanted: Selection, statuses: Sequence[str]) -> list[dict[str, Any]]:
    if not (wanted.numbers or wanted.map or wanted.error or wanted.everything):
        raise StopError("It is not said which dead letters.", remedy="Give numbers, a map, an error, or all.")
    if wanted.numbers and wanted.everything:
        raise StopError("Numbers and all together are a contradiction.", remedy="Give one of them.")
    rows = decisions.chosen(connection, wanted.numbers, wanted.map, wanted.error, statuses)
    if wanted.numbers:
        _require(wanted, rows)
    return rows


def _require(wanted: Selection, rows: Sequence[_Row]) -> None:
    """Refuse numbers that do not exist, are closed, or are not of the map or error that was named too."""
    missing = sorted(set(wanted.numbers).difference(_numbers(rows)))
    if missing:
        raise StopError(f"There is no dead letter {', '.join(map(str, missing))}.", remedy=_LIST)
    for row in rows:
        problem = _mismatch(wanted, row)
        if problem is not None:
            raise StopError(f"Dead letter {row['id']} {problem}.", remedy=_LIST)


def _mismatch(wanted: Selection, row: _Row) -> str | None:
    if row["status"] not in LIVE:
        return f"was {row['status']} on {row['closed_at']:%Y-%m-%d} ({row['closed_because']})"
    if wanted.map is not None and row["map"].lower() != wanted.map.lower():
        return f"is of the map {row['map']}, not of {wanted.map}"
    if wanted.error is not None and row["rule"].lower() != wanted.error.lower():
        return f"has the error {row['rule']}, not {wanted.error}"
    return None


def _not_to_replay(row: _Row) -> str | None:
    if row["status"] == dead_letters.AWAITING:
        return "It is a delete that waits for a person's approval, not for a replay: approve or dismiss it."
    if row["stage"] == dead_letters.FINANCE_STAGE:
        return "It is closed by itself once the job in Finance passes; run that job again."
    if row["key"] is None and row["leg"] == Direction.FINANCE_TO_DATAVERSE:
        return "The row has no key to read it by; correct it in Finance, and the change brings it."
    return None


def _not_to_approve(row: _Row) -> str | None:
    if row["status"] != dead_letters.AWAITING:
        return "It is no delete that waits for approval: replay or dismiss it."
    return None


def _never(row: _Row) -> str | None:
    del row
    return None


def _forget_pairs(connection: Connection, rows: Sequence[_Row]) -> None:
    """Forget the pairs of rows, but for keys that belong to another Dataverse row by now."""
    for map_id in dict.fromkeys(row["map"] for row in rows):
        mine = {row["key"]: row for row in rows if row["map"] == map_id}
        entries = crosswalk.by_keys(connection, map_id, mine)
        own = [
            key
            for key, entry in entries.items()
            if Direction(mine[key]["leg"]).source is System.FINANCE
            or entry.dataverse_id == mine[key]["source_id"]
        ]
        crosswalk.remove(connection, map_id, own)


def _is_delete(row: _Row) -> bool:
    return bool(row["status"] == dead_letters.AWAITING or row["rule"] == dead_letters.FORMER_KEY_FORM)


def _numbers(rows: Sequence[_Row]) -> list[int]:
    return [int(row["id"]) for row in rows]


def _listed(numbers: Sequence[int]) -> str:
    first = ", ".join(map(str, numbers[:_MOST_LISTED]))
    if len(numbers) > _MOST_LISTED:
        return f"{first} and {len(numbers) - _MOST_LISTED} more stay."
    return f"{first} {'stays' if len(numbers) == 1 else 'stay'}."


def _subject(map_id: str, numbers: Sequence[int]) -> str:
    listed = f"dead letter {', '.join(map(str, numbers))} of {map_id}"
    if len(listed) <= _LONGEST_SUBJECT:
        return listed
    return f"{len(numbers)} dead letters of {map_id}, from {numbers[0]} to {numbers[-1]}"
