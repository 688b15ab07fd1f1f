"""What people do about rows that were set aside."""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import event

from projops.errors import StopError
from projops.fates import fates
from projops.payload import payload_text, payload_values
from projops.replay import Selection, approve, dismiss, replay
from projops.state import StateStore, crosswalk, dead_letters
from projops.state.audit import actions
from projops.state.crosswalk import Entry
from projops.state.dead_letters import Letter, Origin

FORTH, BACK = "dataverse_to_finance", "finance_to_dataverse"
ME = "anna"
HELD = {"status": "awaiting_approval", "rule": "mass_delete"}


def put(
    store: StateStore, source_id: str, *, map_id: str = "actuals", leg: str = FORTH, **facts: str | None
) -> int:
    """Set a row aside; give the number of its entry."""
    values = {"key": f'["{source_id}"]', "status": "open", "stage": "load", "rule": "E6"} | facts
    letter = Letter(source_id=source_id, message="No.", **values)  # type: ignore[arg-type]
    with store.begin() as connection:
        dead_letters.record(connection, Origin(map_id, leg, 1, "1.0.0.0"), [letter])
        [row] = (each for each in dead_letters.live(connection) if each["source_id"] == source_id)
    return int(row["id"])


def these(*numbers: int) -> Selection:
    return Selection(numbers)


ALL = Selection(everything=True)


def may_go(store: StateStore, map_id: str = "actuals", leg: str = FORTH) -> tuple[bool, list[str]]:
    with store.begin() as connection:
        return dead_letters.may_go(connection, map_id, leg), dead_letters.to_retry(connection, map_id, leg)


def entry(store: StateStore, number: int) -> dict[str, Any]:
    with store.begin() as connection:
        row = dead_letters.get(connection, number)
    assert row is not None
    return row


def audit(store: StateStore) -> list[tuple[object, ...]]:
    with store.begin() as connection:
        return [
            tuple(row[name] for name in ("actor", "action", "subject", "reason"))
            for row in actions(connection)
        ]


def test_a_replayed_row_goes_with_the_next_run_and_no_other_does(store: StateStore) -> None:
    number = put(store, "a")
    put(store, "b")
    assert may_go(store) == (False, [])
    done = replay(store, these(number), ME)
    assert (done.marked, done.maps, done.legs, done.left) == (
        (number,),
        ("actuals",),
        (("actuals", FORTH),),
        {},
    )
    assert may_go(store) == (True, ["a"])
    assert audit(store) == [(ME, "replay", f"dead letter {number} of actuals", "")]


def test_a_newer_failure_takes_the_replay_back(store: StateStore) -> None:
    replay(store, these(put(store, "a")), ME)
    put(store, "a", rule="refused")
    assert may_go(store) == (False, [])


def test_a_parked_row_can_be_tried_before_its_parent_is_known(store: StateStore) -> None:
    number = put(store, "a", status="parked", waits_for_map="projects", waits_for_id="g")
    assert may_go(store)[0] is False
    replay(store, these(number), ME)
    assert may_go(store) == (True, ["a"])


def test_rows_are_chosen_by_map_by_error_or_all(store: StateStore) -> None:
    one, two = put(store, "a"), put(store, "b", rule="E7")
    three = put(store, "c", map_id="expenses")
    by_error = [replay(store, Selection(error=error), ME).marked for error in ("E6", "e6")]
    assert replay(store, Selection(map="actuals"), ME).marked == (one, two)
    assert by_error == [(one, three)] * 2
    assert replay(store, Selection(map="actuals", error="E7"), ME).marked == (two,)
    assert replay(store, ALL, ME).marked == (one, two, three)
    assert replay(store, Selection(error="E1"), ME).marked == ()


def test_what_cannot_be_replayed_says_why(store: StateStore) -> None:
    waits = put(store, "a", **HELD)
    told = put(store, "b", leg=BACK, stage="finance")
    keyless = put(store, "c", leg=BACK, key=None, stage="validate")
    done = replay(store, ALL, ME)
    assert done.marked == ()
    assert "approve or dismiss it" in done.left[waits]
    assert "job in Finance" in done.left[told]
    assert "no key" in done.left[keyless]
    assert may_go(store) == (False, [])
    assert may_go(store, leg=BACK) == (False, [])


