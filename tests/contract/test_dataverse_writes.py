"""Create, update, upsert, delete, conditions, keys, lookups, validation (protocol 1.4)."""

from decimal import Decimal
from json import loads
from typing import Any

import httpx
import pytest

NO_SUCH = "accounts(00000000-0000-0000-0000-00000000beef)"


def place_of(answer: httpx.Response) -> str:
    assert answer.status_code == 204, answer.text
    place: str = answer.headers["OData-EntityId"]
    return place


def refusal(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


@pytest.fixture
def company(dataverse: httpx.Client) -> str:
    return place_of(dataverse.post("cdm_companies", json={"cdm_companycode": "USPM", "cdm_name": "US"}))


@pytest.mark.protocol("write: create", "D")
def test_create_answers_the_address(dataverse: httpx.Client) -> None:
    answer = dataverse.post("accounts", json={"name": "Nordwind"})
    place = place_of(answer)
    assert answer.headers["Location"] == place
    row = dataverse.get(place).json()
    assert (row["name"], row["statecode"], row["statuscode"]) == ("Nordwind", 0, 1)
    assert row["createdon"].endswith("Z")
    who = dataverse.get("WhoAmI").json()
    assert row["_ownerid_value"] == row["_createdby_value"] == who["UserId"]


@pytest.mark.protocol("write: create", "D")
@pytest.mark.protocol("write: upsert", "D")
def test_representation(dataverse: httpx.Client) -> None:
    prefer = {"Prefer": "return=representation"}
    created = dataverse.post("accounts?$select=name", json={"name": "A", "description": "x"}, headers=prefer)
    assert created.status_code == 201
    assert created.headers["Preference-Applied"] == "return=representation"
    assert "description" not in created.json()
    place = f"accounts({created.json()['accountid']})"
    assert dataverse.patch(place, json={"name": "B"}, headers=prefer).status_code == 200
    fresh = "accounts(11111111-2222-3333-4444-555555555555)"
    assert dataverse.patch(fresh, json={"name": "C"}, headers=prefer).status_code == 201


@pytest.mark.protocol("write: update", "D")
@pytest.mark.protocol("write: etag", "D")
def test_update_changes_only_what_is_sent(dataverse: httpx.Client) -> None:
    place = place_of(dataverse.post("accounts", json={"name": "A", "description": "kept"}))
    before = dataverse.get(place).json()
    assert dataverse.patch(place, json={"name": "B"}, headers={"If-Match": "*"}).status_code == 204
    after = dataverse.get(place).json()
    assert (after["name"], after["description"]) == ("B", "kept")
    assert after["@odata.etag"] != before["@odata.etag"]


@pytest.mark.protocol("write: update", "D")
def test_update_and_delete_of_what_is_missing(dataverse: httpx.Client) -> None:
    for answer in (
        dataverse.patch(NO_SUCH, json={"name": "x"}, headers={"If-Match": "*"}),
        dataverse.delete(NO_SUCH),
        dataverse.get(NO_SUCH),
    ):
        assert refusal(answer) == (404, "0x80040217")
        assert "account With Id = 00000000-0000-0000-0000-00000000beef Does Not Exist" in answer.text


@pytest.mark.protocol("write: upsert", "D")
@pytest.mark.protocol("write: insert only", "D")
def test_upsert_and_insert_only(dataverse: httpx.Client) -> None:
    place = "accounts(11111111-2222-3333-4444-555555555555)"
    create_only = {"If-None-Match": "*"}
    assert dataverse.patch(place, json={"name": "A"}, headers=create_only).status_code == 204
    answer = dataverse.patch(place, json={"name": "B"}, headers=create_only)
    assert refusal(answer) == (412, "0x80040237")
    assert answer.json()["error"]["message"] == "A record with matching key values already exists."
    assert dataverse.patch(place, json={"name": "B"}, headers={"If-None-Match": "null"}).status_code == 204
    assert dataverse.get(place).json()["name"] == "B"


@pytest.mark.protocol("write: concurrency", "DL")
def test_versions_guard_patch_and_delete(dataverse: httpx.Client) -> None:
    place = place_of(dataverse.post("accounts", json={"name": "A"}))
    old = dataverse.get(place).headers["ETag"]
    assert dataverse.patch(place, json={"name": "B"}, headers={"If-Match": old}).status_code == 204
    for answer in (
        dataverse.patch(place, json={"name": "C"}, headers={"If-Match": old}),
        dataverse.delete(place, headers={"If-Match": old}),
    ):
        assert refusal(answer) == (412, "0x80060882")
    new = dataverse.get(place).headers["ETag"]
    assert dataverse.delete(place, headers={"If-Match": new}).status_code == 204


@pytest.mark.protocol("write: conditional read", "D")
@pytest.mark.protocol("write: etag", "D")
def test_conditional_reads(dataverse: httpx.Client) -> None:
    """304 for a version that is known, never with $expand or annotations; versions grow over all tables."""
    place = place_of(dataverse.post("accounts", json={"name": "A"}))
    etag = dataverse.get(place).headers["ETag"]
    assert dataverse.get(place).json()["@odata.etag"] == etag
    known = {"If-None-Match": etag}
    unchanged = dataverse.get(place, headers=known)
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    for headers, query in (
        (known | {"Prefer": 'odata.include-annotations="*"'}, ""),
        (known, "?$expand=msdyn_company"),
        ({"If-None-Match": "null"}, ""),
        ({"If-None-Match": 'W/"1"'}, ""),
    ):
        assert dataverse.get(place + query, headers=headers).status_code == 200
    unit = place_of(dataverse.post("uoms", json={"name": "Hour", "msdyn_symbol": "h"}))
    assert int(dataverse.get(unit).headers["ETag"][3:-1]) > int(etag[3:-1])


@pytest.mark.protocol("write: concurrency", "D")
def test_conditions_of_every_verb(dataverse: httpx.Client) -> None:
    place = place_of(dataverse.post("accounts", json={"name": "A"}, headers={"If-None-Match": "null"}))
    etag = dataverse.get(place).headers["ETag"]
    for headers in ({"If-None-Match": "*"}, {"If-None-Match": etag}, {"If-Match": 'W/"1"'}):
        for answer in (
            dataverse.patch(place, json={"name": "B"}, headers=headers),
            dataverse.delete(place, headers=headers),
            dataverse.put(f"{place}/name", json={"value": "B"}, headers=headers),
            dataverse.delete(f"{place}/name", headers=headers),
        ):
            assert answer.status_code == 412, (headers, answer.text)
    several = {"If-Match": f'W/"1", {etag}'}
    assert dataverse.patch(place, json={"name": "C"}, headers=several).status_code == 204
    assert dataverse.delete(place, headers={"If-Match": "*"}).status_code == 204
    assert dataverse.delete(place, headers={"If-Match": "*"}).status_code == 404


@pytest.mark.protocol("write: alternate key", "DL")
@pytest.mark.protocol("errors: missing alternate key", "L")
def test_alternate_keys(dataverse: httpx.Client, company: str) -> None:
    """Of one column, of several, with a lookup, in any order and case, with a quote inside."""
    body = {
        "accountnumber": "A'1",
        "name": "A",
        "msdyn_company@odata.bind": "/cdm_companies(cdm_companycode='uspm')",
    }
    place = place_of(dataverse.post("accounts", json=body))
    company_id = company[-37:-1]
    for key in (
        f"accounts(accountnumber='A''1',_msdyn_company_value={company_id})",
        f"accounts(_msdyn_company_value={company_id},accountnumber='a''1')",
        f"accounts(accountnumber='A%27%271',_msdyn_company_value='{company_id}')",
    ):
        assert dataverse.get(key).json()["accountid"] in place
    missing = dataverse.get(f"accounts(accountnumber='zzz',_msdyn_company_value={company_id})")
    assert refusal(missing) == (404, "0x80060891")
    again = dataverse.post("accounts", json=body | {"accountnumber": "a'1"})
    assert refusal(again) == (412, "0x80040237")
    no_key = dataverse.get("accounts(name='A')")
    assert no_key.status_code == 400
    assert "The key in the request URI is not valid" in no_key.text


@pytest.mark.protocol("write: upsert key and body", "D")
def test_upsert_by_alternate_key(dataverse: httpx.Client) -> None:
    """[D]: where the row exists, key columns in the body are ignored; where not, the body wins."""
    key = "cdm_companies(cdm_companycode='DEMF')"
    assert dataverse.patch(key, json={"cdm_name": "one"}).status_code == 204
    assert dataverse.patch(key, json={"cdm_name": "two", "cdm_companycode": "XXXX"}).status_code == 204
    row = dataverse.get(key).json()
    assert (row["cdm_name"], row["cdm_companycode"]) == ("two", "DEMF")
    dataverse.patch("cdm_companies(cdm_companycode='AAAA')", json={"cdm_companycode": "BBBB"})
    assert dataverse.get("cdm_companies(cdm_companycode='BBBB')").status_code == 200
    assert dataverse.get("cdm_companies(cdm_companycode='AAAA')").status_code == 404


@pytest.mark.protocol("write: upsert", "D")
@pytest.mark.protocol("errors: length", "L")
@pytest.mark.parametrize(
    ("key", "refused", "text"),
    [
        (f"accountnumber='{'x' * 21}'", (400, "0x80044331"), "maximum allowed length of '20'"),
        ("accountnumber='a%00b'", (400, "0x80060888"), "Unrecognized 'Edm.String' literal"),
        ("accountnumber=null", (400, "0x80060888"), "has a null value"),
        ("accountnumber='a',_msdyn_company_value=null", (400, "0x80060888"), "has a null value"),
        (
            "accountnumber='a',_msdyn_company_value=00000000-0000-0000-0000-00000000beef",
            (404, "0x80040217"),
            "cdm_company With Id",
        ),
    ],
)
def test_what_an_address_creates_holds_as_a_body_must(
    dataverse: httpx.Client, key: str, refused: tuple[int, str], text: str
) -> None:
    place = f"accounts({key})"
    target = {"@odata.type": "Microsoft.Dynamics.CRM.account", "@odata.id": place, "name": "A"}
    bulk = "accounts/Microsoft.Dynamics.CRM.UpsertMultiple"
    for answer in (
        dataverse.patch(place, json={"name": "A"}),
        dataverse.post(bulk, json={"Targets": [target]}),
    ):
        assert refusal(answer) == refused, answer.text
        assert text in answer.json()["error"]["message"]
    assert dataverse.get("accounts/$count").text == "0"


@pytest.mark.protocol("write: lookup", "D")
@pytest.mark.protocol("write: reference", "D")
def test_lookups(dataverse: httpx.Client, company: str) -> None:
    place = place_of(dataverse.post("accounts", json={"name": "A", "msdyn_company@odata.bind": company}))
    assert dataverse.get(place).json()["_msdyn_company_value"] == company[-37:-1]
    assert dataverse.patch(place, json={"msdyn_company@odata.bind": None}).status_code == 204
    assert dataverse.get(place).json()["_msdyn_company_value"] is None
    body = {"@odata.id": company}
    assert dataverse.put(f"{place}/msdyn_company/$ref", json=body).status_code == 204
    assert dataverse.get(f"{place}/msdyn_company/$ref").json()["@odata.id"] == company
    assert dataverse.get(f"{place}/msdyn_company").json()["cdm_companycode"] == "USPM"
    assert dataverse.delete(f"{place}/msdyn_company/$ref").status_code == 204
    assert dataverse.get(place).json()["_msdyn_company_value"] is None
    wrong = dataverse.patch(place, json={"Msdyn_company@odata.bind": company})
    assert refusal(wrong) == (400, "0x80048d19")
    words = "undeclared property 'Msdyn_company' which only has property annotations in the payload"
    assert words in wrong.json()["error"]["message"]


@pytest.mark.protocol("write: lookup", "D")
@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"Msdyn_company@odata.bind": "/cdm_companies(cdm_companycode='USPM')"}, 400),  # case matters
        ({"msdyn_company@odata.bind": "/cdm_companies(cdm_companycode='none')"}, 404),
        ({"msdyn_company@odata.bind": "/cdm_companies(00000000-0000-0000-0000-00000000beef)"}, 404),
        ({"msdyn_company@odata.bind": "/uoms(00000000-0000-0000-0000-00000000beef)"}, 400),
        ({"msdyn_company@odata.bind": "nonsense"}, 400),
        ({"_msdyn_company_value": "00000000-0000-0000-0000-00000000beef"}, 400),
    ],
)
def test_refused_lookups(dataverse: httpx.Client, company: str, body: dict[str, Any], status: int) -> None:
    answer = dataverse.post("accounts", json={"name": "A"} | body)
    assert answer.status_code == status, answer.text
    assert dataverse.get("accounts/$count").text == "0"


