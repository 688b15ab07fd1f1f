"""The page of all maps: what it shows to whom, in how many statements, and what people do there."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import pytest
from airflow.models import DagModel, DagRun
from airflow.sdk import DAG, Param
from airflow.utils.session import create_session
from sqlalchemy import event, select, update

from projops.console import kept_engine
from projops.state import StateStore, audit, batches, dead_letters, leases, looks, pauses
from projops.state.batches import Counts, NewBatch
from projops.state.dead_letters import Letter, Origin
from tests.unit.projops.console.clients import Client, form_of
from tests.unit.projops.console.dags import known_to_airflow

AREA = "expense_management"  # expense_categories and expenses, which needs them
LEG = "finance_to_dataverse"  # of both


class Text(HTMLParser):
    """The words of a page, and its links."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.links: list[str] = []
        self.feed(page)

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links += [value for name, value in attrs if (tag, name) == ("a", "href") and value]

    @property
    def said(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.fixture
def dag(client_of: Client) -> Iterator[str]:
    """The area's DAG as Airflow knows it, with a form as the real one has, and no runs."""
    form = {
        "maps": Param(None, type=["null", "array"], items={"enum": ["expense_categories", "expenses"]}),
        "mode": Param("incremental", enum=["incremental", "full"]),
    }
    with DAG(AREA, schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC), params=form) as made:
        pass
    with known_to_airflow(made):
        yield AREA


def page_of(client_of: Client, role: str = "viewer", **asked: str) -> Text:
    answer = client_of(role).get("/maps", params=asked)
    assert answer.status_code == 200, answer.text
    return Text(answer.text)


def act(client_of: Client, role: str, path: str, **fields: Any) -> Any:
    return client_of(role).post(path, data=form_of(role, **fields))


def moved(state: StateStore, map_id: str, leg: str, run: str = "r1", **counts: int) -> int:
    """Let a batch of a leg be read, moved and committed; give its number."""
    with state.begin() as connection:
        new = NewBatch("cli", run, map_id, leg, "incremental", "1.0.0.0", "f", True)
        number = batches.open_batch(connection, new).id
        batch = batches.get_batch(connection, number)
        batches.record_extracted(connection, batch, "{}", "f", "1.0.0.0")
        batches.commit_batch(connection, batches.get_batch(connection, number), Counts(**counts))
    return number


def set_aside(state: StateStore, map_id: str, leg: str, status: str, number: int) -> None:
    origin = Origin(map_id, leg, 1, "1.0.0.0")
    letters = [Letter(f"{status} {each}", None, status, "load", "E1", "No.") for each in range(number)]
    with state.begin() as connection:
        dead_letters.record(connection, origin, letters)


def paused(state: StateStore) -> dict[str, tuple[str, str, bool]]:
    with state.reading() as connection:
        held = pauses.paused(connection)
    return {name: (each.by, each.reason, each.at_once) for name, each in held.items()}


def lines(state: StateStore) -> list[tuple[object, ...]]:
    with state.reading() as connection:
        return [
            (each["actor"], each["action"], each["subject"], each["reason"])
            for each in reversed(audit.actions(connection))
        ]


def queued() -> list[tuple[dict[str, Any], str | None]]:
    with create_session(scoped=False) as session:
        return [
            (each.conf or {}, each.note)
            for each in session.scalars(select(DagRun).where(DagRun.dag_id == AREA))
        ]


def test_each_leg_of_each_map_has_a_line_with_its_state(client_of: Client, state: StateStore) -> None:
    moved(state, "expenses", LEG, read=5, loaded=3, rejected=1, failed=1)
    said = page_of(client_of, area=AREA).said
    assert "expenses to Dataverse in step 0 s ago not known 3 moved, 2 rejected none not compared" in said
    assert "expense_categories to Dataverse not running never" in said
    assert "customers" not in said


def test_what_waits_is_counted_and_leads_to_where_it_is_mended(client_of: Client, state: StateStore) -> None:
    moved(state, "expenses", LEG)
    for status, number in (("open", 2), ("parked", 1), ("awaiting_approval", 3)):
        set_aside(state, "expenses", LEG, status, number)
    with state.begin() as connection:
        looks.record(connection, "expenses", LEG, 100, True)
    shown = page_of(client_of, area=AREA)
    assert "expenses to Dataverse awaiting approval" in shown.said
    assert "at least 100" in shown.said
    assert "2 dead letters 1 parked 3 awaiting approval" in shown.said
    assert "3 rows of expenses wait for approval. Approve or dismiss them" in shown.said
    assert "2 rows of expenses could not be moved. See why" in shown.said
    assert {
        f"/letters?map=expenses&status={each}" for each in ("open", "parked", "awaiting_approval")
    } <= set(shown.links)


