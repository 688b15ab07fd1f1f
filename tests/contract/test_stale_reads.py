"""Reads of a replica that lags behind: on either database, for lists, single rows, deltas and Finance."""

import httpx


def lag(control: httpx.Client) -> None:
    answer = control.put("/sandbox/faults", json=[{"stale_seconds": 3600, "verb": "GET"}])
    assert answer.is_success, answer.text


def names(page: httpx.Response) -> list[str]:
    return [row.get("name", row.get("reason")) for row in page.json()["value"]]


def test_rows_are_as_they_were_and_writes_are_as_they_are(
    dataverse: httpx.Client, finance: httpx.Client, control: httpx.Client
) -> None:
    kept, gone = (dataverse.post("accounts", json={"name": n}).headers["OData-EntityId"] for n in "ab")
    lag(control)
    assert dataverse.patch(kept, json={"name": "changed"}).is_success
    assert dataverse.delete(gone).is_success
    assert finance.post("/data/Currencies", json={"CurrencyCode": "AAA"}).is_success
    assert dataverse.post("accounts", json={"name": "new"}).is_success
    assert sorted(names(dataverse.get("accounts"))) == ["a", "b"]
    assert dataverse.get(kept).json()["name"] == "a"
    assert dataverse.get(gone).json()["name"] == "b"
    assert finance.get("/data/Currencies").json()["value"] == []
    # A write meets the present: what is gone is gone.
    assert dataverse.patch(gone, json={"name": "x"}, headers={"If-Match": "*"}).status_code == 404
    control.delete("/sandbox/faults")
    assert sorted(names(dataverse.get("accounts"))) == ["changed", "new"]


def test_a_stale_delta_skips_nothing_and_does_not_lead_back(
    dataverse: httpx.Client, control: httpx.Client
) -> None:
    first = dataverse.get("accounts?$select=name", headers={"Prefer": "odata.track-changes"}).json()
    lag(control)
    dataverse.post("accounts", json={"name": "late"})
    stale = dataverse.get(first["@odata.deltaLink"])
    assert names(stale) == []
    control.delete("/sandbox/faults")
    fresh = dataverse.get(stale.json()["@odata.deltaLink"])
    assert names(fresh) == ["late"]
    # Now the client is ahead of the replica.
    lag(control)
    dataverse.post("accounts", json={"name": "later"})
    ahead = dataverse.get(fresh.json()["@odata.deltaLink"])
    assert (ahead.status_code, names(ahead)) == (200, [])
    control.delete("/sandbox/faults")
    assert names(dataverse.get(ahead.json()["@odata.deltaLink"])) == ["later"]


def test_what_data_management_keeps_outlives_a_stale_read(
    finance: httpx.Client, control: httpx.Client
) -> None:
    groups = "/data/DataManagementDefinitionGroups"
    lag(control)
    assert finance.post("/data/Currencies", json={"CurrencyCode": "AAA"}).is_success
    created = finance.post(groups, json={"Name": "Nightly"})
    assert created.status_code == 201, created.text
    assert finance.get(groups).json()["value"] == []
    control.delete("/sandbox/faults")
    assert [group["Name"] for group in finance.get(groups).json()["value"]] == ["Nightly"]


def test_no_replica_knows_what_data_management_kept_before_a_reset(
    finance: httpx.Client, control: httpx.Client
) -> None:
    groups = "/data/DataManagementDefinitionGroups"
    assert finance.post(groups, json={"Name": "Forgotten"}).is_success
    assert control.post("/sandbox/reset", json={"seed": "empty"}).is_success
    lag(control)
    assert finance.post("/data/Currencies", json={"CurrencyCode": "AAA"}).is_success
    assert finance.get(groups).json()["value"] == []
