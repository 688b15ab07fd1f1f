"""What decisions on pages do to dead letters, to whom they are refused, and how their fates are told."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from airflow.api_fastapi.app import get_auth_manager
from airflow.models import DagModel, DagRun
from airflow.sdk import DAG, Param
from airflow.utils.session import create_session
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import select, update

from projops.console.forgery import unsealed
from projops.state import StateStore, crosswalk, dead_letters
from projops.state.audit import actions
from projops.state.crosswalk import Entry
from tests.unit.projops.console.clients import Client, form_of
from tests.unit.projops.console.dags import known_to_airflow
from tests.unit.projops.console.letters import BACK, FORTH, put, statuses

AREA = "estimates_and_actuals"
HELD = {"status": "awaiting_approval", "rule": "mass_delete"}
GROUP = {
    "map": "actuals",
    "leg": FORTH,
    "status": "open",
    "rule": "E6",
    "waits_for": "",
    "q": "",
    "group": "1",
}
SEVENTY = f"dead letter {', '.join(map(str, range(1, 71)))} of actuals"
VERBS = ("replay", "approve", "dismiss")


def noted(state: StateStore) -> list[tuple[object, ...]]:
    with state.begin() as connection:
        return [
            tuple(row[each] for each in ("actor", "action", "subject", "reason"))
            for row in actions(connection)
        ]


def said(answer: Response) -> str:
    assert answer.status_code == 303, answer.text
    [sealed] = parse_qs(urlsplit(answer.headers["location"]).query)["said"]
    return unsealed(sealed)


def going(state: StateStore) -> list[str]:
    with state.begin() as connection:
        return dead_letters.to_retry(connection, "actuals", FORTH)


def send(client: TestClient, verb: str, role: str = "user", **fields: object) -> Response:
    return client.post(f"/letters/{verb}", data=form_of(role, **fields))


def test_chosen_rows_are_replayed_and_their_fates_told(client_of: Client, state: StateStore) -> None:
    one, two, other = put(state, "a"), put(state, "b"), put(state, "c")
    client = client_of("user")
    answer = send(client, "replay", number=[one, two])
    assert said(answer) == "2 dead letters go with the next run."
    assert going(state) == ["a", "b"]
    assert noted(state) == [("an user", "replay", f"dead letter {one}, {two} of actuals", "")]
    with state.begin() as connection:
        dead_letters.resolve(connection, "actuals", FORTH, ["a"], "moved by batch 2")
    page = client.get(answer.headers["location"]).text
    assert re.findall(r"<dd>(\d+)</dd>", page) == ["1", "0", "1"]
    assert "moved by batch 2" in page
    assert "Not tried yet" in page
    assert f'/letters/{other}"' not in page
    assert "hx-trigger" not in page


def test_a_whole_group_is_replayed_and_nothing_else(client_of: Client, state: StateStore) -> None:
    for number in range(70):
        put(state, f"g{number:02}")
    put(state, "other rule", rule="E7")
    put(state, "other status", status="parked")
    put(state, "other map", map_id="projects")
    answer = send(client_of("user"), "replay", reason="Set up", **GROUP)
    assert noted(state) == [("an user", "replay", SEVENTY, "Set up")]
    assert said(answer) == "70 dead letters go with the next run."
    with state.begin() as connection:
        retriable = [row["source_id"] for row in dead_letters.live(connection) if row["retriable"]]
    assert sorted(retriable) == [f"g{number:02}" for number in range(70)]
    assert (
        said(send(client_of("user"), "replay", **GROUP | {"q": "G07"}))
        == "1 dead letter goes with the next run."
    )


def test_a_whole_group_is_what_the_page_has_counted(client_of: Client, state: StateStore) -> None:
    for name in ("one", "two", "two more"):
        put(state, name, **HELD)
    client, held = client_of("user"), GROUP | HELD | {"rule": "mass_delete"}
    htmx = {"HX-Request": "true", "HX-Target": "rows"}
    part = client.get("/letters/rows", params=held | {"q": "two"}, headers=htmx).text
    assert "<html" not in part
    assert "All 2 with “two”" in part, "the search changes what is acted on, not the list alone"
    [upto] = set(re.findall(r'name="upto" value="(\d+)"', part))
    put(state, "two that came since", **HELD)
    answer = send(client, "approve", **held | {"q": "two", "upto": upto})
    assert said(answer) == "2 dead letters go with the next run."
    assert going(state) == ["two", "two more"]
    assert send(client, "approve", **held | {"upto": "all"}).status_code == 422
    assert going(state) == ["two", "two more"]


def test_deletes_are_approved(client_of: Client, state: StateStore) -> None:
    held, other = put(state, "a", **HELD), put(state, "b", **HELD)
    assert said(send(client_of("user"), "approve", number=held)) == "1 dead letter goes with the next run."
    assert going(state) == ["a"]
    with state.begin() as connection:
        approved = {row["id"]: row["approved_by"] for row in dead_letters.live(connection)}
    assert approved == {held: "an user", other: None}


def test_a_dismissal_needs_a_reason_and_leaves_the_row_to_the_target(
    client_of: Client, state: StateStore
) -> None:
    number = put(state, "a", **HELD)
    with state.begin() as connection:
        crosswalk.put(connection, "actuals", 1, [Entry('["a","uspm"]', "a")])
    client = client_of("user")
    for reason in ("", "  "):
        refused = send(client, "dismiss", number=number, reason=reason)
        assert (refused.status_code, "needs a reason" in refused.text) == (409, True)
    assert statuses(state) == {number: "awaiting_approval"}
    assert noted(state) == []
    assert said(send(client, "dismiss", number=number, reason="They stay")) == "1 dead letter dismissed."
    assert statuses(state) == {number: "dismissed"}
    assert noted(state) == [("an user", "dismiss", f"dead letter {number} of actuals", "They stay")]
    with state.begin() as connection:
        assert crosswalk.count(connection, "actuals") == 0


@pytest.mark.parametrize("verb", VERBS)
def test_nothing_is_done_for_whom_may_not_act(client_of: Client, state: StateStore, verb: str) -> None:
    number = put(state, "a", **(HELD if verb == "approve" else {}))
    before = statuses(state), going(state)
    fields = {"number": number, "reason": "Because"}
    stranger = client_of(None).post(f"/letters/{verb}", data=fields)
    reader = send(client_of("viewer"), verb, "viewer", **fields)
    browser = client_of("admin")
    browser.cookies.set("_token", browser.headers.pop("Authorization").removeprefix("Bearer "))
    forged = browser.post(f"/letters/{verb}", data=fields)
    of_another = send(browser, verb, "user", **fields)
    assert (stranger.status_code, reader.status_code) == (401, 403)
    assert (forged.status_code, of_another.status_code) == (403, 403)
    assert (statuses(state), going(state)) == before
    assert noted(state) == []


@pytest.mark.parametrize("verb", VERBS)
def test_one_map_that_one_may_not_act_on_stops_a_mixed_choice(
    client_of: Client, state: StateStore, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    mine, others, gone = put(state, "a"), put(state, "b", map_id="units"), put(state, "c", map_id="long_gone")
    client = client_of("user")

    def acts(*, method: str, details: object, user: object, **_: object) -> bool:
        return method == "GET" or getattr(details, "id", None) == AREA

    monkeypatch.setattr(get_auth_manager(), "is_authorized_dag", acts)
    for numbers in ([mine, others], [mine, gone]):
        assert send(client, verb, number=numbers, reason="Because").status_code == 403
    assert send(client, verb, reason="Because", **GROUP | {"map": "units"}).status_code == 403
    assert send(client, verb, reason="Because", **GROUP | {"map": ""}).status_code == 403
    assert going(state) == []
    assert noted(state) == []


@pytest.mark.parametrize("verb", VERBS)
def test_mistakes_are_one_sentence_and_do_nothing(client_of: Client, state: StateStore, verb: str) -> None:
    number, closed = put(state, "a"), put(state, "b")
    with state.begin() as connection:
        dead_letters.resolve(connection, "actuals", FORTH, ["b"], "moved meanwhile")
    client = client_of("user")
    wrong: dict[str, tuple[dict[str, Any], int]] = {
        "Nothing was chosen.": ({}, 409),
        "There is no dead letter 99.": ({"number": [number, 99]}, 409),
        f"Dead letter {closed} was resolved on": ({"number": [number, closed]}, 409),
        "These are no numbers": ({"number": "1; DROP TABLE"}, 422),
    }
    for sentence, (fields, code) in wrong.items():
        answer = send(client, verb, reason="Because", **fields)
        assert (answer.status_code, sentence in answer.text) == (code, True), answer.text
    assert statuses(state) == {number: "open", closed: "resolved"}
    assert going(state) == []
    assert noted(state) == []


def test_a_mixed_choice_does_what_fits_and_says_what_stays(client_of: Client, state: StateStore) -> None:
    refused, held, told = put(state, "a"), put(state, "b", **HELD), put(state, "c", leg=BACK, stage="finance")
    sentence = said(send(client_of("user"), "replay", number=[refused, held, told]))
    assert sentence.startswith("1 dead letter goes with the next run.")
    assert f"{held} stays. It is a delete that waits" in sentence
    assert f"{told} stays. It is closed by itself once the job in Finance passes" in sentence
    nothing = send(client_of("user"), "replay", number=[held])
    assert said(nothing).startswith(f"{held} stays.")
    assert urlsplit(nothing.headers["location"]).path == "/letters"


@pytest.fixture
def dag(client_of: Client) -> Iterator[None]:
    """The area's DAG as Airflow knows it, with its form and no runs."""
    with DAG(
        AREA,
        schedule=None,
        start_date=datetime(2026, 1, 1, tzinfo=UTC),
        params={"maps": Param(None, type=["null", "array"])},
    ) as made:
        pass
    with known_to_airflow(made):
        yield


