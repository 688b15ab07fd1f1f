"""Deletes: which go, which wait for a person, and which are none."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from projops.load.guard import delete_guard
from projops.load.stage import load_tables
from projops.load.target import Outcome, Result
from projops.mapping.model import DeleteLimit, Deletes
from projops.payload import payload_values
from projops.replay import Selection, approve, dismiss
from projops.settings import Settings
from projops.state import StateStore, crosswalk, dead_letters
from projops.state.batches import Counts, commit_batch
from projops.state.crosswalk import Entry
from tests.unit.projops.load.memory import BACK, FORTH, MAPS, Memory, frame, job, source

MAP = "funding_sources"
KEY = '["k","ord","uspm"]'
MANY = [f"g{number}" for number in range(12)]
ALL = Selection(map=MAP)
UNCLEAR = Outcome(Result.LOOK_AGAIN, code="no_answer", message="No answer came.")


def gone(*guids: str, key: str | None = None) -> pa.Table:
    return frame(MAP, *(source(guid, key or guid) | {"_deleted": True} for guid in guids))


def there(*guids: str, key: str | None = None) -> pa.Table:
    return frame(MAP, *(source(guid, key or guid) for guid in guids))


async def run(
    store: StateStore, target: Memory, *tables: pa.Table, deletes: int = 0, name: str = "first"
) -> Counts:
    """Load a batch to its end, as the pipeline does."""
    loading = job(store, target, MAP, deletes, run=name)
    counts = await load_tables(loading, tables)
    with store.begin() as connection:
        commit_batch(connection, loading.batch, counts)
    return counts


def letters(store: StateStore) -> list[dict[str, Any]]:
    with store.begin() as connection:
        return dead_letters.live(connection, MAP)


def pairs(store: StateStore) -> Mapping[str, str | None]:
    with store.begin() as connection:
        return {key: each.dataverse_id for key, each in crosswalk.by_keys(connection, MAP, [KEY]).items()}


D, C = gone("g1", key="k"), there("g2", key="k")


@pytest.mark.parametrize(
    "batches",
    [[[D, C]], [[C, D]], [[pa.concat_tables([D, C])]], [[pa.concat_tables([C, D])]], [[D], [C]], [[C], [D]]],
    ids=["delete, create", "create, delete", "one chunk", "one chunk, turned", "then", "then, turned"],
)
async def test_a_key_that_was_deleted_and_made_again_is_alive_in_whatever_order(
    store: StateStore, batches: Sequence[Sequence[pa.Table]]
) -> None:
    target = Memory()
    await run(store, target, there("g1", key="k"))
    for number, tables in enumerate(batches):
        await run(store, target, *tables, deletes=1, name=str(number))
    assert list(target.rows) == [KEY]
    assert pairs(store) == {KEY: "g2"}
    assert letters(store) == []
    assert (await run(store, target, gone("g2", key="k"), deletes=1, name="last")).loaded == 1
    assert target.rows == {}


async def test_held_deletes_show_what_would_go_and_wait_whatever_else_moves(store: StateStore) -> None:
    target = Memory()
    await run(store, target, there(*MANY))
    counts = await run(store, target, gone(*MANY), there("new"), deletes=12, name="second")
    assert counts == Counts(loaded=1, parked=12)
    assert len(target.rows) == 13
    held = {each["source_id"]: each for each in letters(store)}
    assert {each["status"] for each in held.values()} == {"awaiting_approval"}
    assert held["g3"]["message"].startswith("One of 12 deletes within an hour, of 12 rows known")
    payload = payload_values(held["g3"]["payload"])
    assert payload["Kept"] == "h"
    assert {"g3", "ord", "uspm"} < set(payload.values())


async def test_what_was_approved_goes_and_a_few_others_with_it(store: StateStore) -> None:
    target = Memory()
    await run(store, target, there(*MANY, "few"))
    await run(store, target, gone(*MANY), deletes=12, name="second")
    approve(store, ALL, "anna")
    counts = await run(store, target, gone(*MANY, "few"), deletes=1, name="third")
    assert counts == Counts(loaded=13, deleted=1)
    assert target.rows == {}
    assert letters(store) == []


async def test_an_approval_counts_from_the_next_batch_on(store: StateStore) -> None:
    """A batch that is run again has not looked at the source since: its approval stays for the next one."""
    target = Memory()
    await run(store, target, there(*MANY))
    await run(store, target, gone(*MANY), deletes=12, name="second")
    approve(store, ALL, "anna")
    again = await load_tables(job(store, target, MAP, 12, run="second"), [gone(*MANY)])
    assert again == Counts(parked=12)
    assert {each["approved_by"] for each in letters(store)} == {"anna"}


async def test_an_approved_delete_of_a_key_that_another_row_has_by_now_deletes_nothing(
    store: StateStore,
) -> None:
    target = Memory()
    await run(store, target, there(*MANY))
    await run(store, target, gone(*MANY), deletes=12, name="second")
    await run(store, target, there("other", key="g3"), name="third")
    approve(store, ALL, "anna")
    await run(store, target, gone(*MANY), name="fourth")
    assert list(target.rows) == ['["g3","ord","uspm"]']
    assert letters(store) == []


async def test_a_flood_is_one_in_however_many_batches_it_comes(store: StateStore) -> None:
    target = Memory()
    many = [f"g{number}" for number in range(40)]
    await run(store, target, there(*many))
    counts = [
        await run(store, target, gone(*many[start : start + 4]), deletes=4, name=f"batch {start}")
        for start in range(0, 20, 4)
    ]
    assert [(each.deleted, each.parked) for each in counts] == [(4, 0), (4, 0), (0, 4), (0, 4), (0, 4)]
    assert len(target.rows) == 32


async def test_what_waits_for_a_person_goes_on_waiting_however_few_come_again(store: StateStore) -> None:
    """A full read, long after the flood, meets one of its deletes once more."""
    target = Memory()
    await run(store, target, there(*MANY))
    await run(store, target, gone(*MANY), deletes=12, name="second")
    with store.begin() as connection:
        connection.exec_driver_sql("update dead_letter set first_seen = '2026-01-01 00:00:00'")
    counts = await run(store, target, gone(MANY[0]), deletes=1, name="third")
    assert (counts.deleted, counts.parked, len(target.rows), len(letters(store))) == (0, 1, 12, 12)
    approve(store, ALL, "anna")
    assert (await run(store, target, gone(*MANY), name="fourth")).loaded == 12
    assert target.rows == {}


async def test_what_went_more_than_an_hour_ago_counts_no_more(store: StateStore) -> None:
    target = Memory()
    await run(store, target, there(*MANY))
    await run(store, target, gone(*MANY[:5]), deletes=5, name="second")
    long_ago = datetime.now(UTC) - timedelta(minutes=61)
    with store.begin() as connection:
        connection.exec_driver_sql(f"update batch set finished_at = '{long_ago:%Y-%m-%d %H:%M:%S}'")
    guard = job(store, target, MAP, 7, run="third").guard
    assert (guard.earlier, guard.known) == (0, 7)


def test_a_leg_has_its_own_limits_or_those_of_the_settings(store: StateStore) -> None:
    loading = job(store, Memory(), MAP, deletes=2)
    leg = MAPS[MAP].legs[FORTH]

    def held(limit: DeleteLimit) -> bool:
        limited = replace(leg, approve_deletes_above=limit)
        guard = delete_guard(store, Settings(delete_rows=5, delete_share=1.0), limited, loading.batch, 2)
        return guard.holds(0) is not None

    assert not held(DeleteLimit())
    assert held(DeleteLimit(rows=1))
    assert not held(DeleteLimit(share=0.0))  # a share counts from ten deletes on
    assert not held(DeleteLimit(rows=2))


async def test_a_delete_without_a_clear_answer_is_sent_again(store: StateStore) -> None:
    target = Memory()
    await run(store, target, there("g1"))
    target.answers = [UNCLEAR]
    assert (await run(store, target, gone("g1"), deletes=1, name="second")).loaded == 1
    assert target.rows == {}


async def test_a_delete_that_never_gets_an_answer_is_tried_by_the_next_run(store: StateStore) -> None:
    target = Memory()
    await run(store, target, there("g1"))
    target.answers = [UNCLEAR] * 3
    counts = await run(store, target, gone("g1"), deletes=1, name="second")
    assert counts == Counts(failed=1)
    [letter] = letters(store)
    assert (letter["status"], letter["rule"], letter["retriable"]) == ("open", "no_answer", True)
    assert (await run(store, target, gone("g1"), deletes=1, name="third")).loaded == 1
    assert letters(store) == []


async def test_a_refused_delete_is_set_aside_and_goes_after_a_replay(store: StateStore) -> None:
    target = Memory()
    await run(store, target, there("g1"))
    target.answers = [Outcome(Result.REFUSED, code="in_use", message="It is in use.")]
    assert (await run(store, target, gone("g1"), deletes=1, name="second")).failed == 1
    [letter] = letters(store)
    assert (letter["status"], letter["rule"], letter["message"]) == ("open", "in_use", "It is in use.")
    assert len(target.rows) == 1


async def test_a_mass_change_of_keys_waits_too(store: StateStore) -> None:
    """New rows are made under the new keys; the old ones are not deleted before somebody has looked."""
    target = Memory()
    await run(store, target, there(*MANY))
    renamed = frame(MAP, *(source(guid, f"new {guid}") for guid in MANY))
    await run(store, target, renamed, name="second")
    assert len(target.rows) == 24
    assert {each["status"] for each in letters(store)} == {"awaiting_approval"}
    # That the rows are in step, or move again, under their new keys says nothing of the old ones.
    again = [source(guid, f"new {guid}", "h" if number else "h2") for number, guid in enumerate(MANY)]
    renamed = frame(MAP, *again)
    await run(store, target, renamed, name="between")
    assert (len(target.rows), len(letters(store))) == (24, 12)
    approve(store, ALL, "anna")
    await run(store, target, renamed, name="third")
    assert sorted(target.rows) == sorted(f'["new {guid}","ord","uspm"]' for guid in MANY)
    assert letters(store) == []


async def test_a_former_key_that_goes_takes_no_letter_of_the_row_along(store: StateStore) -> None:
    """The row stands under a new key, where its change is refused; what is left under the old one goes."""
    target = Memory()
    await run(store, target, there("g1", key="old"))
    with store.begin() as connection:
        crosswalk.put(connection, MAP, 1, [Entry('["new","ord","uspm"]', "g1", "h")])
    target.answers = [Outcome(Result.REFUSED, code="closed", message="It is closed.")]
    await run(store, target, frame(MAP, source("g1", "new", "h2")), name="second")
    assert ("delete", '["old","ord","uspm"]') in target.written
    assert [each["rule"] for each in letters(store)] == ["closed"]


async def test_a_row_that_a_failed_batch_beside_had_moved_is_deleted_too(store: StateStore) -> None:
    """When its delete was extracted nobody knew it: then another run wrote it, and ended half-way."""
    target = Memory()
    unknown = frame(MAP, {"_id": "g1", "_key": None, "_deleted": True}, {"_id": "g2", "_deleted": True})
    await load_tables(job(store, target, MAP, run="beside"), [there("g1", key="k")])
    assert await run(store, target, unknown, name="mine") == Counts(loaded=1, unchanged=1, deleted=1)
    assert (target.rows, pairs(store)) == ({}, {})


FORMER = '["k","uspm"]'  # of a mapping whose key had two parts


def known_as(store: StateStore, *keys: str) -> None:
    with store.begin() as connection:
        crosswalk.put(connection, MAP, 1, [Entry(key, "g1", "h") for key in keys])


def known(store: StateStore) -> list[str]:
    with store.begin() as connection:
        return [entry.key for entry in crosswalk.by_ids(connection, MAP, ["g1"])]


async def test_a_key_whose_form_changed_is_replaced_and_nothing_is_deleted(store: StateStore) -> None:
    known_as(store, FORMER)
    target = Memory(rows={KEY: "h"})
    await run(store, target, there("g1", key="k"))
    assert (list(target.rows), known(store), letters(store)) == ([KEY], [KEY], [])
    assert "delete" not in dict(target.written)


async def test_a_delete_known_under_a_former_form_alone_is_left_to_people(store: StateStore) -> None:
    known_as(store, FORMER)
    target = Memory()
    deleted = frame(MAP, {"_id": "g1", "_key": FORMER, "_deleted": True})
    assert await run(store, target, deleted, deletes=1) == Counts(failed=1)
    [letter] = letters(store)
    assert (letter["rule"], letter["status"], letter["key"]) == ("former_key_form", "open", FORMER)
    assert (letter["retriable"], target.written, known(store)) == (False, [], [FORMER])
    dismiss(store, ALL, "anna", "It stays.")
    assert known(store) == []  # nobody is asked again


async def test_such_a_letter_closes_when_its_row_comes_under_the_new_key(store: StateStore) -> None:
    known_as(store, FORMER)
    deleted = frame(MAP, {"_id": "g1", "_key": FORMER, "_deleted": True})
    await run(store, Memory(), deleted, deletes=1)
    await run(store, Memory(rows={KEY: "h"}), there("g1", key="k"), name="second")
    assert (letters(store), known(store)) == ([], [KEY])


async def test_a_former_form_beside_the_new_key_leads_to_no_delete(store: StateStore) -> None:
    known_as(store, FORMER, KEY)
    target = Memory(rows={KEY: "h"})
    assert await run(store, target, there("g1", key="k")) == Counts(unchanged=1)
    assert target.written == []


async def test_a_row_of_finance_is_paired_under_its_new_key_before_its_former_one_is_judged(
    store: StateStore,
) -> None:
    """A full read cannot ask for keys of a former form: it tells all of them, after the rows that came."""
    with store.begin() as connection:
        former = [Entry(f'["{name}"]', name, None, "h") for name in ("c1", "c2")]
        crosswalk.put(connection, "customers", 1, former)
    target = Memory(answers=[Outcome(Result.WRITTEN, "c1")])
    came, key = {"_id": '["c1","uspm"]', "_key": '["c1","uspm"]', "_hash": "h"}, '["c1","uspm"]'
    gone = [{"_id": each.key, "_key": each.key, "_deleted": True} for each in former]
    tables = [frame("customers", *rows, direction=BACK) for rows in ([came], gone)]
    loading = job(store, target, "customers", direction=BACK)
    counts = await load_tables(replace(loading, leg=replace(loading.leg, deletes=Deletes.PROPAGATE)), tables)
    assert counts == Counts(loaded=1, unchanged=1, failed=1)
    with store.begin() as connection:
        [letter] = dead_letters.live(connection, "customers")
        assert [each.key for each in crosswalk.by_ids(connection, "customers", ["c1"])] == [key]
    assert (letter["source_id"], letter["rule"]) == ('["c2"]', "former_key_form")
    assert target.written == [("create", key)]
