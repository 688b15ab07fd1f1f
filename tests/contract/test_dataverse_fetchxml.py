"""`?fetchXml=`: what it takes, what its rows look like, what it refuses (protocol 1.3)."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote
from xml.etree import ElementTree
from xml.sax.saxutils import quoteattr

import httpx
import pytest

FORMATTED = "OData.Community.Display.V1.FormattedValue"
ATTRIBUTE = "OData.Community.Display.V1.AttributeName"
CRM = "Microsoft.Dynamics.CRM"
PAGING = {"Prefer": f'odata.include-annotations="{CRM}.fetchxmlpagingcookie,{CRM}.morerecords"'}
ALL = {"Prefer": 'odata.include-annotations="*"'}


@pytest.fixture
def accounts(dataverse: httpx.Client) -> str:
    """Five accounts, two of one company, two beneath the first; return the first one's GUID."""
    company = dataverse.post("cdm_companies", json={"cdm_companycode": "USPM", "cdm_name": "US"})
    place = company.headers["OData-EntityId"]
    first = "0d3a1a5e-0000-4000-8000-0000000000f1"
    below = {"parentaccountid@odata.bind": f"accounts({first})"}
    rows: list[dict[str, Any]] = [
        {
            "accountid": first,
            "name": "Alpha",
            "creditlimit": 10,
            "numberofemployees": 1,
            "msdyn_company@odata.bind": place,
        },
        {
            "name": "alpine",
            "creditlimit": 30,
            "numberofemployees": 2,
            "msdyn_company@odata.bind": place,
            **below,
        },
        {"name": "50%off", "creditlimit": 5, "numberofemployees": 2, "description": "O'Brien & Co", **below},
        {"name": "Zulu", "accountnumber": "Z"},
        {"name": "Tango", "accountnumber": "Tango"},
    ]
    for row in rows:
        assert dataverse.post("accounts", json=row).status_code == 204
    return first


