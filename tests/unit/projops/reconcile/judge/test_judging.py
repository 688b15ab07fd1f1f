"""What each difference is, by what the state knows, the mapping says and the next run would bring."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from projops.mapping.model import Deletes, Direction, Leaves, TableMap
from projops.mapping.reader import load_maps
from projops.reconcile.compare.pairing import DUPLICATE_KEY
from projops.reconcile.compare.sides import LEFT_FILTER
from projops.reconcile.judge.ground import Ground
from projops.reconcile.judge.judging import judge
from projops.reconcile.judge.pending import NOT_STARTED, Ahead
from projops.reconcile.judge.shared_columns import Counterpart
from projops.reconcile.model import ColumnDifference, Kind, RowDifference, Verdict
from projops.run import LegRef
from projops.settings import PROJECT_ROOT
from projops.state.crosswalk import UNKNOWN, Entry
from projops.state.differences import Sighting
from projops.state.explanations import Letters, SetAside

MAPS = load_maps(PROJECT_ROOT / "include" / "mappings").maps
FORTH, BACK = Direction.DATAVERSE_TO_FINANCE, Direction.FINANCE_TO_DATAVERSE
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
KEY = '["rol-1"]'
QUIET = Ahead(named=frozenset())  # Dataverse names nothing
PAIR = Entry(KEY, "guid", hash_dataverse_to_finance="h", hash_finance_to_dataverse="h")


def ground(map_id: str = "resource_roles", direction: Direction = FORTH, **facts: Any) -> Ground:
    table_map = MAPS[map_id]
    facts |= {name: Letters.of(facts[name]) for name in ("letters", "back_letters") if name in facts}
    ahead = QUIET if direction is FORTH else Ahead(last_began=NOW)
    known: dict[str, Any] = {"ahead": ahead, "entries": {KEY: PAIR}}
    return Ground(table_map, table_map.legs[direction], **(known | facts))


def row(kind: Kind = Kind.CHANGED, direction: Direction = FORTH, **facts: Any) -> RowDifference:
    own = "guid" if direction is FORTH else KEY
    known = {
        "key": KEY,
        "source_id": None if kind is Kind.EXTRA else own,
        "target_id": None,
        "source_hash": None if kind is Kind.EXTRA else "h",
        "columns": (ColumnDifference("Description", "a", "b"),) if kind is Kind.CHANGED else (),
    }
    return RowDifference(LegRef("m", direction.value), kind=kind, **(known | facts))


def verdict(difference: RowDifference, by: Ground) -> tuple[Verdict, str]:
    found = judge(difference, by)
    assert found is not None and found.explanation.endswith(".")
    return found.verdict, found.cause


def letter(status: str = "open", **facts: Any) -> SetAside:
    known: dict[str, Any] = {
        "id": 7,
        "source_id": "guid",
        "key": KEY,
        "status": status,
        "rule": "E6",
        "closed_at": None,
    }
    return SetAside(**(known | facts))


def test_a_source_as_it_was_in_step_explains_nothing_even_if_it_is_named() -> None:
    named = ground(ahead=Ahead(named=frozenset({"guid"})))
    assert verdict(row(), named) == (Verdict.DRIFT, "edited_at_target")
    assert verdict(row(source_hash="new"), named) == (Verdict.PENDING, "changed_at_source")
    assert verdict(row(source_hash="new"), ground()) == (Verdict.DRIFT, "change_missed")
    assert verdict(row(Kind.MISSING), named) == (Verdict.DRIFT, "deleted_at_target")


def test_a_key_that_has_passed_to_another_row_is_not_in_step() -> None:
    by = ground(ahead=Ahead(named=frozenset({"other"})))
    assert verdict(row(source_id="other"), by) == (Verdict.PENDING, "changed_at_source")


def test_a_leg_that_has_not_run_brings_everything() -> None:
    first = ground(ahead=Ahead(NOT_STARTED), entries={})
    assert verdict(row(Kind.MISSING), first) == (Verdict.PENDING, NOT_STARTED)
    paused = replace(first, pause="paused by ada since 2026-11-01 10:00 UTC (month end)")
    found = judge(row(Kind.MISSING), paused)
    assert found is not None and found.explanation.startswith("The map is paused by ada since 2026-11-01")


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("open", Verdict.DEAD_LETTER),
        ("parked", Verdict.PARKED),
        ("awaiting_approval", Verdict.AWAITING_APPROVAL),
    ],
)
def test_a_live_dead_letter_explains_its_row(status: str, expected: Verdict) -> None:
    assert verdict(row(), ground(letters=[letter(status)])) == (expected, "E6")


def test_a_delete_that_waits_is_of_the_key_under_which_the_row_stood() -> None:
    waits = letter("awaiting_approval", key='["former"]')
    assert verdict(row(), ground(letters=[waits]))[0] is Verdict.DRIFT
    assert verdict(row(Kind.EXTRA, key='["former"]'), ground(letters=[waits], entries={}))[0] is (
        Verdict.AWAITING_APPROVAL
    )


def test_what_is_on_its_way_is_pending() -> None:
    assert verdict(row(), ground(on_the_way=frozenset({KEY}))) == (Verdict.PENDING, "in_flight")


def test_a_dismissed_row_is_left_until_its_source_changes() -> None:
    dismissed = [letter("dismissed", closed_at=NOW)]
    assert verdict(row(source_hash="new"), ground(letters=dismissed)) == (Verdict.KEPT, "dismissed")
    named = ground(letters=dismissed, ahead=Ahead(named=frozenset({"guid"})))
    assert verdict(row(source_hash="new"), named) == (Verdict.PENDING, "changed_at_source")
    # In step since it was dismissed: what differs now has nothing to do with it.
    assert verdict(row(), ground(letters=dismissed)) == (Verdict.DRIFT, "edited_at_target")


@pytest.mark.parametrize(
    ("said", "read_at", "expected"),
    [
        (None, None, Verdict.KEPT),  # nobody has looked since
        (("new", Verdict.PENDING), NOW - timedelta(hours=1), Verdict.KEPT),
        (("new", Verdict.KEPT), NOW + timedelta(hours=1), Verdict.KEPT),
        (("old", Verdict.KEPT), NOW + timedelta(hours=1), Verdict.PENDING),
        (("new", Verdict.PENDING), NOW + timedelta(hours=1), Verdict.PENDING),
        (None, NOW + timedelta(hours=1), Verdict.PENDING),
    ],
)
def test_of_finance_only_earlier_looks_tell_that_a_dismissed_row_has_changed(
    said: tuple[str, Verdict] | None, read_at: datetime | None, expected: Verdict
) -> None:
    dismissed = [letter("dismissed", source_id=KEY, closed_at=NOW)]
    seen = {} if said is None else {KEY: Sighting(*said, NOW + timedelta(days=1), None)}
    by = ground("units", BACK, letters=dismissed, sightings=seen, last_read_at=read_at, entries={})
    assert verdict(row(Kind.MISSING, BACK, source_hash="new"), by)[0] is expected


def seen(at: datetime, source_hash: str | None = "new", moved_at: datetime | None = None) -> Any:
    return {KEY: Sighting(source_hash, Verdict.PENDING, at, moved_at)}


@pytest.mark.parametrize(
    ("sightings", "expected"),
    [
        ({}, Verdict.PENDING),
        (seen(NOW - timedelta(hours=1)), Verdict.DRIFT),  # the last run began after that
        (seen(NOW + timedelta(hours=1)), Verdict.PENDING),
        (seen(NOW - timedelta(hours=1), "older"), Verdict.PENDING),  # another change
        (seen(NOW - timedelta(hours=1), moved_at=NOW - timedelta(minutes=1)), Verdict.PENDING),
    ],
)
def test_a_change_in_finance_is_pending_until_a_run_has_passed_it_by(
    sightings: Mapping[str, Sighting], expected: Verdict
) -> None:
    by = ground("units", BACK, sightings=sightings)
    assert verdict(row(direction=BACK, source_hash="new"), by)[0] is expected


def with_deletes(by: Ground, deletes: Deletes, leaves: Leaves = Leaves.KEEP) -> Ground:
    leg = replace(by.leg, deletes=deletes, extract=replace(by.leg.extract, leaves=leaves))
    table_map: TableMap = replace(by.table_map, legs={leg.direction: leg})
    return replace(by, table_map=table_map, leg=leg)


def test_an_extra_row_is_what_the_map_says_of_deletes() -> None:
    gone, left = row(Kind.EXTRA), row(Kind.EXTRA, reason=LEFT_FILTER)
    keeps = with_deletes(ground(), Deletes.IGNORE)
    assert verdict(gone, keeps) == (Verdict.KEPT, "deleted_at_source")
    assert verdict(left, keeps) == (Verdict.KEPT, "left_filter")
    passes = with_deletes(ground(), Deletes.PROPAGATE, Leaves.DELETE)
    assert verdict(gone, passes) == (Verdict.DRIFT, "deleted_at_source")
    assert verdict(left, passes) == (Verdict.DRIFT, "left_filter")
    named = replace(passes, ahead=Ahead(named=frozenset({"guid"})))
    assert verdict(gone, named) == verdict(left, named) == (Verdict.PENDING, "deleted_at_source")
    for by in (keeps, named):
        assert verdict(gone, replace(by, entries={})) == (Verdict.DRIFT, "made_at_target")
        twin = row(Kind.EXTRA, reason=DUPLICATE_KEY)
        assert verdict(twin, by) == (Verdict.DRIFT, "duplicate_key")


def test_a_row_that_was_deactivated_stays() -> None:
    by = with_deletes(ground(), Deletes.DEACTIVATE)
    assert verdict(row(Kind.EXTRA), by) == (Verdict.DRIFT, "deleted_at_source")
    done = replace(by, entries={KEY: replace(PAIR, hash_dataverse_to_finance=UNKNOWN)})
    assert verdict(row(Kind.EXTRA), done)[0] is Verdict.KEPT


def test_an_extra_row_may_yet_be_brought_by_the_other_leg() -> None:
    by = ground("actuals", back=Ahead(last_began=NOW), entries={})
    extra = row(Kind.EXTRA, target_id=KEY)
    assert verdict(extra, by) == (Verdict.PENDING, "changed_at_target")
    passed = replace(by, sightings=seen(NOW - timedelta(hours=1), None))
    assert verdict(extra, passed) == (Verdict.DRIFT, "made_at_target")
    refused = replace(passed, back_letters=Letters.of([letter(rule="not_at_target", source_id=KEY)]))
    assert verdict(extra, refused) == (Verdict.DEAD_LETTER, "not_at_target")


def test_a_rejected_row_that_no_run_has_met_is_pending() -> None:
    rejected = row(Kind.REJECTED, source_hash=None, reason="Name is too long.")
    assert verdict(rejected, ground(ahead=Ahead(named=frozenset({"guid"}))))[0] is Verdict.PENDING
    assert verdict(rejected, ground()) == (Verdict.DRIFT, "rejected")


# Shared columns: customers keep their name in step both ways, and Finance wins.
NAME = ColumnDifference("OrganizationName", "by D", "by F")
BACK_NAME = ColumnDifference("name", "by F", "by D")


def shared(dataverse: str, finance: str, **facts: Any) -> dict[Direction, Ground]:
    """Both legs, with what stood in the name when both sides were last in step."""
    entry = replace(PAIR, shared_dataverse={"name": dataverse}, shared_finance={"OrganizationName": finance})
    forth = ground(
        "customers",
        FORTH,
        entries={KEY: entry},
        back=Ahead(last_began=NOW),
        found={KEY: {"OrganizationName": "now F"}},
        counterparts={KEY: Counterpart(KEY, facts.get("finance_hash", "h"), {"name": "now D"})},
    )
    back = ground(
        "customers",
        BACK,
        entries={KEY: entry},
        back=facts.get("forth", QUIET),
        found={KEY: {"name": "now D"}},
        counterparts={KEY: Counterpart("guid", "h", {"OrganizationName": "now F"})},
    )
    return {FORTH: forth, BACK: back}


@pytest.mark.parametrize(
    ("dataverse", "finance", "teller"),
    [
        ("before", "now F", FORTH),  # Dataverse has changed
        ("now D", "before", BACK),
        ("before", "before", BACK),  # both: the winner's leg
        ("now D", "now F", BACK),  # neither
    ],
)
def test_a_shared_column_is_told_of_by_one_leg(dataverse: str, finance: str, teller: Direction) -> None:
    by = shared(dataverse, finance)
    forth = judge(row(columns=(NAME,)), by[FORTH])
    back = judge(row(direction=BACK, columns=(BACK_NAME,)), by[BACK])
    assert [forth is not None, back is not None] == [teller is FORTH, teller is BACK]
    own = ColumnDifference("LanguageId", "en-us", "de")
    both = judge(row(columns=(NAME, own)), by[FORTH])
    assert both is not None
    assert both.difference.columns == ((NAME, own) if teller is FORTH else (own,))


def test_where_both_have_changed_either_leg_may_bring_it() -> None:
    by = shared("before", "before", forth=Ahead(named=frozenset({"guid"})))
    contested = row(direction=BACK, columns=(BACK_NAME,))
    assert verdict(contested, by[BACK])[0] is Verdict.DRIFT  # the way forth has it in step by its hash
    counterpart = {KEY: Counterpart("guid", "new", {"OrganizationName": "now F"})}
    assert verdict(contested, replace(by[BACK], counterparts=counterpart)) == (
        Verdict.PENDING,
        "changed_at_target",
    )
