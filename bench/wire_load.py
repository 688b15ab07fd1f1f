"""What a client sends to the sandbox and how it reads on: bytes made beforehand, answers not parsed."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

import aiohttp
from yarl import URL

COMPANY = "uspm"
_TAIL = 4096  # bytes at the end of a page among which its link is
_LINK = re.compile(rb'"@odata\.(next|delta)Link":"([^"]+)"')
_TEXTS = (
    "name yominame description emailaddress1 emailaddress2 emailaddress3 telephone1 telephone2 telephone3 "
    "fax websiteurl ftpsiteurl sic stockexchange"
).split()
_MONEY = ("creditlimit", "revenue", "marketcap", "aging30")
_COUNTS = ("numberofemployees", "sharesoutstanding")
_FLAGS = ("creditonhold", "donotemail", "donotphone", "donotfax", "donotpostalmail", "donotbulkemail")
_INSTANTS = ("lastusedincampaign", "lastonholdtime")
ACTUAL_COLUMNS = (
    "statecode statuscode msdyn_description _msdyn_accountcustomer_value msdyn_accountingdate msdyn_amount "
    "_transactioncurrencyid_value exchangerate msdyn_amount_base msdyn_amountmethod msdyn_billingstatus "
    "msdyn_billingtype _msdyn_bookableresource_value msdyn_documentdate msdyn_enddatetime msdyn_price "
    "msdyn_price_base msdyn_quantity _msdyn_salescontract_value msdyn_startdatetime "
    "msdyn_transactionclassification msdyn_transactiontypecode _msdyn_unit_value _msdyn_project_value "
    "_msdyn_resourcecategory_value _msdyn_task_value _msdyn_transactioncategory_value "
    "_msdyn_owningcompany_value createdon msdyn_actualid"
).split()


async def follow(session: aiohttp.ClientSession, url: str, headers: Mapping[str, str]) -> tuple[int, str]:
    """Read pages to the last one; return how many rows they had, and the delta link (or "")."""
    rows = 0
    while True:
        body = await _answer(session.get(URL(url, encoded=True), headers=headers))
        rows += body.count(b'"@odata.etag"')
        link = _last_link(body)
        if link is None or link[0] == "delta":
            return rows, "" if link is None else link[1]
        url = link[1]


async def side_by_side(
    connections: int, jobs: Iterable[Callable[[aiohttp.ClientSession], Awaitable[Any]]], token: str
) -> None:
    """Do jobs in their order, as many at once as there are connections."""
    waiting = iter(jobs)

    async def work(session: aiohttp.ClientSession) -> None:
        for job in waiting:
            await job(session)

    headers = {"Authorization": f"Bearer {token}", "OData-Version": "4.0", "Accept": "application/json"}
    async with aiohttp.ClientSession(headers=headers) as session:
        await asyncio.gather(*(work(session) for _ in range(connections)))


async def send(
    session: aiohttp.ClientSession,
    method: str,
    url: str,
    body: bytes,
    kind: str = "application/json",
    prefer: str = "",
) -> bytes:
    """Send one request whose answer is to be a success; return the answer."""
    headers = {"Content-Type": kind} | ({"Prefer": prefer} if prefer else {})
    return await _answer(session.request(method, URL(url, encoded=True), data=body, headers=headers))


async def _answer(request: Any) -> bytes:
    async with request as answer:
        body: bytes = await answer.read()
        if not answer.ok:
            raise RuntimeError(f"{answer.method} {answer.url} gave {answer.status}: {body[:500]!r}")
        return body


def _last_link(body: bytes) -> tuple[str, str] | None:
    found = _LINK.findall(body, max(len(body) - _TAIL, 0))
    return (found[-1][0].decode(), found[-1][1].decode()) if found else None


def account(number: int, edition: int) -> dict[str, Any]:
    """Make up 28 columns of an account; with its key, which says number and company, it has 30."""
    row: dict[str, Any] = {name: f"{name} {number} of {edition}"[:20] for name in _TEXTS}
    row |= {name: float(Decimal(number % 10**6) + Decimal("0.25")) for name in _MONEY}
    row |= {name: number % 1000 + edition for name in _COUNTS}
    row |= {name: (number + edition) % 2 == 0 for name in _FLAGS}
    return row | {name: f"2026-10-{1 + number % 28:02}T22:00:00Z" for name in _INSTANTS}


def upsert_message(company_id: str, numbers: range, edition: int) -> bytes:
    """Return the body of an UpsertMultiple that names accounts by their alternate key."""
    targets = [
        {
            "@odata.type": "Microsoft.Dynamics.CRM.account",
            "@odata.id": f"accounts(accountnumber='B-{number}',_msdyn_company_value={company_id})",
            **account(number, edition),
        }
        for number in numbers
    ]
    return json.dumps({"Targets": targets}).encode()


def customer(number: int) -> dict[str, Any]:
    """Make up a customer of Finance."""
    return {
        "dataAreaId": COMPANY,
        "CustomerAccount": f"B-{number}",
        "OrganizationName": f"Customer {number}",
        "CustomerGroupId": "30",
        "SalesCurrencyCode": "USD",
        "PaymentTerms": "Net30",
        "LanguageId": "en-us",
        "CreditLimit": 10000.5,
        "AddressCity": "Seattle",
        "AddressCountryRegionId": "USA",
    }


def changesets(root: str, numbers: range) -> tuple[bytes, str]:
    """Return a `$batch` that creates customers, a changeset each, and its content type."""
    parts = [_changeset(root, number) for number in numbers]
    return "".join([*parts, "--batch_b--\r\n"]).encode(), "multipart/mixed; boundary=batch_b"


def _changeset(root: str, number: int) -> str:
    return (
        "--batch_b\r\nContent-Type: multipart/mixed; boundary=change_c\r\n\r\n--change_c\r\n"
        "Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\nContent-ID: 1\r\n\r\n"
        f"POST {root}CustomersV3?cross-company=true HTTP/1.1\r\nContent-Type: application/json\r\n\r\n"
        f"{json.dumps(customer(number))}\r\n--change_c--\r\n"
    )
