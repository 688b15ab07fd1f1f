"""Exchange rates: contract, rate type, display factor, reciprocal, validity (R607)."""

from datetime import date
from decimal import Decimal

import pytest

from sandbox.finance.books import Books
from sandbox.finance.errors import FinanceError
from sandbox.finance.rules.exchange import missing_rate, rate, to_accounting
from sandbox.rules.days import noon
from tests.unit.sandbox.finance.rules.accounts import CONTRACT, DAY, set_up


def quote(books: Books, origin: str, target: str, start: date, price: str, end: date | None = None) -> None:
    books.insert(
        "ExchangeRatesCDSEntity",
        {
            "ExchangeRateTypeName": "Default",
            "FromCurrencyCode": origin,
            "ToCurrencyCode": target,
            "ValidFrom": noon(start),
            "ValidTo": noon(end or date(2154, 12, 31)),
            "Rate": Decimal(price),
        },
    )


def test_r607_the_rate_that_began_last_holds(books: Books) -> None:
    set_up(books)
    quote(books, "GBP", "USD", date(2026, 9, 1), "1.26")
    quote(books, "GBP", "USD", date(2026, 10, 1), "1.27")
    quote(books, "GBP", "USD", date(2026, 11, 1), "1.28")
    assert rate(books, "USPM", "GBP", DAY) == Decimal("1.27")
    assert rate(books, "uspm", "USD", DAY) == 1


def test_r607_a_fixed_rate_of_the_contract_goes_first(books: Books) -> None:
    set_up(books)
    quote(books, "GBP", "USD", date(2026, 1, 1), "1.27")
    fixed = {"ProjectContractId": CONTRACT, "FromCurrencyCode": "GBP", "ExchangeRate": Decimal("1.25")}
    books.insert("ProjectContractExchangeRates", {"dataAreaId": "uspm"} | fixed)
    assert rate(books, "uspm", "GBP", DAY, CONTRACT) == Decimal("1.25")
    assert rate(books, "uspm", "GBP", DAY, "ORD-2") == Decimal("1.27")


def test_r607_a_rate_is_missing_before_it_begins_and_after_it_ends(books: Books) -> None:
    set_up(books)
    quote(books, "GBP", "USD", date(2026, 2, 1), "1.27", end=date(2026, 2, 28))
    assert rate(books, "uspm", "GBP", date(2026, 1, 31)) is None
    assert rate(books, "uspm", "GBP", date(2026, 2, 28)) == Decimal("1.27")
    assert rate(books, "uspm", "GBP", DAY) is None
    assert to_accounting(books, "uspm", Decimal(10), "GBP", DAY) is None
    assert "from GBP to USD was found for 10/5/2026" in missing_rate(books, "uspm", "GBP", DAY)


def test_a_quote_by_the_hundred_counts_for_one_and_the_opposite_pair_is_turned(books: Books) -> None:
    set_up(books)
    set_up(books, company="jppm", currency="JPY")
    books.insert(
        "ExchangeRates",
        {
            "RateTypeName": "Default",
            "FromCurrency": "JPY",
            "ToCurrency": "USD",
            "StartDate": noon(date(2026, 1, 1)),
            "Rate": Decimal("0.64"),
            "ConversionFactor": "Hundred",
        },
    )
    assert rate(books, "uspm", "JPY", DAY) == Decimal("0.0064")
    assert rate(books, "jppm", "USD", DAY) == Decimal("156.25")
    converted = to_accounting(books, "jppm", Decimal("10.01"), "USD", DAY)
    assert converted is not None
    assert (converted.amount, converted.currency) == (Decimal(1564), "JPY")


def test_dinars_keep_three_digits(books: Books) -> None:
    set_up(books, company="kwpm", currency="KWD")
    quote(books, "USD", "KWD", date(2026, 1, 1), "0.30715")
    converted = to_accounting(books, "kwpm", Decimal("100.01"), "USD", DAY)
    assert converted is not None
    assert converted.amount == Decimal("30.718")


def test_a_company_without_a_ledger_is_told(books: Books) -> None:
    with pytest.raises(FinanceError, match="GBSI has no ledger"):
        rate(books, "gbsi", "USD", DAY)
