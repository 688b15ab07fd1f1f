"""The pages about reconciliations: who sees what, what may be asked for, and what is refused."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import pytest
from airflow.api_fastapi.app import get_auth_manager
from fastapi.testclient import TestClient
from sqlalchemy import event

from projops.console import runs
from projops.console.forgery import FIELD
from projops.console.kept_engine import kept_engine
from projops.console.routes import month_end
from projops.reconcile.model import (
    ColumnDifference,
    Finding,
    Kind,
    LegResult,
    RowDifference,
    Scope,
    Total,
    Verdict,
)
from projops.reconcile.month_end.model import Gate, Obstacle, Period
from projops.run import LegRef
from projops.state import StateStore, differences, reconciliations
from projops.state.audit import actions
from projops.state.differences import Seen
from tests.unit.projops.console.clients import Client, form_of

AT = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
PROJECTS = LegRef("projects", "dataverse_to_finance")
CUSTOMERS = LegRef("customers", "finance_to_dataverse")
KEY = '["p-00","uspm"]'
GUID = "00000000-0000-4000-8000-00000000000a"
LISTED = r'<th scope="row"[^>]*><a href="/reconciliations/(\d+)"'
HOSTILE = '<script>alert("x")</script>\u202e'


def seen(ref: LegRef, name: str, verdict: Verdict, cause: str = "edited_at_target") -> Seen:
    column = ColumnDifference("ProjectName", HOSTILE, "Secret bridge")
    row = RowDifference(ref, f'["{name}","uspm"]', Kind.CHANGED, GUID, None, "h", (column,), "uspm")
    return Seen(Finding(row, verdict, cause, f"Why {HOSTILE}; `projops` does."), AT)


@pytest.fixture
def number(state: StateStore) -> int:
    """A reconciliation of two maps in two areas: 60 rows of drift in projects, one kept in customers."""
    total = Total("uspm", "2026-10", 61, 60, {"Amount": Decimal("7.10")}, {"Amount": Decimal("7.00")})
    drift = LegResult(PROJECTS, "1.0", 5, 100, 99, 40, {Verdict.DRIFT: 60}, (total,))
    kept = LegResult(CUSTOMERS, "1.0", 6, 3, 3, 2, {Verdict.KEPT: 1})
    with state.begin() as connection:
        number = reconciliations.begin(connection, "nightly_reconciliation", "night", Scope(), 0)
        reconciliations.record_legs(connection, number, "projects", [(drift, AT)])
        reconciliations.record_legs(connection, number, "customers", [(kept, AT)])
        rows = [seen(PROJECTS, f"p-{place:02}", Verdict.DRIFT) for place in range(60)]
        differences.replace_of_map(connection, number, "projects", rows)
        other = seen(CUSTOMERS, "c-1", Verdict.KEPT, "deletes_ignored")
        differences.replace_of_map(connection, number, "customers", [other])
        reconciliations.finish(connection, number, [PROJECTS, CUSTOMERS])
    return number


def page_of(client: TestClient, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, path
    return answer.text


def browser_of(client: TestClient) -> TestClient:
    """The same user in a browser, which has a cookie and sends no header: its forms need their token."""
    client.cookies.set("_token", client.headers.pop("Authorization").removeprefix("Bearer "))
    return client


def cells(page: str, row: str) -> list[str]:
    """The texts of the table's row that begins with a text."""
    [found] = [each for each in re.findall(r"<tr>.*?</tr>", page, re.DOTALL) if row in each]
    texts = re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", found, re.DOTALL)
    return [re.sub(r"<[^>]*>", "", text).strip() for text in texts]


@pytest.mark.parametrize("path", ["/reconciliations", "/reconciliations/1", "/reconciliations/month-end"])
def test_nobody_gets_in_without_signing_in(client_of: Client, number: int, path: str) -> None:
    assert client_of(None).get(path).status_code == 401