def test_a_mistake_in_the_choice_is_one_sentence(store: StateStore) -> None:
    number, closed = put(store, "a"), put(store, "b")
    dismiss(store, these(closed), "Entered by mistake", ME)
    wrong = {
        "It is not said which dead letters": Selection(),
        "Numbers and all together": Selection((number,), everything=True),
        f"There is no dead letter {closed + 1}, {closed + 7}": these(number, closed + 7, closed + 1),
        f"Dead letter {closed} was dismissed on .* \\(Entered by mistake\\)": these(number, closed),
        f"Dead letter {number} is of the map actuals, not of projects": Selection((number,), map="projects"),
        f"Dead letter {number} has the error E6, not E7": Selection((number,), error="E7"),
    }
    for sentence, choice in wrong.items():
        for act in (replay, approve):
            with pytest.raises(StopError, match=sentence):
                act(store, choice, ME)
        with pytest.raises(StopError, match=sentence):
            dismiss(store, choice, "why", ME)
    assert may_go(store) == (False, [])


def test_a_dismissal_keeps_its_reason_and_who_it_was(store: StateStore) -> None:
    number = put(store, "a")
    with pytest.raises(StopError, match="needs a reason"):
        dismiss(store, these(number), "  ", ME)
    dismiss(store, these(number), "Entered by mistake ", ME)
    row = entry(store, number)
    assert (row["status"], row["closed_because"]) == ("dismissed", "Entered by mistake")
    assert audit(store) == [(ME, "dismiss", f"dead letter {number} of actuals", "Entered by mistake")]
    with store.begin() as connection:
        assert dead_letters.live(connection) == []


def test_an_approved_delete_goes_with_the_next_run_and_no_other_does(store: StateStore) -> None:
    held, other, refused = put(store, "a", **HELD), put(store, "b", **HELD), put(store, "c")
    done = approve(store, these(held, refused), ME)
    assert done.marked == (held,)
    assert "replay or dismiss it" in done.left[refused]
    assert may_go(store) == (True, ["a"])
    assert (entry(store, held)["approved_by"], entry(store, other)["approved_by"]) == (ME, None)
    again = approve(store, Selection(map="actuals"), "bert")
    assert again.marked == (held, other)
    assert (entry(store, held)["approved_by"], entry(store, other)["approved_by"]) == (ME, "bert")


def test_an_approval_is_of_a_delete_and_of_nothing_else_that_becomes_of_the_row(store: StateStore) -> None:
    number = put(store, "a", **HELD)
    approve(store, these(number), ME)
    put(store, "a", **HELD)  # a batch that had begun before
    assert entry(store, number)["approved_by"] == ME
    put(store, "a", rule="refused")
    put(store, "a", **HELD)
    assert entry(store, number)["approved_at"] is None
    assert may_go(store) == (False, [])


def test_a_dismissed_delete_leaves_the_row_to_the_target(store: StateStore) -> None:
    """Its pair is forgotten, so that nobody is asked again; a key that is another row's by now is not."""
    with store.begin() as connection:
        pairs = [Entry('["gone"]', "gone"), Entry('["taken"]', "another"), Entry('["stays"]', "stays")]
        crosswalk.put(connection, "actuals", 1, pairs)
    numbers = [put(store, name, **HELD) for name in ("gone", "taken")] + [put(store, "stays")]
    dismiss(store, these(*numbers), "They are to stay", ME)
    with store.begin() as connection:
        known = crosswalk.by_keys(connection, "actuals", [pair.key for pair in pairs])
    assert {pair.dataverse_id for pair in known.values()} == {"another", "stays"}


def test_a_dismissed_delete_of_finance_is_known_by_its_key(store: StateStore) -> None:
    with store.begin() as connection:
        crosswalk.put(connection, "units", 1, [Entry('["ea"]', "guid")])
    dismiss(store, these(put(store, '["ea"]', map_id="units", leg=BACK, key='["ea"]', **HELD)), "Stays", ME)
    with store.begin() as connection:
        assert crosswalk.count(connection, "units") == 0


def test_many_entries_leave_one_short_line_in_the_audit_trail(store: StateStore) -> None:
    with store.begin() as connection:
        letters = [Letter(f"g{number}", None, "open", "load", "E6", "No.") for number in range(600)]
        dead_letters.record(connection, Origin("actuals", FORTH, 1, "1"), letters)
    assert len(replay(store, ALL, ME).marked) == 600
    [(_, _, subject, _)] = audit(store)
    assert subject == "600 dead letters of actuals, from 1 to 600"


