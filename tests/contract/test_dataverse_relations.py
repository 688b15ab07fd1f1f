"""Rows that refer to each other: `$ref`, `@odata.bind`, rows created together (protocol 1.4)."""

import httpx
import pytest

NOBODY = "00000000-0000-0000-0000-00000000beef"
MEMBERS = "account_account_parentaccountid"


def place_of(answer: httpx.Response) -> str:
    assert answer.status_code == 204, answer.text
    place: str = answer.headers["OData-EntityId"]
    return place


def account(dataverse: httpx.Client, name: str) -> str:
    return place_of(dataverse.post("accounts", json={"name": name}))


def members(dataverse: httpx.Client, parent: str) -> list[str]:
    rows = dataverse.get(f"{parent}/{MEMBERS}?$select=name").json()["value"]
    return sorted(row["name"] for row in rows)


@pytest.mark.protocol("write: reference", "D")
def test_rows_of_a_collection_are_associated_and_disassociated(dataverse: httpx.Client) -> None:
    parent, a, b, c = (account(dataverse, name) for name in ("parent", "a", "b", "c"))
    for child in (a, b, f"accounts({c[-37:-1]})", f"/api/data/v9.2/accounts({c[-37:-1]})"):
        assert dataverse.post(f"{parent}/{MEMBERS}/$ref", json={"@odata.id": child}).status_code == 204
    assert members(dataverse, parent) == ["a", "b", "c"]
    listed = dataverse.get(f"{parent}/{MEMBERS}/$ref").json()
    assert listed["@odata.context"].endswith("#Collection($ref)")
    assert {row["@odata.id"] for row in listed["value"]} == {a, b, c}
    assert dataverse.delete(f"{parent}/{MEMBERS}({a[-37:-1]})/$ref").status_code == 204
    assert dataverse.delete(f"{parent}/{MEMBERS}/$ref", params={"$id": b}).status_code == 204
    assert members(dataverse, parent) == ["c"]
    for refused, status in (
        (dataverse.delete(f"{parent}/{MEMBERS}({a[-37:-1]})/$ref"), 404),
        (dataverse.delete(f"{parent}/{MEMBERS}({NOBODY})/$ref"), 404),
        (dataverse.delete(f"{parent}/{MEMBERS}/$ref"), 400),
        (dataverse.post(f"{parent}/{MEMBERS}/$ref", json={"@odata.id": f"accounts({NOBODY})"}), 404),
        (dataverse.post(f"{parent}/{MEMBERS}/$ref", json={"@odata.id": f"uoms({NOBODY})"}), 400),
        (dataverse.post(f"accounts({NOBODY})/{MEMBERS}/$ref", json={"@odata.id": a}), 404),
        (dataverse.post(f"{parent}/nonsense/$ref", json={"@odata.id": a}), 404),
        (dataverse.put(f"{parent}/{MEMBERS}/$ref", json={"@odata.id": a}), 405),
        (dataverse.post(f"{parent}/parentaccountid/$ref", json={"@odata.id": a}), 405),
    ):
        assert refused.status_code == status, refused.text
    assert members(dataverse, parent) == ["c"]


@pytest.mark.protocol("write: concurrency", "D")
def test_references_obey_versions(dataverse: httpx.Client) -> None:
    parent, child = account(dataverse, "parent"), account(dataverse, "child")
    stale = {"If-Match": dataverse.get(child).headers["ETag"]}
    dataverse.patch(child, json={"description": "newer"})
    for answer in (
        dataverse.put(f"{child}/parentaccountid/$ref", json={"@odata.id": parent}, headers=stale),
        dataverse.delete(f"{child}/parentaccountid/$ref", headers=stale),
        dataverse.put(f"{child}/name", json={"value": "x"}, headers=stale),
        dataverse.delete(f"{child}/description", headers=stale),
        dataverse.post(f"{child}/{MEMBERS}/$ref", json={"@odata.id": parent}, headers=stale),
    ):
        assert (answer.status_code, answer.json()["error"]["code"]) == (412, "0x80060882")
    fresh = {"If-Match": dataverse.get(child).headers["ETag"]}
    assert dataverse.put(f"{child}/name", json={"value": "x"}, headers=fresh).status_code == 204


