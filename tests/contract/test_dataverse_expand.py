"""$expand and annotations: what stands beneath and beside the rows (protocol 1.3)."""

from typing import Any
from urllib.parse import unquote

import httpx
import pytest

CHILDREN = "account_account_parentaccountid"
MEMBERS = "cdm_company_account_msdyn_company"
FORMATTED = "OData.Community.Display.V1.FormattedValue"
LOOKUP = "Microsoft.Dynamics.CRM.lookuplogicalname"
NAVIGATION = "Microsoft.Dynamics.CRM.associatednavigationproperty"
NOT_NESTED = (
    "Only $select and $filter clause can be provided while doing $expand on many-to-one relationship "
    "or nested one-to-many relationship."
)


@pytest.fixture
def company(dataverse: httpx.Client) -> str:
    """A company with the accounts C1, C2 and C3, of which C1 is the parent of the others; its address."""
    answer = dataverse.post("cdm_companies", json={"cdm_companycode": "USPM", "cdm_name": "US"})
    place = answer.headers["OData-EntityId"]
    parent = ""
    for number in ("1", "2", "3"):
        row = {"accountnumber": number, "name": f"C{number}", "msdyn_company@odata.bind": place}
        row |= {"parentaccountid@odata.bind": parent} if parent else {}
        made = dataverse.post("accounts", json=row)
        assert made.status_code == 204, made.text
        parent = parent or made.headers["OData-EntityId"]
    assert dataverse.post("accounts", json={"name": "alone"}).status_code == 204
    return place


def get(client: httpx.Client, url: str, **headers: str) -> dict[str, Any]:
    answer = client.get(url, headers=headers)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


@pytest.mark.protocol("query: expand", "D")
def test_single_valued(dataverse: httpx.Client, company: str) -> None:
    body = get(
        dataverse,
        "accounts?$select=name&$orderby=name&$expand=msdyn_company($select=cdm_companycode),"
        "parentaccountid($select=name;$expand=msdyn_company($select=cdm_name))",
    )
    assert body["@odata.context"].endswith(
        "#accounts(name,msdyn_company(cdm_companycode),parentaccountid(name,msdyn_company(cdm_name)))"
    )
    alone, first, second = body["value"][:3]
    assert (alone["msdyn_company"], alone["parentaccountid"], first["parentaccountid"]) == (None, None, None)
    assert first["msdyn_company"] == {"cdm_companycode": "USPM", "cdm_companyid": company[-37:-1]}
    assert set(second) == {"@odata.etag", "name", "accountid", "msdyn_company", "parentaccountid"}
    assert second["parentaccountid"]["name"] == "C1"
    assert second["parentaccountid"]["msdyn_company"]["cdm_name"] == "US"
    filtered = get(dataverse, "accounts?$orderby=name&$expand=msdyn_company($filter=cdm_companycode eq 'x')")
    assert [row["msdyn_company"] for row in filtered["value"]] == [None] * 4


@pytest.mark.protocol("query: expand", "D")
def test_references(dataverse: httpx.Client, company: str) -> None:
    body = get(dataverse, "accounts?$select=name&$orderby=name&$expand=msdyn_company/$ref&$top=2")
    assert body["@odata.context"].endswith("#accounts(name,msdyn_company,msdyn_company/$ref())")
    assert [row["msdyn_company"] for row in body["value"]] == [None, {"@odata.id": company}]
    assert body["value"][1]["_msdyn_company_value"] == company[-37:-1]
    many = dataverse.get(f"accounts?$expand={CHILDREN}/$ref")
    assert many.json()["error"] == {
        "code": "0x80060888",
        "message": "Expand with $ref is only supported on lookup type navigation property.",
    }


