"""Amounts of integration journal lines: exchange rates, sales tax, fees and discounts."""

from datetime import date
from decimal import Decimal
from typing import Any

from sandbox.finance.errors import FinanceError
from sandbox.finance.rules.accounting import INTERORG_SALES, LENDER_TYPES, SALES
from sandbox.finance.rules.categories import TransactionClass
from sandbox.finance.rules.import_setup import ActualRefusedError, ImportSetup
from sandbox.finance.rules.lending import intercompany_customer
from sandbox.finance.rules.taxes import TaxFacts
from sandbox.rules.days import NEVER, day_of
from sandbox.rules.hooks import Row
from sandbox.rules.money import money
from sandbox.store.defaults import ZERO_GUID

Line = dict[str, Any]

_TAXED = frozenset({SALES, INTERORG_SALES})


def net_amount(actual: Row) -> Decimal:
    """Return the amount of an actual as it is booked; discounts are taken off already (R613)."""
    return money(actual["Amount"], actual["TransactionCurrencyId"])


def own_amount(setup: ImportSetup, actual: Row) -> Line:
    """Return price, quantity and amount; the amount before discount where that is a line of its own."""
    amount = net_amount(actual)
    if setup.parameters.discount_category:
        amount += _discount(actual)
    return {"Quantity": actual["Quantity"], "UnitPrice": actual["UnitPrice"], "Amount": amount}


def _discount(actual: Row) -> Decimal:
    """Return the line discount; only sales have one."""
    if actual["TransactionType"] != SALES:
        return Decimal(0)
    return money(actual["LineDiscountAmount"], actual["TransactionCurrencyId"])


def priced(setup: ImportSetup, actual: Row, line: Line, taxable: Decimal) -> Line:
    """Return a line with its exchange rate (R607) and its sales tax on what is taxable (R609)."""
    day = day_of(line["AccountingDate"]) or NEVER
    rate = _rate(setup, actual, day)
    return {
        **line,
        "ExchangeRate": rate,
        "AccountingAmount": money(line["Amount"] * rate, setup.currency()),
        **_tax(setup, actual, line, taxable),
    }


def _rate(setup: ImportSetup, actual: Row, day: date) -> Decimal:
    """Return the exchange rate (R607).

    The contract's fixed rate counts in the legal entity of the contract only.
    """
    currency = str(actual["TransactionCurrencyId"])
    contract = "" if actual["TransactionType"] in LENDER_TYPES else str(actual["ContractId"])
    try:
        found = setup.rate(currency, day, contract)
        sentence = "" if found is not None else setup.missing_rate(currency, day)
    except FinanceError as no_ledger:
        raise ActualRefusedError("R607", no_ledger.message) from no_ledger
    if found is None:
        raise ActualRefusedError("R607", f"Actual {actual['ActualId']} was not imported: {sentence}")
    return found


def _tax(setup: ImportSetup, actual: Row, line: Line, taxable: Decimal) -> Line:
    """Return the sales tax groups of a sales line and the tax, which is reckoned after discount."""
    if actual["TransactionType"] not in _TAXED:
        return {}
    groups = setup.tax_groups(_tax_facts(setup, actual, line))
    tax = setup.sales_tax(*groups, taxable, line["CurrencyCode"])
    return {
        "SalesTaxGroupId": groups[0],
        "SalesTaxItemGroupId": groups[1],
        "SalesTaxAmount": tax.amount,
    }


def _tax_facts(setup: ImportSetup, actual: Row, line: Line) -> TaxFacts:
    """Return what the tax groups depend on; the lender sells to the borrower, not to the project."""
    if actual["TransactionType"] == INTERORG_SALES:
        return TaxFacts(customer=intercompany_customer(setup, actual), category=line["CategoryId"])
    return TaxFacts(
        project=actual["ProjectId"],
        contract=actual["ContractId"],
        customer=actual["CustomerAccountNumber"],
        category=line["CategoryId"],
        product=actual["ProductNumber"] if line["TransactionClassification"] != TransactionClass.FEE else "",
    )


def fee_lines(setup: ImportSetup, actual: Row, line: Line) -> list[Line]:
    """Return the extra fee line of unbilled sales, linked to its source actual (R613)."""
    if actual["TransactionType"] != SALES or not actual["FeeAmount"]:
        return []
    if not setup.parameters.fee_category:
        raise ActualRefusedError(
            "R613",
            f"Actual {actual['ActualId']} has a fee, and company {setup.company.upper()} has no project "
            "category for fees. Set it in the parameters.",
        )
    fee = money(actual["FeeAmount"], line["CurrencyCode"])
    extra = _extra(line, actual, setup.parameters.fee_category, fee)
    return [priced(setup, actual, {**extra, "TransactionClassification": TransactionClass.FEE}, taxable=fee)]


def discount_lines(setup: ImportSetup, actual: Row, line: Line) -> list[Line]:
    """Return the line of a discount, where discounts have a category of their own (R613).

    It bears no tax: the source actual's line has the tax on what is left after discount.
    """
    discount = _discount(actual)
    if not discount or not setup.parameters.discount_category:
        return []
    extra = _extra(line, actual, setup.parameters.discount_category, -discount)
    return [priced(setup, actual, extra, taxable=Decimal(0))]


def _extra(line: Line, actual: Row, category: str, amount: Decimal) -> Line:
    """Return a line that has no actual of its own, only the one that it was made for."""
    return {
        **line,
        "ActualsImportId": ZERO_GUID,
        "ActualId": ZERO_GUID,
        "SourceActualId": actual["ActualsImportId"],
        "CategoryId": category,
        "Quantity": Decimal(1),
        "UnitPrice": amount,
        "Amount": amount,
    }
