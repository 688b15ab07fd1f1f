"""The plan of a map's next run on a page: who may ask for it, what it shows, and how long anybody waits."""

import re
from collections.abc import Callable
from threading import Event
from threading import enumerate as enumerate_threads
from typing import Any

import pytest

from projops.console import planning
from projops.due import Why
from projops.load.decide import Kind
from projops.load.rehearsal import Change, PlannedRow
from projops.plan import LegPlan
from projops.run import LegRef
from projops.state import StateStore
from projops.state.audit import actions
from projops.state.batches import Counts
from projops.state.overview import SetAside
from tests.unit.projops.console.clients import Client, form_of

PATH = "/maps/customers/plan"
HTML = {"Accept": "text/html"}
BEFORE, AFTER = "Secret <before>", "Secret after"
ROW = PlannedRow('["c1","us/pm"]', Kind.UPDATE, {"Name": Change(BEFORE, AFTER)})
ASIDE = SetAside('["<c2>"]', "parked", "load", "parent_missing", "Waits for `its` parent.")


def planned(asked: list[LegRef]) -> Callable[..., LegPlan]:
    def plan(_engine: object, leg: LegRef, *, shown: int) -> LegPlan:
        asked.append(leg)
        counts = Counts(read=9, unchanged=5, loaded=3, parked=1)
        actions_of = {Kind.UPDATE: 3}
        return LegPlan(
            leg, Why.CHANGES, "1.2", counts=counts, actions=actions_of, rows=(ROW,), aside=(ASIDE,)
        )

    return plan


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[LegRef]:
    """Stand in for the planning itself; gives the legs that were planned."""
    legs: list[LegRef] = []
    monkeypatch.setattr("projops.plan.plan", planned(legs))
    return legs


def test_the_page_offers_a_plan_and_asks_no_system(client_of: Client, asked: list[LegRef]) -> None:
    forms = {role: client_of(role).get(PATH, headers=HTML).text for role in ("viewer", "user", "op", "admin")}
    assert {role: "Make the plan" in html for role, html in forms.items()} == {
        "viewer": False,
        "user": True,
        "op": True,
        "admin": True,
    }
    assert {role for role, html in forms.items() if 'name="values"' in html} == {"op", "admin"}
    assert asked == []


def test_a_plan_says_what_would_be_written_and_not_what_rows_hold(
    client_of: Client, state: StateStore, asked: list[LegRef]
) -> None:
    html = client_of("user").post(PATH, data=form_of("user"), headers=HTML).text
    assert asked == [LegRef("customers", "finance_to_dataverse"), LegRef("customers", "dataverse_to_finance")]
    numbers = dict(re.findall(r"<dt>([^<]*)</dt><dd>([^<]*)</dd>", html))
    assert (numbers["read"], numbers["update"], numbers["parked"], numbers["create"]) == ("9", "3", "1", "0")
    assert "c1 / us/pm" in html
    assert "&lt;c2&gt;" in html
    assert "Waits for <code>its</code> parent." in html
    assert "Secret" not in html
    with state.reading() as connection:
        assert actions(connection, 9) == []


def test_values_take_their_own_right_and_are_noted(
    client_of: Client, state: StateStore, asked: list[LegRef]
) -> None:
    refused = client_of("user").post(PATH, data=form_of("user", values="1"))
    assert (refused.status_code, asked) == (403, [])
    html = client_of("op").post(PATH, data=form_of("op", values="1"), headers=HTML).text
    assert "Secret &lt;before&gt;" in html
    assert AFTER in html
    with state.reading() as connection:
        noted = [(each["actor"], each["action"], each["subject"]) for each in actions(connection, 9)]
    assert noted == [("an op", "reveal", "plan of customers")]


def test_who_may_not_run_the_map_may_not_plan_it(client_of: Client, asked: list[LegRef]) -> None:
    assert client_of("viewer").post(PATH, data=form_of("viewer")).status_code == 403
    assert client_of(None).post(PATH, data=form_of("op")).status_code == 401
    assert client_of("op").post("/maps/nothing/plan", data=form_of("op")).status_code == 404
    assert asked == []


def test_htmx_gets_the_plan_alone(client_of: Client, asked: list[LegRef]) -> None:
    headers = {"HX-Request": "true", "HX-Target": "plan"}
    part = client_of("user").post(PATH, data=form_of("user"), headers=headers).text.strip()
    assert part.startswith('<div id="plan">')
    assert "<html" not in part


def test_nobody_waits_for_ever_and_no_map_is_planned_twice_at_once(
    client_of: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = Event()

    def slow(*_: object, **__: Any) -> LegPlan:
        free.wait(30)
        return LegPlan(LegRef("customers", "dataverse_to_finance"), None, "1")

    monkeypatch.setattr("projops.plan.plan", slow)
    monkeypatch.setattr(planning, "SECONDS", 0.05)
    user = client_of("user")
    late = user.post(PATH, data=form_of("user"))
    assert late.status_code == 503
    assert "The plan of customers takes longer than 0.05 seconds" in late.text
    again = user.post(PATH, data=form_of("user"))
    assert again.status_code == 409
    assert "A plan of customers is being made already." in again.text
    free.set()
    monkeypatch.setattr(planning, "SECONDS", 30)
    for thread in [each for each in enumerate_threads() if each.name == "projops-page"]:
        thread.join(30)
    assert user.post(PATH, data=form_of("user")).status_code == 200
