"""All rows of an entity set: one request for what is small, two ranges of companies for what is not."""

import operator
import re
from collections.abc import AsyncIterator, Mapping, Sequence

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from multidict import MultiMapping

from projops.errors import PoisonPageError
from projops.extract.all_rows import all_rows
from projops.mapping import catalog
from projops.mapping.model import System
from projops.systems.connection import Connection
from projops.systems.finance import Finance
from projops.systems.session import ODataSession

CUSTOMERS = catalog.table(System.FINANCE, "CustomersV3")
COLUMNS = ("dataAreaId", "CustomerAccount")
PAGE = 3
_RANGE = re.compile(r"dataAreaId (lt|ge) '(\w+)'")


class Ledgers:
    """A Finance that knows how many customers each company has, and pages of three rows."""

    def __init__(self, customers: Mapping[str, int]) -> None:
        self.customers = customers
        self.asked: list[str] = []
        self.garbled_from = "zz"

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.path.rpartition("/")[2])
        if request.path.endswith("LegalEntities"):
            return web.json_response({"value": [{"LegalEntityId": code.upper()} for code in self.customers]})
        return web.json_response(self._page(request.query, f"http://{request.host}"))

    def _page(self, query: MultiMapping[str], host: str) -> dict[str, object]:
        rows = [
            {"dataAreaId": code, "CustomerAccount": f"C{number}" if code < self.garbled_from else number}
            for code in sorted(self.customers)
            for number in range(self.customers[code])
            if is_in(query.get("$filter", ""), code)
        ]
        start = int(query.get("$skip", 0))
        rest = {"$skip": start + PAGE, "$filter": query.get("$filter", "")}
        link = f"{host}/data/CustomersV3?" + "&".join(f"{name}={value}" for name, value in rest.items())
        more = {"@odata.nextLink": link.replace(" ", "%20")} if start + PAGE < len(rows) else {}
        return {"value": rows[start : start + PAGE], **more}


def is_in(where: str, code: str) -> bool:
    bounds = _RANGE.fullmatch(where)
    return bounds is None or bool(getattr(operator, bounds[1])(code, bounds[2]))


async def read(ledgers: Ledgers) -> AsyncIterator[tuple[str, str]]:
    app = web.Application()
    app.router.add_get("/data/{set}", ledgers.answer)
    async with TestServer(app) as server:
        url = str(server.make_url("")).rstrip("/")
        connection = Connection("finance_default", System.FINANCE, url, static_token="x")
        async with ODataSession(connection) as session:
            async for page in all_rows(Finance(session), CUSTOMERS, COLUMNS):
                for row in page.batch.to_pylist():
                    yield row["dataAreaId"], row["CustomerAccount"]


def every_row(customers: Mapping[str, int]) -> Sequence[tuple[str, str]]:
    return [(code, f"C{number}") for code in sorted(customers) for number in range(customers[code])]


async def test_one_page_is_one_request() -> None:
    ledgers = Ledgers({"a": 1, "b": 2})
    assert [row async for row in read(ledgers)] == every_row(ledgers.customers)
    assert ledgers.asked == ["CustomersV3"]


@pytest.mark.parametrize(
    "customers",
    [{"a": 4, "b": 5, "c": 7, "d": 1}, {"a": 9, "b": 0}, {"a": 0, "b": 9}, {"a": 9}, {"a": 1, "b": 3}],
)
async def test_many_rows_come_once_each(customers: Mapping[str, int]) -> None:
    ledgers = Ledgers(customers)
    came = [row async for row in read(ledgers)]
    assert sorted(came) == every_row(customers)
    for code in customers:  # those of one company stay in order
        assert [row for row in came if row[0] == code] == every_row({code: customers[code]})
    pages = -(-sum(customers.values()) // PAGE)
    assert len(ledgers.asked) <= pages + 5  # three pages in vain, the companies, one more last page


async def test_a_range_that_cannot_be_read_ends_the_read() -> None:
    ledgers = Ledgers({"a": 9, "b": 9})
    ledgers.garbled_from = "b"
    with pytest.raises(PoisonPageError, match="CustomerAccount of row 1 "):
        [row async for row in read(ledgers)]
