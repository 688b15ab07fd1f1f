"""The demo seed as a client sees it: every row there, the awkward ones to the last digit and letter."""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from sandbox.data import awkward
from sandbox.data.demo import dataverse_rows, finance_rows
from sandbox.data.firm import COMPANIES
from sandbox.schema import load_dataverse

pytestmark = pytest.mark.usefixtures("demo")
PAGE = {"Prefer": "odata.maxpagesize=500"}


def read_all(client: httpx.Client, address: str) -> Iterator[dict[str, Any]]:
    following: str | None = address
    while following is not None:
        answer = client.get(following, headers=PAGE)
        assert answer.status_code == 200, answer.text
        page = json.loads(answer.text, parse_float=Decimal)
        yield from page["value"]
        following = page.get("@odata.nextLink")


def test_every_row_of_dataverse_can_be_read(dataverse: httpx.Client) -> None:
    for name, rows in dataverse_rows().items():
        table = load_dataverse()[name]
        read = [row[table.primary_id or ""] for row in read_all(dataverse, table.entity_set)]
        assert len(read) == len(rows), name
        assert set(read) == {row[table.primary_id or ""] for row in rows}, name


def test_every_row_of_finance_can_be_read(finance: httpx.Client) -> None:
    for name, rows in finance_rows().items():
        read = list(read_all(finance, f"/data/{name}?cross-company=true"))
        assert len(read) == len(rows), name
        assert all(value is not None for row in read for value in row.values()), name


def test_names_arrive_to_the_last_letter(dataverse: httpx.Client, finance: httpx.Client) -> None:
    accounts = {row["name"] for row in read_all(dataverse, "accounts?$select=name")}
    customers = {row["OrganizationName"] for row in read_all(finance, "/data/CustomersV3?cross-company=true")}
    assert accounts == {row["name"] for row in dataverse_rows()["account"]}
    assert customers == {row["OrganizationName"] for row in finance_rows()["CustomersV3"]}
    assert set(awkward.NAMES) <= customers


def test_money_arrives_to_the_last_digit(dataverse: httpx.Client) -> None:
    read = {
        row["salesorderdetailid"]: row["extendedamount"] for row in read_all(dataverse, "salesorderdetails")
    }
    expected = {
        row["salesorderdetailid"]: row["extendedamount"] for row in dataverse_rows()["salesorderdetail"]
    }
    assert read == expected
    assert awkward.MOST_MONEY in read.values()


def test_a_day_in_berlin_begins_on_the_day_before_in_utc(dataverse: httpx.Client) -> None:
    germany = COMPANIES[2].company_id
    query = f"msdyn_projects?$select=msdyn_scheduledstart&$filter=_msdyn_owningcompany_value eq {germany}"
    starts = {row["msdyn_scheduledstart"] for row in read_all(dataverse, query)}
    assert "2026-10-31T23:00:00Z" in starts


def test_dataverse_finds_awkward_accounts_by_their_key(dataverse: httpx.Client) -> None:
    odd = [
        row for row in dataverse_rows()["account"] if _ending(row.get("accountnumber")) in awkward.ACCOUNTS
    ]
    assert {_ending(row["accountnumber"]) for row in odd} == set(awkward.ACCOUNTS[:3])
    for row in odd:
        key = f"accountnumber='{_literal(row['accountnumber'])}',_msdyn_company_value={row['msdyn_company']}"
        answer = dataverse.get(f"accounts({key})")
        assert answer.status_code == 200, answer.text
        assert answer.json()["accountid"] == row["accountid"]


def test_finance_finds_awkward_customers_by_their_key(finance: httpx.Client) -> None:
    odd = [
        row for row in finance_rows()["CustomersV3"] if _ending(row["CustomerAccount"]) in awkward.ACCOUNTS
    ]
    assert {_ending(row["CustomerAccount"]) for row in odd} == set(awkward.ACCOUNTS[2:])
    for row in odd:
        key = f"dataAreaId='{row['dataAreaId']}',CustomerAccount='{_literal(row['CustomerAccount'])}'"
        answer = finance.get(f"/data/CustomersV3({key})?cross-company=true")
        assert answer.status_code == 200, answer.text
        assert answer.json()["CustomerAccount"] == row["CustomerAccount"]


def _ending(account: object) -> str:
    return str(account)[3:]


def _literal(account: object) -> str:
    return quote(str(account).replace("'", "''"), safe="")
