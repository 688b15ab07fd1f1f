"""The floor: a bare loop that reads the same rows and writes the same bodies as the engine, and no more.

As fast as a good engineer would write it: one aiohttp session, rows into typed structs with exact decimals,
the next page read while one is written, as many messages at once as the system recommends. It keeps no
state, checks no rule, and knows beforehand which row stands where: what breaks is lost.
"""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial

import aiohttp
import msgspec

from bench.wire_load import send

AT_ONCE = 8  # requests under way: what the sandbox recommends (x-ms-dop-hint)
PRODUCT_COLUMNS = (
    "dataAreaId ItemNumber ProductSearchName ProductType SalesUnitSymbol SalesPrice UnitCost PurchasePrice"
).split()
FUNDING_COLUMNS = (
    "msdyn_fundingsourceid _msdyn_projectcontract_value _msdyn_company_value _msdyn_customer_value "
    "msdyn_isprimary msdyn_paymentterms msdyn_billtoname"
).split()
TRACKED = "odata.track-changes,odata.maxpagesize=5000"
_CHANGESETS = 100
_ROWS_A_MESSAGE = 200
_TYPES = {"Item": 1, "Service": 3}
_PRODUCT = "Microsoft.Dynamics.CRM.product"


class Product(msgspec.Struct):
    """A released product of Finance, as it comes."""

    ItemNumber: str
    ProductSearchName: str
    ProductType: str
    SalesPrice: Decimal
    UnitCost: Decimal
    PurchasePrice: Decimal


class Products(msgspec.Struct):
    """A page of them."""

    value: list[Product]
    next_link: str | None = msgspec.field(name="@odata.nextLink", default=None)


class Source(msgspec.Struct):
    """A funding source of Dataverse, as it comes."""

    msdyn_fundingsourceid: str
    msdyn_billtoname: str
    msdyn_isprimary: bool | None = None
    msdyn_paymentterms: str | None = None


class Sources(msgspec.Struct):
    """A page of them."""

    value: list[Source]
    next_link: str | None = msgspec.field(name="@odata.nextLink", default=None)
    delta_link: str | None = msgspec.field(name="@odata.deltaLink", default=None)


@dataclass(frozen=True, slots=True)
class Around:
    """What the loop is told of the rows around those that it moves, for it looks nothing up.

    Attributes:
        company: Company code of all rows.
        contract: Number of their contract.
        customer: Account of their customer.
        unit: GUID of their unit.
        ids: GUID of each product that is to move, by its item number.
    """

    company: str
    contract: str = ""
    customer: str = ""
    unit: str = ""
    ids: Mapping[str, str] = field(default_factory=dict)


Send = Callable[[], Awaitable[bytes]]


async def move_products(session: aiohttp.ClientSession, finance: str, dataverse: str, around: Around) -> int:
    """Read all products of a company from Finance, update them in Dataverse by bulk messages; count them."""
    url: str | None = (
        f"{finance}ReleasedProductsV2?$select={','.join(PRODUCT_COLUMNS)}"
        "&$orderby=dataAreaId,ItemNumber&cross-company=true"
    )
    target = f"{dataverse}products/Microsoft.Dynamics.CRM.UpdateMultiple"
    page, moved = asyncio.create_task(send(session, "GET", str(url), b"")), 0
    while url is not None:
        rows = msgspec.json.decode(await page, type=Products)
        url = rows.next_link
        if url is not None:
            page = asyncio.create_task(send(session, "GET", url, b""))
        known = [row for row in rows.value if row.ItemNumber in around.ids]
        await _all([partial(send, session, "POST", target, each) for each in _messages(known, around)])
        moved += len(known)
    return moved


async def move_sources(
    session: aiohttp.ClientSession, finance: str, delta: str, around: Around
) -> tuple[int, str]:
    """Read changed funding sources, update them in Finance, a changeset each; count them, and the next link.

    Raises:
        RuntimeError: A changeset was refused.
    """
    url, moved, link = delta, 0, delta
    page = asyncio.create_task(send(session, "GET", url, b"", prefer=TRACKED))
    while url:
        rows = msgspec.json.decode(await page, type=Sources)
        url, link = rows.next_link or "", rows.delta_link or link
        if url:
            page = asyncio.create_task(send(session, "GET", url, b"", prefer=TRACKED))
        answers = await _all(
            [
                partial(send, session, "POST", f"{finance}$batch", body, kind)
                for body, kind in _batches(finance, rows.value, around)
            ]
        )
        done = sum(each.count(b"HTTP/1.1 204") for each in answers)
        if done != len(rows.value):
            raise RuntimeError(f"Of {len(rows.value)} changesets {done} were done.")
        moved += done
    return moved, link


async def _all(sends: Sequence[Send]) -> list[bytes]:
    """Send what stands ready, so many at once."""
    free = asyncio.Semaphore(AT_ONCE)

    async def one(call: Send) -> bytes:
        async with free:
            return await call()

    return await asyncio.gather(*(one(call) for call in sends))


def _messages(rows: Sequence[Product], around: Around) -> list[bytes]:
    encode = msgspec.json.Encoder(decimal_format="number").encode
    return [
        encode({"Targets": [_target(row, around) for row in rows[start : start + _ROWS_A_MESSAGE]]})
        for start in range(0, len(rows), _ROWS_A_MESSAGE)
    ]


def _target(row: Product, around: Around) -> dict[str, object]:
    return {
        "@odata.type": _PRODUCT,
        "productid": around.ids[row.ItemNumber],
        "name": row.ProductSearchName or row.ItemNumber,
        "productnumber": row.ItemNumber,
        "producttypecode": _TYPES[row.ProductType],
        "defaultuomid@odata.bind": f"/uoms({around.unit})",
        "price": row.SalesPrice,
        "standardcost": row.UnitCost,
        "currentcost": row.PurchasePrice,
        "quantitydecimal": 2,
    }


def _batches(finance: str, rows: Sequence[Source], around: Around) -> list[tuple[bytes, str]]:
    encode = msgspec.json.Encoder().encode
    found = []
    for start in range(0, len(rows), _CHANGESETS):
        mark = f"b_{uuid.uuid4().hex}"
        parts = [_changeset(finance, row, around, encode) for row in rows[start : start + _CHANGESETS]]
        body = b"".join(b"--%s\r\n%s" % (mark.encode(), part) for part in parts)
        found.append((body + f"--{mark}--\r\n".encode(), f"multipart/mixed; boundary={mark}"))
    return found


def _changeset(
    finance: str, row: Source, around: Around, encode: Callable[[dict[str, object]], bytes]
) -> bytes:
    key = (
        f"FundingSourceId='{row.msdyn_fundingsourceid}',ProjectContractID='{around.contract}',"
        f"dataAreaId='{around.company}'"
    )
    head = (
        "Content-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n"
        "Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\nContent-ID: 1\r\n\r\n"
        f"PATCH {finance}ProjectFundingSources({key})?cross-company=true HTTP/1.1\r\n"
        "Content-Type: application/json\r\n\r\n"
    )
    body: dict[str, object] = {
        "CustomerOrOrganization": around.customer,
        "FundingType": "Customer",
        "IsPrimaryFundingSource": "Yes" if row.msdyn_isprimary else "No",
        "TermsOfPayment": row.msdyn_paymentterms or "",
        "InvoiceName": row.msdyn_billtoname,
        "CreateDefaultFundingRule": "Yes",
    }
    return head.encode() + encode(body) + b"\r\n--c--\r\n"
