"""$apply: groups, aggregates, what they look like on the wire, what is refused (protocol 1.3)."""

from decimal import Decimal
from typing import Any

import httpx
import msgspec
import pytest

FORMATTED = "OData.Community.Display.V1.FormattedValue"
ANNOTATED = {"Prefer": 'odata.include-annotations="*"'}
ROWS: list[dict[str, Any]] = [
    {"name": "Alpha", "creditlimit": "99999999999.9999", "numberofemployees": 1, "customertypecode": 1},
    {"name": "ALPHA", "creditlimit": "0.0001", "numberofemployees": 2, "customertypecode": 1},
    {"name": "beta", "creditlimit": "0.5", "numberofemployees": 2, "customertypecode": 3},
    {"name": "gamma", "creditlimit": "10", "customertypecode": 3},
    {"name": "delta"},
]
_decode = msgspec.json.Decoder(float_hook=Decimal).decode


@pytest.fixture
def accounts(dataverse: httpx.Client) -> str:
    """Five accounts, the first two with a company; the address of that company."""
    company = dataverse.post("cdm_companies", json={"cdm_companycode": "USPM", "cdm_name": "US"})
    place = company.headers["OData-EntityId"]
    for number, row in enumerate(ROWS):
        body = row | ({"msdyn_company@odata.bind": place} if number < 2 else {})
        text = msgspec.json.encode(
            body | {"creditlimit": msgspec.Raw(row.get("creditlimit", "null").encode())}
        )
        answer = dataverse.post("accounts", content=text, headers={"Content-Type": "application/json"})
        assert answer.status_code == 204, answer.text
    return place


def applied(client: httpx.Client, apply: str, **options: str) -> list[dict[str, Any]]:
    answer = client.get("accounts", params={"$apply": apply} | options)
    assert answer.status_code == 200, answer.text
    body = _decode(answer.content)
    assert body["@odata.context"].endswith("/api/data/v9.2/$metadata#accounts")
    rows: list[dict[str, Any]] = body["value"]
    return rows


@pytest.mark.protocol("query: apply", "D")
def test_groups_and_aggregates(dataverse: httpx.Client, accounts: str) -> None:
    assert applied(dataverse, "groupby((customertypecode))") == [
        {},
        {"customertypecode": 1},
        {"customertypecode": 3},
    ]
    # Keys before results, no etag, and a key without a value is left out.
    assert applied(dataverse, "groupby((customertypecode),aggregate($count as n))") == [
        {"n": 1},
        {"customertypecode": 1, "n": 2},
        {"customertypecode": 3, "n": 2},
    ]
    sums = "aggregate(creditlimit with sum as total,creditlimit with min as low,creditlimit with max as high)"
    assert applied(dataverse, sums) == [
        {
            "total": Decimal("100000000010.5"),
            "low": Decimal("0.0001"),
            "high": Decimal("99999999999.9999"),
        }
    ]
    assert applied(dataverse, "aggregate(numberofemployees with sum as n)") == [{"n": 5}]
    filtered = "filter(creditlimit lt 100)/groupby((customertypecode),aggregate(creditlimit with sum as t))"
    assert applied(dataverse, filtered) == [
        {"customertypecode": 1, "t": Decimal("0.0001")},
        {"customertypecode": 3, "t": Decimal("10.5")},
    ]
    twice = "filter(creditlimit lt 100)/filter(contains(name,'a)'))/aggregate($count as n)"
    assert applied(dataverse, twice) == [{"n": 0}]


@pytest.mark.protocol("query: apply", "D")
def test_groups_by_lookups_paths_and_text(dataverse: httpx.Client, accounts: str) -> None:
    by_lookup = applied(dataverse, "groupby((_msdyn_company_value),aggregate($count as n))")
    assert [row["n"] for row in by_lookup] == [3, 2]
    assert by_lookup[1]["_msdyn_company_value"] in accounts
    # A property of another table is named after that table, and stands behind the results.
    by_path = applied(
        dataverse, "groupby((msdyn_company/cdm_companycode),aggregate(creditlimit with max as high))"
    )
    assert list(by_path[1].items()) == [
        ("high", Decimal("99999999999.9999")),
        ("cdm_company_cdm_companycode", "USPM"),
    ]
    # Text groups without case, as it compares.
    by_name = applied(dataverse, "groupby((name),aggregate($count as n))", **{"$orderby": "name desc"})
    assert [(row["name"].lower(), row["n"]) for row in by_name] == [
        ("gamma", 1),
        ("delta", 1),
        ("beta", 1),
        ("alpha", 2),
    ]


@pytest.mark.protocol("query: apply", "?")
def test_averages_nulls_and_distinct_values(dataverse: httpx.Client, accounts: str) -> None:
    found = applied(
        dataverse,
        "aggregate(numberofemployees with average as mean,numberofemployees with countdistinct as different)",
    )
    assert found == [{"mean": Decimal("1.666666667"), "different": 2}]
    none = (
        "filter(name eq 'delta')/aggregate(creditlimit with sum as total,creditlimit with average as average)"
    )
    assert applied(dataverse, none) == [{"total": None, "average": None}]
    narrowed = applied(dataverse, "aggregate($count as n)", **{"$filter": "startswith(name,'a')"})
    assert narrowed == [{"n": 2}]


