"""`?sql=`: what it takes, what its rows look like, what it refuses (protocol 1.3)."""

from typing import Any

import httpx
import pytest

ATTRIBUTE = "OData.Community.Display.V1.AttributeName"


@pytest.fixture
def accounts(dataverse: httpx.Client) -> None:
    """Four accounts, two of one company."""
    company = dataverse.post("cdm_companies", json={"cdm_companycode": "USPM", "cdm_name": "US"})
    place = company.headers["OData-EntityId"]
    rows: list[dict[str, Any]] = [
        {"name": "Alpha", "creditlimit": 10, "numberofemployees": 1, "msdyn_company@odata.bind": place},
        {"name": "alpine", "creditlimit": 30, "numberofemployees": 2, "msdyn_company@odata.bind": place},
        {"name": "50%off", "creditlimit": 5, "numberofemployees": 2, "description": "O'Brien"},
        {"name": "Zulu", "accountnumber": "Z"},
    ]
    for row in rows:
        assert dataverse.post("accounts", json=row).status_code == 204


def rows_of(client: httpx.Client, sql: str, **headers: str) -> list[dict[str, Any]]:
    answer = client.get("accounts", params={"sql": sql}, headers=headers)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["value"]
    return found


def names_of(client: httpx.Client, where: str) -> list[str]:
    return [row["name"] for row in rows_of(client, f"SELECT name FROM account WHERE {where} ORDER BY name")]


@pytest.mark.protocol("query: sql", "D")
def test_rows_look_like_those_of_a_list(dataverse: httpx.Client, accounts: None) -> None:
    answer = dataverse.get(
        "accounts", params={"sql": "SELECT name FROM account AS a WHERE a.name LIKE 'Alpha'"}
    )
    body = answer.json()
    assert body["@odata.context"].endswith("/api/data/v9.2/$metadata#accounts(name,accountid)")
    (row,) = body["value"]
    assert list(row) == ["@odata.etag", "accountid", "name"]
    assert row["@odata.etag"] == dataverse.get(f"accounts({row['accountid']})").headers["ETag"]
    annotated = dataverse.get(
        "accounts",
        params={"sql": "SELECT a.name AS account_name, a.creditlimit FROM account AS a ORDER BY a.name DESC"},
        headers={"Prefer": 'odata.include-annotations="*"'},
    ).json()
    assert annotated["@Microsoft.Dynamics.CRM.totalrecordcount"] == -1
    assert annotated["value"][0][f"account_name@{ATTRIBUTE}"] == "name"
    assert annotated["value"][0]["account_name"] == "Zulu"


@pytest.mark.protocol("query: sql", "D")
def test_conditions(dataverse: httpx.Client, accounts: None) -> None:
    expected = {
        "name = 'ALPHA'": ["Alpha"],
        "name LIKE 'alp%'": ["Alpha", "alpine"],
        "name LIKE '_ulu'": ["Zulu"],
        "name LIKE '%[%]off'": ["50%off"],
        "name = '5_%off'": [],
        "name NOT LIKE '%p%'": ["50%off", "Zulu"],
        "description = 'O''Brien'": ["50%off"],
        "creditlimit > 5 AND (name = 'Alpha' OR name = 'alpine')": ["Alpha", "alpine"],
        "numberofemployees <> 1": ["50%off", "alpine"],
        "numberofemployees IN (1, 3)": ["Alpha"],
        "name NOT IN ('alpha', 'zulu')": ["50%off", "alpine"],
        "creditlimit BETWEEN 5 AND 10.0": ["50%off", "Alpha"],
        "accountnumber IS NOT NULL": ["Zulu"],
        "creditlimit IS NULL": ["Zulu"],
        "creditlimit = NULL": [],
        "statecode = 0 AND creditlimit >= -1": ["50%off", "Alpha", "alpine"],
        "createdon > '2020-01-01' AND name < 'B'": ["50%off", "Alpha", "alpine"],
        "accountid > '00000000-0000-0000-0000-000000000000' AND name = N'zulu'": ["Zulu"],
    }
    assert {where: names_of(dataverse, where) for where in expected} == expected