@pytest.mark.protocol("write: lookup", "D")
def test_polymorphic_lookup(dataverse: httpx.Client) -> None:
    account = place_of(dataverse.post("accounts", json={"name": "A"}))
    body = {"name": "order", "ordernumber": "O-1", "customerid_account@odata.bind": account}
    order = place_of(dataverse.post("salesorders", json=body))
    row = dataverse.get(f"{order}?$expand=customerid_account($select=name)").json()
    assert row["_customerid_value"] == account[-37:-1]
    assert row["customerid_account"]["name"] == "A"


@pytest.mark.protocol("errors: length", "L")
@pytest.mark.parametrize(
    ("body", "code", "text"),
    [
        ({"nonsense": 1}, "0x80048d19", "undeclared property 'nonsense'"),
        ({"name": "x" * 161}, "0x80044331", "maximum allowed length of '160'"),
        ({"name": 5}, "0x80048d19", "Edm.String"),
        ({"name": "a\u0000b"}, "0x80060888", "U+0000"),
        ({"creditlimit": "5"}, "0x80048d19", "Edm.Decimal"),
        ({"creditlimit": True}, "0x80048d19", "Edm.Decimal"),
        ({"creditlimit": 1e30}, "0x80044330", "outside the valid range"),
        ({"numberofemployees": 1.5}, "0x80048d19", "the literal '1.5' to the expected type 'Edm.Int32'"),
        ({"numberofemployees": [2**70, None]}, "0x80048d19", "the literal '[1180591620717411303424"),
        ({"statecode": 7}, "0x8004431a", "Accepted Values: 0,1"),
        ({"donotemail": "true"}, "0x80048d19", "Edm.Boolean"),
        ({"lastusedincampaign": "2026-10-31T00:00:00"}, "0x80048d19", "time zone information is missing"),
        ({"lastusedincampaign": "2026-02-30"}, "0x80048d19", "time zone information is missing"),
        ({"accountid": "nonsense"}, "0x80048d19", "Edm.Guid"),
    ],
)
def test_refused_values(dataverse: httpx.Client, body: dict[str, Any], code: str, text: str) -> None:
    answer = dataverse.post("accounts", json={"name": "A"} | body)
    assert refusal(answer) == (400, code), answer.text
    assert text in answer.json()["error"]["message"]
    assert dataverse.get("accounts/$count").text == "0"