@pytest.mark.protocol("query: apply", "D")
@pytest.mark.protocol("query: annotations", "D")
def test_formatted_aggregates(dataverse: httpx.Client, accounts: str) -> None:
    apply = (
        "groupby((customertypecode),aggregate($count as n,creditlimit with sum as total,"
        "createdon with max as last))"
    )
    answer = dataverse.get("accounts", params={"$apply": apply}, headers=ANNOTATED)
    row = answer.json()["value"][2]
    assert row[f"customertypecode@{FORMATTED}"] == "Customer"
    assert (row[f"n@{FORMATTED}"], row[f"total@{FORMATTED}"]) == ("2", "$10.50")
    assert row[f"last@{FORMATTED}"].endswith("M")
    assert list(row)[:2] == [f"customertypecode@{FORMATTED}", "customertypecode"]


def test_groups_in_pages(dataverse: httpx.Client, accounts: str) -> None:
    names, link = [], "accounts?$apply=groupby((name))"
    while link:
        body = dataverse.get(link, headers={"Prefer": "odata.maxpagesize=3"}).json()
        names += [row["name"].lower() for row in body["value"]]
        link = body.get("@odata.nextLink", "")
    assert names == ["alpha", "beta", "delta", "gamma"]
    assert len(applied(dataverse, "groupby((name))", **{"$top": "2"})) == 2


@pytest.mark.protocol("query: apply", "D")
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"$apply": "groupby((name),aggregate($count as n))", "$orderby": "n"},
            "The query node SingleValueOpenPropertyAccess is not supported",
        ),
        ({"$apply": "groupby((createdon))"}, "date and time values is not supported"),
        ({"$apply": "aggregate(name with sum as n)"}, "cannot aggregate 'name'"),
        ({"$apply": "aggregate(creditlimit with median as n)"}, "'median' is not supported"),
        ({"$apply": "aggregate(nonsense with sum as n)"}, "Could not find a property named 'nonsense'"),
        ({"$apply": "groupby((name))/filter(name eq 'x')"}, "$apply takes filter transformations"),
        ({"$apply": "topcount(3,creditlimit)"}, "'topcount' is not supported"),
        ({"$apply": "groupby((name),aggregate($count as name))"}, "names a result twice"),
        ({"$apply": "groupby(name)"}, "Syntax error at position 8"),
        ({"$apply": "groupby((name"}, "')' expected"),
        ({"$apply": ""}, "$apply takes"),
        ({"$apply": "groupby((name))", "$select": "name"}, "'$select' is not supported together"),
    ],
)
def test_refused_aggregations(dataverse: httpx.Client, options: dict[str, str], message: str) -> None:
    answer = dataverse.get("accounts", params=options)
    assert answer.status_code == 400
    assert message in answer.json()["error"]["message"]


@pytest.mark.protocol("query: apply", "D")
@pytest.mark.protocol("query: count", "D")
@pytest.mark.protocol("query: page", "D")
def test_limits_of_large_tables(dataverse: httpx.Client, control: httpx.Client) -> None:
    """50,000 rows are aggregated and no more; pages and counts end at 5,000."""
    assert control.post("/sandbox/reset", json={"seed": "scale:50001"}, timeout=120).is_success
    refused = dataverse.get("msdyn_actuals", params={"$apply": "aggregate($count as n)"})
    assert (refused.status_code, refused.json()["error"]) == (
        400,
        {
            "code": "0x8004e023",
            "message": "AggregateQueryRecordLimit exceeded. Cannot perform this operation.",
        },
    )
    sql = dataverse.get("msdyn_actuals", params={"sql": "SELECT COUNT(*) AS n FROM msdyn_actual"})
    assert sql.json()["error"]["code"] == "0x8004e023"
    headers = {"Prefer": 'odata.include-annotations="Microsoft.Dynamics.CRM.*"'}
    page = dataverse.get("msdyn_actuals?$select=msdyn_actualid&$count=true", headers=headers).json()
    assert (len(page["value"]), page["@odata.count"]) == (5000, 5000)
    assert page["@Microsoft.Dynamics.CRM.totalrecordcount"] == 5000
    assert page["@Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded"] is True
    assert "@odata.nextLink" in page
    assert dataverse.get("msdyn_actuals/$count").text == "5000"
    last = page["value"][-1]["msdyn_actualid"]
    some = f"filter(msdyn_actualid le {last})/aggregate($count as n)"
    counted = dataverse.get("msdyn_actuals", params={"$apply": some})
    assert counted.json()["value"] == [{"n": 5000}]
    total = dataverse.get("RetrieveTotalRecordCount(EntityNames=['msdyn_actual'])").json()
    assert total["EntityRecordCountCollection"]["Values"][0] >= 50_001
