"""The write log that checkers read: each row, who wrote it, when, what, and whether the answer got back."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from sandbox.clock import parse_instant

pytestmark = pytest.mark.parametrize("server", ["sqlite"], indirect=True)


def log(control: httpx.Client) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = control.get("/sandbox/stats").json()["writes"]
    return found


def test_a_row_with_who_and_when(dataverse: httpx.Client, control: httpx.Client) -> None:
    control.put("/sandbox/clock", json={"now": "2030-01-02T03:04:05Z"})
    before = datetime.now(UTC)
    headers = {"x-ms-client-request-id": "run 1", "User-Agent": "checker/1"}
    body = {"name": "a", "creditlimit": 1.5}
    place = dataverse.post("accounts", json=body, headers=headers).headers["OData-EntityId"]
    dataverse.patch(place, json={"name": "b"})
    dataverse.delete(place)
    first, second, third = log(control)
    assert before <= parse_instant(first["began"]) <= parse_instant(first["ended"]) <= datetime.now(UTC)
    assert (first["client"], first["user_agent"], first["request_id"]) == (
        "static token 1",
        "checker/1",
        "run 1",
    )
    assert first["time"].startswith("2030-01-02T03:04:")
    assert [write["seq"] for write in (first, second, third)] == [1, 2, 3]
    assert first["commit"] < second["commit"] < third["commit"]
    assert {write["key"] for write in (first, second, third)} == {place.partition("(")[2].rstrip(")")}
    assert [write["values"] for write in (first, second, third)] == [body, {"name": "b"}, None]
    assert first["digest"] != second["digest"]
    assert third["digest"] == ""
    assert all(write["delivered"] for write in (first, second, third))


def test_equal_values_have_equal_digests(dataverse: httpx.Client, control: httpx.Client) -> None:
    dataverse.post("accounts", content='{"name": "a", "creditlimit": 1.50}')
    dataverse.post("accounts", content='{"creditlimit":1.50,"name":"a"}')
    dataverse.post("accounts", content='{"creditlimit":1.51,"name":"a"}')
    first, second, third = (write["digest"] for write in log(control))
    assert first == second != third


def test_each_row_of_a_bulk_message(dataverse: httpx.Client, control: httpx.Client) -> None:
    kind = {"@odata.type": "Microsoft.Dynamics.CRM.account"}
    known = dataverse.post("accounts", json={"name": "known"}).headers["OData-EntityId"]
    row_id = known.partition("(")[2].rstrip(")")
    new_id = "99999999-0000-0000-0000-000000000001"
    targets = [
        kind | {"@odata.id": f"accounts({new_id})", "name": "new"},
        kind | {"accountid": row_id, "description": "changed"},
    ]
    done = dataverse.post("accounts/Microsoft.Dynamics.CRM.UpsertMultiple", json={"Targets": targets})
    assert done.status_code == 204
    new, changed = log(control)[1:]
    assert (new["key"], new["columns"], new["values"]) == (new_id, ["name"], {"name": "new"})
    assert (changed["key"], changed["values"]["description"]) == (row_id, "changed")
    assert {write["verb"] for write in (new, changed)} == {"UpsertMultiple"}
    assert new["request"] == changed["request"]
    counted = control.get("/sandbox/stats?writes=false").json()
    assert "writes" not in counted
    [bulk] = [each for each in counted["requests"] if each["verb"] == "UpsertMultiple"]
    assert (bulk["count"], bulk["rows"]) == (1, 2)


def test_rows_of_finance_by_their_whole_key(finance: httpx.Client, control: httpx.Client) -> None:
    finance.post("/data/Currencies", json={"CurrencyCode": "AAA", "Name": "A"})
    finance.patch("/data/Currencies('AAA')", json={"Name": "B"})
    created, changed = log(control)
    assert (created["key"], created["values"]["Name"]) == ("CurrencyCode='AAA'", "A")
    assert (changed["key"], changed["columns"]) == ("'AAA'", ["Name"])
    assert created["commit"] < changed["commit"]


@pytest.mark.parametrize(
    "fault",
    [{"drop": "after"}, {"drop": "during"}, {"truncate": True}],
    ids=["after", "during", "truncated"],
)
def test_an_answer_that_did_not_arrive(
    dataverse: httpx.Client, control: httpx.Client, fault: dict[str, object]
) -> None:
    control.put("/sandbox/faults", json=[fault])
    try:
        dataverse.post("accounts", json={"name": "a"}, headers={"Prefer": "return=representation"})
    except httpx.RemoteProtocolError:
        assert "drop" in fault
    [write] = log(control)
    assert (write["status"], write["delivered"]) == (201, False)


def test_a_refused_row_has_no_commit(dataverse: httpx.Client, control: httpx.Client) -> None:
    dataverse.post("accounts", json={"name": "a"})
    dataverse.post("accounts", json={"nonsense": 1})
    done, refused = log(control)
    assert (refused["status"], refused["commit"], refused["values"]) == (400, None, {"nonsense": 1})
    assert done["commit"] > 0


def test_long_values_leave_their_digest(dataverse: httpx.Client, control: httpx.Client) -> None:
    dataverse.post("accounts", json={"name": "a", "description": "x" * 2_000})
    [write] = log(control)
    assert write["values"] is None
    assert len(write["digest"]) == 64
