"""A parent that was given another key: its children are set aside by name, and go once both sides agree."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from projops.load.missing import MissingRows
from projops.load.parents import missing_parents
from projops.load.references import Missing, Reference
from projops.load.stage import load_tables
from projops.load.target import PARENT_KEY_CHANGED
from projops.state import StateStore, crosswalk, dead_letters
from projops.state.batches import Counts
from projops.state.crosswalk import Entry
from tests.unit.projops.load.memory import MAPS, Memory, frame, job

OLD, NEW = '["p1","uspm"]', '["p2","uspm"]'
GUID = "00000000-0000-0000-0000-000000000001"


def parent(map_id: str, guid: str, lookup: str, key: str) -> dict[str, str]:
    return {"map": map_id, "id": guid, "lookup": lookup, "key": key}


def task(guid: str, *parents: dict[str, str], digest: str = "h") -> dict[str, object]:
    key = {"_key": f'["p2","{guid}","uspm"]', "ProjectId": "p2", "TaskId": guid, "dataAreaId": "uspm"}
    return {"_id": guid, "_hash": digest, "_parents": list(parents), **key}


def in_step(store: StateStore, map_id: str, key: str, guid: str) -> None:
    with store.begin() as connection:
        crosswalk.put(connection, map_id, 1, [Entry(key, guid, "before")])


async def test_a_child_of_a_project_with_another_key_is_set_aside_until_the_project_has_moved(
    store: StateStore,
) -> None:
    in_step(store, "projects", OLD, "g")
    target, rows = Memory(), frame("project_tasks", task("t", parent("projects", "g", "msdyn_project", NEW)))
    assert await load_tables(job(store, target, "project_tasks"), [rows]) == Counts(failed=1)
    with store.begin() as connection:
        [letter] = dead_letters.live(connection)
        assert dead_letters.to_retry(connection, "project_tasks", "dataverse_to_finance") == ["t"]
    assert (letter["rule"], letter["status"]) == (PARENT_KEY_CHANGED, "open")
    assert OLD in letter["message"]
    assert NEW in letter["message"]
    in_step(store, "projects", NEW, "g")
    assert await load_tables(job(store, target, "project_tasks"), [rows]) == Counts(loaded=1)
    with store.begin() as connection:
        assert dead_letters.live(connection) == []


async def test_a_key_of_which_the_child_knows_a_part_is_judged_by_that_part(store: StateStore) -> None:
    in_step(store, "projects", OLD, "g")
    known = parent("projects", "g", "msdyn_project", '["p1",null]')
    nothing = parent("projects", "g", "msdyn_project", "[null,null]")
    rows = frame("project_tasks", task("t", known), task("u", nothing))
    assert await load_tables(job(store, Memory(), "project_tasks"), [rows]) == Counts(loaded=2)


async def test_a_parent_of_the_own_map_with_another_key_goes_first_and_its_child_after_it(
    store: StateStore,
) -> None:
    in_step(store, "project_tasks", '["p1","a","uspm"]', "a")
    target = Memory()
    child = task("b", parent("project_tasks", "a", "msdyn_parenttask", '["p2","a","uspm"]'))
    rows = frame("project_tasks", child, task("a"))
    assert await load_tables(job(store, target, "project_tasks"), [rows]) == Counts(loaded=2)
    assert [key for _, key in target.written] == ['["p2","a","uspm"]', '["p2","b","uspm"]']


async def test_a_child_whose_parent_of_the_own_map_does_not_move_is_set_aside_by_name(
    store: StateStore,
) -> None:
    in_step(store, "project_tasks", '["p1","a","uspm"]', "a")
    child = task("b", parent("project_tasks", "a", "msdyn_parenttask", '["p2","a","uspm"]'))
    rows = frame("project_tasks", child)
    assert await load_tables(job(store, Memory(), "project_tasks"), [rows]) == Counts(failed=1)
    with store.begin() as connection:
        assert dead_letters.live(connection)[0]["rule"] == PARENT_KEY_CHANGED


@dataclass
class Here:
    """Dataverse with one account, under the number that it has now."""

    number: str

    async def by_ids(self, table: object, columns: object, ids: Sequence[str]) -> tuple[pa.Table, object]:
        rows = [{"_id": GUID, "accountnumber": self.number}] if GUID in ids else []
        schema = pa.schema([("_id", pa.string()), ("accountnumber", pa.string())])
        return pa.Table.from_pylist(rows, schema=schema), ()


class Nothing:
    """Finance without the row."""

    async def by_keys(self, *asked: object) -> pa.Table:
        return pa.table({name: pa.array([], pa.string()) for name in ("CustomerAccount", "dataAreaId")})


async def awaited(store: StateStore, *numbers: str) -> list[tuple[str, str]]:
    here: Any = Here("C9")
    finance: Any = Nothing()
    missing = MissingRows(store, here, finance, tuple(MAPS.values()))
    rows = {
        index: Missing("account", {"accountnumber": number, "msdyn_company.cdm_companycode": "uspm"})
        for index, number in enumerate(numbers)
    }
    reference = Reference("msdyn_billingaccount", [None] * len(rows), rows)
    return [(wait.rule, wait.message) for wait in await missing.awaited(reference, "projects")]


async def test_what_was_in_step_and_has_another_key_in_dataverse_is_named(
    store: StateStore,
) -> None:
    in_step(store, "customers", '["c1","uspm"]', GUID)
    in_step(store, "customers", '["c3","uspm"]', "00000000-0000-0000-0000-000000000003")
    changed, unknown, deleted = await awaited(store, "C1", "C2", "C3")
    assert changed[0] == PARENT_KEY_CHANGED
    assert '["c1","uspm"]' in changed[1]
    assert "accountnumber C9" in changed[1]
    assert unknown[0] == deleted[0] == "parent_missing"


def test_parents_are_judged_as_one_by_one_and_told_in_the_order_of_their_rows(store: StateStore) -> None:
    for number, key in enumerate(('["p1","uspm"]', '["p2","uspm"]', '["p3","uspm"]')):
        in_step(store, "projects", key, f"g{number}")
    in_step(store, "customers", '["c1","uspm"]', "c")
    in_step(store, "customers", '["c1","old","uspm"]', "c")  # a pair from a former form of the key
    parents = {
        "as it is named": parent("projects", "g0", "msdyn_project", '["p1","uspm"]'),
        "by a part": parent("projects", "g1", "msdyn_project", '["p2",null]'),
        "by no key": {"map": "projects", "id": "g2"},
        "one of two keys": parent("customers", "c", "msdyn_customer", '["c1","uspm"]'),
        "the key of another": parent("projects", "g1", "msdyn_project", '["p1","uspm"]'),
        "another part": parent("projects", "g2", "msdyn_project", '["p1",null]'),
        "not there": parent("customers", "x", "msdyn_customer", '["c1","uspm"]'),
    }
    waiting = {"the key of another": PARENT_KEY_CHANGED, "another part": PARENT_KEY_CHANGED}
    waiting |= {"not there": "parent_missing"}
    for order in (list(parents), list(reversed(parents))):
        rows = frame("project_tasks", task("t", *(parents[name] for name in order)), task("u"))
        waits = missing_parents(job(store, Memory(), "project_tasks"), rows)
        expected = [(parents[name]["id"], waiting[name]) for name in order if name in waiting]
        assert [(wait.id, wait.rule) for wait in waits] == expected
        assert {wait.index for wait in waits} == {0}