def ask(client: httpx.Client, xml: str, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    answer = client.get("accounts", params={"fetchXml": xml}, headers=headers)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def names_of(client: httpx.Client, inside: str) -> list[str]:
    head = "<fetch><entity name='account'><attribute name='name'/><order attribute='name'/>"
    return [row["name"] for row in ask(client, f"{head}{inside}</entity></fetch>")["value"]]


def conditioned(*conditions: str) -> str:
    return f"<filter>{''.join(f'<condition {condition}' for condition in conditions)}</filter>"


@pytest.mark.protocol("query: fetchxml", "D")
def test_rows_look_like_those_of_a_list(dataverse: httpx.Client, accounts: str) -> None:
    xml = (
        "<fetch top='2'><entity name='account'><attribute name='name'/><attribute name='parentaccountid'/>"
        "<attribute name='creditlimit' alias='limit'/>"
        "<order attribute='creditlimit' descending='true'/></entity></fetch>"
    )
    body = ask(dataverse, xml)
    assert list(body) == ["@odata.context", "value"]
    assert body["@odata.context"].endswith(
        "/api/data/v9.2/$metadata#accounts(name,_parentaccountid_value,parentaccountid,"
        "_transactioncurrencyid_value,transactioncurrencyid,accountid,parentaccountid(),transactioncurrencyid())"
    )
    first, second = body["value"]
    assert first["name"] == "alpine" and first["_parentaccountid_value"] == accounts
    assert list(second) == ["@odata.etag", "name", "limit", "accountid"]  # nulls are left out
    assert second["@odata.etag"] == dataverse.get(f"accounts({accounts})").headers["ETag"]
    annotated = ask(dataverse, xml, ALL)["value"][0]
    assert annotated[f"_parentaccountid_value@{FORMATTED}"] == "Alpha"
    assert annotated[f"limit@{ATTRIBUTE}"] == "creditlimit" and annotated[f"limit@{FORMATTED}"] == "$30.00"
    every = ask(dataverse, "<fetch top='1'><entity name='account'><all-attributes/></entity></fetch>")
    assert every["value"][0].keys() >= {"accountid", "createdon", "statecode", "_ownerid_value"}


@pytest.mark.protocol("query: fetchxml", "D")
def test_operators(dataverse: httpx.Client, accounts: str) -> None:
    expected = {
        "attribute='name' operator='eq' value='ALPHA'/>": ["Alpha"],
        "attribute='name' operator='eq' value='5_%off'/>": [],
        "attribute='name' operator='like' value='alp%'/>": ["Alpha", "alpine"],
        "attribute='name' operator='not-like' value='%p%'/>": ["50%off", "Tango", "Zulu"],
        "attribute='name' operator='begins-with' value='al'/>": ["Alpha", "alpine"],
        "attribute='name' operator='not-begin-with' value='al'/>": ["50%off", "Tango", "Zulu"],
        "attribute='name' operator='ends-with' value='O'/>": ["Tango"],
        "attribute='name' operator='not-end-with' value='o'/>": ["50%off", "Alpha", "alpine", "Zulu"],
        "attribute='creditlimit' operator='ge' value='10.0'/>": ["Alpha", "alpine"],
        "attribute='numberofemployees' operator='ne' value='1'/>": ["50%off", "alpine"],
        "attribute='numberofemployees' operator='in'><value>1</value><value>3</value></condition>": ["Alpha"],
        "attribute='name' operator='not-in'><value>alpha</value><value>zulu</value></condition>": [
            "50%off",
            "alpine",
            "Tango",
        ],
        "attribute='creditlimit' operator='between'><value>5</value><value>10</value></condition>": [
            "50%off",
            "Alpha",
        ],
        "attribute='creditlimit' operator='null'/>": ["Tango", "Zulu"],
        "attribute='creditlimit' operator='not-null'/>": ["50%off", "Alpha", "alpine"],
        "attribute='createdon' operator='yesterday'/>": [],
        "attribute='createdon' operator='olderthan-x-minutes' value='5'/>": [],
        "attribute='description' operator='eq' value=\"O'Brien &amp; Co\"/>": ["50%off"],
        "attribute='name' operator='eq' valueof='accountnumber'/>": ["Tango"],
        f"attribute='parentaccountid' operator='eq' value='{{{accounts.upper()}}}'/>": ["50%off", "alpine"],
        f"attribute='accountid' operator='eq-or-under' value='{accounts}'/>": ["50%off", "Alpha", "alpine"],
    }
    assert {each: names_of(dataverse, conditioned(each)) for each in expected} == expected
    everything = conditioned(
        "attribute='createdon' operator='today'/>",
        "attribute='createdon' operator='last-x-days' value='2'/>",
        "attribute='createdon' operator='this-fiscal-year'/>",
        "attribute='createdon' operator='on-or-after' value='2020-01-01'/>",
        "attribute='ownerid' operator='eq-userid'/>",
        "attribute='statecode' operator='eq' value='0'/>",
    )
    assert len(names_of(dataverse, everything)) == 5
    either = (
        "<filter type='or'><condition attribute='name' operator='eq' value='zulu'/>"
        "<filter><condition attribute='name' operator='like' value='a%'/>"
        "<condition attribute='creditlimit' operator='lt' value='20'/></filter></filter>"
    )
    assert names_of(dataverse, either) == ["Alpha", "Zulu"]


@pytest.mark.protocol("query: fetchxml", "D")
def test_links(dataverse: httpx.Client, accounts: str) -> None:
    def link(columns: str, kind: str, inside: str) -> str:
        return f"<link-entity name='account' {columns} link-type='{kind}'>{inside}</link-entity>"

    def parent(kind: str, inside: str = "") -> str:
        return link("from='accountid' to='parentaccountid' alias='up'", kind, inside)

    def children(kind: str, inside: str = "") -> str:
        return link("from='parentaccountid' to='accountid'", kind, inside)

    cheap = conditioned("attribute='creditlimit' operator='lt' value='1'/>")
    assert names_of(dataverse, parent("inner")) == ["50%off", "alpine"]
    assert len(names_of(dataverse, parent("outer", cheap))) == 5
    assert names_of(
        dataverse, parent("outer") + conditioned("entityname='up' attribute='name' operator='null'/>")
    ) == [
        "Alpha",
        "Tango",
        "Zulu",
    ]
    assert names_of(dataverse, children("exists")) == names_of(dataverse, children("in")) == ["Alpha"]
    assert names_of(dataverse, f"<filter>{children('any', cheap)}</filter>") == []
    assert names_of(dataverse, f"<filter>{children('all', cheap)}</filter>") == ["Alpha"]
    assert names_of(dataverse, f"<filter>{children('not any')}</filter>") == [
        "50%off",
        "alpine",
        "Tango",
        "Zulu",
    ]
    either = conditioned("attribute='name' operator='eq' value='Zulu'/>").replace(
        "</filter>", children("any")
    )
    assert names_of(dataverse, either.replace("<filter>", "<filter type='or'>") + "</filter>") == [
        "Alpha",
        "Zulu",
    ]
    assert names_of(
        dataverse,
        conditioned("attribute='creditlimit' operator='gt' valueof='up.creditlimit'/>") + parent("inner"),
    ) == ["alpine"]
    nested = parent(
        "inner",
        "<attribute name='name'/><attribute name='name' alias='above'/>"
        "<link-entity name='cdm_company' from='cdm_companyid' to='msdyn_company' alias='of'>"
        "<attribute name='cdm_companycode'/></link-entity>",
    )
    body = ask(
        dataverse, f"<fetch><entity name='account'><attribute name='name'/>{nested}</entity></fetch>", ALL
    )
    assert [(row["up.name"], row["above"], row["of.cdm_companycode"]) for row in body["value"]] == [
        ("Alpha", "Alpha", "USPM")
    ] * 2
    assert body["value"][0][f"up.name@{ATTRIBUTE}"] == "name"


@pytest.mark.protocol("query: fetchxml", "D")
def test_pages(dataverse: httpx.Client, accounts: str) -> None:
    def page(
        number: int, cookie: str, order: str = "<order attribute='creditlimit' descending='true'/>"
    ) -> dict[str, Any]:
        return ask(
            dataverse,
            f"<fetch count='2' page='{number}' paging-cookie={quoteattr(cookie)}><entity name='account'>"
            f"<attribute name='name'/>{order}</entity></fetch>",
            PAGING,
        )

    def inner(body: dict[str, Any]) -> str:
        cookie = ElementTree.fromstring(body[f"@{CRM}.fetchxmlpagingcookie"])
        assert cookie.get("istracking") == "False"
        return unquote(unquote(cookie.attrib["pagingcookie"]))

    first = page(1, "")
    assert first[f"@{CRM}.morerecords"] is True
    assert first[f"@{CRM}.fetchxmlpagingcookie"].startswith(
        '<cookie pagenumber="2" pagingcookie="%253ccookie%2520page'
    )
    assert inner(first).startswith('<cookie page="1"><creditlimit last="10')
    dataverse.post(
        "accounts", json={"name": "later", "creditlimit": 1000}
    )  # before what was read: moves nothing
    second = page(2, inner(first))
    assert [row["name"] for row in second["value"]][0] == "50%off"
    third = page(3, inner(second))
    assert third[f"@{CRM}.morerecords"] is False and f"@{CRM}.fetchxmlpagingcookie" not in third
    names = [row["name"] for body in (first, second, third) for row in body["value"]]
    assert sorted(names) == ["50%off", "Alpha", "Tango", "Zulu", "alpine"]
    ascending = "<order attribute='creditlimit'/><order attribute='name' descending='true'/>"
    bodies = [page(1, "", ascending)]
    while bodies[-1][f"@{CRM}.morerecords"]:
        bodies.append(page(len(bodies) + 1, inner(bodies[-1]), ascending))
    assert [row["name"] for body in bodies for row in body["value"]] == [
        "Zulu",
        "Tango",
        "50%off",
        "Alpha",
        "alpine",
        "later",
    ]
    assert [row["name"] for row in page(2, "", ascending)["value"]] == ["50%off", "Alpha"]  # without a cookie
    counted = ask(
        dataverse, "<fetch returntotalrecordcount='true' count='1'><entity name='account'/></fetch>", ALL
    )
    assert counted["@odata.count"] == counted[f"@{CRM}.totalrecordcount"] == 6


@pytest.mark.protocol("query: fetchxml", "D")
def test_distinct_and_aggregates(dataverse: httpx.Client, accounts: str) -> None:
    distinct = ask(
        dataverse,
        "<fetch distinct='true'><entity name='account'><attribute name='numberofemployees'/>"
        "<order attribute='numberofemployees' descending='true'/></entity></fetch>",
    )
    assert distinct["value"] == [{"numberofemployees": 2}, {"numberofemployees": 1}, {}]
    parts = (
        ("creditlimit", "sum", "total"),
        ("numberofemployees", "avg", "mean"),
        ("name", "count", "rows"),
        ("numberofemployees", "countcolumn", "filled"),
        ("creditlimit", "max", "most"),
        ("numberofemployees", "countcolumn' distinct='true", "different"),
    )
    attributes = "".join(f"<attribute name='{n}' aggregate='{a}' alias='{x}'/>" for n, a, x in parts)
    inside = f"<entity name='account'>{attributes}"
    (row,) = ask(dataverse, f"<fetch aggregate='true'>{inside}</entity></fetch>")["value"]
    assert row == {"total": 45, "mean": 1, "rows": 5, "filled": 3, "most": 30, "different": 2}
    keys = (
        "<attribute name='createdon' groupby='true' dategrouping='year' alias='year'/>"
        "<link-entity name='cdm_company' from='cdm_companyid' to='msdyn_company' link-type='outer'>"
        "<attribute name='cdm_companycode' groupby='true' alias='company'/></link-entity>"
        "<order alias='total'/>"
    )
    found = ask(dataverse, f"<fetch aggregate='true'>{inside}{keys}</entity></fetch>", ALL)["value"]
    assert [(row.get("company"), row["total"], row["rows"]) for row in found] == [
        (None, 5, 3),
        ("USPM", 40, 2),
    ]
    assert found[1][f"total@{FORMATTED}"] == "$40.00" and found[1][f"total@{ATTRIBUTE}"] == "creditlimit"
    limited = f"<fetch aggregate='true' aggregatelimit='4'>{inside}</entity></fetch>"
    refused = dataverse.get("accounts", params={"fetchXml": limited})
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "0x8004e023")


