"""What a plan looks like on the command line."""

import json
from datetime import UTC, datetime

import pytest

from projops.commands.planning import show_plans
from projops.due import Why
from projops.load.decide import Kind
from projops.load.rehearsal import Change, PlannedRow
from projops.plan import LegPlan
from projops.run import LegRef
from projops.state.batches import Counts
from projops.state.meanings import Difference
from projops.state.overview import SetAside
from projops.state.pauses import Pause

ROW = PlannedRow('["c1","uspm"]', Kind.UPDATE, {"Name": Change("Secret before", "Secret after")})
PLAN = LegPlan(
    LegRef("customers", "dataverse_to_finance"),
    Why.MAPPING,
    "1.2",
    version_before="1.1",
    difference=Difference(added=("Phone",), removed=("Fax",)),
    pause=Pause("customers", datetime(2026, 11, 23, 8, 30, tzinfo=UTC), "anna", "Cleaning up"),
    counts=Counts(read=9, unchanged=5, loaded=2, parked=2),
    actions={Kind.UPDATE: 1, Kind.CREATE: 1},
    columns={"Name": 1},
    rows=(ROW,),
    aside=(
        SetAside('["c2","uspm"]', "parked", "load", "parent_missing", "Waits for its parent."),
        SetAside('["c3","uspm"]', "awaiting_approval", "load", "mass_delete", "One of many."),
    ),
    conflicts=1,
)


def printed(capsys: pytest.CaptureFixture[str], plan: LegPlan, values: bool = False) -> str:
    show_plans([plan], values, as_json=False)
    return " ".join(capsys.readouterr().out.split())


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "300")


def test_a_plan_says_why_what_and_of_which_rows(capsys: pytest.CaptureFixture[str]) -> None:
    out = printed(capsys, PLAN)
    assert (
        "the mapping has changed from version 1.1 to 1.2 (new Phone; removed Fax); 2 rows must be sent again"
        in out
    )
    assert (
        "paused by anna since 2026-11-23 08:30 UTC (Cleaning up); this is what comes once it is resumed"
        in out
    )
    assert "columns that would change, by rows: Name in 1." in out
    assert "Waits for its parent." in out


def test_values_are_hidden_unless_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert "Secret" not in printed(capsys, PLAN)
    assert "Name: Secret before -> Secret after" in printed(capsys, PLAN, values=True)
    show_plans([PLAN], values=False, as_json=True)
    assert "Secret" not in capsys.readouterr().out


def test_json_has_names_that_stay(capsys: pytest.CaptureFixture[str]) -> None:
    show_plans([PLAN], values=True, as_json=True)
    [plan] = json.loads(capsys.readouterr().out)
    counts = ("read", "unchanged", "create", "update", "delete", "parked", "rejected", "refused")
    assert [plan[name] for name in counts] == [9, 5, 1, 1, 0, 1, 0, 0]
    assert (plan["await_approval"], plan["conflicts"], plan["why"]) == (1, 1, "the mapping has changed")
    assert plan["rows"] == [
        {
            "key": '["c1","uspm"]',
            "action": "update",
            "columns": ["Name"],
            "values": {"Name": {"old": "Secret before", "new": "Secret after"}},
        }
    ]


def test_a_leg_that_would_stop_or_rest_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    stops = LegPlan(PLAN.leg, Why.CHANGES, "1.2", stops="Too many rows are bad. Look at them.")
    assert "the leg would stop before anything is written. Too many rows are bad." in printed(capsys, stops)
    assert "nothing to move" in printed(capsys, LegPlan(PLAN.leg, None, "1.2", in_full=True))


def test_a_leg_whose_exports_are_not_asked_for_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    plan = LegPlan(PLAN.leg, Why.ASKED, "1.2", in_full=True)
    assert "an export of the changes would have moved Finance's mark" in printed(capsys, plan)
