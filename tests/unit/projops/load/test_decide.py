from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal

import pytest

from projops.load.decide import (
    Kind,
    Policy,
    Row,
    TargetRow,
    decide,
    decide_unread,
    in_step,
    too_many_deletes,
)
from projops.load.shared import Sides
from projops.mapping.model import Direction, System, WriteMode
from projops.mapping.reader import load_maps
from projops.settings import PROJECT_ROOT
from projops.state.conflicts import Conflict
from projops.state.crosswalk import Entry

MAPS = load_maps(PROJECT_ROOT / "include" / "mappings").maps

SHARED = {"Name": "name", "City": "city"}
FROM_DATAVERSE = Policy(WriteMode.UPSERT, System.DATAVERSE, System.FINANCE, SHARED)
FROM_FINANCE = Policy(
    WriteMode.UPSERT, System.FINANCE, System.FINANCE, {name: column for column, name in SHARED.items()}
)
ONE_WAY = Policy(WriteMode.UPSERT, System.FINANCE, None, {})


def digests(values: Mapping[str, object], names: Iterable[str]) -> dict[str, str]:
    return {name: f"digest of {values[name]}" for name in names if name in values}


def row(policy: Policy = FROM_DATAVERSE, **payload: object) -> Row:
    """A row whose source holds what it would write, under the source's own names."""
    theirs = digests(payload, policy.shared)
    ours = {policy.shared[name]: digest for name, digest in theirs.items()}
    return Row("id-1", '["c1"]', "new", ours, theirs, {"CustomerAccount": "C1"}, payload)


def entry(**in_step: object) -> Entry:
    """What both sides held when they were last in step, by Finance's names."""
    dataverse = {SHARED[name]: digest for name, digest in digests(in_step, in_step).items()}
    return Entry('["c1"]', "id-1", "old", "old", dataverse, digests(in_step, in_step))


def target(policy: Policy = FROM_DATAVERSE, **values: object) -> TargetRow:
    return TargetRow(None, values, digests(values, policy.shared))


def test_a_row_that_the_target_lacks_is_created() -> None:
    action = decide(row(Name="A", Group="10"), None, None, FROM_DATAVERSE)
    assert (action.kind, action.columns) == (Kind.CREATE, ("Name", "Group"))


def test_update_only_never_creates() -> None:
    policy = Policy(WriteMode.UPDATE_ONLY, System.FINANCE, None, {})
    action = decide(row(name="A"), None, None, policy)
    assert action.kind is Kind.REJECT
    assert "never creates" in action.reason


def test_create_only_leaves_a_row_that_is_there() -> None:
    policy = Policy(WriteMode.CREATE_ONLY, System.DATAVERSE, None, {})
    assert decide(row(Name="A"), None, target(Name="B"), policy).kind is Kind.SKIP


def test_only_what_differs_is_written() -> None:
    action = decide(row(Name="A", Group="20"), entry(), target(Name="A", Group="10"), FROM_DATAVERSE)
    assert (action.kind, action.columns) == (Kind.UPDATE, ("Group",))


def test_an_echo_is_dropped_by_comparing_with_the_target() -> None:
    action = decide(row(Name="A"), entry(Name="Old"), target(Name="A"), FROM_DATAVERSE)
    assert (action.kind, action.leaves_shared) == (Kind.SKIP, False)


def test_decimals_compare_by_value_and_codes_of_lookups_without_case() -> None:
    values = {"Rate": Decimal("1.2500000000000000"), "company.cdm_companycode": "USPM"}
    there = TargetRow(None, values, None)
    ours = row(ONE_WAY, Rate=Decimal("1.25"), **{"company.cdm_companycode": "uspm"})
    assert decide(ours, None, there, ONE_WAY).kind is Kind.SKIP


def test_a_shared_lookup_is_compared_folded_on_the_side_that_knows_it_as_a_plain_column_too() -> None:
    policy = Policy.of(MAPS["customers"], MAPS["customers"].legs[Direction.DATAVERSE_TO_FINANCE])
    for name, differs in (("InvoiceAccount", False), ("OrganizationName", True)):
        ours, theirs = (Row("i", "k", "h", {}, {}, {}, {name: "a"}), TargetRow(None, {name: "A"}, {}))
        assert decide(ours, None, theirs, policy).leaves_shared is differs


def test_a_change_at_the_source_alone_is_written_though_the_source_is_not_the_winner() -> None:
    action = decide(row(Name="Ours"), entry(Name="Old"), target(Name="Old"), FROM_DATAVERSE)
    assert (action.kind, action.columns, action.conflict) == (Kind.UPDATE, ("Name",), None)
    assert action.shared == Sides({"name": "digest of Ours"}, {"Name": "digest of Ours"})


def test_a_change_at_the_target_alone_is_left_and_stays_news_for_the_other_leg() -> None:
    action = decide(
        row(Name="Old", Group="20"), entry(Name="Old"), target(Name="New", Group="10"), FROM_DATAVERSE
    )
    assert (action.columns, action.leaves_shared, action.conflict) == (("Group",), True, None)
    assert action.shared == Sides({"name": "digest of Old"}, {"Name": "digest of Old"})


