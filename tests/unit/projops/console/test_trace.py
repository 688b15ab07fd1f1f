"""The pages that trace: what is found in the state at once, and what both systems are asked for."""

from datetime import UTC, datetime
from threading import Event
from typing import Any
from urllib.parse import quote

import pytest
from airflow.api_fastapi.app import get_auth_manager
from sqlalchemy import event

from projops.console import limited
from projops.console.kept_engine import kept_engine
from projops.console.routes import trace as routes
from projops.errors import StopError
from projops.lineage.trace import entities as of
from projops.lineage.trace.model import FieldTrace, LegTrace, Moved, RowTrace, Side, Trace
from projops.lineage.trace.records import Entity, Record, Towards
from projops.lineage.trace.tracing import Candidates
from projops.lineage.trace.walking import Found, Walk
from projops.mapping.model import Direction, System
from projops.state import StateStore, crosswalk
from projops.state.audit import actions
from projops.state.crosswalk import Entry
from projops.state.row_search import rows_bearing
from tests.unit.projops.console.clients import Client

AT = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
GUID = "00000000-0000-4000-8000-00000000000a"
KEY = '["p/1<b>","uspm"]'
HERE = "/trace/projects/%5B%22p%2F1%3Cb%3E%22%2C%22uspm%22%5D"
SECOND, PIECE = '["de-001","p/1<b>"]', '["xp/1<b>","a%b"]'
SECRET = "Secret <i>bridge\u202e"
MAPS = ("projects", "customers")


@pytest.fixture
def known(state: StateStore) -> StateStore:
    with state.begin() as connection:
        crosswalk.put(connection, "projects", 1, [Entry(KEY, GUID), Entry('["p/10","uspm"]')])
        crosswalk.put(connection, "customers", 1, [Entry(SECOND), Entry(PIECE)])
    return state


def record(entity: Entity, identity: str, link: str = "") -> Record:
    held = dict.fromkeys(entity.facts, "fact") | dict.fromkeys(entity.values, SECRET)
    return Record(entity, identity, held, link)


