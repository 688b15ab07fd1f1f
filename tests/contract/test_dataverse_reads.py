"""Lists, pages and their tokens, columns, counts, conditional reads (protocol 1.3, 1.4)."""

import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote, unquote

import httpx
import pytest

NAMES = ["Alpha", "alphabet", "Beta 100%", "Beta 1000", "Öberg", "öl", "O'Brien", None, "a_c", "abc"]

COOKIE = '<cookie pagenumber="2" pagingcookie="{}" istracking="False" />'


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


@pytest.mark.protocol("query: select", "D")
@pytest.mark.protocol("query: page", "D")
@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("$select=nam", "Could not find a property named 'nam' on type 'Microsoft.Dynamics.CRM.account'."),
        ("$skip=5", "Skip Clause is not supported in CRM."),
        ("$select=msdyn_company", "navigation property"),
        ("$skiptoken=nonsense", "Malformed XML in the Paging Cookie"),
        ("$orderby=name&$skiptoken=" + quote(COOKIE.format('<offset last="x" />')), "Malformed XML"),
        (
            "$skiptoken=" + quote('<cookie pagenumber="x" pagingcookie="" istracking="False" />'),
            "Malformed XML",
        ),
        ("$top=-1", "requires a non-negative integer value"),
        ("$orderby=nam", "Could not find a property named 'nam'"),
        ("$search=x", "not supported"),
        ("$Select=name", "The query parameter $Select is not supported"),
        ("$compute=name as n", "The query parameter $compute is not supported"),
        ("$count=maybe", "Invalid value 'maybe' for $count"),
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
    assert answer.json()["error"] == {
        "code": "0x8006088a",
        "message": "Resource not found for the segment 'unicorns'.",
    }


@pytest.mark.protocol("query: select", "D")
def test_select_answers_the_primary_id_and_the_currency_of_money(
    dataverse: httpx.Client, accounts: list[str]
) -> None:
    row = dataverse.get("accounts?$select=creditlimit&$top=1").json()["value"][0]
    assert set(row) == {"@odata.etag", "creditlimit", "accountid", "_transactioncurrencyid_value"}


@pytest.mark.protocol("query: page", "D")
def test_pages_hold_every_row_once(dataverse: httpx.Client, accounts: list[str]) -> None:
    found = [
        row["accountid"] for page in pages(dataverse, "accounts?$select=name", 3) for row in page["value"]
    ]
    assert sorted(found) == sorted(accounts)


@pytest.mark.protocol("query: page", "D")
def test_ordered_pages_go_on_where_they_ended(dataverse: httpx.Client, accounts: list[str]) -> None:
    url = "accounts?$select=accountnumber&$orderby=creditlimit desc"
    found = [row["accountnumber"] for page in pages(dataverse, url, 4) for row in page["value"]]
    assert found == [f"A{number}" for number in reversed(range(len(NAMES)))]


@pytest.mark.protocol("query: skip token", "R")
@pytest.mark.parametrize(
    "encode",
    [
        lambda token: token,
        lambda token: quote(unquote(token), safe=""),
        lambda token: quote(unquote(token), safe="").replace("%20", "+"),
        lambda token: quote(token, safe=""),
        lambda token: unquote(token).replace("=", "%3D").replace(" ", "+"),
        lambda token: quote(quote(token, safe=""), safe=""),
        lambda token: re.sub("%[0-9A-F]{2}", lambda code: code[0].lower(), token),
        lambda token: unquote(unquote(token)).replace("%", "%25").replace('"', "%22").replace("<", "%3C"),
    ],
    ids=["as it is", "all", "plus", "twice", "some", "three times", "lower case", "decoded"],
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


@pytest.mark.protocol("query: skip token", "D")
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


@pytest.mark.protocol("query: skip token", "R")
def test_an_altered_link_does_not_lead_back_to_the_first_page(
    dataverse: httpx.Client, accounts: list[str]
) -> None:
    prefer = "odata.maxpagesize=2"
    link = dataverse.get("accounts", headers={"Prefer": prefer}).json()["@odata.nextLink"]
    cut = link.replace("last", "lost")
    for address, wanted in (
        (cut, prefer),
        (f"{link}&$orderby=name", prefer),
        (link, f"{prefer},odata.track-changes"),
        (f"{link}&$apply=groupby((name))", prefer),
    ):
        answer = dataverse.get(address, headers={"Prefer": wanted})
        assert answer.status_code == 400, address
        assert "Paging Cookie" in answer.json()["error"]["message"]


@pytest.mark.protocol("query: count", "D")
def test_top_and_count(dataverse: httpx.Client, accounts: list[str]) -> None:
    body = dataverse.get("accounts?$top=3&$count=true").json()
    assert (len(body["value"]), body["@odata.count"]) == (3, len(NAMES))
    assert "@odata.nextLink" not in body
    assert dataverse.get("accounts/$count").text == str(len(NAMES))
    assert dataverse.get("accounts/$count?$filter=startswith(name,'a')").text == "4"
    for prefer in ('"*"', '"Microsoft.Dynamics.CRM.*"'):
        headers = {"Prefer": f"odata.include-annotations={prefer}"}
        counted = dataverse.get("accounts?$top=3&$count=true", headers=headers).json()
        assert counted["@Microsoft.Dynamics.CRM.totalrecordcount"] == len(NAMES)
        assert counted["@Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded"] is False


@pytest.mark.protocol("query: page", "D")
def test_top_is_ignored_with_a_page_size(dataverse: httpx.Client, accounts: list[str]) -> None:
    body = dataverse.get("accounts?$top=1", headers={"Prefer": "odata.maxpagesize=4"}).json()
    assert len(body["value"]) == 4
    assert "@odata.nextLink" in body


@pytest.mark.protocol("write: conditional read", "D")
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
