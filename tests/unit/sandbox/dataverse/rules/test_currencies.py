"""Dataverse converts at Finance's rates, and at its own where Finance has none."""

from decimal import Decimal

import pytest

from sandbox.dataverse.desk import Desk
from sandbox.dataverse.rules.currencies import rate

USPM, DEMF = (f"{digit}0000000-0000-0000-0000-000000000001" for digit in "12")
DAY = "2026-10-12"


@pytest.fixture
def currencies(desk: Desk) -> dict[str, str]:
    """Ids by code; USPM keeps its ledger by the rates of the type Default, DEMF has no ledger."""
    ids = {
        code: desk.create(
            "transactioncurrency",
            {
                "isocurrencycode": code,
                "exchangerate": Decimal(own),
                "currencyname": code,
                "currencysymbol": code,
                "currencyprecision": 2,
            },
        )
        for code, own in (("USD", "1"), ("GBP", "0.8"), ("JPY", "150"))
    }
    kind = desk.create("msdyn_exchangeratetype", {"msdyn_name": "Default"})
    desk.create("msdyn_ledger", {"msdyn_company": USPM, "msdyn_exchangeratetype": "Default"})
    yen = {"msdyn_fromcurrencycode": "JPY", "msdyn_tocurrencycode": "USD"}
    desk.create(
        "msdyn_currencyexchangeratepair",
        {"msdyn_exchangeratetype": kind, "msdyn_conversionfactor": 100, **yen},
    )
    quote(desk, "JPY", "0.65", "2026-01-01")
    quote(desk, "GBP", "1.20", "2026-01-01")
    quote(desk, "GBP", "1.25", "2026-10-01")
    quote(desk, "GBP", "1.50", "2026-11-01")
    return ids


def quote(desk: Desk, code: str, price: str, start: str) -> None:
    desk.create(
        "msdyn_currencyexchangerate",
        {
            "msdyn_exchangeratetypename": "Default",
            "msdyn_fromcurrencycode": code,
            "msdyn_tocurrencycode": "USD",
            "msdyn_exchangerate": Decimal(price),
            "msdyn_validfrom": start,
        },
    )


@pytest.mark.parametrize(
    ("company", "origin", "target", "expected"),
    [
        (USPM, "USD", "USD", "1"),
        (USPM, "GBP", "USD", "1.25"),
        (USPM, "USD", "GBP", "0.8"),
        (USPM, "JPY", "USD", "0.0065"),
        (USPM, "GBP", "JPY", "187.5"),
        (DEMF, "GBP", "USD", "1.25"),
        (None, "JPY", "USD", "0.0066666667"),
    ],
)
def test_the_rate_that_holds_on_the_day(
    desk: Desk, currencies: dict[str, str], company: str | None, origin: str, target: str, expected: str
) -> None:
    found = rate(desk, company, currencies[origin], currencies[target], DAY)
    assert found.quantize(Decimal("1E-10")) == Decimal(expected)
