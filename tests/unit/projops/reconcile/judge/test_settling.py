"""What changes while it is looked at is no drift: both systems are played, the state is real."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest

from projops.engine import Engine
from projops.identities import Identities
from projops.mapping.model import Direction
from projops.reconcile.compare.looking import SecondLook
from projops.reconcile.judge import settling
from projops.reconcile.judge.gathering import Outlook
from projops.reconcile.judge.pending import Coming
from projops.reconcile.model import ColumnDifference, Kind, RowDifference, Verdict
from projops.run import LegRef
from projops.state import crosswalk, in_flight
from projops.state.crosswalk import Entry
from projops.state.in_flight import Doubt, Writing
from projops.state.leases import acquire

FORTH = Direction.DATAVERSE_TO_FINANCE
ROW = RowDifference(
    LegRef("resource_roles", FORTH.value),
    '["r"]',
    Kind.CHANGED,
    "guid",
    '["r"]',
    "h",
    (ColumnDifference("Description", "a", "b"),),
)
Look = Callable[[Sequence[RowDifference]], SecondLook]


class Played:
    """Both systems: what each look at them shows, in order; the last one again and again.

    Attributes:
        changed: Rows that Dataverse names if it is asked now.
    """

    def __init__(self, engine: Engine, *looks: Look) -> None:
        self.engine, self.looks, self.taken = engine, list(looks), 0
        self.changed: list[str] = []

    async def outlooks(self, *_: Any) -> dict[Direction, Outlook]:
        table_map = self.engine.map("resource_roles")
        named = Identities()
        named.note((row_id, "changed") for row_id in self.changed)
        coming, leg = Coming(named=named), table_map.legs[FORTH]
        return {FORTH: Outlook(self.engine.state, table_map, leg, coming, None, None, "")}

    async def look_again(
        self, _: Any, __: Any, ___: Any, ____: Any, rows: Sequence[RowDifference]
    ) -> SecondLook:
        look = self.looks[min(self.taken, len(self.looks) - 1)]
        self.taken += 1
        return look(rows)


def differs(rows: Sequence[RowDifference]) -> SecondLook:
    return SecondLook(tuple(rows), ())


def changes(rows: Sequence[RowDifference]) -> SecondLook:
    return SecondLook((), tuple(rows))


def equal(_: Sequence[RowDifference]) -> SecondLook:
    return SecondLook((), ())


@pytest.fixture
def settle(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[list[Verdict], int]]:
    """Settle one row; give its verdicts and how often it was looked at."""
    put(engine, "h")

    def run(*looks: Look, changed_while_looked_at: tuple[str, ...] = ()) -> tuple[list[Verdict], int]:
        def first(rows: Sequence[RowDifference]) -> SecondLook:
            played.changed += changed_while_looked_at
            return looks[0](rows)

        played = Played(engine, first, *looks[1:] or looks)
        monkeypatch.setattr(settling, "outlooks", played.outlooks)
        monkeypatch.setattr(settling, "look_again", played.look_again)
        table_map = engine.map("resource_roles")
        settler = settling.Settler(engine, None, table_map, table_map.legs[FORTH], 1)  # type: ignore[arg-type]
        settled = asyncio.run(settler.settle([ROW]))
        return [finding.verdict for finding, _ in settled], played.taken

    return run


def put(engine: Engine, payload_hash: str) -> None:
    with engine.state.begin() as connection:
        entry = Entry('["r"]', "guid", hash_dataverse_to_finance=payload_hash)
        crosswalk.put(connection, "resource_roles", 1, [entry])


def test_what_stands_still_and_differs_is_drift(settle: Callable[..., Any]) -> None:
    assert settle(differs) == ([Verdict.DRIFT], 1)


def test_a_change_that_was_made_when_the_look_had_begun_is_named(
    settle: Callable[..., Any], engine: Engine
) -> None:
    put(engine, "older")
    assert settle(differs) == ([Verdict.DRIFT], 1)
    assert settle(differs, changed_while_looked_at=("guid",)) == ([Verdict.PENDING], 1)


def test_what_is_equal_by_now_is_nothing(settle: Callable[..., Any]) -> None:
    assert settle(equal) == ([], 1)


def test_what_changes_is_looked_at_again(settle: Callable[..., Any]) -> None:
    assert settle(changes, changes, differs) == ([Verdict.DRIFT], 3)
    assert settle(changes, equal) == ([], 2)


def test_what_changes_each_time_is_no_drift(settle: Callable[..., Any]) -> None:
    assert settle(changes) == ([Verdict.PENDING], settling.LOOKS)


def test_a_pair_that_a_run_writes_down_meanwhile_is_looked_at_again(
    settle: Callable[..., Any], engine: Engine
) -> None:
    def moved(rows: Sequence[RowDifference]) -> SecondLook:
        put(engine, "newer")
        return differs(rows)

    assert settle(moved, equal) == ([], 2)


def test_what_somebody_was_writing_when_the_look_began_is_no_drift(
    settle: Callable[..., Any], engine: Engine
) -> None:
    with engine.state.begin() as connection:
        writing = Writing("resource_roles", FORTH.value, 1, "token")
        mark = in_flight.record(connection, writing, [Doubt("guid", '["r"]')], timedelta(hours=1))

    def landed(rows: Sequence[RowDifference]) -> SecondLook:
        with engine.state.begin() as connection:
            in_flight.landed(connection, "token", [mark])
        return differs(rows)

    assert settle(landed) == ([Verdict.PENDING], 1)


def test_the_next_look_waits_for_whoever_writes_the_map(
    settle: Callable[..., Any], engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    lease = acquire(engine.state, "resource_roles", "a run", 60)
    waited: list[float] = []

    async def pass_time(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 3:
            lease.release()

    monkeypatch.setattr("projops.reconcile.judge.settling.asyncio.sleep", pass_time)
    assert settle(changes, equal) == ([], 2)
    assert len(waited) == 3
