"""Whatever a filter says: either database finds the rows that plain Python finds among them."""

from collections.abc import Sequence
from decimal import Decimal
from json import loads
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contract.plain_filters import (
    Between,
    Chain,
    Column,
    Compare,
    Filter,
    Like,
    Missing,
    Not,
    Row,
    Sum,
    instant,
    quoted,
)

_EXAMPLES = 250
_ORDERS = ("eq", "ne", "gt", "ge", "lt", "le")
_EQUAL = ("eq", "ne")
_NAMES = (
    "Alpha",
    "alpha",
    "a_b",
    "axb",
    "a%b",
    "[x]",
    "O'Brien",
    "ÖÄ",
    "öä",
    "100%",
    "a*b",
    "日本",
    "-]^",
    " a ",
    "B1",
)
_TEXTS = st.text("aAbBxX_%[]^-*'öÖ1 ", max_size=4)
_WORDS = st.sampled_from(["", "alpha", "A_B", "100%", "O'BRIEN", "öÄ", "[x]", "a*b", "%b", "b", "*"]) | _TEXTS
_AMOUNTS = [Decimal("0"), Decimal("0.0001"), Decimal("9"), Decimal("10"), Decimal("99999999999999.9999")]
_INSTANTS = ["2026-02-28T23:59:59Z", "2026-03-01T00:00:00Z", "1999-12-31T12:00:00Z", "2026-10-25T01:30:00Z"]
_GUIDS = [f"6a3b7f9a-1c2d-4e5f-8a9b-0c1d2e3f4a{number:02}" for number in range(3)]

NAME = Column("name", quoted, str)
NICKNAME = Column("emailaddress1", quoted, str)
LIMIT = Column("creditlimit", str, Decimal)
STAFF = Column("numberofemployees", str, Decimal)
KIND = Column("customertypecode", str, int)
NO_MAIL = Column("donotemail", lambda value: str(value).lower(), bool)
SEEN = Column("lastusedincampaign", str, instant)
PARENT = Column("_parentaccountid_value", str, str)

ORGANIZATION = Column("OrganizationName", quoted, str)
CREDIT = Column("CreditLimit", str, Decimal)
HOLD = Column(
    "OnHoldStatus", lambda value: f"Microsoft.Dynamics.DataEntities.CustVendorBlocked'{value}'", str
)


def _compare(column: Column, words: Sequence[str], values: Sequence[Any]) -> st.SearchStrategy[Filter]:
    return st.builds(Compare, st.just(column), st.sampled_from(words), st.sampled_from(values))


def _like(column: Column, star: bool, words: Sequence[str]) -> st.SearchStrategy[Filter]:
    return st.builds(Like, st.just(column), st.sampled_from(words), _WORDS, st.just(star))


def _combined(leaves: st.SearchStrategy[Filter]) -> st.SearchStrategy[Filter]:
    def wider(inner: st.SearchStrategy[Filter]) -> st.SearchStrategy[Filter]:
        chains = st.builds(Chain, st.sampled_from(["and", "or"]), st.lists(inner, min_size=2, max_size=3))
        return chains | st.builds(Not, inner)

    return st.recursive(leaves, wider, max_leaves=6)


_FUNCTIONS = ("eq", "ne", "contains", "startswith", "endswith")
DATAVERSE = _combined(
    st.one_of(
        _like(NAME, False, _FUNCTIONS),
        _compare(LIMIT, _ORDERS, _AMOUNTS),
        _compare(STAFF, _ORDERS, [Decimal(0), Decimal(3), Decimal("2.5"), Decimal(10**12)]),
        _compare(KIND, _ORDERS, [0, 1, 3, 12]),
        _compare(NO_MAIL, _EQUAL, [True, False]),
        _compare(SEEN, _ORDERS, [*_INSTANTS, "2026-03-01T01:00:00+01:00", "2026-02-28T23:59:59.5Z"]),
        _compare(PARENT, _EQUAL, _GUIDS),
        st.builds(Between, st.just(LIMIT), st.sampled_from(_ORDERS), st.just(STAFF)),
        st.builds(Between, st.just(NAME), st.sampled_from(_EQUAL), st.just(NICKNAME)),
        st.builds(
            Missing, st.sampled_from([NAME, LIMIT, STAFF, KIND, SEEN, PARENT]), st.sampled_from(_EQUAL)
        ),
    )
)
FINANCE = _combined(
    st.one_of(
        _like(ORGANIZATION, True, _EQUAL),
        _compare(CREDIT, _ORDERS, _AMOUNTS),
        _compare(HOLD, _EQUAL, ["No", "Invoice", "All"]),
        st.builds(
            Sum,
            st.just(CREDIT),
            st.sampled_from(["add", "sub", "mul"]),
            st.sampled_from([Decimal("0.5"), Decimal(2), Decimal("0.0001")]),
            st.sampled_from(_ORDERS),
            st.sampled_from([Decimal("0.5"), Decimal("20"), Decimal("9.5"), Decimal("199999999999999.9998")]),
        ),
    )
)


