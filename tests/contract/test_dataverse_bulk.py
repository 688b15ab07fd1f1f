"""CreateMultiple, UpdateMultiple, UpsertMultiple: all or nothing, and their traps (protocol 1.5)."""

from typing import Any

import httpx
import pytest

TYPE = {"@odata.type": "Microsoft.Dynamics.CRM.uom"}


def send(client: httpx.Client, message: str, targets: list[dict[str, Any]]) -> httpx.Response:
    body = {"Targets": [TYPE | target for target in targets]}
    return client.post(f"uoms/Microsoft.Dynamics.CRM.{message}", json=body)


def symbols(client: httpx.Client) -> dict[str, str]:
    rows = client.get("uoms?$select=name,msdyn_symbol").json()["value"]
    return {row["msdyn_symbol"]: row["name"] for row in rows}


@pytest.mark.protocol("bulk: CreateMultiple", "D")
def test_create_answers_ids_in_order(dataverse: httpx.Client) -> None:
    answer = send(dataverse, "CreateMultiple", [{"name": f"n{i}", "msdyn_symbol": f"s{i}"} for i in range(3)])
    assert answer.status_code == 200
    assert answer.json()["@odata.context"].endswith("#Microsoft.Dynamics.CRM.CreateMultipleResponse")
    for number, row_id in enumerate(answer.json()["Ids"]):
        assert dataverse.get(f"uoms({row_id})").json()["msdyn_symbol"] == f"s{number}"


@pytest.mark.protocol("bulk: all or nothing", "D")
def test_create_is_all_or_nothing(dataverse: httpx.Client) -> None:
    answer = send(
        dataverse,
        "CreateMultiple",
        [{"name": "a", "msdyn_symbol": "a"}, {"name": "b", "msdyn_symbol": "A"}],
    )
    assert answer.status_code == 412
    assert answer.json()["error"]["code"] == "0x80040237"
    assert symbols(dataverse) == {}


@pytest.mark.protocol("bulk: UpdateMultiple", "DL")
def test_update(dataverse: httpx.Client) -> None:
    ids = send(dataverse, "CreateMultiple", [{"name": c, "msdyn_symbol": c} for c in "abc"]).json()["Ids"]
    answer = send(dataverse, "UpdateMultiple", [{"uomid": row_id, "name": "new"} for row_id in ids[:2]])
    assert (answer.status_code, answer.content) == (204, b"")
    assert symbols(dataverse) == {"a": "new", "b": "new", "c": "c"}
    missing = {"uomid": "00000000-0000-0000-0000-00000000beef", "name": "x"}
    failed = send(dataverse, "UpdateMultiple", [{"uomid": ids[0], "name": "lost"}, missing])
    assert failed.status_code == 404
    assert "Uom With Ids = 00000000-0000-0000-0000-00000000beef Do Not Exist" in failed.text
    assert symbols(dataverse)["a"] == "new"


@pytest.mark.protocol("bulk: UpsertMultiple", "D")
def test_upsert_by_key_and_by_id(dataverse: httpx.Client) -> None:
    rows = [{"@odata.id": f"uoms(msdyn_symbol='{c}')", "name": c} for c in "ab"]
    answer = send(dataverse, "UpsertMultiple", rows)
    assert (answer.status_code, answer.content) == (204, b"")
    again = [
        {"@odata.id": "uoms(msdyn_symbol='A')", "name": "A!"},
        {"@odata.id": "uoms(msdyn_symbol='c')", "name": "c"},
    ]
    assert send(dataverse, "UpsertMultiple", again).status_code == 204
    new_id = "11111111-2222-3333-4444-555555555555"
    assert (
        send(dataverse, "UpsertMultiple", [{"uomid": new_id, "name": "d", "msdyn_symbol": "d"}]).status_code
        == 204
    )
    assert symbols(dataverse) == {"a": "A!", "b": "b", "c": "c", "d": "d"}
    assert dataverse.get(f"uoms({new_id})").status_code == 200


@pytest.mark.protocol("bulk: duplicate key", "L")
def test_upsert_refuses_a_key_that_occurs_twice(dataverse: httpx.Client) -> None:
    rows = [{"@odata.id": f"uoms(msdyn_symbol='{c}')", "name": "x"} for c in ("a", "A")]
    answer = send(dataverse, "UpsertMultiple", rows)
    assert answer.json()["error"] == {"code": "0x80040237", "message": "Cannot insert duplicate key."}
    assert symbols(dataverse) == {}


@pytest.mark.protocol("bulk: key in body", "L")
def test_upsert_trap_of_key_columns_in_the_body(dataverse: httpx.Client) -> None:
    """[L]: an error on the create path, tolerated on the update path."""
    row = {"@odata.id": "uoms(msdyn_symbol='a')", "name": "a", "msdyn_symbol": "a"}
    answer = send(dataverse, "UpsertMultiple", [row])
    assert answer.status_code == 400
    assert answer.json()["error"] == {"code": "0x80040216", "message": "An unexpected error occurred."}
    dataverse.post("uoms", json={"name": "a", "msdyn_symbol": "a"})
    assert send(dataverse, "UpsertMultiple", [row | {"name": "b"}]).status_code == 204
    assert symbols(dataverse) == {"a": "b"}


@pytest.mark.protocol("bulk: odata type", "D")
def test_targets_must_say_their_type(dataverse: httpx.Client) -> None:
    for target in ({"name": "x"}, {"name": "x", "@odata.type": "Microsoft.Dynamics.CRM.account"}):
        answer = dataverse.post("uoms/Microsoft.Dynamics.CRM.CreateMultiple", json={"Targets": [target]})
        assert answer.status_code == 400
        assert "@odata.type" in answer.json()["error"]["message"]


@pytest.mark.protocol("bulk: DeleteMultiple", "D")
def test_delete_multiple_is_for_elastic_tables(dataverse: httpx.Client) -> None:
    answer = send(dataverse, "DeleteMultiple", [{"uomid": "11111111-2222-3333-4444-555555555555"}])
    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == "DeleteMultiple has not yet been implemented."


@pytest.mark.protocol("bulk: all or nothing", "D")
@pytest.mark.protocol("bulk: UpsertMultiple", "D")
def test_lookups_of_many_rows(dataverse: httpx.Client) -> None:
    dataverse.post("cdm_companies", json={"cdm_companycode": "USPM"})
    bind = {"msdyn_company@odata.bind": "/cdm_companies(cdm_companycode='USPM')"}
    company = dataverse.get("cdm_companies").json()["value"][0]["cdm_companyid"]
    kind = {"@odata.type": "Microsoft.Dynamics.CRM.account"}
    rows = [
        kind | {"@odata.id": f"accounts(accountnumber='{i}',_msdyn_company_value={company})", "name": str(i)}
        for i in range(1200)
    ]
    for _ in ("create", "update"):
        answer = dataverse.post("accounts/Microsoft.Dynamics.CRM.UpsertMultiple", json={"Targets": rows})
        assert answer.status_code == 204, answer.text
    assert dataverse.get("accounts?$count=true&$top=1").json()["@odata.count"] == 1200
    bad = [
        kind | {"accountnumber": "x", "name": "x"} | bind,
        kind | {"name": "y", "msdyn_company@odata.bind": "/cdm_companies(cdm_companycode='none')"},
    ]
    answer = dataverse.post("accounts/Microsoft.Dynamics.CRM.CreateMultiple", json={"Targets": bad})
    assert answer.status_code == 404
    assert dataverse.get("accounts?$filter=name eq 'x'").json()["value"] == []
