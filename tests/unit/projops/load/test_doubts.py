"""What a silent writer sent is no change by people, on whichever side it arrived."""

from dataclasses import replace

import pytest

from projops.load.decide import Action, Kind, Policy, Row, TargetRow, decide
from projops.load.doubts import Doubts, last_in_step
from projops.mapping.model import Direction, System, WriteMode
from projops.state.crosswalk import Entry
from projops.state.in_flight import Doubt, Mark

FORTH, BACK = Direction.DATAVERSE_TO_FINANCE, Direction.FINANCE_TO_DATAVERSE
KEY = '["c1","uspm"]'
IN_STEP = Entry(KEY, "guid", shared_dataverse={"name": "v1"}, shared_finance={"Name": "V1"})

POLICY = Policy(WriteMode.UPSERT, System.DATAVERSE, System.FINANCE, {"Name": "name", "Group": "group"})


def marks(leg: Direction, shared: dict[str, str] | None, *, is_open: bool = True) -> list[Mark]:
    return [Mark(leg.value, is_open, [Doubt("guid", KEY, shared)])]


def judged(source: str, target: str, winner: System, doubts: Doubts, entry: Entry | None = IN_STEP) -> Action:
    """Decide on a row of Dataverse whose name is shared, as both sides hold it now."""
    row = Row("guid", KEY, "h", {"name": source}, {"Name": source.upper()}, {}, {"Name": source})
    held = TargetRow(None, {"Name": target}, {"Name": target.upper()})
    policy = replace(POLICY, winner=winner, shared={"Name": "name"})
    before = last_in_step(row, entry, held, policy, doubts)
    return decide(row, before, held, policy)


def test_marks_are_sorted_by_what_they_mean_to_a_leg() -> None:
    found = [
        *marks(FORTH, {"Name": "V2"}),
        *marks(FORTH, {"Name": "V3"}, is_open=False),
        *marks(BACK, {"name": "v4"}),
        *marks(BACK, None),
    ]
    doubts = Doubts.of(found, FORTH)
    assert doubts.to_read == {KEY}
    assert doubts.sent == {KEY: [{"Name": "V2"}, {"Name": "V3"}]}
    assert doubts.sent_back == {KEY: [{"name": "v4"}]}
    assert Doubts.of(marks(FORTH, None, is_open=False), FORTH).to_read == frozenset()


@pytest.mark.parametrize("winner", list(System))
@pytest.mark.parametrize("entry", [IN_STEP, None], ids=["known", "first contact"])
def test_a_late_write_of_ours_gives_way_to_the_sources_newer_value(
    winner: System, entry: Entry | None
) -> None:
    """Whoever wins conflicts: nobody at the target has changed anything."""
    doubts = Doubts.of(marks(FORTH, {"Name": "V2"}), FORTH)
    action = judged("v3", "v2", winner, doubts, entry)
    assert (action.kind, action.columns, action.conflict) == (Kind.UPDATE, ("Name",), None)


def test_a_change_by_people_at_the_target_is_still_theirs() -> None:
    doubts = Doubts.of(marks(FORTH, {"Name": "V2"}), FORTH)
    action = judged("v1", "theirs", System.FINANCE, doubts)
    assert (action.kind, action.leaves_shared) == (Kind.SKIP, True)


def test_a_late_write_of_the_way_back_is_not_carried_forth_again() -> None:
    """The source holds what the other leg sent late; the target's newer value will be brought to it again."""
    before = Entry(KEY, "guid", shared_dataverse={"name": "v3"}, shared_finance={"Name": "V3"})
    doubts = Doubts.of(marks(BACK, {"name": "v2"}), FORTH)
    for winner in System:
        action = judged("v2", "v3", winner, doubts, before)
        assert (action.kind, action.leaves_shared, action.conflict) == (Kind.SKIP, True, None)


def test_other_columns_of_the_row_are_judged_as_ever() -> None:
    before = Entry(
        KEY, "guid", shared_dataverse={"name": "n", "group": "g"}, shared_finance={"Name": "N", "Group": "G"}
    )
    row = Row("guid", KEY, "h", {"name": "late", "group": "g"}, {}, {}, {})
    doubts = Doubts.of(marks(BACK, {"name": "late"}), FORTH)
    found = last_in_step(row, before, None, POLICY, doubts)
    assert found is not None
    assert found.shared_dataverse == {"name": "late", "group": "g"}
    assert found.shared_finance == {"Group": "G"}


def test_without_doubts_the_crosswalk_stands() -> None:
    row = Row("guid", KEY, "h", {"name": "v2"}, {"Name": "V2"}, {}, {})
    target = TargetRow(None, {}, {"Name": "V2"})
    assert last_in_step(row, IN_STEP, target, POLICY, Doubts()) is IN_STEP
    assert last_in_step(row, None, None, POLICY, Doubts()) is None