def a_trace() -> Trace:
    project, contract = record(of.PROJECT, GUID, "https://d/1"), record(of.CONTRACT, "c-1")
    account = record(of.ACCOUNT, "a-1")
    steps = (Found(contract, project.node, "under", 1), Found(account, contract.node, "with", 2))
    field = FieldTrace("ProjectName", "msdyn_subject", SECRET, (), SECRET, "other", False)
    moved = Moved(4, "setup_and_configuration", "run 1", "loaded", "incremental", "1.0", "f", AT, AT, "")
    leg = LegTrace(Direction.DATAVERSE_TO_FINANCE, "1.1", "g", True, moved, "a", "b", (field,))
    side = Side(System.DATAVERSE, "msdyn_project", GUID, None, AT, {"msdyn_subject": SECRET}, "https://d/1")
    row = RowTrace("projects", "Projects", KEY, AT, {System.DATAVERSE: side}, (leg,), (), ())
    origins, outcomes = Walk(Towards.ORIGIN, steps), Walk(Towards.OUTCOME, ())
    return Trace("projects p/1", (project,), row, (), (), origins, outcomes, (), ())


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What both systems were asked for."""
    found: list[tuple[str, str]] = []

    def answer(_engine: object, what: str, key: str) -> Trace:
        found.append((what, key))
        return a_trace()

    monkeypatch.setattr(routes, "trace_text", answer)
    return found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (KEY, [("projects", KEY)]),
        (
            "P/1<B>",
            [("customers", SECOND), ("projects", KEY), ("customers", PIECE)],
        ),
        (f"{{{GUID.upper()}}}", [("projects", KEY)]),
        ("uspm, p/10 ", [("projects", '["p/10","uspm"]')]),
        ("de-0", [("customers", SECOND)]),
        ("a%b", [("customers", PIECE)]),
        ("a_b", []),
        ('nothing"', []),
    ],
)
def test_a_row_is_found_by_whatever_one_has_of_its_key(
    known: StateStore, text: str, found: list[tuple[str, str]]
) -> None:
    with known.reading() as connection:
        assert rows_bearing(connection, MAPS, text, 9) == found
        assert rows_bearing(connection, MAPS, text, 1) == found[:1]
        assert rows_bearing(connection, ["units"], text, 9) == []


def test_a_search_leads_to_rows_and_to_both_systems_with_one_statement(
    client_of: Client, known: StateStore
) -> None:
    client = client_of("viewer")
    seen: list[str] = []
    client.get("/trace?q=warm")
    engine = kept_engine().state.engine
    event.listen(engine, "before_cursor_execute", lambda *told: seen.append(told[2]))
    page = client.get("/trace", params={"q": "p/1<b>"}).text
    assert HERE in page
    assert "/trace/voucher/p%2F1%3Cb%3E" in page
    assert "<b>" not in page
    assert sum("FROM crosswalk" in each for each in seen) == len([e for e in seen if "SELECT" in e]) == 1


def test_a_trace_comes_at_once_and_asks_both_systems_only_when_it_is_loaded(
    client_of: Client, known: StateStore, asked: list[tuple[str, str]]
) -> None:
    client = client_of("viewer")
    page = client.get(HERE).text
    assert asked == []
    assert 'hx-trigger="load"' in page
    assert f'href="{HERE}?load=1"' in page
    part = client.get(f"{HERE}?load=1", headers={"HX-Request": "true", "HX-Target": "trace"}).text
    assert asked == [("projects", KEY)]
    assert part.lstrip().startswith('<div id="trace">')
    assert "under</span> <strong>contract</strong> c-1" in " ".join(part.split())
    assert "changed since it was moved" in part
    assert "/dags/setup_and_configuration/runs/run%201" in part


def test_what_rows_hold_is_shown_on_request_to_those_with_the_right_and_noted(
    client_of: Client, known: StateStore, asked: list[tuple[str, str]]
) -> None:
    for role, values in (("viewer", ""), ("op", "")):
        assert "Secret" not in client_of(role).get(f"{HERE}?load=1{values}").text
    assert client_of("user").get(f"{HERE}?load=1&values=1").status_code == 403
    shown = client_of("op").get(f"{HERE}?load=1&values=1").text
    assert "Secret &lt;i&gt;bridge\\u202e" in shown
    assert not {"<i>", "\u202e"} & set(shown.split("bridge"))
    with known.begin() as connection:
        noted = [(each["actor"], each["action"], each["subject"]) for each in actions(connection)]
    assert noted == [("an op", "reveal", "trace of projects p/1")]


def test_who_may_not_read_every_dag_sees_the_row_and_nothing_around_it(
    client_of: Client, known: StateStore, asked: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_of("op")
    area = kept_engine().maps["projects"].area

    def of_one_area(*, method: str, details: Any, user: object) -> bool:
        return bool(details.id == area)

    monkeypatch.setattr(get_auth_manager(), "is_authorized_dag", of_one_area)
    page = client.get(f"{HERE}?load=1").text
    assert "changed since it was moved" in page
    assert "contract" not in page
    for path in ("/trace/voucher/V1?load=1", "/trace/any/V1", "/trace/customers/de-001"):
        assert client.get(path).status_code == 403
    assert "/trace/voucher/" not in client.get("/trace?q=p").text
    assert "customers" not in client.get("/trace?q=p").text
    assert [what for what, _ in asked] == ["projects"]


@pytest.mark.parametrize("path", ["/trace/nothing/1", "/trace/nothing/1?load=1"])
def test_what_is_no_map_and_no_kind_is_not_there(client_of: Client, known: StateStore, path: str) -> None:
    assert client_of("admin").get(path).status_code == 404


def test_several_things_are_offered_and_an_error_is_a_sentence(
    client_of: Client, known: StateStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_of("viewer")
    found = (("projects", KEY, "row of map projects"), ("voucher", "uspm/V1", "ledger entry"))
    monkeypatch.setattr(routes, "trace_text", lambda *asked: Candidates("any p/1", found))
    page = client.get("/trace/any/1?load=1").text
    assert HERE in page
    assert "/trace/voucher/uspm%2FV1" in page

    def fail(*asked: object) -> None:
        raise StopError("Nothing bears <b>.", remedy="Check `it`.")

    monkeypatch.setattr(routes, "trace_text", fail)
    answer = client.get("/trace/any/1?load=1")
    assert (answer.status_code, "Nothing bears &lt;b&gt;. Check <code>it</code>." in answer.text) == (
        200,
        True,
    )


@pytest.mark.parametrize("key", ["[", "[abc", "[1", "[" * 600, "{}", "5"])
def test_a_text_that_only_begins_like_a_key_is_shown_as_it_is(
    client_of: Client, known: StateStore, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    found = Candidates("project", (("projects", key, "Project"), ("projects", "b", "Project")))
    monkeypatch.setattr(routes, "trace_text", lambda *asked: found)
    for what in ("projects", "any"):
        answer = client_of("viewer").get(f"/trace/{what}/{quote(key, safe='')}?load=1")
        assert (answer.status_code, f"Project: {key}<" in answer.text) == (200, True)


def test_a_trace_that_takes_too_long_is_not_waited_for(
    client_of: Client, known: StateStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = Event()
    monkeypatch.setattr(routes, "_SECONDS", 0.01)
    monkeypatch.setattr(routes, "trace_text", lambda *asked: done.wait(10))
    client = client_of("viewer")
    try:
        answers = [client.get("/trace/any/1?load=1").text for _ in range(5)]
    finally:
        done.set()
    assert ["takes longer than" in each for each in answers] == [True] * 4 + [False]
    assert "pages ask the systems for something already" in answers[4]
    assert limited._free.acquire(timeout=5)
    limited._free.release()