def test_changes_of_different_columns_both_arrive() -> None:
    before = entry(Name="Old", City="Old")
    forth = decide(row(Name="New", City="Old"), before, target(Name="Old", City="Moved"), FROM_DATAVERSE)
    assert (forth.columns, forth.leaves_shared, forth.conflict) == (("Name",), True, None)
    assert forth.shared is not None
    after = replace(before, shared_dataverse=forth.shared.source, shared_finance=forth.shared.target)
    back = decide(
        row(FROM_FINANCE, name="New", city="Moved"),
        after,
        target(FROM_FINANCE, name="New", city="Old"),
        FROM_FINANCE,
    )
    assert (back.columns, back.leaves_shared, back.conflict) == (("city",), False, None)


def test_of_two_columns_only_the_contested_one_is_a_conflict() -> None:
    ours, theirs = row(Name="Ours", City="Ours"), target(Name="Theirs", City="Old")
    action = decide(ours, entry(Name="Old", City="Old"), theirs, FROM_DATAVERSE)
    assert (action.columns, action.leaves_shared) == (("City",), True)
    assert action.conflict == Conflict('["c1"]', "finance", {"Name": "Ours"}, {"Name": "Theirs"})
    assert action.shared is not None
    assert dict(action.shared.target) == {"Name": "digest of Old", "City": "digest of Ours"}


def test_both_changed_to_the_same_is_no_conflict() -> None:
    action = decide(row(Name="Same"), entry(Name="Old"), target(Name="Same"), FROM_DATAVERSE)
    assert (action.kind, action.conflict, action.leaves_shared) == (Kind.SKIP, None, False)
    assert action.shared == Sides({"name": "digest of Same"}, {"Name": "digest of Same"})


@pytest.mark.parametrize("before", [entry(Name="Old", City="Old"), Entry('["c1"]', "id-1", "old"), None])
def test_where_both_changed_the_loser_is_left_and_told_once(before: Entry | None) -> None:
    """Both legs see the conflict, or the first contact; whichever comes first keeps both values."""
    ours, theirs = row(Name="Ours", City="A"), target(Name="Theirs", City="A")
    first = decide(ours, before, theirs, FROM_DATAVERSE)
    assert (first.kind, first.leaves_shared) == (Kind.SKIP, True)
    assert first.conflict == Conflict('["c1"]', "finance", {"Name": "Ours"}, {"Name": "Theirs"})
    assert first.shared is not None
    after = Entry('["c1"]', "id-1", None, "", first.shared.source, first.shared.target)
    again = decide(ours, after, theirs, FROM_DATAVERSE)
    assert (again.kind, again.leaves_shared, again.conflict) == (Kind.SKIP, True, None)
    back = decide(
        row(FROM_FINANCE, name="Theirs", city="A"),
        after,
        target(FROM_FINANCE, name="Ours", city="A"),
        FROM_FINANCE,
    )
    assert (back.columns, back.leaves_shared, back.conflict) == (("name",), False, None)


@pytest.mark.parametrize("before", [entry(Name="Old", City="Old"), None])
def test_where_both_changed_the_winner_overwrites_and_keeps_both_values(before: Entry | None) -> None:
    theirs = target(FROM_FINANCE, name="Theirs", city="A")
    action = decide(row(FROM_FINANCE, name="Ours", city="A"), before, theirs, FROM_FINANCE)
    assert (action.kind, action.columns) == (Kind.UPDATE, ("name",))
    assert action.conflict == Conflict('["c1"]', "finance", {"name": "Ours"}, {"name": "Theirs"})


def test_a_loser_that_changes_once_more_is_another_conflict() -> None:
    seen = Entry('["c1"]', "id-1", None, "", {"name": "digest of Ours"}, {"Name": "digest of Old"})
    action = decide(row(Name="Ours again"), seen, target(Name="Theirs"), FROM_DATAVERSE)
    assert action.conflict is not None
    assert action.conflict.source_values == {"Name": "Ours again"}


def test_a_winner_that_takes_its_change_back_still_has_its_way() -> None:
    """The loser's value was noted as seen; the winner's leg finds neither side changed, and writes."""
    seen = Entry('["c1"]', "id-1", None, "", {"name": "digest of Ours"}, {"Name": "digest of Old"})
    back = decide(row(FROM_FINANCE, name="Old"), seen, target(FROM_FINANCE, name="Ours"), FROM_FINANCE)
    assert (back.columns, back.conflict) == (("name",), None)


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
    asked = row()
    entries = {} if known is None else {asked.key: known}
    assert in_step([(asked.source_id, asked.key, asked.hash)], entries, policy) == [expected]


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
    policy = Policy(WriteMode.UPSERT, System.DATAVERSE, None, {})
    known = Entry("k", "id-2", hash_dataverse_to_finance="new")
    assert decide_unread(row(Name="A"), known, policy).kind is Kind.SKIP
    assert decide_unread(row(Name="A"), Entry("k", "id-2", "old"), policy).kind is Kind.UPDATE


def test_what_is_written_at_creation_only_belongs_to_the_target_afterwards() -> None:
    policy = Policy(WriteMode.UPSERT, System.FINANCE, None, {}, create_only=frozenset({"status"}))
    created = decide(row(name="A", status=0), None, None, policy)
    assert (created.kind, created.columns) == (Kind.CREATE, ("name", "status"))
    read = decide(row(name="B", status=0), None, target(name="A", status=2), policy)
    assert (read.kind, read.columns) == (Kind.UPDATE, ("name",))
    unread = decide_unread(row(name="B", status=0), entry(), policy)
    assert (unread.kind, unread.columns) == (Kind.UPDATE, ("name",))
    assert decide(row(name="A", status=0), None, target(name="A", status=2), policy).kind is Kind.SKIP