@pytest.mark.protocol("query: fetchxml", "D")
def test_in_a_batch_under_another_case(dataverse: httpx.Client, accounts: str) -> None:
    xml = "<fetch><entity name='account'><attribute name='name'/>" + conditioned(
        "attribute='name' operator='eq' value='zulu'/>"
    )
    part = f"GET accounts?FETCHXML={quote(xml + '</entity></fetch>', safe='')} HTTP/1.1\r\n\r\n"
    head = "--b\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n"
    answer = dataverse.post(
        "$batch",
        content=f"{head}{part}\r\n--b--\r\n",
        headers={"Content-Type": "multipart/mixed; boundary=b"},
    )
    assert answer.status_code == 200 and '"name":"Zulu"' in answer.text


@pytest.mark.protocol("query: fetchxml", "D")
def test_refusals(dataverse: httpx.Client) -> None:
    def entity(inside: str, attributes: str = "") -> str:
        return f"<fetch {attributes}><entity name='account'>{inside}</entity></fetch>"

    link = "<link-entity name='account' from='accountid' to='parentaccountid'/>"
    condition = "<condition attribute='name' operator='eq' value='x'/>"
    expected = {
        "<fetch": "0x80040201",
        "<!DOCTYPE fetch [<!ENTITY a 'b'>]><fetch/>": "0x80040201",
        "<other/>": "0x80040201",
        "<filter>" * 60: "0x80040201",
        "<fetch/>": "0x80041123",
        "<fetch><entity name='nothing'/></fetch>": "0x80060888",
        entity("<link-entity name='nothing' from='a' to='b'/>"): "0x80041102",
        entity("<attribute name='nothing'/>"): "0x80041103",
        entity(conditioned("attribute='nothing' operator='null'/>")): "0x80041103",
        entity("<order attribute='nothing'/>"): "0x80041103",
        entity(conditioned("attribute='name' operator='resembles' value='x'/>")): "0x80041120",
        entity(conditioned("attribute='name' operator='eq'/>")): "0x80041106",
        entity("<nothing/>"): "0x8004111c",
        entity(
            "<link-entity name='account' from='accountid' to='parentaccountid' link-type='odd'/>"
        ): "0x80041121",
        entity("<filter type='xor'/>"): "0x80041122",
        entity(link * 16): "0x8004430d",
        entity(f"<filter>{condition * 501}</filter>"): "0x8004430c",
        entity("", "top='1' page='2'"): "0x80060888",
        entity("", "count='0'"): "0x8004110c",
        entity("", "page='2' paging-cookie='&lt;cookie'"): "0x80060888",
        entity("", "page='11'"): "0x80060888",
        entity("<attribute name='name' aggregate='count'/>", "aggregate='true'"): "0x8004110b",
        entity("<attribute name='name' alias='n'/>", "aggregate='true'"): "0x8004111a",
    }
    answers = {xml: dataverse.get("accounts", params={"fetchXml": xml}) for xml in expected}
    assert {xml: (a.status_code, a.json()["error"]["code"]) for xml, a in answers.items()} == {
        xml: (400, code) for xml, code in expected.items()
    }
    unknown = answers[entity("<attribute name='nothing'/>")].json()["error"]["message"]
    assert unknown.startswith("'account' entity doesn't contain attribute with Name = 'nothing'")
    beside = dataverse.get("accounts", params={"fetchXml": entity(""), "$select": "name"})
    assert beside.status_code == 400
    wrong = dataverse.get(
        "accounts",
        params={"fetchXml": entity(conditioned("attribute='creditlimit' operator='eq' value='x'/>"))},
    )
    assert wrong.status_code == 400