def _spread(values: Sequence[Any], place: int, pace: int) -> Any:
    """Give a row's value, None for one row in so many: each column at its own pace."""
    return None if place % pace == 0 else values[(place // 2) % len(values)]


def _fill_dataverse(client: httpx.Client) -> list[Row]:
    for number, row_id in enumerate(_GUIDS):
        client.patch(f"accounts({row_id})", json={"name": f"Parent {number}"}).raise_for_status()
    rows = []
    for place in range(60):
        row = {
            "@odata.type": "Microsoft.Dynamics.CRM.account",
            "name": _spread(_NAMES, place, 7),
            "emailaddress1": _spread(_NAMES[::-1], place, 9),
            "creditlimit": _spread([float(each) for each in _AMOUNTS[:4]], place, 5),
            "numberofemployees": _spread([0, 3, 9, 10], place, 4),
            "customertypecode": _spread([1, 3, 12], place, 6),
            "donotemail": place % 3 == 0,
            "lastusedincampaign": _spread(_INSTANTS, place, 8),
        }
        if place % 5:
            row["parentaccountid@odata.bind"] = f"/accounts({_GUIDS[place % 3]})"
        rows.append(row)
    client.post("accounts/Microsoft.Dynamics.CRM.CreateMultiple", json={"Targets": rows}).raise_for_status()
    client.post(  # The longest amount, which no float holds.
        "accounts", content=b'{"name": "most", "creditlimit": 99999999999999.9999}'
    ).raise_for_status()
    return _read(client.get("accounts"))


def _fill_finance(client: httpx.Client) -> list[Row]:
    client.post("/data/LegalEntities", json={"LegalEntityId": "USPM", "Name": "x"}).raise_for_status()
    for place in range(60):
        row = {
            "dataAreaId": "USPM",
            "CustomerAccount": f"C{place}",
            "OrganizationName": _spread(_NAMES, place, 7) or "",
            "CreditLimit": float(_AMOUNTS[place % 4]),
            "OnHoldStatus": ["No", "Invoice", "All"][place % 3],
        }
        client.post("/data/CustomersV3", json=row).raise_for_status()
    most = b'{"dataAreaId": "USPM", "CustomerAccount": "M", "CreditLimit": 99999999999999.9999}'
    client.post("/data/CustomersV3?cross-company=true", content=most).raise_for_status()
    return _read(client.get("/data/CustomersV3?cross-company=true"))


def _read(answer: httpx.Response) -> list[Row]:
    assert answer.status_code == 200, answer.text
    rows: list[Row] = loads(answer.content, parse_float=Decimal)["value"]
    return rows


def _same(answer: httpx.Response, rows: Sequence[Row], key: str, condition: Filter) -> None:
    found = sorted(row[key] for row in _read(answer))
    assert found == sorted(row[key] for row in rows if condition.holds(row)), str(condition)


@pytest.mark.protocol("query: filter operators", "D")
@pytest.mark.protocol("query: strings", "D")
@pytest.mark.protocol("query: null", "D")
def test_dataverse_finds_what_python_finds(dataverse: httpx.Client) -> None:
    rows = _fill_dataverse(dataverse)

    @settings(max_examples=_EXAMPLES)
    @given(DATAVERSE)
    def finds(condition: Filter) -> None:
        options = {"$filter": str(condition), "$select": "accountid"}
        _same(dataverse.get("accounts", params=options), rows, "accountid", condition)

    finds()


@pytest.mark.protocol("finance: filter", "D")
@pytest.mark.protocol("finance: wildcards", "D")
def test_finance_finds_what_python_finds(finance: httpx.Client) -> None:
    rows = _fill_finance(finance)

    @settings(max_examples=_EXAMPLES)
    @given(FINANCE)
    def finds(condition: Filter) -> None:
        options = {"$filter": str(condition), "$select": "CustomerAccount", "cross-company": "true"}
        _same(finance.get("/data/CustomersV3", params=options), rows, "CustomerAccount", condition)

    finds()