@pytest.mark.protocol("write: lookup", "D")
def test_rows_are_created_together(dataverse: httpx.Client) -> None:
    """Deep insert: parents before, children after, all in one transaction."""
    body = {
        "name": "middle",
        "parentaccountid": {"name": "top", "parentaccountid": {"name": "above"}},
        MEMBERS: [{"name": "left"}, {"name": "right", MEMBERS: [{"name": "below"}]}],
    }
    headers = {"Prefer": "return=representation"}
    query = f"accounts?$select=name&$expand=parentaccountid($select=name),{MEMBERS}($select=name)"
    answer = dataverse.post(query, json=body, headers=headers)
    assert answer.status_code == 201, answer.text
    row = answer.json()
    assert row["parentaccountid"]["name"] == "top"
    assert sorted(child["name"] for child in row[MEMBERS]) == ["left", "right"]
    [below] = dataverse.get("accounts?$filter=name eq 'below'&$expand=parentaccountid").json()["value"]
    assert below["parentaccountid"]["name"] == "right"
    assert dataverse.get("accounts/$count").text == "6"
    bad = {"name": "x", MEMBERS: [{"name": "y"}, {"nonsense": 1}]}
    assert dataverse.post("accounts", json=bad).status_code == 400
    late = {"name": "x", "parentaccountid": {"name": "p"}, MEMBERS: [{"name": "y", "creditlimit": -1e15}]}
    assert dataverse.post("accounts", json=late).status_code == 400
    place = f"accounts({row['accountid']})"
    for refused in (
        dataverse.patch(place, json={"parentaccountid": {"name": "new"}}),
        dataverse.patch(place, json={MEMBERS: [{"name": "new"}]}),
        dataverse.post("accounts", json={"name": "x", "parentaccountid": "text"}),
        dataverse.post("accounts", json={"name": "x", MEMBERS: {"name": "y"}}),
    ):
        assert refused.status_code == 400, refused.text
    assert dataverse.get("accounts/$count").text == "6"


@pytest.mark.protocol("write: lookup", "D")
def test_existing_rows_are_bound_to_a_new_one(dataverse: httpx.Client) -> None:
    children = [account(dataverse, name) for name in ("a", "b")]
    body = {"name": "parent", f"{MEMBERS}@odata.bind": [children[0], f"/accounts({children[1][-37:-1]})"]}
    parent = place_of(dataverse.post("accounts", json=body))
    assert members(dataverse, parent) == ["a", "b"]
    dataverse.patch(children[0], json={"parentaccountid": None})
    assert members(dataverse, parent) == ["b"]
    again = {f"{MEMBERS}@odata.bind": [f"accounts({NOBODY})"]}
    assert dataverse.post("accounts", json={"name": "x"} | again).status_code == 404


@pytest.mark.protocol("write: column", "D")
def test_columns_alone(dataverse: httpx.Client) -> None:
    body = {"name": "A & B", "creditlimit": 1.25, "creditonhold": True}
    place = place_of(dataverse.post("accounts", json=body))
    read = dataverse.get(f"{place}/name")
    assert read.json()["value"] == "A & B"
    assert read.json()["@odata.context"].endswith(f"#accounts({place[-37:-1]})/name")
    for name, text in (("name", "A & B"), ("creditlimit", "1.2500"), ("creditonhold", "true")):
        raw = dataverse.get(f"{place}/{name}/$value")
        assert (raw.text, raw.headers["Content-Type"]) == (text, "text/plain; charset=utf-8")
    assert dataverse.get(f"{place}/description").status_code == 204
    assert dataverse.get(f"{place}/description/$value").status_code == 204
    assert dataverse.get(f"{place}/nonsense").status_code == 404
    assert dataverse.delete(f"{place}/accountid").status_code == 400
    assert dataverse.put(f"{place}/createdon", json={"value": "2020-01-01T00:00:00Z"}).status_code == 400


@pytest.mark.protocol("write: alternate key", "D")
def test_keys_by_parameter_aliases(dataverse: httpx.Client) -> None:
    dataverse.post("cdm_companies", json={"cdm_companycode": "a@b"})
    for address in (
        "cdm_companies(cdm_companycode=@key)?@key='a@b'",
        "cdm_companies(cdm_companycode='a@b')",
    ):
        assert dataverse.get(address).json()["cdm_companycode"] == "a@b"
    row_id = dataverse.get("cdm_companies(cdm_companycode='a@b')").json()["cdm_companyid"]
    assert dataverse.get(f"cdm_companies(@id)?@id={row_id}&$select=cdm_companycode").status_code == 200
    assert dataverse.get("cdm_companies(@id)").status_code == 400
