"""Pages of dead letters: what they tell, to whom, and that nothing hostile in them acts."""

import re
from collections import Counter
from html import unescape

import pytest
from airflow.api_fastapi.app import get_auth_manager
from sqlalchemy import event, text

from projops.console.kept_engine import kept_engine
from projops.payload import payload_text
from projops.state import StateStore, dead_letters
from projops.state.audit import actions
from tests.unit.projops.console.clients import Client
from tests.unit.projops.console.letters import BACK, FORTH, put, put_batch

HOSTILE = "<script>alert(1)</script>\x1b[2J\u202edrawkcab " + "long " * 1000
GROUP = "/letters/rows?map=actuals&leg=dataverse_to_finance&status=open&rule=E6&waits_for="


def words(page: str) -> str:
    """What a page says, its tags and line ends left out."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


@pytest.fixture
def some(state: StateStore) -> dict[str, int]:
    return {
        "refused": put(state, "a"),
        "again": put(state, "b", message="Line property Billable does not exist."),
        "parked": put(state, "c", status="parked", rule="parent_missing", waits_for_map="projects"),
        "adrift": put(state, "d", status="parked", rule="parent_missing"),
        "held": put(state, "e", map_id="units", leg=BACK, status="awaiting_approval", rule="mass_delete"),
        "job": put(state, "f", leg=BACK, stage="finance", rule="E9"),
    }


def test_the_groups_are_those_that_an_independent_count_finds(
    client_of: Client, state: StateStore, some: dict[str, int]
) -> None:
    page = client_of("viewer").get("/letters").text
    with state.begin() as connection:
        rows = connection.execute(text("SELECT rule, map, leg, status, waits_for_map FROM dead_letter")).all()
    counted = Counter(tuple(row) for row in rows)
    shown = [words(each) for each in re.findall(r"<tr><th scope=\"row\">.*?</tr>", page, re.S)]
    assert len(shown) == len(counted) == 5
    for (rule, map_id, leg, status, waits_for), count in counted.items():
        side = "to Finance" if leg == FORTH else "to Dataverse"
        waits = f" waits for {waits_for}" if waits_for else ""
        told = f"{map_id} {side} {status.replace('_', ' ')}{waits} {count} "
        assert any(each.startswith(rule) and told in each for each in shown), told
    assert shown[0].startswith("E6")  # the largest first


def test_a_group_tells_what_it_means_and_what_to_do(client_of: Client, some: dict[str, int]) -> None:
    said = words(client_of("viewer").get("/letters").text)
    assert "Finance has no line property for the billing type of the actual (R503)." in said
    assert "Set up the line properties for billing types" in said
    assert "Line property Billable does not exist." in said  # the example is the newest
    assert "projops dead-letters approve --map units --error mass_delete" in said


@pytest.mark.parametrize(
    ("query", "rules"),
    [
        ("map=units", ["mass_delete"]),
        ("status=parked", ["parent_missing", "parent_missing"]),
        ("rule=E9", ["E9"]),
        ("area=reference_data", ["mass_delete"]),
        ("q=%22A", ["E6"]),
        ("q=nobody", []),
        ("status=parked&map=units", []),
        ("sort=rule", ["E6", "E9", "mass_delete", "parent_missing", "parent_missing"]),
        ("sort=-rule", ["parent_missing", "parent_missing", "mass_delete", "E9", "E6"]),
        ("sort=nonsense", ["E9", "mass_delete", "parent_missing", "parent_missing", "E6"]),
        ("page=2", []),
    ],
)
def test_groups_are_filtered_and_sorted(
    client_of: Client, some: dict[str, int], query: str, rules: list[str]
) -> None:
    page = client_of("viewer").get(f"/letters?{query}").text
    found = re.findall(r"<tr><th scope=\"row\"><a [^>]*>([\w]+)<", page)
    assert (found if "sort" in query and "nonsense" not in query else sorted(found)) == (
        rules if "sort" in query and "nonsense" not in query else sorted(rules)
    )


def test_a_group_lists_its_rows_page_by_page(client_of: Client, state: StateStore) -> None:
    numbers = [put(state, f"row-{number}") for number in range(120)]
    client, seen, address = client_of("viewer"), list[int](), GROUP
    while address:
        page = client.get(address).text
        seen += [int(each) for each in re.findall(r"/letters/(\d+)\"", page)]
        older = re.search(r'rel="next" href="([^"]+)"', page)
        address = unescape(older[1]).removeprefix("/projops") if older else ""
    assert seen == numbers[::-1]
    assert words(client.get(GROUP + "&q=row-77").text).count("row-77 / uspm") == 1


@pytest.mark.parametrize("status", ["open", "awaiting_approval"])
def test_enter_in_the_field_of_the_reason_decides_nothing(
    client_of: Client, state: StateStore, status: str
) -> None:
    put(state, "a", status=status)
    asked = {"map": "actuals", "leg": FORTH, "status": status, "rule": "E6"}
    page = client_of("user").get("/letters/rows", params=asked).text
    [form] = [each for each in page.split("<form")[1:] if 'name="number"' in each]
    first = form[form.index("<button") :].partition(">")[0]
    assert "disabled" in first, "a browser presses the first button, and a disabled one sends nothing"


def test_a_group_that_is_gone_is_said(client_of: Client, state: StateStore) -> None:
    assert "No row of this cause is set aside any more." in client_of("viewer").get(GROUP).text


@pytest.mark.parametrize("address", ["/letters", GROUP])
def test_a_list_is_a_few_statements_however_long(client_of: Client, state: StateStore, address: str) -> None:
    client = client_of("viewer")
    client.get(address)

    def counted() -> int:
        statements: list[str] = []
        engine = kept_engine().state.engine

        def note(*facts: object) -> None:
            statements.extend([str(facts[2])] if "SELECT" in str(facts[2]) else [])

        event.listen(engine, "before_cursor_execute", note)
        assert client.get(address).status_code == 200
        event.remove(engine, "before_cursor_execute", note)
        assert not [each for each in statements if "payload" in each]
        return len(statements)

    put(state, "first")
    few = counted()
    for number in range(60):
        put(state, f"row-{number}", rule="E6" if number % 2 else f"rule_{number}")
    assert counted() == few <= 3


def test_one_row_is_told_whole(client_of: Client, state: StateStore) -> None:
    put_batch(state)
    closed = put(state, "a", rule="E7")
    with state.begin() as connection:
        dead_letters.resolve(connection, "actuals", FORTH, ["a"], "moved by batch 2")
    payload = payload_text({"msdyn_amount": "secret"})
    number = put(state, "a", payload=payload, value="secret", field="LineProperty")
    page = client_of("viewer").get(f"/letters/{number}").text
    said = words(page)
    for told in (
        "Finance has no line property",
        "Row a / uspm",
        "Field LineProperty",
        f"Dead letter {closed} , to Finance, E7",
        "moved by batch 2",
        "Set aside by batch 1",
        "msdyn_amount hidden",
    ):
        assert told in said, told
    assert "secret" not in page
    task = "/dags/estimates_and_actuals/runs/manual__1/tasks/actuals__dataverse_to_finance.load"
    assert f'href="{task}" data-out' in page
    assert f"/trace/actuals/{'%5B%22a%22%2C%22uspm%22%5D'}" in page
    assert "moved by batch 2" in words(client_of("viewer").get(f"/letters/{closed}").text)
    with state.begin() as connection:
        assert actions(connection) == []


def test_values_are_shown_on_request_to_those_who_may_see_them_and_it_is_noted(
    client_of: Client, state: StateStore
) -> None:
    number = put(state, "a", payload=payload_text({"msdyn_name": "Anna"}), value="Anna", field="msdyn_name")
    address = f"/letters/{number}?values=1"
    for role in ("viewer", "user"):
        assert client_of(role).get(address).status_code == 403
    assert "Anna" not in client_of("op").get(f"/letters/{number}").text
    assert client_of("op").get(address).text.count("Anna") == 2
    with state.begin() as connection:
        [noted] = actions(connection)
    assert (noted["actor"], noted["action"], noted["subject"]) == ("an op", "reveal", f"dead letter {number}")


def test_evidence_is_for_those_who_may_see_values(
    client_of: Client, state: StateStore, staging: object
) -> None:
    kept = staging.keep(f"evidence/actuals/{FORTH}", "1-load-x.parquet", b"PAR1")  # type: ignore[attr-defined]
    number, without = put(state, "a", rule="poison", evidence=kept), put(state, "b")
    assert client_of("viewer").get(f"/letters/{number}/evidence").status_code == 403
    assert client_of("op").get(f"/letters/{number}/evidence").content == b"PAR1"
    assert client_of("op").get(f"/letters/{without}/evidence").status_code == 404
    with state.begin() as connection:
        assert [each["subject"] for each in actions(connection)] == [f"evidence of dead letter {number}"]


@pytest.mark.parametrize("address", ["/letters", GROUP, "/letters/1", "/letters/1?values=1"])
def test_what_is_hostile_is_shown_and_does_nothing(
    client_of: Client, state: StateStore, address: str
) -> None:
    payload = payload_text({"<b>Column": HOSTILE})
    put(state, HOSTILE[:300], message=HOSTILE, value=HOSTILE, field="<i>", payload=payload)
    page = client_of("admin").get(address)
    assert page.status_code == 200
    assert [each for each in ("<script>alert", "<b>Col", "<i>", "\x1b", "\u202e") if each in page.text] == []
    assert "\\u202e" in page.text
    assert len(page.text) < 40_000


def test_rows_of_areas_that_one_may_not_read_are_not_told_of(
    client_of: Client, some: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_of("viewer")

    def reads(*, method: str, details: object, user: object, **_: object) -> bool:
        return getattr(details, "id", None) == "reference_data"

    monkeypatch.setattr(get_auth_manager(), "is_authorized_dag", reads)
    page = client.get("/letters").text
    assert ("mass_delete" in page, "E6" in page, "actuals" in page) == (True, False, False)
    assert client.get(GROUP).status_code == 403
    assert client.get(f"/letters/{some['refused']}").status_code == 403
    assert client.get(f"/letters/{some['held']}").status_code == 200


def test_a_row_of_a_map_that_is_gone_is_for_those_who_may_read_everything(
    client_of: Client, state: StateStore
) -> None:
    number = put(state, "a", map_id="long_gone")
    page = client_of("viewer").get(f"/letters/{number}")
    assert page.status_code == 200
    assert "cannot be found on both sides" in page.text


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("/letters/99", 404),
        ("/letters/0", 404),
        ("/letters/decisions/5", 404),
        ("/letters?page=x", 422),
        (GROUP + "&before=-1", 422),
    ],
)
def test_what_is_not_there_is_said(client_of: Client, address: str, code: int) -> None:
    assert client_of("viewer").get(address).status_code == code


def test_htmx_is_answered_with_the_list_alone(client_of: Client, some: dict[str, int]) -> None:
    part = client_of("viewer").get("/letters", headers={"HX-Request": "true", "HX-Target": "causes"}).text
    assert part.lstrip().startswith('<div id="causes">')
    assert "<h1" not in part
