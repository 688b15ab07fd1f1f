"""Loads that crash, die, or lose their map half-way: what is written down, and what stays in doubt."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from projops.errors import BreakerOpenError, LeaseHeldError
from projops.load.decide import Action, Row, TargetRow
from projops.load.doubts import Doubts
from projops.load.job import LoadJob
from projops.load.stage import load_tables
from projops.load.target import Outcome, Result
from projops.state import StateStore, crosswalk, dead_letters, in_flight
from projops.state.batches import Counts
from projops.state.crosswalk import Entry
from tests.unit.projops.load.memory import FORTH, Memory, frame, job


def task(guid: str, digest: str, *parents: str) -> dict[str, object]:
    needs = [{"map": "project_tasks", "id": parent} for parent in parents]
    return {"_id": guid, "_key": f"[{guid}]", "_hash": digest, "_parents": needs}


@dataclass
class Crashing(Memory):
    """A target whose encoding crashes at some rows."""

    poison: frozenset[str] = frozenset()

    async def write(self, actions: Sequence[Action]) -> list[Outcome]:
        if self.poison & {action.row.key for action in actions}:
            raise KeyError("colour")
        return await super().write(actions)


async def test_a_row_that_crashes_the_load_is_set_aside_and_the_rest_goes(store: StateStore) -> None:
    target = Crashing(poison=frozenset({"[c]"}))
    rows = [task("a", "a"), task("b", "b", "a"), task("c", "c", "b"), task("d", "d", "b")]
    counts = await load_tables(job(store, target, "project_tasks"), [frame("project_tasks", *rows)])
    assert target.rows == {"[a]": "a", "[b]": "b", "[d]": "d"}
    assert counts == Counts(loaded=3, failed=1)
    with store.begin() as connection:
        [letter] = dead_letters.live(connection)
        pair = crosswalk.by_keys(connection, "project_tasks", ["[c]"])["[c]"]
        assert in_flight.marked(connection, "project_tasks", FORTH.value) == frozenset()
    assert (letter["source_id"], letter["stage"], letter["rule"]) == ("c", "load", "poison")
    assert "KeyError" in letter["message"]
    # Whether it was written before it crashed, nobody knows: its next load reads the target.
    assert (pair.dataverse_id, pair.hash_dataverse_to_finance) == ("c", crosswalk.UNKNOWN)


async def test_a_half_that_lands_says_nothing_of_the_other(store: StateStore) -> None:
    """The chunk crashed half-way, nobody knows where; the process dies at its second half."""
    target = Crashing(poison=frozenset({"[b]"}))
    dying = job(store, target, "project_tasks")
    dying = replace(dying, quarantine=replace(dying.quarantine, most=0))
    with pytest.raises(BreakerOpenError):
        await load_tables(dying, [frame("project_tasks", *(task(name, name) for name in "abcd"))])
    assert target.rows == {"[a]": "a"}
    with store.begin() as connection:
        assert {"b", "c", "d"} <= in_flight.marked(connection, "project_tasks", FORTH.value)


async def test_a_row_that_is_sent_again_leaves_no_mark(store: StateStore) -> None:
    target = Memory(answers=[Outcome(Result.LOOK_AGAIN)])
    rows = [task("a", "a"), task("b", "b")]
    await load_tables(job(store, target, "project_tasks"), [frame("project_tasks", *rows)])
    assert len(target.written) == 2
    with store.begin() as connection:
        assert in_flight.marked(connection, "project_tasks", FORTH.value) == frozenset()


async def test_a_defect_that_every_row_meets_stops_the_load(store: StateStore) -> None:
    rows = [task(name, name) for name in "abcdefg"]
    target = Crashing(poison=frozenset(f"[{name}]" for name in "abcdefg"))
    with pytest.raises(BreakerOpenError, match="More than 3 rows of project_tasks"):
        await load_tables(job(store, target, "project_tasks"), [frame("project_tasks", *rows)])


@dataclass
class Faithful(Memory):
    """A target that tells what it holds; at the end it takes what it is given and never says so."""

    values: dict[str, dict[str, object]] = field(default_factory=dict)
    dies: bool = False

    async def read(self, rows: Sequence[Row]) -> Mapping[str, TargetRow]:
        return {
            row.key: TargetRow(None, self.values[row.key], None) for row in rows if row.key in self.values
        }

    async def write(self, actions: Sequence[Action]) -> list[Outcome]:
        for action in actions:
            held = self.values.setdefault(action.row.key, {})
            held.update({name: action.row.payload[name] for name in action.columns})
        if self.dies:
            raise KeyboardInterrupt
        return await super().write(actions)

    def name(self) -> object:
        return self.values["[a]"]["TaskName"]


def doubting(store: StateStore, target: Memory) -> LoadJob:
    after = job(store, target, "project_tasks", run="after")
    with store.begin() as connection:
        marks = in_flight.of_others(connection, "project_tasks", after.lease.token)
    return replace(after, doubts=Doubts.of(marks, FORTH))


async def test_what_was_on_its_way_when_the_load_died_is_read_from_the_target(store: StateStore) -> None:
    """The row goes back to what was last in step: the crosswalk alone would take it for untouched."""
    target = Faithful()
    first, second = (
        frame("project_tasks", task("a", version) | {"TaskName": version}) for version in ("v1", "v2")
    )
    await load_tables(job(store, target, "project_tasks"), [first])
    with pytest.raises(KeyboardInterrupt):
        dying = Faithful(values=target.values, dies=True)
        await load_tables(job(store, dying, "project_tasks"), [second])
    assert target.name() == "v2"
    assert await load_tables(doubting(store, target), [first]) == Counts(loaded=1)
    assert target.name() == "v1"


async def test_what_stayed_without_a_clear_answer_stays_marked(store: StateStore) -> None:
    """Whether it was created nobody knows: should it go at the source now, it goes at the target too."""
    lost = [Outcome(Result.LOOK_AGAIN, message="No answer came.")] * 3
    counts = await load_tables(
        job(store, Memory(answers=lost), "project_tasks"), [frame("project_tasks", task("a", "v1"))]
    )
    assert counts == Counts(failed=1)
    with store.begin() as connection:
        [row] = in_flight.look(connection, "project_tasks", FORTH.value, 2, timedelta(minutes=1))
        [letter] = dead_letters.live(connection)
    assert (row.source_id, row.key) == ("a", "[a]")
    assert (letter["rule"], letter["retriable"]) == ("no_answer", True)


async def test_a_change_without_a_clear_answer_that_is_taken_back_is_read_from_the_target(
    store: StateStore,
) -> None:
    target = Faithful()
    first, second = (
        frame("project_tasks", task("a", version) | {"TaskName": version}) for version in ("v1", "v2")
    )
    await load_tables(job(store, target, "project_tasks"), [first])
    mute = Memory(rows={"[a]": "v1"}, answers=[Outcome(Result.LOOK_AGAIN)] * 3)
    assert await load_tables(job(store, mute, "project_tasks", run="two"), [second]) == Counts(failed=1)
    target.values["[a]"]["TaskName"] = "v2"  # the last one arrived after all
    assert await load_tables(doubting(store, target), [first]) == Counts(loaded=1)
    assert target.name() == "v1"


def in_doubt(store: StateStore, back: str | None = None) -> None:
    with store.begin() as connection:
        crosswalk.put(connection, "project_tasks", 1, [Entry("[a]", "a", hash_finance_to_dataverse=back)])
        crosswalk.doubt(connection, "project_tasks", 1, FORTH, [("[a]", "a")])


async def pairs_after(store: StateStore, answer: Outcome) -> Mapping[str, Entry]:
    target = Memory(answers=[answer] * 3)
    await load_tables(job(store, target, "project_tasks"), [frame("project_tasks", task("a", "v1"))])
    with store.begin() as connection:
        return crosswalk.by_keys(connection, "project_tasks", ["[a]"])


REFUSED = Outcome(Result.REFUSED, code="closed", message="It is closed.")


@pytest.mark.parametrize("answer", [REFUSED, Outcome(Result.WAITS, code="parent_missing")])
async def test_a_row_in_doubt_that_is_not_there_and_is_refused_is_no_pair(
    store: StateStore, answer: Outcome
) -> None:
    """Else its letter, once dismissed, would open the billing gate to a row that Finance has not."""
    in_doubt(store)
    assert await pairs_after(store, answer) == {}


async def test_a_row_in_doubt_without_a_clear_answer_stays_a_pair(store: StateStore) -> None:
    in_doubt(store)
    assert (await pairs_after(store, Outcome(Result.LOOK_AGAIN))).keys() == {"[a]"}


async def test_a_refused_row_that_is_in_step_the_other_way_stays_a_pair(store: StateStore) -> None:
    """That it is gone at the target is news for the other leg, which tells it by this pair."""
    in_doubt(store, back="h")
    assert (await pairs_after(store, REFUSED)).keys() == {"[a]"}


async def test_who_has_lost_the_map_neither_sends_nor_writes_down(store: StateStore) -> None:
    target = Memory()
    mine = job(store, target, "project_tasks")
    with store.begin() as connection:
        connection.exec_driver_sql("update lease set token = 'theirs'")
    with pytest.raises(LeaseHeldError):
        await load_tables(mine, [frame("project_tasks", task("a", "a"))])
    assert target.written == []


async def test_an_answer_that_comes_after_the_map_was_taken_is_not_written_down(store: StateStore) -> None:
    target = Robbed(store=store)
    mine = job(store, target, "project_tasks")
    with pytest.raises(LeaseHeldError):
        await load_tables(mine, [frame("project_tasks", task("a", "a"))])
    with store.begin() as connection:
        assert crosswalk.by_keys(connection, "project_tasks", ["[a]"]) == {}
        [mark] = in_flight.of_others(connection, "project_tasks", "theirs")
    assert [row.key for row in mark.rows] == ["[a]"]


@dataclass
class Robbed(Memory):
    """A target that answers after somebody else has taken the map."""

    store: StateStore | None = None

    async def write(self, actions: Sequence[Action]) -> list[Outcome]:
        assert self.store is not None
        with self.store.begin() as connection:
            connection.exec_driver_sql("update lease set token = 'theirs'")
        return await super().write(actions)
