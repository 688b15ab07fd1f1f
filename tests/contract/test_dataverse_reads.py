"""Lists, pages, filters, $expand, annotations, conditional reads (protocol 1.3, 1.4)."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote, unquote

import httpx
import pytest

NAMES = ["Alpha", "alphabet", "Beta 100%", "Beta 1000", "Öberg", "öl", "O'Brien", None, "a_c", "abc"]


@pytest.fixture
def accounts(dataverse: httpx.Client) -> list[str]:
    ids = []
    for number, name in enumerate(NAMES):
        body: dict[str, Any] = {"accountnumber": f"A{number}", "creditlimit": number}
        answer = dataverse.post("accounts", json=body | ({"name": name} if name else {}))
        assert answer.status_code == 204, answer.text
        ids.append(answer.headers["OData-EntityId"][-37:-1])
    return ids


def names(answer: httpx.Response) -> set[str | None]:
    assert answer.status_code == 200, answer.text
    return {row["name"] for row in answer.json()["value"]}


def pages(client: httpx.Client, url: str, size: int) -> Iterator[dict[str, Any]]:
    link: str | None = url
    while link is not None:
        answer = client.get(link, headers={"Prefer": f"odata.maxpagesize={size}"})
        assert answer.status_code == 200, answer.text
        body = answer.json()
        yield body
        link = body.get("@odata.nextLink")


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("name eq 'ALPHA'", {"Alpha"}),
        ("name eq 'öBERG'", {"Öberg"}),
        ("name eq 'O''Brien'", {"O'Brien"}),
        ("contains(name,'ALPHA')", {"Alpha", "alphabet"}),
        ("startswith(name,'ö')", {"Öberg", "öl"}),
        ("endswith(name,'100%')", {"Beta 100%", "Beta 1000"}),  # % is a wildcard [D filter-rows]
        ("contains(name,'[o]l')", set()),
        ("name eq 'a_c'", {"a_c", "abc"}),
        ("name eq null", {None}),
        ("name ne 'Alpha' and startswith(name,'a')", {"alphabet", "a_c", "abc"}),
        ("not contains(name,'a') and creditlimit ge 4", {"Öberg", "öl", "O'Brien"}),
        ("creditlimit gt 2.5 and creditlimit lt 4", {"Beta 1000"}),
        ("name in ('Alpha','öl')", {"Alpha", "öl"}),
        (
            "Microsoft.Dynamics.CRM.In(PropertyName='accountnumber',PropertyValues=['A0','A4'])",
            {"Alpha", "Öberg"},
        ),
    ],
)
def test_filters(
    dataverse: httpx.Client, accounts: list[str], condition: str, expected: set[str | None]
) -> None:
    assert names(dataverse.get("accounts", params={"$select": "name", "$filter": condition})) == expected


def test_null_is_not_returned_by_ne(dataverse: httpx.Client, accounts: list[str]) -> None:
    """[D], by the text of the documentation."""
    assert None not in names(dataverse.get("accounts?$select=name&$filter=name ne 'x'"))


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("$filter=name eq 'x", "There is an unterminated literal at position 10 in 'name eq 'x'."),
        (
            "$filter=nam eq 'x'",
            "Could not find a property named 'nam' on type 'Microsoft.Dynamics.CRM.account'.",
        ),
        ("$select=nam", "Could not find a property named 'nam' on type 'Microsoft.Dynamics.CRM.account'."),
        ("$skip=5", "Skip Clause is not supported in CRM."),
        ("$select=msdyn_company", "navigation property"),
        ("$skiptoken=nonsense", "Malformed XML in the Paging Cookie"),
    ],
)
def test_refused_queries(dataverse: httpx.Client, query: str, message: str) -> None:
    answer = dataverse.get(f"accounts?{query}")
    assert answer.status_code == 400
    assert message in answer.json()["error"]["message"]
    assert answer.json()["error"]["code"].startswith("0x")


def test_unknown_set_is_not_found(dataverse: httpx.Client) -> None:
    answer = dataverse.get("unicorns")
    assert answer.status_code == 404
    assert "unicorns" in answer.json()["error"]["message"]


def test_select_answers_the_primary_id_and_the_currency_of_money(
    dataverse: httpx.Client, accounts: list[str]
) -> None:
    row = dataverse.get("accounts?$select=creditlimit&$top=1").json()["value"][0]
    assert set(row) == {"@odata.etag", "creditlimit", "accountid", "_transactioncurrencyid_value"}


def test_pages_hold_every_row_once(dataverse: httpx.Client, accounts: list[str]) -> None:
    found = [
        row["accountid"] for page in pages(dataverse, "accounts?$select=name", 3) for row in page["value"]
    ]
    assert sorted(found) == sorted(accounts)


def test_ordered_pages_go_on_where_they_ended(dataverse: httpx.Client, accounts: list[str]) -> None:
    url = "accounts?$select=accountnumber&$orderby=creditlimit desc"
    found = [row["accountnumber"] for page in pages(dataverse, url, 4) for row in page["value"]]
    assert found == [f"A{number}" for number in reversed(range(len(NAMES)))]


@pytest.mark.parametrize(
    "encode",
    [
        lambda token: token,
        lambda token: quote(unquote(token), safe=""),
        lambda token: quote(unquote(token), safe="").replace("%20", "+"),
        lambda token: quote(token, safe=""),
        lambda token: unquote(token).replace("=", "%3D").replace(" ", "+"),
    ],
    ids=["as it is", "all", "plus", "twice", "some"],
)
def test_next_links_survive_re_encoding(
    dataverse: httpx.Client, accounts: list[str], encode: Callable[[str], str]
) -> None:
    """[R]: clients re-encode the token; a parser of the raw form looped forever."""
    first = dataverse.get("accounts?$select=name", headers={"Prefer": "odata.maxpagesize=6"}).json()
    link, _, token = first["@odata.nextLink"].partition("$skiptoken=")
    raw = httpx.URL(link + "%24skiptoken=").copy_with(
        query=(link.partition("?")[2] + "%24skiptoken=" + encode(token)).encode()
    )
    second = dataverse.get(raw, headers={"Prefer": "odata.maxpagesize=6"}).json()
    found = [row["accountid"] for row in first["value"] + second["value"]]
    assert sorted(found) == sorted(accounts)
    assert "@odata.nextLink" not in second


def test_the_token_is_a_cookie(dataverse: httpx.Client, accounts: list[str]) -> None:
    """Its form to the letter: `=` and `/` plain, the inner cookie encoded twice with lower-case digits."""
    body = dataverse.get("accounts", headers={"Prefer": "odata.maxpagesize=2"}).json()
    first, last = (row["accountid"].upper() for row in body["value"])
    inner = (
        "%253ccookie%2520page%253d%25221%2522%253e%253caccountid%2520"
        f"last%253d%2522%257b{last}%257d%2522%2520first%253d%2522%257b{first}%257d%2522%2520%252f%253e"
        "%253c%252fcookie%253e"
    )
    token = f"%3Ccookie%20pagenumber=%222%22%20pagingcookie=%22{inner}%22%20istracking=%22False%22%20/%3E"
    assert body["@odata.nextLink"].endswith(f"/api/data/v9.2/accounts?$skiptoken={token}")


def test_top_and_count(dataverse: httpx.Client, accounts: list[str]) -> None:
    body = dataverse.get("accounts?$top=3&$count=true").json()
    assert (len(body["value"]), body["@odata.count"]) == (3, len(NAMES))
    assert "@odata.nextLink" not in body
    assert dataverse.get("accounts/$count").text == str(len(NAMES))
    assert dataverse.get("accounts/$count?$filter=startswith(name,'a')").text == "4"


def test_top_is_ignored_with_a_page_size(dataverse: httpx.Client, accounts: list[str]) -> None:
    body = dataverse.get("accounts?$top=1", headers={"Prefer": "odata.maxpagesize=4"}).json()
    assert len(body["value"]) == 4
    assert "@odata.nextLink" in body


def test_expand_single_and_collection(dataverse: httpx.Client) -> None:
    company = dataverse.post("cdm_companies", json={"cdm_companycode": "USPM", "cdm_name": "US"})
    place = company.headers["OData-EntityId"]
    for number in ("1", "2"):
        body = {"accountnumber": number, "name": f"C{number}", "msdyn_company@odata.bind": place}
        assert dataverse.post("accounts", json=body).status_code == 204
    dataverse.post("accounts", json={"name": "alone"})
    rows = dataverse.get(
        "accounts?$select=name&$expand=msdyn_company($select=cdm_companycode)&$orderby=name"
    ).json()["value"]
    assert [row["msdyn_company"] and row["msdyn_company"]["cdm_companycode"] for row in rows] == [
        None,
        "USPM",
        "USPM",
    ]
    assert all("_msdyn_company_value" not in row for row in rows)
    many = "cdm_company_account_msdyn_company"
    row = dataverse.get(f"{place}?$expand={many}($select=name;$orderby=name desc;$top=1)").json()
    assert [child["name"] for child in row[many]] == ["C2"]
    everything = dataverse.get(row[f"{many}@odata.nextLink"]).json()["value"]
    assert [child["name"] for child in everything] == ["C2"]
    paths = dataverse.get("accounts?$select=name&$filter=msdyn_company/cdm_companycode eq 'uspm'")
    assert names(paths) == {"C1", "C2"}
    some = dataverse.get(f"cdm_companies?$filter={many}/any(a:a/name eq 'c2')").json()["value"]
    assert len(some) == 1


def test_annotations(dataverse: httpx.Client) -> None:
    company = dataverse.post("cdm_companies", json={"cdm_companycode": "USPM", "cdm_name": "Contoso US"})
    bound = {"name": "A", "msdyn_company@odata.bind": company.headers["OData-EntityId"]}
    place = dataverse.post("accounts", json=bound).headers["OData-EntityId"]
    answer = dataverse.get(place, headers={"Prefer": 'odata.include-annotations="*"'})
    row = answer.json()
    assert row["statecode@OData.Community.Display.V1.FormattedValue"] == "Active"
    assert row["_msdyn_company_value@Microsoft.Dynamics.CRM.lookuplogicalname"] == "cdm_company"
    assert row["_msdyn_company_value@Microsoft.Dynamics.CRM.associatednavigationproperty"] == "msdyn_company"
    assert answer.headers["Preference-Applied"] == 'odata.include-annotations="*"'
    assert not any("FormattedValue" in name for name in dataverse.get(place).json())
    listed = dataverse.get("accounts", headers={"Prefer": 'odata.include-annotations="*"'}).json()
    assert listed["@Microsoft.Dynamics.CRM.totalrecordcount"] == -1


def test_conditional_read(dataverse: httpx.Client, accounts: list[str]) -> None:
    place = f"accounts({accounts[0]})"
    etag = dataverse.get(place).headers["ETag"]
    assert etag.startswith('W/"')
    assert dataverse.get(place, headers={"If-None-Match": etag}).status_code == 304
    assert dataverse.get(place, headers={"If-None-Match": "null"}).status_code == 200
    assert dataverse.get(f"{place}?$expand=msdyn_company", headers={"If-None-Match": etag}).status_code == 200


def test_one_property_and_navigation(dataverse: httpx.Client, accounts: list[str]) -> None:
    assert dataverse.get(f"accounts({accounts[0]})/name").json()["value"] == "Alpha"
    assert dataverse.get(f"accounts({accounts[7]})/name").status_code == 204
    assert dataverse.get(f"accounts({accounts[0]})/msdyn_company").status_code == 204
    assert dataverse.get(f"accounts({accounts[0]})/nonsense").status_code == 404


def test_headers_of_an_answer(dataverse: httpx.Client) -> None:
    answer = dataverse.get("accounts")
    assert answer.headers["OData-Version"] == "4.0"
    assert answer.headers["Content-Type"] == "application/json; odata.metadata=minimal"
    for name in ("x-ms-service-request-id", "REQ_ID", "x-ms-dop-hint"):
        assert answer.headers[name]
