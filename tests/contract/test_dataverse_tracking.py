"""Change tracking: baseline, deltas, deletes, expiry, refusals (protocol 1.2)."""

import re
from typing import Any
from urllib.parse import quote, unquote

import httpx
import pytest

TRACK = {"Prefer": "odata.track-changes"}


def create(client: httpx.Client, name: str) -> str:
    answer = client.post("accounts", json={"name": name})
    assert answer.status_code == 204, answer.text
    return answer.headers["OData-EntityId"]


def follow(client: httpx.Client, link: str, size: int = 5000) -> tuple[list[dict[str, Any]], str]:
    """All rows from a link on, and the delta link of the last page."""
    rows: list[dict[str, Any]] = []
    while True:
        answer = client.get(link, headers={"Prefer": f"odata.track-changes,odata.maxpagesize={size}"})
        assert answer.status_code == 200, answer.text
        body = answer.json()
        rows += body["value"]
        if "@odata.deltaLink" in body:
            assert "@odata.nextLink" not in body
            return rows, body["@odata.deltaLink"]
        link = body["@odata.nextLink"]


@pytest.mark.protocol("tracking: start", "D")
@pytest.mark.protocol("tracking: delta", "D")
@pytest.mark.protocol("tracking: changed rows", "D")
@pytest.mark.protocol("tracking: deleted rows", "D")
@pytest.mark.protocol("tracking: order", "D")
def test_baseline_and_deltas(dataverse: httpx.Client) -> None:
    first, second = create(dataverse, "first"), create(dataverse, "second")
    answer = dataverse.get("accounts?$select=name", headers=TRACK)
    assert answer.headers["Preference-Applied"] == "odata.track-changes"
    assert answer.json()["@odata.context"].endswith("$metadata#accounts(name)/$delta")
    assert {row["name"] for row in answer.json()["value"]} == {"first", "second"}
    link = answer.json()["@odata.deltaLink"]

    empty = dataverse.get(link).json()
    assert empty["value"] == []
    assert "@odata.deltaLink" in empty

    dataverse.patch(first, json={"description": "changed"})
    create(dataverse, "third")
    dataverse.delete(second)
    changes, _ = follow(dataverse, link)
    assert [row.get("name") for row in changes] == ["first", "third", None]
    assert changes[0]["@odata.etag"].startswith('W/"')
    deleted = changes[-1]
    assert deleted["reason"] == "deleted"
    assert deleted["id"] in second
    assert deleted["@odata.context"].endswith("/api/data/v9.2/$metadata#accounts/$deletedEntity")


@pytest.mark.protocol("tracking: token", "D")
def test_token_has_the_documented_shape(dataverse: httpx.Client) -> None:
    link = dataverse.get("accounts?$select=name", headers=TRACK).json()["@odata.deltaLink"]
    assert "$select=name" in link
    encoded = link.partition("$deltatoken=")[2]
    assert re.fullmatch(r"\d+%21\d\d%2f\d\d%2f\d{4}%20\d\d%3a\d\d%3a\d\d", encoded)
    plain = unquote(encoded)
    for again in (quote(plain, safe=""), quote(encoded, safe=""), plain.replace(" ", "+"), encoded.upper()):
        answer = dataverse.get(link.replace(encoded, again))
        assert (answer.status_code, answer.json()["value"]) == (200, []), again


@pytest.mark.protocol("tracking: paging", "C")
def test_pages_of_baseline_and_delta(dataverse: httpx.Client) -> None:
    places = [create(dataverse, f"row {number}") for number in range(7)]
    rows, link = follow(dataverse, "accounts?$select=name", size=3)
    assert len(rows) == 7
    for place in places[:4]:
        dataverse.patch(place, json={"name": "again"})
    for place in places[4:]:
        dataverse.delete(place)
    changes, _ = follow(dataverse, link, size=2)
    assert [row.get("reason", row.get("name")) for row in changes] == ["again"] * 4 + ["deleted"] * 3


@pytest.mark.protocol("tracking: baseline", "D")
def test_changes_while_paging_are_sent_again(dataverse: httpx.Client) -> None:
    for number in range(5):
        create(dataverse, f"row {number}")
    page = dataverse.get(
        "accounts?$select=name", headers={"Prefer": "odata.track-changes,odata.maxpagesize=2"}
    ).json()
    seen = page["value"][0]
    dataverse.patch(f"accounts({seen['accountid']})", json={"name": "meanwhile"})
    _, link = follow(dataverse, page["@odata.nextLink"], size=2)
    changes, _ = follow(dataverse, link)
    assert [row["name"] for row in changes] == ["meanwhile"]


@pytest.mark.protocol("tracking: order", "D")
def test_created_and_deleted_between_polls_shows_as_deleted(dataverse: httpx.Client) -> None:
    _, link = follow(dataverse, "accounts?$select=name")
    dataverse.delete(create(dataverse, "brief"))
    changes, _ = follow(dataverse, link)
    assert [row["reason"] for row in changes] == ["deleted"]


