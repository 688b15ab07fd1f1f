"""The page of alerts: what is open comes first, where each was sent, and only to those who may read it."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from airflow.api_fastapi.app import create_auth_manager
from airflow.api_fastapi.auth.managers.models.resource_details import DagDetails

from projops.alerts.model import Action, Alert, Kind, Severity
from projops.errors import DeliveryError
from projops.state import StateStore, alerts, deliveries
from projops.state.alerts import Found
from tests.unit.projops.console.clients import Client

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def found(cause: str, severity: Severity = Severity.WARNING, map_id: str | None = None) -> Found:
    told = Alert(
        cause,
        Kind.FAILURE,
        severity,
        f"Title of {cause}",
        "It <b>happened</b>.",
        "Meaning.",
        "Do it.",
        "maps",
        map_id,
    )
    return Found(told, ("failures",), ("mail", "slack"), Action.NONE)


@pytest.fixture(autouse=True)
def kept(state: StateStore) -> None:
    """Three open alerts, one of which was sent to one channel and refused by another; 60 that are over."""
    with state.begin() as connection:
        for number in range(60):
            alerts.settle(connection, [found(f"old-{number}")], NOW + timedelta(minutes=number))
        still = [found("mild"), found("bad", Severity.CRITICAL), found("of a map", map_id="vendors")]
        alerts.settle(connection, still, NOW + timedelta(hours=2))
        one, other = (deliveries.take(connection, NOW + timedelta(hours=2)) for _ in range(2))
        assert one is not None and other is not None
        mail, slack = (one, other) if one.channel == "mail" else (other, one)
        deliveries.note_sent(connection, mail, NOW + timedelta(hours=2))
        error = DeliveryError("The <address> is wrong.", again=False)
        deliveries.note_failed(connection, slack, str(error), error.again, NOW + timedelta(hours=2))


def titles(page: str) -> list[str]:
    return re.findall(r"<h2 id=\"alert-\d+\">Title of ([^<]*)</h2>", page)


def over(page: str) -> list[str]:
    return re.findall(r'data-label="Alert">Title of ([^<]*)<', page)


def test_the_most_severe_comes_first_then_the_newest(client_of: Client) -> None:
    page = client_of("viewer").get("/alerts").text
    assert titles(page) == ["bad", "of a map", "mild"]
    assert "It &lt;b&gt;happened&lt;/b&gt;." in page
    assert page.count("Do it.") == 3


def test_it_says_where_each_was_sent_and_what_went_wrong(client_of: Client) -> None:
    page = re.sub(r"\s+", " ", client_of("viewer").get("/alerts").text)
    assert re.search(r"<li>mail: sent <time[^>]*>2026-11-23 14:00", page)
    assert "given up</span> after 1 try: The &lt;address&gt; is wrong." in page


def test_what_is_over_is_paged(client_of: Client) -> None:
    client = client_of("viewer")
    page = client.get("/alerts").text
    assert over(page) == [f"old-{number}" for number in range(59, 9, -1)]
    older = re.search(r'rel="next" href="([^"]*)"', page)
    assert older
    assert over(client.get(older[1]).text) == [f"old-{number}" for number in range(9, -1, -1)]


def test_who_may_read_no_dag_of_it_sees_nothing_of_it(
    client_of: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    readable = {"reference_data"}

    def reads(*, method: str, details: DagDetails, user: object, **_: object) -> bool:
        return details.id in readable

    monkeypatch.setattr(create_auth_manager(), "is_authorized_dag", reads)
    assert titles(client_of("viewer").get("/alerts").text) == ["of a map"]
    readable.add("alerts")
    assert titles(client_of("viewer").get("/alerts").text) == ["bad", "of a map", "mild"]
    readable.clear()
    assert titles(client_of("viewer").get("/alerts").text) == []
    assert over(client_of("viewer").get("/alerts").text) == []


def test_nobody_gets_in_without_signing_in(client_of: Client) -> None:
    assert client_of(None).get("/alerts").status_code == 401


def test_a_file_of_rules_that_is_wrong_is_said(
    client_of: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "alerts.yaml").write_text("rules:\n  a: {when: thunder}\n")
    monkeypatch.setenv("PROJOPS_ALERTS", str(tmp_path / "alerts.yaml"))
    assert "alerts.yaml:2: when of rule a is thunder" in client_of("viewer").get("/alerts").text


def test_htmx_is_answered_with_the_list_alone(client_of: Client) -> None:
    part = client_of("viewer").get("/alerts", headers={"HX-Request": "true", "HX-Target": "alerts"}).text
    assert part.strip().startswith('<div id="alerts"')
    assert "<html" not in part