@pytest.mark.protocol("query: expand", "D")
def test_collections_and_their_links(dataverse: httpx.Client, company: str) -> None:
    row = get(dataverse, f"{company}?$expand={MEMBERS}($select=name;$orderby=name desc;$top=2)")
    assert [child["name"] for child in row[MEMBERS]] == ["C3", "C2"]
    # Rows of a plain collection have an etag, and the lookup that leads back.
    assert set(row[MEMBERS][0]) == {"@odata.etag", "name", "accountid", "_msdyn_company_value"}
    link = row[f"{MEMBERS}@odata.nextLink"]
    assert link == f"{company}/{MEMBERS}?$select=name&$orderby=name%20desc&$top=2"
    assert [child["name"] for child in get(dataverse, link)["value"]] == ["C3", "C2"]
    awkward = f"{MEMBERS}($filter=name ne 'a%26b#c' and name ne 'C1')".replace("#", "%23")
    filtered = get(dataverse, f"{company}?$expand={awkward}")
    assert len(filtered[MEMBERS]) == 2
    assert len(get(dataverse, filtered[f"{MEMBERS}@odata.nextLink"])["value"]) == 2
    aliased = get(dataverse, f"{company}?$expand={MEMBERS}($filter=name eq @p)&@p='C1'")
    assert [child["name"] for child in aliased[MEMBERS]] == ["C1"]
    empty = get(dataverse, f"accounts?$filter=name eq 'alone'&$expand={CHILDREN}")["value"][0]
    assert empty[CHILDREN] == []


@pytest.mark.protocol("query: expand", "D")
def test_nested_collections_are_paged(dataverse: httpx.Client, company: str) -> None:
    inner = "$select=name;$expand=parentaccountid($select=name)"
    query = f"cdm_companies?$select=cdm_name&$expand={MEMBERS}({inner})"
    rows: list[str] = []
    page = get(dataverse, query, Prefer="odata.maxpagesize=2")["value"][0]
    assert len(page[MEMBERS]) == 2
    assert all("@odata.etag" not in child for child in page[MEMBERS])
    rows += [child["name"] for child in page[MEMBERS]]
    link = page[f"{MEMBERS}@odata.nextLink"]
    assert "pagenumber=%222%22" in link and "$expand=parentaccountid($select=name)" in unquote(link)
    rest = get(dataverse, link, Prefer="odata.maxpagesize=2")
    rows += [child["name"] for child in rest["value"]]
    assert sorted(rows) == ["C1", "C2", "C3"]
    assert "@odata.nextLink" not in rest
    twice = f"accounts?$filter=name eq 'C1'&$expand={CHILDREN}($expand=parentaccountid($expand={CHILDREN}))"
    first = get(dataverse, twice)["value"][0]
    assert len(first[CHILDREN]) == 2
    assert len(first[CHILDREN][0]["parentaccountid"][CHILDREN]) == 2


@pytest.mark.protocol("query: expand", "D")
def test_refused_expands(dataverse: httpx.Client) -> None:
    nested = "parentaccountid($expand=" * 15 + "parentaccountid" + ")" * 15
    expected = {
        "parentaccountid($orderby=name)": NOT_NESTED,
        "parentaccountid($top=1)": NOT_NESTED,
        f"{CHILDREN}($top=1;$expand=parentaccountid)": NOT_NESTED,
        f"{CHILDREN}($skip=1)": "'$skip' is not supported inside $expand",
        f"{CHILDREN}($levels=2)": "'$levels' is not supported inside $expand",
        f"{CHILDREN}($count=true)": "'$count' is not supported inside $expand",
        "name": "Could not find a property named 'name'",
        "_parentaccountid_value": "$expand takes navigation properties",
        ",".join(["parentaccountid"] * 16): "15 $expand options",
        nested: "15 $expand options",
        f"{CHILDREN}($select=nonsense)": "Could not find a property named 'nonsense'",
        f"{CHILDREN}($filter=name eq 'x)": "unterminated literal",
        "parentaccountid(": "')' expected",
    }
    for expand, message in expected.items():
        answer = dataverse.get("accounts", params={"$expand": expand})
        assert answer.status_code == 400, expand
        assert message in answer.json()["error"]["message"], (expand, answer.text)


@pytest.fixture
def annotated_account(dataverse: httpx.Client, company: str) -> str:
    """An account with a value of each type; its address."""
    currency = dataverse.post(
        "transactioncurrencies",
        json={
            "isocurrencycode": "GBP",
            "currencyname": "Pound",
            "currencysymbol": "£",
            "currencyprecision": 2,
            "exchangerate": 1,
        },
    )
    assert currency.status_code == 204, currency.text
    row = {
        "name": "A",
        "creditlimit": 1234567.891,
        "numberofemployees": 12345,
        "customertypecode": 3,
        "donotemail": True,
        "lastusedincampaign": "2026-04-07T14:59:01Z",
        "msdyn_company@odata.bind": company,
        "transactioncurrencyid@odata.bind": currency.headers["OData-EntityId"],
    }
    answer = dataverse.post("accounts", json=row)
    assert answer.status_code == 204, answer.text
    place: str = answer.headers["OData-EntityId"]
    return place