def test_required_columns(dataverse: httpx.Client) -> None:
    answer = dataverse.post("uoms", json={"msdyn_symbol": "h"})
    assert answer.status_code == 400
    assert "'name' attribute of the 'uom' entity is required" in answer.text
    place = place_of(dataverse.post("uoms", json={"name": "Hour", "msdyn_symbol": "h"}))
    assert dataverse.patch(place, json={"name": None}).status_code == 400


@pytest.mark.parametrize("body", [b"{", b"[]", b"5", b'{"name": "\\ud800"}', b"\xff", b"[" * 100_000])
def test_malformed_bodies(dataverse: httpx.Client, body: bytes) -> None:
    answer = dataverse.post("accounts", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400, answer.text


@pytest.mark.protocol("errors: 415", "?")
def test_other_content_types(dataverse: httpx.Client) -> None:
    answer = dataverse.post("accounts", content=b"<a/>", headers={"Content-Type": "text/xml"})
    assert answer.status_code == 415


@pytest.mark.parametrize(
    "amount", ["922337203685476.9999", "-922337203685476.9999", "0.0001", "1234567.8900", "5"]
)
def test_money_is_exact(dataverse: httpx.Client, amount: str) -> None:
    body = f'{{"name": "A", "openrevenue": {amount}}}'.encode()
    answer = dataverse.post("accounts", content=body, headers={"Content-Type": "application/json"})
    read = dataverse.get(f"{place_of(answer)}?$select=openrevenue")
    assert loads(read.text, parse_float=Decimal)["openrevenue"] == Decimal(amount)


@pytest.mark.parametrize(
    "text", ["O'Brien & Söhne", "åäö ÅÄÖ", "😀 漢字", '"a",b\n\tc', "  blanks  ", "50% _[x]*", ""]
)
def test_text_is_kept_to_the_letter(dataverse: httpx.Client, text: str) -> None:
    place = place_of(dataverse.post("accounts", json={"name": text}))
    assert dataverse.get(place).json()["name"] == text


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("2026-10-31T22:00:00Z", "2026-10-31T22:00:00Z"),
        ("2026-11-01T00:00:00+02:00", "2026-10-31T22:00:00Z"),
        ("2028-02-29T23:59:59.999Z", "2028-02-29T23:59:59Z"),
    ],
)
def test_instants_are_utc_and_whole_seconds(dataverse: httpx.Client, sent: str, read: str) -> None:
    place = place_of(dataverse.post("accounts", json={"name": "A", "lastusedincampaign": sent}))
    assert dataverse.get(place).json()["lastusedincampaign"] == read


@pytest.mark.protocol("write: column", "D")
def test_single_columns(dataverse: httpx.Client) -> None:
    place = place_of(dataverse.post("accounts", json={"name": "A", "description": "x"}))
    assert dataverse.put(f"{place}/name", json={"value": "B"}).status_code == 204
    assert dataverse.delete(f"{place}/description").status_code == 204
    row = dataverse.get(place).json()
    assert (row["name"], row["description"]) == ("B", None)
    assert dataverse.put(f"{place}/nonsense", json={"value": 1}).status_code == 404


def test_state_brings_its_status_along(dataverse: httpx.Client) -> None:
    place = place_of(dataverse.post("accounts", json={"name": "A"}))
    dataverse.patch(place, json={"statecode": 1})
    row = dataverse.get(place).json()
    assert (row["statecode"], row["statuscode"]) == (1, 2)


@pytest.mark.protocol("errors: 405", "D")
def test_verbs_that_a_resource_does_not_take(dataverse: httpx.Client) -> None:
    assert dataverse.put(NO_SUCH, json={}).status_code == 405
    assert dataverse.delete("accounts").status_code == 405