def test_what_needs_a_person_comes_first_and_the_most_pressing_before_all(
    client_of: Client, dag: str, state: StateStore
) -> None:
    set_aside(state, "expenses", LEG, "open", 1)
    with state.begin() as connection:
        new = NewBatch("cli", "r9", "expenses", LEG, "incremental", "1.0.0.0", "f", True)
        batches.record_stop(connection, batches.open_batch(connection, new).id, "Too many rows are bad.")
    with create_session(scoped=False) as session:
        session.execute(update(DagModel).where(DagModel.dag_id == AREA).values(is_paused=True))
    said = page_of(client_of).said
    assert "3 things need you" in said
    needs = [
        "The DAG expense_management is paused in Airflow: nothing of it runs.",
        "expenses to Dataverse has stopped. Too many rows are bad.",
        "1 row of expenses could not be moved.",
    ]
    places = [said.index(each) for each in needs]
    assert places == sorted(places)


def test_a_broken_mapping_file_is_shown_with_what_is_wrong(
    client_of: Client, state: StateStore, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "mappings" / AREA
    folder.mkdir(parents=True)
    (folder / "expenses.yaml").write_text("map: expenses\nnonsense: <b>x</b>\n")
    monkeypatch.setenv("PROJOPS_MAPPINGS", str(tmp_path / "mappings"))
    kept_engine.forget()
    answer = client_of("viewer").get("/maps").text
    assert "The mapping file of expenses is broken" in Text(answer).said
    assert "expenses.yaml:2" in Text(answer).said
    assert "<b>x</b>" not in answer


@pytest.mark.parametrize(
    ("asked", "shown", "hidden"),
    [
        ({"q": "EXPENSE"}, ["expenses", "expense_categories"], ["customers"]),
        ({"q": "msdyn_expense"}, ["expenses"], ["customers"]),
        ({"area": AREA, "state": "in step"}, ["expenses"], ["expense_categories to"]),
        ({"state": "not running", "q": "categ"}, ["expense_categories"], ["expenses to"]),
        ({"q": "<script>"}, ["There are no such maps"], ["expenses to", "<script>"]),
        ({"state": "sideways"}, ["There are no such maps"], ["expenses to"]),
    ],
)
def test_maps_are_found_by_text_area_and_state(
    client_of: Client, state: StateStore, asked: dict[str, str], shown: list[str], hidden: list[str]
) -> None:
    moved(state, "expenses", LEG)
    answer = client_of("viewer").get("/maps", params=asked).text
    said = Text(answer).said
    assert all(each in said for each in shown), said
    assert not any(each in said.partition("Filter")[2] for each in hidden)


def test_a_sorted_list_begins_with_what_was_asked_for(client_of: Client, state: StateStore) -> None:
    moved(state, "expenses", LEG, loaded=7)
    for sort, first in (
        ("moved", "expense_categories"),
        ("-moved", "expenses"),
        ("nonsense", "expense_categories"),
    ):
        rows = re.findall(
            r'<th scope="row"><a href="/maps/(\w+)"',
            client_of("viewer").get("/maps", params={"area": AREA, "sort": sort}).text,
        )
        assert rows[0] == first, sort


def test_only_areas_that_one_may_read_are_shown(
    client_of: Client, state: StateStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_of("viewer")
    from airflow.api_fastapi.app import get_auth_manager

    def readers(*, details: Any, **_rest: Any) -> bool:
        return bool(details.id == AREA)

    monkeypatch.setattr(get_auth_manager(), "is_authorized_dag", readers)
    said = Text(client.get("/maps").text).said
    assert "expenses to Dataverse" in said
    assert "customers" not in said


def test_who_may_not_act_is_shown_no_buttons(client_of: Client, dag: str, state: StateStore) -> None:
    shown = {role: client_of(role).get("/maps").text for role in ("viewer", "user")}
    assert ["Run now" in shown[role] for role in ("viewer", "user")] == [False, True]
    assert ['name="map"' in shown[role] for role in ("viewer", "user")] == [False, True]


def test_htmx_is_answered_with_the_list_alone(client_of: Client, state: StateStore) -> None:
    headers = {"HX-Request": "true", "HX-Target": "legs"}
    answer = client_of("viewer").get("/maps", params={"area": AREA, "q": "expenses"}, headers=headers).text
    assert answer.lstrip().startswith('<div id="legs"')
    assert f'hx-get="/maps?area={AREA}&amp;q=expenses"' in answer
    assert "<html" not in answer


def test_the_page_costs_as_many_statements_with_many_rows_as_with_few(
    client_of: Client, dag: str, state: StateStore
) -> None:
    client, counted = client_of("user"), []
    client.get("/maps")
    asked: list[str] = []
    engine = kept_engine.kept_engine().state.engine

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        asked.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    for rows in (1, 300):
        asked.clear()
        set_aside(state, "expenses", LEG, "open", rows)
        client.get("/maps")
        counted.append(sum(each.startswith(("SELECT", "WITH")) for each in asked))
    event.remove(engine, "before_cursor_execute", note)
    assert counted[0] == counted[1] <= 8


PAUSE, STOP, RESUME = "/maps/expenses/pause", "/maps/expenses/stop", "/maps/expenses/resume"


def test_a_pause_names_who_and_why_and_the_page_says_what_it_did(
    client_of: Client, state: StateStore
) -> None:
    answer = act(client_of, "user", PAUSE, reason="Month end")
    assert answer.status_code == 303
    assert answer.headers["location"].startswith(f"/maps?area={AREA}&said=")
    assert paused(state) == {"expenses": ("an user", "Month end", False)}
    assert lines(state) == [("an user", "pause", "expenses", "Month end")]
    assert "Paused: expenses." in Text(client_of("user").get(answer.headers["location"]).text).said
    again = act(client_of, "op", PAUSE, reason="Me too")
    assert paused(state) == {"expenses": ("an user", "Month end", False)}
    said = Text(client_of("op").get(again.headers["location"]).text).said
    assert "expenses stays as it is. It is paused by an user since" in said


def test_a_stop_ends_what_is_under_way_also_of_a_map_that_is_paused(
    client_of: Client, state: StateStore
) -> None:
    leases.acquire(state, "expenses", "batch 12 load", 120)
    act(client_of, "user", PAUSE, reason="Month end")
    answer = act(client_of, "op", STOP, reason="It writes nonsense")
    assert paused(state) == {"expenses": ("an user", "Month end", True)}
    assert lines(state)[1] == ("an op", "stop", "expenses", "It writes nonsense")
    said = Text(client_of("op").get(answer.headers["location"]).text).said
    assert "expenses is being written by batch 12 load, which ends at its next chunk." in said


def test_chosen_maps_are_paused_and_resumed_together(client_of: Client, state: StateStore) -> None:
    both = ["expenses", "expense_categories"]
    act(client_of, "user", f"/areas/{AREA}/pause", map=both, reason="Month end")
    assert paused(state).keys() == set(both)
    act(client_of, "user", f"/areas/{AREA}/resume", map="expenses")
    assert paused(state).keys() == {"expense_categories"}
    assert [each[1:3] for each in lines(state)][-1] == ("resume", "expenses")


@pytest.mark.parametrize("verb", ["pause", "stop"])
def test_without_a_reason_the_page_asks_for_one_and_does_nothing(
    client_of: Client, state: StateStore, verb: str
) -> None:
    answer = act(client_of, "user", f"/maps/expenses/{verb}", reason="  ")
    assert answer.status_code == 200
    assert f'action="/areas/{AREA}/{verb}"' in answer.text
    assert (paused(state), lines(state)) == ({}, [])


VERBS = ["pause", "stop", "resume", "run", "initial-sync"]


@pytest.mark.parametrize(
    ("role", "path", "maps", "code"),
    [
        ("viewer", "/maps/expenses/{}", [], 403),
        ("viewer", f"/areas/{AREA}/{{}}", ["expenses"], 403),
        (None, "/maps/expenses/{}", [], 401),
        ("op", "/maps/nowhere/{}", [], 404),
        ("op", "/maps/expenses/{}", ["customers"], 404),  # of another area
        ("op", f"/areas/{AREA}/{{}}", ["customers"], 404),
        ("op", "/areas/nowhere/{}", ["expenses"], 404),
        ("op", f"/areas/{AREA}/{{}}", [], 422),
    ],
)
@pytest.mark.usefixtures("dag")
def test_what_one_may_not_do_or_what_is_not_there_is_refused(
    client_of: Client, state: StateStore, role: str | None, path: str, maps: list[str], code: int
) -> None:
    form = form_of(role or "user", reason="x", confirmed="1", map=maps)
    for verb in VERBS:
        answer = client_of(role).post(path.format(verb), data=form)
        assert answer.status_code == code, answer.text
    assert (paused(state), lines(state), queued()) == ({}, [], [])


@pytest.mark.parametrize("path", [PAUSE, RESUME, STOP, "/maps/expenses/run", f"/areas/{AREA}/unpause"])
def test_a_form_of_another_page_is_refused(client_of: Client, dag: str, state: StateStore, path: str) -> None:
    client = client_of("op")
    cookie = client.headers.pop("Authorization").removeprefix("Bearer ")
    client.cookies.set("_token", cookie)
    answer = client.post(path, data={"map": "expenses", "reason": "x"})
    assert answer.status_code == 403
    assert (paused(state), lines(state), queued()) == ({}, [], [])


def test_run_now_queues_a_run_of_the_map_and_of_others_that_are_ticked(
    client_of: Client, dag: str, state: StateStore
) -> None:
    answer = act(client_of, "user", f"/areas/{AREA}/run", map=["expenses", "expense_categories", "expenses"])
    both = ["expense_categories", "expenses"]
    assert queued() == [({"maps": both, "mode": "incremental"}, None)]
    assert lines(state) == [("an user", "run", name, "") for name in both]
    said = Text(client_of("user").get(answer.headers["location"]).text).said
    assert "expense_categories, expenses: Queued as run manual__" in said


def test_an_initial_sync_is_confirmed_with_what_it_reads_and_needs(
    client_of: Client, dag: str, state: StateStore
) -> None:
    moved(state, "expenses", LEG, read=1234)
    answer = act(client_of, "user", "/maps/expenses/initial-sync", reason="New <company>")
    said = Text(answer.text).said
    assert "to Dataverse: 1,234 rows when all were read last" in said
    assert "expense_categories" in said
    assert "New &lt;company&gt;" in answer.text
    assert (queued(), lines(state)) == ([], [])
    fields = {"map": ["expenses", "expense_categories"], "confirmed": "1", "reason": "New company"}
    act(client_of, "user", f"/areas/{AREA}/initial-sync", **fields)
    both = ["expense_categories", "expenses"]
    [(conf, _)] = queued()
    assert conf == {"maps": both, "mode": "full"}
    assert lines(state) == [("an user", "initial sync", name, "New company") for name in both]


def test_a_run_of_a_paused_map_or_of_a_paused_dag_is_refused(
    client_of: Client, dag: str, state: StateStore
) -> None:
    act(client_of, "user", PAUSE, reason="Month end")
    answer = act(client_of, "user", "/maps/expenses/run")
    assert (answer.status_code, "paused by an user" in answer.text) == (409, True)
    act(client_of, "user", RESUME)
    with create_session(scoped=False) as session:
        session.execute(update(DagModel).where(DagModel.dag_id == AREA).values(is_paused=True))
    answer = act(client_of, "user", "/maps/expenses/run")
    assert (answer.status_code, "is paused in Airflow: a run would wait" in answer.text) == (409, True)
    assert queued() == []


def test_a_paused_dag_is_unpaused_from_the_page_by_who_may(
    client_of: Client, dag: str, state: StateStore
) -> None:
    with create_session(scoped=False) as session:
        session.execute(update(DagModel).where(DagModel.dag_id == AREA).values(is_paused=True))
    path = f"/areas/{AREA}/unpause"
    offered = [path in client_of(role).get("/maps").text for role in ("viewer", "user")]
    assert offered == [False, True]
    assert act(client_of, "viewer", path).status_code == 403
    assert act(client_of, "user", path).status_code == 303
    assert act(client_of, "user", "/areas/nowhere/unpause").status_code == 404
    assert lines(state) == [("an user", "unpause", f"DAG {AREA}", "")]
    assert "paused in Airflow" not in client_of("user").get("/maps").text


def test_an_action_leads_back_to_the_page_of_the_map_and_nowhere_else(
    client_of: Client, state: StateStore
) -> None:
    for back, leads in (("maps/expenses", "/maps/expenses?"), ("https://elsewhere", f"/maps?area={AREA}&")):
        answer = act(client_of, "user", RESUME, back=back)
        assert answer.headers["location"].startswith(leads)