@pytest.mark.protocol("query: annotations", "D")
def test_formatted_values_by_type(dataverse: httpx.Client, annotated_account: str) -> None:
    row = get(dataverse, annotated_account, Prefer='odata.include-annotations="*"')
    formatted = {
        "creditlimit": "£1,234,567.89",
        "numberofemployees": "12,345",
        "customertypecode": "Customer",
        "donotemail": "Yes",
        "donotfax": "No",
        "statecode": "Active",
        "lastusedincampaign": "4/7/2026 2:59 PM",
        "_msdyn_company_value": "US",
        "_transactioncurrencyid_value": "Pound",
    }
    assert {name: row.get(f"{name}@{FORMATTED}") for name in formatted} == formatted
    assert f"name@{FORMATTED}" not in row
    assert f"accountid@{FORMATTED}" not in row
    assert f"description@{FORMATTED}" not in row  # null
    assert row[f"_msdyn_company_value@{LOOKUP}"] == "cdm_company"
    assert row[f"_msdyn_company_value@{NAVIGATION}"] == "msdyn_company"
    assert row[f"_ownerid_value@{LOOKUP}"] == "systemuser"
    assert row[f"_ownerid_value@{NAVIGATION}"] == "ownerid"
    names = list(row)
    assert names.index("creditlimit") == names.index(f"creditlimit@{FORMATTED}") + 1
    price = {"name": "P", "begindate": "2026-04-07"}
    place = dataverse.post("pricelevels", json=price).headers["OData-EntityId"]
    dated = get(dataverse, place, Prefer='odata.include-annotations="*"')
    assert dated[f"begindate@{FORMATTED}"] == "4/7/2026"


@pytest.mark.protocol("query: annotations", "D")
def test_which_annotations_are_asked_for(dataverse: httpx.Client, annotated_account: str) -> None:
    def kinds(pattern: str) -> set[str]:
        prefer = f'odata.include-annotations="{pattern}"'
        answer = dataverse.get("accounts?$filter=name eq 'A'", headers={"Prefer": prefer})
        assert answer.headers["Preference-Applied"] == prefer
        body = answer.json()
        return {name.rpartition("@")[2] for name in [*body, *body["value"][0]] if "@" in name} - {
            "odata.context",
            "odata.etag",
        }

    crm = {
        LOOKUP,
        NAVIGATION,
        "Microsoft.Dynamics.CRM.totalrecordcount",
        "Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded",
        "Microsoft.Dynamics.CRM.globalmetadataversion",
    }
    assert kinds("*") == crm | {FORMATTED}
    assert kinds(FORMATTED) == {FORMATTED}
    assert kinds(f"{LOOKUP},{NAVIGATION}") == {LOOKUP, NAVIGATION}
    assert kinds("Microsoft.Dynamics.CRM.*") == crm
    assert kinds("OData.Community.*") == {FORMATTED}
    assert kinds("*,-Microsoft.Dynamics.CRM.*") == {FORMATTED}
    assert kinds(f"-*,{FORMATTED}") == {FORMATTED}
    assert kinds("-*") == set()
    assert kinds("Microsoft.Dynamics.CRM.morerecords") == {"Microsoft.Dynamics.CRM.morerecords"}
    assert not any("@OData" in name for name in get(dataverse, annotated_account))


@pytest.mark.protocol("query: annotations", "D")
def test_annotations_beneath_and_several_preferences(dataverse: httpx.Client, annotated_account: str) -> None:
    expand = f"{annotated_account}?$select=name&$expand=msdyn_company($select=statecode)"
    row = get(dataverse, expand, Prefer='odata.include-annotations="*"')
    assert row["msdyn_company"][f"statecode@{FORMATTED}"] == "Active"
    assert not any(name.startswith("_msdyn_company_value") for name in row)
    headers = [("Prefer", "odata.maxpagesize=1"), ("Prefer", f'odata.include-annotations="{FORMATTED}"')]
    answer = dataverse.get("accounts?$select=name,statecode", headers=headers)
    assert f"statecode@{FORMATTED}" in answer.json()["value"][0]
    assert len(answer.json()["value"]) == 1
    applied = f'odata.maxpagesize=1, odata.include-annotations="{FORMATTED}"'
    assert answer.headers["Preference-Applied"] == applied
