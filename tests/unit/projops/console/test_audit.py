"""The page of the audit trail, against lines that are written here."""

import re

import pytest

from projops.state import StateStore
from projops.state.audit import record_action
from tests.unit.projops.console.clients import Client

PEOPLE = {"Accept": "text/html"}


@pytest.fixture(autouse=True)
def lines(state: StateStore) -> None:
    with state.begin() as connection:
        for number in range(60):
            record_action(connection, "ann", "dismiss", f"dead letter {number}", f"reason {number} <b>")
        record_action(connection, "Bob", "pause", "100% roles", "month end")


def subjects(page: str) -> list[str]:
    return re.findall(r'data-label="To what">([^<]*)<', page)


def test_the_newest_comes_first_and_older_ones_are_a_page_away(client_of: Client) -> None:
    client = client_of("viewer")
    first = client.get("/audit", headers=PEOPLE).text
    assert subjects(first) == ["100% roles", *(f"dead letter {number}" for number in range(59, 10, -1))]
    older = re.search(r'rel="next" href="([^"]*)"', first)
    assert older
    second = client.get(older[1], headers=PEOPLE).text
    assert subjects(second) == [f"dead letter {number}" for number in range(10, -1, -1)]
    assert 'rel="next"' not in second
    assert "reason 3 &lt;b&gt;" in second


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("actor=bob", ["100% roles"]),
        ("action=pause", ["100% roles"]),
        ("subject=ROLES", ["100% roles"]),
        ("subject=0%25", ["100% roles"]),
        ("subject=letter+59", ["dead letter 59"]),
        ("subject=letter+59&action=pause", []),
        ("subject=%27%3B--", []),
    ],
)
def test_it_is_filtered(client_of: Client, query: str, found: list[str]) -> None:
    assert subjects(client_of("viewer").get(f"/audit?{query}", headers=PEOPLE).text) == found


def test_htmx_is_answered_with_the_list_alone(client_of: Client) -> None:
    part = client_of("viewer").get("/audit", headers={"HX-Request": "true", "HX-Target": "actions"}).text
    assert part.strip().startswith('<div id="actions">')
    assert len(subjects(part)) == 50
    assert "<html" not in part


def test_it_is_for_those_who_may_read_every_dag(client_of: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.api_fastapi.app import create_auth_manager

    client = client_of("viewer")
    monkeypatch.setattr(
        create_auth_manager(), "is_authorized_dag", lambda *, details, **_: details.id is not None
    )
    refused = client.get("/audit", headers=PEOPLE)
    assert refused.status_code == 403
    assert "dead letter 59" not in refused.text
    assert "every DAG" in refused.text
    assert ">Audit<" not in refused.text
