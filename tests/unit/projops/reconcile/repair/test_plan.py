"""Which rows go by which leg, and which stay: from differences as they were recorded."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from projops.engine import Engine
from projops.mapping.model import Deletes, Direction, Leaves, Leg, WriteMode
from projops.reconcile.compare.pairing import DUPLICATE_KEY
from projops.reconcile.compare.sides import LEFT_FILTER
from projops.reconcile.model import ColumnDifference, Finding, Kind, RowDifference, Verdict
from projops.reconcile.record import recording
from projops.reconcile.repair import plan as repair_plan
from projops.reconcile.repair.plan import Left, Plan, plans_of, why_left
from projops.run import LegRef
from projops.state import crosswalk
from projops.state.crosswalk import Entry
from projops.state.differences import Seen

FORTH, BACK = Direction.DATAVERSE_TO_FINANCE, Direction.FINANCE_TO_DATAVERSE


def row(map_id: str, direction: Direction, kind: Kind, key: str | None, *columns: str) -> RowDifference:
    cells = tuple(ColumnDifference(name, "a", "b") for name in columns)
    forth = direction is FORTH
    source, target = ("guid", key) if forth else (key, "guid")
    if kind is Kind.EXTRA:
        return RowDifference(LegRef(map_id, direction.value), key, kind, None, target, None)
    missing = kind is Kind.MISSING
    return RowDifference(
        LegRef(map_id, direction.value), key, kind, source, None if missing else target, "h", cells
    )


def planned(engine: Engine, map_id: str, *rows: RowDifference) -> dict[Direction, Plan]:
    seen = [Seen(Finding(each, Verdict.DRIFT, "c", "s"), datetime(2026, 1, 1, tzinfo=UTC)) for each in rows]
    explained = Finding(row(map_id, rows[0].leg.direction, Kind.MISSING, '["no"]'), Verdict.PARKED, "c", "s")
    with recording(engine.staging, 1, map_id) as record:
        record.add([*seen, Seen(explained, datetime(2026, 1, 1, tzinfo=UTC))])
    return dict(plans_of(engine, engine.map(map_id), 1))


def sent(plan: Plan) -> dict[str, str]:
    return {name: key for page in plan.rows.pages(10) for name, key in plan.rows.among(page).items()}


def test_drift_goes_by_its_leg_and_what_is_explained_does_not(engine: Engine) -> None:
    roles = "resource_roles"
    plan = planned(
        engine,
        roles,
        row(roles, FORTH, Kind.CHANGED, '["r"]', "Description"),
        replace(row(roles, FORTH, Kind.MISSING, '["m"]'), source_id="other"),
    )[FORTH]
    assert sent(plan) == {"guid": '["r"]', "other": '["m"]'}
    assert plan.left == {}


def test_own_columns_go_by_their_leg_and_shared_ones_by_the_winners(engine: Engine) -> None:
    key = '["c","uspm"]'
    own = planned(engine, "customers", row("customers", FORTH, Kind.CHANGED, key, "LanguageId"))
    assert [sent(own[each]) for each in (FORTH, BACK)] == [{"guid": key}, {}]
    shared = planned(engine, "customers", row("customers", FORTH, Kind.CHANGED, key, "OrganizationName"))
    assert [sent(shared[each]) for each in (FORTH, BACK)] == [{}, {key: key}]
    assert shared[BACK].contested.among([key]) == {key: ""}
    both = planned(
        engine, "customers", row("customers", FORTH, Kind.CHANGED, key, "OrganizationName", "LanguageId")
    )
    assert [sent(both[each]) for each in (FORTH, BACK)] == [{"guid": key}, {key: key}]


def test_an_extra_row_goes_by_the_pair_that_is_known_or_by_one_that_is_made(engine: Engine) -> None:
    known, stray = '["f","o","uspm"]', '["s","o","uspm"]'
    with engine.state.begin() as connection:
        crosswalk.put(connection, "funding_sources", 1, [Entry(known, "its guid")])
    rows = [row("funding_sources", FORTH, Kind.EXTRA, each) for each in (known, stray)]
    plan = planned(engine, "funding_sources", *rows)[FORTH]
    [(guid, _)] = [pair for pair in sent(plan).items() if pair[1] == stray]
    assert sent(plan) == {"its guid": known, guid: stray}
    assert plan.strays.among([known, stray]) == {stray: guid}


def of(leg: Leg, deletes: Deletes = Deletes.PROPAGATE, leaves: Leaves = Leaves.DELETE) -> Leg:
    return replace(leg, deletes=deletes, extract=replace(leg.extract, leaves=leaves))


@pytest.mark.parametrize(
    ("reason", "deletes", "leaves", "known", "why"),
    [
        ("", Deletes.IGNORE, Leaves.DELETE, True, repair_plan.IGNORED),
        ("", Deletes.PROPAGATE, Leaves.KEEP, True, None),
        ("", Deletes.PROPAGATE, Leaves.KEEP, False, None),
        (LEFT_FILTER, Deletes.PROPAGATE, Leaves.KEEP, True, repair_plan.STAYS),
        (LEFT_FILTER, Deletes.IGNORE, Leaves.DELETE, True, None),
        (LEFT_FILTER, Deletes.IGNORE, Leaves.DELETE, False, repair_plan.NEVER_SENT),
        (DUPLICATE_KEY, Deletes.PROPAGATE, Leaves.DELETE, True, repair_plan.DUPLICATE),
    ],
)
def test_why_an_extra_row_stays(
    engine: Engine, reason: str, deletes: Deletes, leaves: Leaves, known: bool, why: str | None
) -> None:
    leg = of(engine.map("resource_roles").legs[FORTH], deletes, leaves)
    extra = replace(row("resource_roles", FORTH, Kind.EXTRA, '["r"]'), reason=reason)
    assert why_left(leg, extra, Entry('["r"]', "guid") if known else None) == why


def test_what_no_run_can_move_stays(engine: Engine) -> None:
    back = engine.map("actuals").legs[BACK]
    assert back.write is WriteMode.UPDATE_ONLY
    assert why_left(back, row("actuals", BACK, Kind.MISSING, '["a"]'), None) == repair_plan.NEVER_CREATED
    keyless = row("units", BACK, Kind.REJECTED, None)
    plan = planned(engine, "units", replace(keyless, source_id="digest"))[BACK]
    assert (sent(plan), plan.left) == ({}, {repair_plan.NO_KEY: Left(repair_plan.NO_KEY, 1, ["digest"])})