def test_a_replay_that_runs_now_asks_for_the_area_and_its_page_follows_the_run(
    client_of: Client, state: StateStore, dag: None
) -> None:
    one, two = put(state, "a"), put(state, "b", map_id="transaction_connections")
    client = client_of("user")
    answer = send(client, "replay", number=[one, two], run="1", reason="Mended")
    assert "Queued as run" in said(answer)
    with create_session(scoped=False) as session:
        [run] = session.scalars(select(DagRun).where(DagRun.dag_id == AREA)).all()
        assert run.conf == {"maps": ["actuals", "transaction_connections"]}
    page = client.get(answer.headers["location"]).text
    assert 'hx-trigger="every 3s"' in page
    assert "on its way" in page
    with create_session(scoped=False) as session:
        session.execute(update(DagRun).where(DagRun.dag_id == AREA).values(state="success"))
    page = client.get(answer.headers["location"]).text
    assert "hx-trigger" not in page
    assert "2 still set aside" in page


def test_where_no_run_can_be_had_the_rows_are_marked_and_it_is_said(
    client_of: Client, state: StateStore, dag: None
) -> None:
    number = put(state, "a")
    with create_session(scoped=False) as session:
        session.execute(update(DagModel).where(DagModel.dag_id == AREA).values(is_paused=True))
    sentence = said(send(client_of("user"), "replay", number=number, run="1"))
    assert "is paused in Airflow" in sentence
    assert going(state) == ["a"]


def test_fates_of_rows_that_one_may_not_read_are_not_told(
    client_of: Client, state: StateStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = send(client_of("user"), "replay", number=put(state, "a"))
    client = client_of("user")
    monkeypatch.setattr(get_auth_manager(), "is_authorized_dag", lambda **_: False)
    assert client.get(answer.headers["location"]).status_code == 403


@pytest.mark.parametrize("moment", ["1", "999999999999999999"])
def test_a_decision_that_is_none_is_not_there(client_of: Client, state: StateStore, moment: str) -> None:
    answer = client_of("user").get(f"/letters/decisions/{moment}")
    assert (answer.status_code, "Nothing is left" in answer.text) == (404, True)


def test_runs_of_dags_that_one_may_not_read_are_not_told(
    client_of: Client, state: StateStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = send(client_of("user"), "replay", number=put(state, "a")).headers["location"]
    client = client_of("user")
    monkeypatch.setattr(get_auth_manager(), "is_authorized_dag", lambda details, **_: details.id == AREA)
    page = client.get(f"{here}&run={AREA}/manual__1&run=payroll/manual__2").text
    assert "manual__1" in page
    assert "Run of payroll" not in page
