from decimal import Decimal

import pytest

from projops.load.decide import (
    Kind,
    Policy,
    Row,
    TargetRow,
    decide,
    decide_unread,
    is_in_step,
    too_many_deletes,
)
from projops.mapping.model import System, WriteMode
from projops.state.crosswalk import Entry

FROM_DATAVERSE = Policy(WriteMode.UPSERT, System.DATAVERSE, System.FINANCE, frozenset({"Name"}))
FROM_FINANCE = Policy(WriteMode.UPSERT, System.FINANCE, System.FINANCE, frozenset({"name"}))


def row(**payload: object) -> Row:
    return Row("id-1", '["c1"]', "new", "source-now", "target-then", {"CustomerAccount": "C1"}, payload)


def entry(shared_dataverse: str = "source-before", shared_finance: str = "target-before") -> Entry:
    return Entry('["c1"]', "id-1", "old", "old", shared_dataverse, shared_finance)


def target(shared: str = "target-before", **values: object) -> TargetRow:
    return TargetRow(None, values, shared)


def test_a_row_that_the_target_lacks_is_created() -> None:
    action = decide(row(Name="A", Group="10"), None, None, FROM_DATAVERSE)
    assert (action.kind, action.columns) == (Kind.CREATE, ("Name", "Group"))


def test_update_only_never_creates() -> None:
    policy = Policy(WriteMode.UPDATE_ONLY, System.FINANCE, None, frozenset())
    action = decide(row(name="A"), None, None, policy)
    assert action.kind is Kind.REJECT
    assert "never creates" in action.reason


def test_create_only_leaves_a_row_that_is_there() -> None:
    policy = Policy(WriteMode.CREATE_ONLY, System.DATAVERSE, None, frozenset())
    assert decide(row(Name="A"), None, target(Name="B"), policy).kind is Kind.SKIP


def test_only_what_differs_is_written() -> None:
    action = decide(row(Name="A", Group="20"), entry(), target(Name="A", Group="10"), FROM_DATAVERSE)
    assert (action.kind, action.columns) == (Kind.UPDATE, ("Group",))


def test_an_echo_is_dropped_by_comparing_with_the_target() -> None:
    assert (
        decide(row(Name="A"), entry(), target(shared="moved on", Name="A"), FROM_DATAVERSE).kind is Kind.SKIP
    )


def test_decimals_compare_by_value_and_codes_of_lookups_without_case() -> None:
    there = target(Rate=Decimal("1.2500000000000000"), **{"company.cdm_companycode": "USPM"})
    policy = Policy(WriteMode.UPSERT, System.FINANCE, None, frozenset())
    action = decide(row(Rate=Decimal("1.25"), **{"company.cdm_companycode": "uspm"}), None, there, policy)
    assert action.kind is Kind.SKIP


def test_at_first_contact_the_winner_of_the_map_is_the_master() -> None:
    there = target(Name="Theirs", Group="10")
    loser = decide(row(Name="Ours", Group="20"), None, there, FROM_DATAVERSE)
    assert (loser.columns, loser.leaves_shared, loser.conflict) == (("Group",), True, None)
    winner = decide(row(name="Ours"), None, target(name="Theirs"), FROM_FINANCE)
    assert (winner.kind, winner.columns, winner.conflict) == (Kind.UPDATE, ("name",), None)


def test_a_change_at_the_source_alone_is_written_though_the_source_is_not_the_winner() -> None:
    action = decide(row(Name="Ours"), entry(), target(Name="Old"), FROM_DATAVERSE)
    assert (action.kind, action.columns, action.conflict) == (Kind.UPDATE, ("Name",), None)


def test_a_change_at_the_target_alone_is_not_overwritten() -> None:
    same_source = entry(shared_dataverse="source-now")
    action = decide(
        row(Name="Old", Group="20"), same_source, target("moved on", Name="New", Group="10"), FROM_DATAVERSE
    )
    assert (action.columns, action.leaves_shared, action.conflict) == (("Group",), True, None)


def test_where_both_changed_the_loser_leaves_the_shared_columns_to_the_other_leg() -> None:
    action = decide(row(Name="Ours"), entry(), target("moved on", Name="Theirs"), FROM_DATAVERSE)
    assert (action.kind, action.leaves_shared, action.conflict) == (Kind.SKIP, True, None)


def test_where_both_changed_the_winner_overwrites_and_keeps_both_values() -> None:
    before = entry(shared_finance="source-before", shared_dataverse="target-before")
    action = decide(row(name="Ours"), before, target("moved on", name="Theirs"), FROM_FINANCE)
    assert action.kind is Kind.UPDATE
    assert action.conflict is not None
    assert (action.conflict.source_values, action.conflict.target_values) == (
        {"name": "Ours"},
        {"name": "Theirs"},
    )


@pytest.mark.parametrize(
    ("policy", "known", "expected"),
    [
        (FROM_DATAVERSE, Entry("k", "id-1", hash_dataverse_to_finance="new"), True),
        (FROM_DATAVERSE, Entry("k", "id-2", hash_dataverse_to_finance="new"), False),
        (FROM_DATAVERSE, Entry("k", "id-1", hash_finance_to_dataverse="new"), False),
        (FROM_FINANCE, Entry("k", "id-2", hash_finance_to_dataverse="new"), True),
        (FROM_DATAVERSE, None, False),
    ],
)
def test_in_step_is_told_by_the_hash_of_the_same_direction_and_the_same_guid(
    policy: Policy, known: Entry | None, expected: bool
) -> None:
    assert is_in_step(row(), known, policy) is expected


@pytest.mark.parametrize(
    ("deletes", "known", "expected"),
    [
        (1, 3, False),
        (10, 10, False),
        (11, 100, True),
        (11, 1000, False),
        (101, 1_000_000, True),
        (100, 1_000_000, False),
    ],
)
def test_mass_deletes_are_told_by_share_and_by_number(deletes: int, known: int, expected: bool) -> None:
    assert too_many_deletes(deletes, known, share=0.05, rows=100) is expected


def test_of_a_one_way_row_that_has_only_another_guid_nothing_is_written() -> None:
    policy = Policy(WriteMode.UPSERT, System.DATAVERSE, None, frozenset())
    known = Entry("k", "id-2", hash_dataverse_to_finance="new")
    assert decide_unread(row(Name="A"), known, policy).kind is Kind.SKIP
    assert decide_unread(row(Name="A"), Entry("k", "id-2", "old"), policy).kind is Kind.UPDATE


def test_what_is_written_at_creation_only_belongs_to_the_target_afterwards() -> None:
    policy = Policy(WriteMode.UPSERT, System.FINANCE, None, frozenset(), frozenset({"status"}))
    created = decide(row(name="A", status=0), None, None, policy)
    assert (created.kind, created.columns) == (Kind.CREATE, ("name", "status"))
    read = decide(row(name="B", status=0), None, target(name="A", status=2), policy)
    assert (read.kind, read.columns) == (Kind.UPDATE, ("name",))
    unread = decide_unread(row(name="B", status=0), entry(), policy)
    assert (unread.kind, unread.columns) == (Kind.UPDATE, ("name",))
    assert decide(row(name="A", status=0), None, target(name="A", status=2), policy).kind is Kind.SKIP
