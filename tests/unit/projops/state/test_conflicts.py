from dataclasses import replace

from projops.state import StateStore, conflicts, crosswalk
from projops.state.conflicts import Conflict
from projops.state.crosswalk import Entry
from projops.state.dead_letters import Origin

ORIGIN = Origin("customers", "dataverse_to_finance", 7, "1.0.0.0")
FOUND = Conflict("k1", "finance", {"OrganizationName": "Ours"}, {"OrganizationName": "Theirs"})


def kept(store: StateStore) -> list[tuple[int, dict[str, str]]]:
    with store.begin() as connection:
        return [
            (row["batch"], row["source_values"]) for row in conflicts.listed(connection, "customers", 100)
        ]


def test_a_conflict_that_a_crash_left_behind_is_not_kept_twice(store: StateStore) -> None:
    with store.begin() as connection:
        conflicts.record(connection, ORIGIN, [FOUND])
        conflicts.record(connection, ORIGIN, [FOUND])
        conflicts.record(connection, replace(ORIGIN, batch=8), [FOUND])
    assert kept(store) == [(7, {"OrganizationName": "Ours"})]


def test_the_same_values_in_conflict_once_more_are_another_conflict(store: StateStore) -> None:
    with store.begin() as connection:
        conflicts.record(connection, ORIGIN, [FOUND])
        crosswalk.put(connection, "customers", 7, [Entry("k1", "g1")])
        conflicts.record(connection, replace(ORIGIN, batch=9), [FOUND])
    assert [batch for batch, _ in kept(store)] == [9, 7]


def test_other_values_of_a_row_that_is_not_committed_yet_are_another_conflict(store: StateStore) -> None:
    with store.begin() as connection:
        conflicts.record(connection, ORIGIN, [FOUND])
        conflicts.record(connection, ORIGIN, [replace(FOUND, source_values={"OrganizationName": "Mine"})])
    assert [values["OrganizationName"] for _, values in kept(store)] == ["Mine", "Ours"]


def test_a_conflict_is_found_by_its_number(store: StateStore) -> None:
    with store.begin() as connection:
        conflicts.record(connection, ORIGIN, [FOUND])
        [row] = conflicts.listed(connection, None, 100)
        assert conflicts.get(connection, row["id"]) == row
        assert conflicts.get(connection, row["id"] + 1) is None
        assert conflicts.listed(connection, "vendors", 100) == []
        assert row["target_values"] == {"OrganizationName": "Theirs"}


def test_digests_of_shared_columns_come_back_as_they_were_put(store: StateStore) -> None:
    entry = Entry("k1", "g1", "h", None, {"name": "0123"}, {})
    with store.begin() as connection:
        crosswalk.put(connection, "customers", 1, [entry])
        crosswalk.put(connection, "customers", 2, [Entry("k1", hash_finance_to_dataverse="b")])
        assert crosswalk.by_keys(connection, "customers", ["k1"])["k1"] == replace(
            entry, hash_finance_to_dataverse="b"
        )
