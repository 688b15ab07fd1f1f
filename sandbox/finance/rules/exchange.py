"""Exchange rates as Finance's projects use them (R607)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sandbox.finance.books import Books
from sandbox.finance.errors import VALIDATION_ERROR, FinanceError
from sandbox.rules.days import day_of
from sandbox.rules.money import money

_FACTORS = {
    "One": Decimal(1),
    "Ten": Decimal(10),
    "Hundred": Decimal(100),
    "Thousand": Decimal(1000),
    "TenThousand": Decimal(10000),
}
_DIGITS = Decimal("1E-10")
_ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class Conversion:
    """An amount in a company's accounting currency.

    Attributes:
        amount: Rounded to the coins of `currency`.
        rate: Accounting currency per one unit of the transaction currency.
        currency: The accounting currency.
    """

    amount: Decimal
    rate: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class _Quote:
    start: date
    price: Decimal


def accounting_currency(books: Books, company: str) -> str:
    """Return the currency in which a company keeps its ledger.

    Raises:
        FinanceError: The company has no ledger, or the ledger no currency.
    """
    return str(_ledger(books, company)["AccountingCurrency"])


def rate(books: Books, company: str, currency: str, day: date, contract: str = "") -> Decimal | None:
    """Return what one unit of a currency is worth in the company's accounting currency (R607).

    The fixed rate of the project contract goes first (R607, R705), then the rate of the ledger's rate
    type that began last and has not ended by `day`. Where only the opposite pair is quoted, its
    reciprocal is taken, to ten digits.

    Returns:
        The rate; None where neither pair is quoted for the day.

    Raises:
        FinanceError: The company has no ledger, or the ledger no currency.
    """
    ledger = _ledger(books, company)
    target = str(ledger["AccountingCurrency"])
    if currency.upper() == target.upper():
        return _ONE
    fixed = _contract_rate(books, company, contract, currency)
    if fixed is not None:
        return fixed
    return _quoted(books, str(ledger["ExchangeRateType"]), currency, target, day)


def to_accounting(
    books: Books, company: str, amount: Decimal, currency: str, day: date, contract: str = ""
) -> Conversion | None:
    """Convert an amount into the company's accounting currency (R607); None where no rate is known.

    Raises:
        FinanceError: The company has no ledger, or the ledger no currency.
    """
    found = rate(books, company, currency, day, contract)
    if found is None:
        return None
    target = accounting_currency(books, company)
    return Conversion(money(amount * found, target), found, target)


def missing_rate(books: Books, company: str, currency: str, day: date) -> str:
    """Say that a rate is missing and where to enter it; the wording is not documented (PROPOSED)."""
    ledger = _ledger(books, company)
    return (
        f"No exchange rate from {currency} to {ledger['AccountingCurrency']} was found for "
        f"{day.month}/{day.day}/{day.year} in the exchange rate type {ledger['ExchangeRateType']} of legal "
        f"entity {company.upper()}. Enter the rate, or a fixed rate on the project contract, and run again."
    )


def _ledger(books: Books, company: str) -> dict[str, Any]:
    ledger = books.first("Ledgers", LegalEntityId=company)
    if ledger is None or not ledger["AccountingCurrency"]:
        raise FinanceError(
            400,
            f"Legal entity {company.upper()} has no ledger with an accounting currency. Set up its ledger.",
            VALIDATION_ERROR,
        )
    return ledger


def _contract_rate(books: Books, company: str, contract: str, currency: str) -> Decimal | None:
    if not contract:
        return None
    row = books.first(
        "ProjectContractExchangeRates",
        dataAreaId=company,
        ProjectContractId=contract,
        FromCurrencyCode=currency,
    )
    return None if row is None or not row["ExchangeRate"] else Decimal(row["ExchangeRate"])


def _quoted(books: Books, rate_type: str, origin: str, target: str, day: date) -> Decimal | None:
    direct = _latest(_quotes(books, rate_type, origin, target, day))
    if direct is not None:
        return direct
    opposite = _latest(_quotes(books, rate_type, target, origin, day))
    return None if opposite is None else (1 / opposite).quantize(_DIGITS)


def _latest(quotes: Iterator[_Quote]) -> Decimal | None:
    latest = max(quotes, key=lambda quote: quote.start, default=None)
    return None if latest is None else latest.price


def _quotes(books: Books, rate_type: str, origin: str, target: str, day: date) -> Iterator[_Quote]:
    """Yield what is quoted for a pair and holds on a day, from both sets that keep rates."""
    for row in books.find("ExchangeRates", RateTypeName=rate_type, FromCurrency=origin, ToCurrency=target):
        yield from _valid(row, "StartDate", "EndDate", str(row["ConversionFactor"]), day)
    quoted = books.find(
        "ExchangeRatesCDSEntity",
        ExchangeRateTypeName=rate_type,
        FromCurrencyCode=origin,
        ToCurrencyCode=target,
    )
    factor = _pair_factor(books, rate_type, origin, target) if quoted else "One"
    for row in quoted:
        yield from _valid(row, "ValidFrom", "ValidTo", factor, day)


def _pair_factor(books: Books, rate_type: str, origin: str, target: str) -> str:
    pair = books.first(
        "ExchangeRateCurrencyPairs",
        ExchangeRateTypeName=rate_type,
        FromCurrencyCode=origin,
        ToCurrencyCode=target,
    )
    return "One" if pair is None else str(pair["ExchangeRateDisplayFactor"])


def _valid(row: dict[str, Any], start: str, end: str, factor: str, day: date) -> Iterator[_Quote]:
    """Yield the quote of a row for one unit, where it holds on the day; a rate of 0 says nothing."""
    begins = day_of(row[start]) or date.min
    ends = day_of(row[end]) or date.max
    if begins <= day <= ends and row["Rate"]:
        yield _Quote(begins, Decimal(row["Rate"]) / _FACTORS[factor])
