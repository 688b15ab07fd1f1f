"""Loading chunks to a target of the tests' own: what is written in which order, what becomes of each row."""

import gc
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from projops.load.decide import Action
from projops.load.stage import load_tables
from projops.load.target import Outcome, Result
from projops.state import StateStore, crosswalk, dead_letters
from projops.state.batches import Counts
from projops.state.crosswalk import Entry
from tests.unit.projops.load.memory import BACK, Memory, frame, job, source


def task(guid: str, digest: str, *parents: str) -> dict[str, object]:
    needs = [{"map": "project_tasks", "id": parent} for parent in parents]
    return {"_id": guid, "_key": f"[{guid}]", "_hash": digest, "_parents": needs}


async def test_a_row_put_off_does_not_overwrite_its_newer_version(store: StateStore) -> None:
    """Old `b` waits for `a`, which comes in the next chunk together with a new `b` that waits for nobody."""
    target = Memory()
    chunks = [
        frame("project_tasks", task("b", "old", "a")),
        frame("project_tasks", task("a", "a"), task("b", "new")),
    ]
    counts = await load_tables(job(store, target, "project_tasks"), chunks)
    assert target.rows == {"[a]": "a", "[b]": "new"}
    assert counts == Counts(unchanged=1, loaded=2)


async def test_a_row_put_off_is_not_made_again_after_its_delete(store: StateStore) -> None:
    target = Memory()
    gone = {"_id": "b", "_key": "[b]", "_deleted": True}
    chunks = [frame("project_tasks", task("b", "old", "a")), frame("project_tasks", gone)]
    counts = await load_tables(job(store, target, "project_tasks"), chunks)
    assert target.written == []
    assert counts == Counts(unchanged=2)


async def test_levels_are_written_parents_first_and_each_row_once(store: StateStore) -> None:
    target = Memory()
    rows = [task("c", "c", "b"), task("b", "b", "a"), task("a", "a"), task("d", "d", "c", "a")]
    counts = await load_tables(job(store, target, "project_tasks"), [frame("project_tasks", *rows)])
    assert [key for _, key in target.written] == ["[a]", "[b]", "[c]", "[d]"]
    assert counts == Counts(loaded=4)


async def test_a_circle_is_written_twice_and_counted_once(store: StateStore) -> None:
    target = Memory()
    rows = [task("a", "a", "b"), task("b", "b", "a"), task("c", "c", "a")]
    counts = await load_tables(job(store, target, "project_tasks"), [frame("project_tasks", *rows)])
    assert target.rows == {"[a]": "a", "[b]": "b", "[c]": "c"}
    assert counts == Counts(loaded=3)
    again = await load_tables(job(store, target, "project_tasks"), [frame("project_tasks", *rows)])
    assert again == Counts(unchanged=3)


async def test_a_row_that_waits_for_one_that_never_comes_is_parked_and_the_rest_goes(
    store: StateStore,
) -> None:
    target = Memory()
    rows = [task("b", "b", "nowhere"), task("c", "c", "b"), task("a", "a")]
    counts = await load_tables(job(store, target, "project_tasks"), [frame("project_tasks", *rows)])
    assert counts == Counts(loaded=1, parked=2)
    with store.begin() as connection:
        waits = {row["source_id"]: row["waits_for_id"] for row in dead_letters.live(connection)}
    assert waits == {"b": "nowhere", "c": "b"}


async def test_a_refused_row_is_set_aside_for_good_and_one_without_an_answer_for_now(
    store: StateStore,
) -> None:
    refused = Outcome(Result.REFUSED, code="X", message="Finance says no.")
    unclear = Outcome(Result.LOOK_AGAIN, message="No answer came.")
    target = Memory(answers=[refused, unclear, Outcome(Result.WRITTEN), unclear, unclear])
    rows = [task("a", "a"), task("b", "b"), task("c", "c")]
    counts = await load_tables(job(store, target, "project_tasks"), [frame("project_tasks", *rows)])
    assert counts == Counts(loaded=1, failed=2)
    with store.begin() as connection:
        letters = {row["source_id"]: dict(row) for row in dead_letters.live(connection)}
        assert dead_letters.to_retry(connection, "project_tasks", "dataverse_to_finance") == ["b"]
        assert dead_letters.may_go(connection, "project_tasks", "dataverse_to_finance")
    assert (letters["a"]["rule"], letters["a"]["message"]) == ("X", "Finance says no.")
    assert letters["b"]["rule"] == "no_answer"