def test_why_many_stay_is_said_once(store: StateStore) -> None:
    with store.begin() as connection:
        letters = [Letter(f"g{number}", None, "open", "finance", "E9", "No.") for number in range(12)]
        dead_letters.record(connection, Origin("actuals", BACK, 1, "1"), letters)
    put(store, "held", **HELD)
    told, held = replay(store, ALL, ME).stays
    assert told.startswith("1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 2 more stay. It is closed by itself")
    assert held.startswith("13 stays. It is a delete that waits")


def test_what_a_letter_holds_is_bounded(store: StateStore) -> None:
    number = put(store, "a", value="v" * 10_000, payload=payload_text({"A": "x" * 10_000, "B": None}))
    row = entry(store, number)
    assert len(row["value"]) == 500
    assert len(row["payload"]) < 300
    assert list(payload_values(row["payload"])) == ["A"]


def test_what_became_of_each_entry(store: StateStore) -> None:
    moved, refused, untried, dropped = (put(store, name) for name in "abcd")
    other = put(store, "e")
    at = replay(store, these(moved, refused, untried, dropped), ME).at
    with store.begin() as connection:
        dead_letters.resolve(connection, "actuals", FORTH, ["a", "e"], "moved by batch 2")
    put(store, "b", rule="refused")
    with store.begin() as connection:
        dead_letters.resolve(connection, "actuals", FORTH, ["d"], "Twice")
    became = fates(store, at)
    found = {each.number: each for each in became.first}
    assert other not in found
    assert [each.number for each in became.first] == [refused, untried, moved, dropped]
    assert (became.counts, became.statuses) == (
        {"closed": 2, "again": 1, "untried": 1},
        {"resolved": 2, "open": 2},
    )
    assert (became.count, became.still_live) == (4, 2)
    assert [each.number for each in fates(store, at, limit=2, offset=1).first] == [untried, moved]
    assert {number: each.is_open for number, each in found.items()} == {
        moved: False,
        refused: True,
        untried: True,
        dropped: False,
    }
    assert [found[number].sentence for number in (moved, refused, dropped)] == [
        "moved by batch 2",
        "No.",
        "Twice",
    ]
    assert found[untried].sentence.startswith("Not tried yet")
    assert fates(store, at - timedelta(seconds=1)).first == ()


def test_what_is_decided_on_anew_is_told_of_its_latest_decision(store: StateStore) -> None:
    one, two = put(store, "a"), put(store, "b")
    first = replay(store, these(one, two), ME)
    second = dismiss(store, these(two), "Twice", ME)
    assert [each.number for each in fates(store, first.at).first] == [one]
    assert [each.status for each in fates(store, second.at).first] == ["dismissed"]


def test_a_group_is_named_by_what_its_entries_share(store: StateStore) -> None:
    waits: dict[str, Any] = {"status": "parked", "rule": "parent_missing", "waits_for_map": "projects"}
    one, other = put(store, "a", **waits), put(store, "b", **waits | {"waits_for_map": None})
    back, text = put(store, "c", leg=BACK), put(store, "100%_x")
    put(store, "100xyx")
    chosen = {
        Selection(leg=BACK): (back,),
        Selection(status="parked"): (one, other),
        Selection(status="parked", waits_for="projects"): (one,),
        Selection(status="parked", waits_for=""): (other,),
        Selection(text="100%_X"): (text,),
        Selection(map="actuals", leg=FORTH, error="E6", text='"A'): (),
    }
    for wanted, numbers in chosen.items():
        assert replay(store, wanted, ME).marked == numbers


@pytest.mark.parametrize("act", ["replay", "approve", "dismiss"])
def test_a_decision_on_thousands_is_a_few_statements_and_names_the_first(store: StateStore, act: str) -> None:
    facts = ("awaiting_approval", "load", "mass_delete") if act == "approve" else ("open", "load", "E6")
    with store.begin() as connection:
        letters = [Letter(f"g{number}", None, *facts, "No.") for number in range(3000)]
        dead_letters.record(connection, Origin("actuals", FORTH, 1, "1"), letters)
    statements: list[str] = []
    event.listen(store.engine, "before_cursor_execute", lambda *facts: statements.append(facts[2]))
    wanted = Selection(map="actuals")
    does = {"replay": replay, "approve": approve, "dismiss": partial(dismiss, reason="Old")}
    done = does[act](store, wanted, actor=ME)  # type: ignore[operator]
    assert (done.count, len(done.marked), done.legs) == (3000, 1000, (("actuals", FORTH),))
    assert len(statements) <= 9
    assert fates(store, done.at).count == 3000
    [(_, action, subject, _)] = audit(store)
    assert (action, subject) == (act, "3000 dead letters of actuals, from 1 to 3000")