def test_a_guid_used_again_is_alive(dataverse: httpx.Client) -> None:
    place = create(dataverse, "old")
    _, link = follow(dataverse, "accounts?$select=name")
    dataverse.delete(place)
    assert dataverse.patch(place, json={"name": "new"}).status_code == 204
    changes, _ = follow(dataverse, link)
    assert [row.get("name") for row in changes] == ["new"]


@pytest.mark.protocol("tracking: count", "D")
def test_count_of_changes(dataverse: httpx.Client) -> None:
    place = create(dataverse, "one")
    _, link = follow(dataverse, "accounts")
    create(dataverse, "two")
    dataverse.delete(place)
    token = link.partition("$deltatoken=")[2]
    answer = dataverse.get(f"accounts/$count?$deltatoken={token}")
    assert answer.text == "2"
    assert answer.headers["Content-Type"].startswith("text/plain")


@pytest.mark.protocol("tracking: forbidden options", "D")
@pytest.mark.parametrize("option", ["filter", "orderby", "expand", "top"])
def test_forbidden_options(dataverse: httpx.Client, option: str) -> None:
    answer = dataverse.get(f"accounts?${option}=name", headers=TRACK)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == (
        f'The "${{{option}}}" query parameter isn\'t supported when Change Tracking is enabled.'
    )


@pytest.mark.protocol("tracking: expired", "L")
def test_token_expires_after_seven_days(dataverse: httpx.Client, control: httpx.Client) -> None:
    _, link = follow(dataverse, "accounts")
    control.put("/sandbox/clock", json={"advance_seconds": 7 * 86400 - 60})
    assert dataverse.get(link).status_code == 200
    control.put("/sandbox/clock", json={"advance_seconds": 120})
    answer = dataverse.get(link)
    assert answer.status_code == 400
    assert answer.json()["error"] == {
        "code": "0x80044352",
        "message": "Version stamp associated with the client has expired. Please perform a full sync.",
    }


@pytest.mark.protocol("tracking: expired", "L")
def test_token_of_before_a_reset_expires(dataverse: httpx.Client, control: httpx.Client) -> None:
    _, link = follow(dataverse, "accounts")
    control.post("/sandbox/reset", json={"seed": "empty"})
    assert dataverse.get(link).json()["error"]["code"] == "0x80044352"


def test_nonsense_token(dataverse: httpx.Client) -> None:
    for token in ("x", "1!99/99/2026 00:00:00", ""):
        assert dataverse.get("accounts", params={"$deltatoken": token}).status_code == 400


def test_emptied_lookups_of_a_deleted_parent_are_changes(dataverse: httpx.Client) -> None:
    company = dataverse.post("cdm_companies", json={"cdm_companycode": "USPM"}).headers["OData-EntityId"]
    dataverse.post("accounts", json={"name": "child", "msdyn_company@odata.bind": company})
    _, link = follow(dataverse, "accounts?$select=name,_msdyn_company_value")
    dataverse.delete(company)
    changes, _ = follow(dataverse, link)
    assert [row["_msdyn_company_value"] for row in changes] == [None]


@pytest.mark.protocol("tracking: delta", "R")
@pytest.mark.protocol("tracking: start", "D")
def test_readers_resend_preferences_and_drop_columns(dataverse: httpx.Client) -> None:
    """Some readers send Prefer with the delta link too, and leave out $select: they get all columns."""
    _, link = follow(dataverse, "accounts?$select=name")
    create(dataverse, "new")
    kept = dataverse.get(link).json()
    assert set(kept["value"][0]) == {"@odata.etag", "name", "accountid"}
    assert "$select=name" in kept["@odata.deltaLink"]
    token = link.partition("$deltatoken=")[2]
    prefer = 'odata.track-changes, odata.maxpagesize=10, odata.include-annotations="*"'
    whole = dataverse.get(f"accounts?$deltatoken={token}", headers={"Prefer": prefer})
    row = whole.json()["value"][0]
    assert row["name"] == "new"
    assert row["statecode@OData.Community.Display.V1.FormattedValue"] == "Active"
    applied = 'odata.maxpagesize=10, odata.track-changes, odata.include-annotations="*"'
    assert whole.headers["Preference-Applied"] == applied


@pytest.mark.protocol("tracking: not enabled", "D")
@pytest.mark.protocol("tracking: forbidden options", "?")
def test_tables_that_are_not_tracked(dataverse: httpx.Client) -> None:
    for address in ("asyncoperations", "asyncoperations/$count?$deltatoken=1!01/01/2026 00:00:00"):
        answer = dataverse.get(address, headers=TRACK)
        assert answer.status_code == 400
        assert "Change tracking is not enabled" in answer.json()["error"]["message"]
    for option in ("$apply=groupby((name))", "sql=SELECT name FROM account", "fetchxml=<fetch/>", "$skip=1"):
        assert dataverse.get(f"accounts?{option}", headers=TRACK).status_code == 400


@pytest.mark.protocol("tracking: start", "D")
def test_single_rows_are_not_tracked(dataverse: httpx.Client) -> None:
    place = create(dataverse, "one")
    answer = dataverse.get(place, headers={"Prefer": "odata.track-changes, odata.maxpagesize=10"})
    assert answer.headers["Preference-Applied"] == "odata.maxpagesize=10"