class Fragile(Memory):
    """A target that breaks down over any request with a certain row in it."""

    async def write(self, actions: Sequence[Action]) -> list[Outcome]:
        if any(action.row.key == "[b]" for action in actions):
            return [Outcome(Result.LOOK_AGAIN, message="HTTP 500") for _ in actions]
        return await super().write(actions)


async def test_a_row_at_which_the_target_breaks_down_takes_no_other_with_it(store: StateStore) -> None:
    target = Fragile()
    rows = [task("a", "a"), task("b", "b"), task("c", "c")]
    counts = await load_tables(job(store, target, "project_tasks"), [frame("project_tasks", *rows)])
    assert counts == Counts(loaded=2, failed=1)
    with store.begin() as connection:
        assert [row["source_id"] for row in dead_letters.live(connection)] == ["b"]


async def test_what_was_verified_at_the_target_is_left_alone_by_a_later_change_of_the_line(
    store: StateStore,
) -> None:
    target, lines, verified = Memory(), "vendor_invoice_lines", "msdyn_verificationstatus"
    for digest in ("first", "second"):
        row = {"_id": '["pt-1","uspm"]', "_key": '["pt-1","uspm"]', "_hash": digest, verified: 192350000}
        await load_tables(job(store, target, lines, direction=BACK), [frame(lines, row, direction=BACK)])
    assert [kind for kind, _ in target.written] == ["create", "update"]
    assert [verified in columns for columns in target.columns] == [True, False]
    assert set(target.columns[0]) - set(target.columns[1]) == {verified}


async def test_a_row_under_a_new_key_leaves_none_under_the_old_one(store: StateStore) -> None:
    target = Memory()
    await load_tables(job(store, target, "funding_sources"), [frame("funding_sources", source("g", "old"))])
    # The crash that took the delete but not the new row: the row is in step, its former key is not gone.
    with store.begin() as connection:
        crosswalk.put(connection, "funding_sources", 2, [Entry('["new","ord","uspm"]', "g", "h")])
    target.rows['["new","ord","uspm"]'] = "h"
    await load_tables(job(store, target, "funding_sources"), [frame("funding_sources", source("g", "new"))])
    assert list(target.rows) == ['["new","ord","uspm"]']


async def test_two_rows_that_swap_their_keys_both_stay(store: StateStore) -> None:
    target = Memory()
    first = frame("funding_sources", source("g1", "a", "1"), source("g2", "b", "2"))
    await load_tables(job(store, target, "funding_sources"), [first])
    swapped = frame("funding_sources", source("g1", "b", "1"), source("g2", "a", "2"))
    await load_tables(job(store, target, "funding_sources"), [swapped])
    assert target.rows == {'["a","ord","uspm"]': "2", '["b","ord","uspm"]': "1"}


async def test_deletes_are_many_by_the_batch_not_by_the_chunk(store: StateStore) -> None:
    target = Memory()
    guids = [f"g{number}" for number in range(12)]
    rows = [source(guid, guid) for guid in guids]
    await load_tables(job(store, target, "funding_sources"), [frame("funding_sources", *rows)])
    gone = [row | {"_deleted": True} for row in rows]
    chunks = [frame("funding_sources", row) for row in gone]
    counts = await load_tables(job(store, target, "funding_sources", deletes=12), chunks)
    assert counts == Counts(parked=12)
    assert len(target.rows) == 12


@dataclass
class Watching(Memory):
    """Notes whether the collector of cycles may run while rows are on their way."""

    collected: list[bool] = field(default_factory=list)

    async def write(self, actions: Sequence[Action]) -> list[Outcome]:
        self.collected.append(gc.isenabled())
        return await super().write(actions)


async def test_the_collector_of_cycles_rests_during_a_chunk_and_no_longer(store: StateStore) -> None:
    target = Watching()
    chunks = [frame("project_tasks", task(each, each)) for each in ("a", "b")]
    await load_tables(job(store, target, "project_tasks"), chunks)
    assert target.collected == [False, False]
    assert gc.isenabled()


async def test_the_collector_of_cycles_goes_on_after_a_chunk_that_fails(store: StateStore) -> None:
    class Away(Memory):
        async def write(self, actions: Sequence[Action]) -> list[Outcome]:
            raise OSError("the system is away")

    with pytest.raises(OSError, match="away"):
        await load_tables(job(store, Away(), "project_tasks"), [frame("project_tasks", task("a", "a"))])
    assert gc.isenabled()