@pytest.mark.protocol("query: sql", "D")
def test_joins_and_aggregates(dataverse: httpx.Client, accounts: None) -> None:
    joined = rows_of(
        dataverse,
        "SELECT a.name, c.cdm_companycode FROM account AS a "
        "INNER JOIN cdm_company AS c ON a.msdyn_company = c.cdm_companyid ORDER BY a.name",
    )
    assert [(row["name"], row["cdm_companycode"]) for row in joined] == [
        ("Alpha", "USPM"),
        ("alpine", "USPM"),
    ]
    outer = rows_of(
        dataverse,
        "SELECT c.cdm_companycode AS code, COUNT(*) AS n, SUM(a.creditlimit) AS total FROM account a "
        "LEFT JOIN cdm_company c ON a.msdyn_company = c.cdm_companyid "
        "GROUP BY c.cdm_companycode ORDER BY code",
    )
    assert outer == [{"code": None, "n": 2, "total": 5}, {"code": "USPM", "n": 2, "total": 40}]
    whole = rows_of(
        dataverse,
        "SELECT COUNT(*) AS n, COUNT(creditlimit) AS limits, AVG(creditlimit) AS average, "
        "MIN(creditlimit) AS low, MAX(creditlimit) AS high FROM account",
    )
    assert whole == [{"n": 4, "limits": 3, "average": 15, "low": 5, "high": 30}]
    distinct = rows_of(
        dataverse, "SELECT DISTINCT numberofemployees FROM account ORDER BY numberofemployees DESC"
    )
    assert [row["numberofemployees"] for row in distinct] == [2, 1, None]
    itself = rows_of(
        dataverse,
        "SELECT child.name, parent.name FROM account child LEFT JOIN account parent "
        "ON child.parentaccountid = parent.accountid ORDER BY child.name",
    )
    assert [row["name"] for row in itself] == ["50%off", "Alpha", "alpine", "Zulu"]
    assert all(row["parent.name"] is None for row in itself)


@pytest.mark.protocol("query: sql", "C")
def test_top_offset_and_pages(dataverse: httpx.Client, accounts: None) -> None:
    top = rows_of(dataverse, "SELECT TOP 3 name FROM account ORDER BY name")
    assert [row["name"] for row in top] == ["50%off", "Alpha", "alpine"]
    middle = "SELECT name FROM account ORDER BY name OFFSET 1 ROWS FETCH NEXT 2 ROWS ONLY"
    assert [row["name"] for row in rows_of(dataverse, middle)] == ["Alpha", "alpine"]
    for statement, expected in (
        ("SELECT name FROM account ORDER BY name", 4),
        ("SELECT TOP 3 name FROM account", 3),
    ):
        found, cookies, link = [], set(), str(httpx.URL("accounts", params={"sql": statement}))
        while link:
            body = dataverse.get(link, headers={"Prefer": "odata.maxpagesize=2"}).json()
            found += [row["name"] for row in body["value"]]
            link = body.get("@odata.nextLink", "")
            assert link not in cookies
            cookies.add(link)
        assert len(set(found)) == len(found) == expected


@pytest.mark.protocol("query: sql", "D")
def test_refused_statements(dataverse: httpx.Client) -> None:
    expected = {
        "SELECT * FROM account": "SELECT * is not supported",
        "SELECT foo FROM account": "Invalid column name 'foo'.",
        "SELECT name FROM nothing": "Invalid object name 'nothing'.",
        "SELECT cdm_name FROM cdm_company": "is not the one of the entity set",
        "SELECT x.name FROM account a": "could not be bound",
        "SELECT name FROM account; SELECT name FROM account": "exactly one SELECT",
        "DELETE FROM account": "DELETE is not supported in SQL queries.",
        "DROP TABLE account": "not supported in SQL queries.",
        "EXEC sp_who": "supported in SQL queries.",
        "SELECT name FROM account UNION SELECT name FROM account": "UNION is not supported",
        "WITH x AS (SELECT name FROM account) SELECT name FROM x": "WITH is not supported",
        "SELECT name, COUNT(*) FROM account GROUP BY name HAVING COUNT(*) > 1": "HAVING is not supported",
        "SELECT name FROM account WHERE accountid IN (SELECT accountid FROM account)": "not supported",
        "SELECT name FROM account WHERE EXISTS (SELECT name FROM account)": "EXISTS is not supported",
        "SELECT name FROM account WHERE 1=1": "not supported in SQL queries.",
        "SELECT name FROM account WHERE LEN(name) = 3": "not supported in SQL queries.",
        "SELECT name FROM account WHERE name = accountnumber": "a column with a literal value",
        "SELECT name FROM account ORDER BY LEN(name)": "not supported in SQL queries.",
        "SELECT a.name FROM account a CROSS JOIN cdm_company c": "CROSS JOIN is not supported",
        "SELECT a.name FROM account a RIGHT JOIN account b ON a.name = b.name": "RIGHT JOIN is not supported",
        "SELECT a.name FROM account a, cdm_company c": "not supported",
        "SELECT name, COUNT(*) FROM account": "invalid in the select list",
        "SELECT SUM(name) FROM account": "cannot aggregate 'name'",
        "SELECT name FROM account WHERE creditlimit = 'x'": "Unrecognized 'Edm.Decimal' literal",
        "SELECT TOP 5001 name FROM account": "TOP takes numbers",
        "SELECT name FROM account WHERE name = 'x": "Incorrect syntax",
        "SELECT name FROM account WHERE name === 'x'": "Incorrect syntax near '='.",
        "nonsense": "supported",
        "": "exactly one SELECT",
    }
    for statement, message in expected.items():
        answer = dataverse.get("accounts", params={"sql": statement})
        assert answer.status_code == 400, statement
        assert message in answer.json()["error"]["message"], (statement, answer.text)
    both = dataverse.get("accounts", params={"sql": "SELECT name FROM account", "$select": "name"})
    assert "'$select' is not supported together" in both.json()["error"]["message"]
