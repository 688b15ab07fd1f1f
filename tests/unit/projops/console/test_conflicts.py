"""Pages of conflicts: who won, how to undo it, and what each side held only for those who may see it."""

import re
from html import unescape

import pytest
from airflow.api_fastapi.app import get_auth_manager

from projops.mapping.keys import key_text
from projops.state import StateStore, conflicts
from projops.state.audit import actions
from projops.state.conflicts import Conflict
from projops.state.dead_letters import Origin
from tests.unit.projops.console.clients import Client
from tests.unit.projops.console.letters import BACK, FORTH

HOSTILE = "<script>alert(1)</script>\u202e"


def put(
    state: StateStore, name: str, column: str = "Name", *, map_id: str = "customers", leg: str = FORTH
) -> None:
    found = Conflict(key_text([name, "uspm"]), "finance", {column: "of the source"}, {column: HOSTILE})
    with state.begin() as connection:
        conflicts.record(connection, Origin(map_id, leg, 1, "1.0.0.0"), [found])


def rows(page: str) -> list[str]:
    found = re.findall(r"<tr><th scope=\"row\">.*?</tr>", page, re.S)
    return [" ".join(unescape(re.sub(r"<[^>]+>", " ", each)).split()) for each in found]


def test_conflicts_are_listed_without_what_the_rows_hold(client_of: Client, state: StateStore) -> None:
    put(state, "a")
    put(state, "b", "Phone", map_id="vendors", leg=BACK)
    page = client_of("viewer").get("/conflicts").text
    later, earlier = rows(page)
    assert later.startswith("b / uspm , conflict 2 vendors to Dataverse ")
    assert later.endswith(" Phone Finance")
    assert earlier.startswith("a / uspm , conflict 1 customers to Finance ")
    assert not {each for each in ("of the source", "alert(1)") if each in page}


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("map=customers", "a"),
        ("column=Phone", "b"),
        ("column=Pho", ""),
        ("q=B", "b"),
        ("winner=finance&map=&column=&q=", "ba"),
        ("winner=dataverse", ""),
        ("before=2", "a"),
    ],
)
def test_conflicts_are_found(client_of: Client, state: StateStore, query: str, keys: str) -> None:
    put(state, "a")
    put(state, "b", "Phone", map_id="vendors")
    page = client_of("viewer").get(f"/conflicts?{query}").text
    assert "".join(each[0] for each in rows(page)) == keys


def test_many_conflicts_come_page_by_page(client_of: Client, state: StateStore) -> None:
    for number in range(60):
        put(state, f"row-{number}")
    page = client_of("viewer").get("/conflicts").text
    older = re.search(r'rel="next" href="([^"]+)"', page)
    assert older is not None
    rest = client_of("viewer").get(unescape(older[1])).text
    assert (len(rows(page)), len(rows(rest))) == (50, 10)


def test_one_conflict_says_how_to_have_it_the_other_way(client_of: Client, state: StateStore) -> None:
    put(state, "a")
    page = client_of("viewer").get("/conflicts/1").text
    said = " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())
    assert "Both sides had changed Name; Finance won." in said
    assert "change Name of this row in Dataverse once more: the next run moves it." in said
    assert "hidden" in said
    assert "of the source" not in page


@pytest.mark.parametrize(
    ("address", "subject"), [("/conflicts", "conflicts of all maps"), ("/conflicts/1", "conflict 1")]
)
def test_values_are_shown_on_request_and_noted(
    client_of: Client, state: StateStore, address: str, subject: str
) -> None:
    put(state, "a")
    for role in ("viewer", "user"):
        assert client_of(role).get(f"{address}?values=1").status_code == 403
    with state.begin() as connection:
        assert actions(connection) == []
    [row] = rows(client_of("op").get(f"{address}?values=1").text)
    assert "of the source <script>alert(1)</script>\\u202e" in row
    assert "<script>alert" not in client_of("op").get(f"{address}?values=1").text
    with state.begin() as connection:
        assert {(each["action"], each["subject"]) for each in actions(connection)} == {("reveal", subject)}


def test_a_name_that_is_too_long_for_the_audit_trail_is_refused(client_of: Client, state: StateStore) -> None:
    assert client_of("op").get(f"/conflicts?values=1&map={'m' * 501}").status_code == 422


def test_conflicts_of_areas_that_one_may_not_read_are_not_told_of(
    client_of: Client, state: StateStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(state, "a")
    put(state, "b", map_id="projects")
    client = client_of("viewer")

    def reads(*, method: str, details: object, user: object, **_: object) -> bool:
        return getattr(details, "id", None) == "reference_data"

    monkeypatch.setattr(get_auth_manager(), "is_authorized_dag", reads)
    assert [each[0] for each in rows(client.get("/conflicts").text)] == ["a"]
    assert rows(client.get("/conflicts?map=projects").text) == []
    codes = [client.get(f"/conflicts/{number}").status_code for number in (1, 2, 3)]
    assert codes == [200, 403, 404]