def test_the_list_tells_the_verdict_and_what_is_proven(client_of: Client, number: int) -> None:
    page = page_of(client_of("viewer"), "/reconciliations")
    assert cells(page, "/dags/nightly_reconciliation/runs/night")[1:] == [
        "not all compared",
        "all maps, all companies, all days",
        "42",
        "60",
        "1",
        "0",
        "night",
    ]
    assert cells(page, '/maps/projects"')[:3] == ["projects", "to Finance", "drift"]
    assert cells(page, "map=customers&amp;leg")[1:] in (
        ["to Dataverse", "in step", "2026-11-23 02:00 UTC", "2", "0", "1"],
        ["to Dataverse", "not lately", "2026-11-23 02:00 UTC", "2", "0", "1"],
    )
    assert cells(page, '/maps/units"')[2:] == ["never compared", "never"]
    assert page.index("/maps/projects") < page.index("/maps/actuals")


def test_long_lists_are_paged_and_drift_is_drawn(client_of: Client, number: int, state: StateStore) -> None:
    with state.begin() as connection:
        for place in range(60):
            later = reconciliations.begin(connection, "nightly_reconciliation", f"n{place}", Scope(), 0)
            reconciliations.finish(connection, later, [])
    client = client_of("viewer")
    first = page_of(client, "/reconciliations")
    shown = [int(found) for found in re.findall(LISTED, first)]
    assert shown == list(range(number + 60, number + 10, -1))
    older = page_of(client, f"/reconciliations?before={shown[-1]}")
    rest = [int(found) for found in re.findall(LISTED, older)]
    assert rest == list(range(number + 10, number - 1, -1))
    assert f"before={shown[-1]}" in first
    assert first.count("<g><title>Reconciliation ") == 31
    assert "style" not in first.partition("<svg")[2].partition("</svg>")[0]


def test_a_reconciliation_pages_and_filters_what_differs(client_of: Client, number: int) -> None:
    client, path = client_of("viewer"), f"/reconciliations/{number}"
    page = page_of(client, path)
    assert re.findall(r"to Finance: (p-\d\d) / uspm", page) == [f"p-{place:02}" for place in range(50)]
    [after] = re.findall(r'rel="next" href="[^"]*after=(\d+)"', page)
    assert re.findall(r"to Finance: (p-\d\d)", page_of(client, f"{path}?after={after}")) == [
        f"p-{place:02}" for place in range(50, 60)
    ]
    kept = page_of(client, f"{path}?verdict=kept")
    assert "c-1 / uspm" in kept
    assert "deletes ignored (1)" in kept
    assert "p-00" not in kept
    for query in ("?map=customers", "?leg=finance_to_dataverse", "?cause=deletes_ignored"):
        assert "p-00" not in page_of(client, f"{path}?verdict=drift&{query[1:]}")
    assert cells(page, ">Amount<") == ["Amount", "USPM", "2026-10", "7.10", "7.00", "-0.10"]
    assert f'href="/trace/projects/{quote(KEY, safe="")}"' in page
    assert client.get(f"{path}?verdict=nonsense").status_code == 422
    assert client.get("/reconciliations/99").status_code == 404


def test_what_rows_hold_is_shown_on_request_to_those_with_the_right_and_noted(
    client_of: Client, number: int, state: StateStore
) -> None:
    path = f"/reconciliations/{number}"
    for role in ("viewer", "op"):
        hidden = page_of(client_of(role), path)
        assert "Secret" not in hidden
        assert "Differs in ProjectName" in hidden
    assert client_of("user").get(f"{path}?values=1").status_code == 403
    shown = page_of(client_of("op"), f"{path}?values=1")
    assert "Secret bridge" in shown
    assert "&lt;script&gt;alert(&#34;x&#34;)&lt;/script&gt;\\u202e" in shown
    assert "<script>alert" not in shown
    assert "\u202e" not in shown
    assert noted(state) == [("an op", "reveal", f"differences of reconciliation {number}", "")]


def noted(state: StateStore) -> list[tuple[object, ...]]:
    with state.begin() as connection:
        return [
            tuple(each[name] for name in ("actor", "action", "subject", "reason"))
            for each in actions(connection)
        ]


def test_only_maps_of_areas_that_one_may_read_are_shown(
    client_of: Client, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_of("op")
    seen = {kept_engine().maps["customers"].area, "nightly_reconciliation"}

    def of_some(*, method: str, details: Any, user: object, **_: object) -> bool:
        return details.id in seen

    monkeypatch.setattr(get_auth_manager(), "is_authorized_dag", of_some)
    assert "projects" not in page_of(client, "/reconciliations")
    page = page_of(client, f"/reconciliations/{number}?verdict=drift&map=projects")
    assert "p-00" not in page
    assert "/maps/projects" not in page
    assert "c-1" in page_of(client, f"/reconciliations/{number}?verdict=kept")
    assert client.get("/reconciliations/month-end").status_code == 403
    seen.clear()
    assert client.get("/reconciliations").status_code == 403
    assert client.get(f"/reconciliations/{number}").status_code == 403


def test_pages_ask_the_state_a_few_times_whatever_they_show(client_of: Client, number: int) -> None:
    client = client_of("viewer")
    page_of(client, "/reconciliations")
    seen: list[str] = []
    event.listen(kept_engine().state.engine, "before_cursor_execute", lambda *told: seen.append(told[2]))
    for path, most in (("/reconciliations", 4), (f"/reconciliations/{number}", 5)):
        seen.clear()
        page_of(client, path)
        asked = [each for each in seen if each.startswith("SELECT")]
        assert 0 < len(asked) <= most, asked


@pytest.fixture
def queued(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What was asked of the DAG, behind its right to trigger."""
    asked: list[tuple[Any, ...]] = []

    def trigger(_request: object, viewer: Any, dag: str, conf: Any, note: str, verb: str) -> runs.Run:
        viewer.require_acts(dag)
        asked.append((viewer.name, dag, conf, note, verb))
        return runs.Run(dag, "manual 1", "/dags")

    monkeypatch.setattr(runs, "trigger", trigger)
    return asked


def test_drift_of_chosen_maps_is_sent_again_by_the_dag(
    client_of: Client, number: int, queued: list[tuple[Any, ...]]
) -> None:
    fields = form_of("user", number=number, maps=["projects"], reason="Edited by hand")
    answer = browser_of(client_of("user")).post("/reconciliations/repair", data=fields)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith(f"/reconciliations/{number}?said=")
    form = {"repair": True, "maps": ["projects"]}
    assert queued == [("an user", "nightly_reconciliation", form, "Edited by hand", "repair")]


def test_a_repair_keeps_to_what_was_compared(
    client_of: Client, state: StateStore, queued: list[tuple[Any, ...]]
) -> None:
    scope = Scope(("projects",), ("uspm",), date(2026, 10, 1), date(2026, 10, 31))
    leg = LegResult(PROJECTS, "1.0", 5, 1, 1, 0, {Verdict.DRIFT: 1})
    with state.begin() as connection:
        number = reconciliations.begin(connection, "cli", "x", scope, 0)
        reconciliations.record_legs(connection, number, "projects", [(leg, AT)])
    fields = form_of("user", number=number, maps=["projects"], reason="Why")
    assert client_of("user").post("/reconciliations/repair", data=fields).status_code == 303
    days = {"since": "2026-10-01", "until": "2026-10-31"}
    assert queued[0][2] == {"repair": True, "maps": ["projects"], "companies": ["uspm"], **days}


@pytest.mark.parametrize(
    ("role", "fields", "code"),
    [
        ("viewer", {"maps": ["projects"], "reason": "Why"}, 403),
        ("user", {"maps": ["projects"], "reason": " "}, 422),
        ("user", {"maps": ["projects"]}, 422),
        ("user", {"reason": "Why"}, 422),
        ("user", {"maps": ["customers"], "reason": "Why"}, 422),
        ("user", {"maps": ["projects", "nothing"], "reason": "Why"}, 422),
        ("user", {"maps": ["projects"], "reason": "Why", "number": "99"}, 404),
        ("user", {"maps": ["projects"], "reason": "Why", "number": "-1"}, 422),
        ("user", {"maps": ["projects"], "reason": "Why", "number": "9" * 50}, 422),
        ("user", {"maps": ["projects"], "reason": "Why", FIELD: "forged"}, 403),
    ],
)
def test_a_repair_is_refused(
    client_of: Client,
    number: int,
    queued: list[tuple[Any, ...]],
    role: str,
    fields: dict[str, Any],
    code: int,
) -> None:
    form = form_of(role, number=number) | fields
    answer = browser_of(client_of(role)).post("/reconciliations/repair", data=form)
    assert answer.status_code == code
    assert queued == []
    assert answer.text.count("\n") == 1


def test_the_repair_is_offered_to_those_who_may_act(client_of: Client, number: int) -> None:
    assert "Repair drift" not in page_of(client_of("viewer"), f"/reconciliations/{number}")
    page = page_of(client_of("user"), f"/reconciliations/{number}")
    assert "projects: 60 rows" in page
    assert 'value="customers"' not in page.partition("<fieldset>")[2].partition("</fieldset>")[0]


def test_a_comparison_is_queued_for_a_map_and_companies(
    client_of: Client, number: int, queued: list[tuple[Any, ...]]
) -> None:
    client = client_of("user")
    fields = form_of("user", map="projects", companies="USPM, gbpm uspm", reason="")
    assert client.post("/reconciliations/run", data=fields).status_code == 303
    assert client.post("/reconciliations/run", data=form_of("user", map="")).status_code == 303
    assert [asked[2] for asked in queued] == [
        {"repair": False, "maps": ["projects"], "companies": ["uspm", "gbpm"]},
        {"repair": False},
    ]
    assert {asked[4] for asked in queued} == {"reconcile"}
    assert client.post("/reconciliations/run", data=form_of("user", map="nothing")).status_code == 503
    viewer = client_of("viewer").post("/reconciliations/run", data=form_of("viewer", map="projects"))
    assert (viewer.status_code, len(queued)) == (403, 2)


def test_the_gate_says_what_stands_in_the_way(
    client_of: Client, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, str | None]] = []

    def gates(_engine: object, period: Period, company: str | None, _now: datetime) -> Iterator[Gate]:
        asked.append((str(period), company))
        wrong = Obstacle("parked", "projects dataverse_to_finance", 2, "2 rows <b>.", "Do `it`.")
        yield Gate("uspm", str(period), (wrong,), True)

    monkeypatch.setattr(month_end, "gates", gates)
    fields = form_of("user", period="2026-10", company="USPM")
    answer = client_of("user").post("/reconciliations/month-end", data=fields)
    assert answer.status_code == 200
    assert "USPM 2026-10 cannot be closed: 1 thing stands in the way." in answer.text
    found = cells(answer.text, "letters?map=projects")
    assert found[3:] == ["2 rows &lt;b&gt;.", "See its dead letters. Do it."]
    assert asked == [("2026-10", "USPM")]


@pytest.mark.parametrize(
    ("role", "fields", "code", "said"),
    [
        ("viewer", {"period": "2026-10", "company": "uspm"}, 403, "may not"),
        ("user", {"period": "October", "company": "uspm"}, 200, "October is no month"),
        ("user", {"period": "2026-10", "company": ""}, 200, "Which company?"),
        ("user", {"period": "2026-10", "company": "uspm", FIELD: ""}, 403, "another page"),
    ],
)
def test_the_gate_is_refused(
    client_of: Client, number: int, role: str, fields: dict[str, str], code: int, said: str
) -> None:
    form = form_of(role) | fields
    answer = browser_of(client_of(role)).post("/reconciliations/month-end", data=form)
    assert (answer.status_code, said in answer.text) == (code, True)
