"""Invoices in other currencies than the ledger's, and of other digits (R607, R805)."""

from decimal import Decimal

import pytest

from sandbox.finance.books import Books
from sandbox.finance.rules.messages import open_messages
from sandbox.store import WriteUnit
from tests.unit.sandbox.finance.rules.accounts import (
    CONTRACT,
    MILESTONE,
    add_actual,
    add_contract,
    assert_vouchers_balance,
    balances,
    guid,
    set_up,
)
from tests.unit.sandbox.finance.rules.billing_rows import bill, post, propose, sell

POSTED = {"posted": 1, "refused": 0}


@pytest.mark.parametrize(
    ("currency", "amount", "tax", "booked"),
    [("JPY", "1605", "161", "1605"), ("KWD", "160.125", "16.013", "160.125")],
)
def test_currencies_of_no_and_of_three_digits(
    books: Books, unit: WriteUnit, currency: str, amount: str, tax: str, booked: str
) -> None:
    set_up(books, currency=currency)
    add_contract(books, currency=currency, tax_group="STATE")
    category = {"Category": "TCN-0000001000-D3B43-1", "ItemSalesTaxGroup": "FULL"}
    books.insert("ProjectCategoryEntities", {"dataAreaId": "uspm"} | category)
    sell(books, "work", amount, TransactionCurrencyId=currency)
    bill(books, "work", amount, TransactionCurrencyId=currency)
    propose(books, unit, SalesCurrency=currency)
    post(books)
    actual = books.get("ProjActualsImports", ActualsImportId=guid("work billed/import"))
    assert (actual["AccountingAmount"], actual["SalesTaxAmount"]) == (Decimal(booked), Decimal(tax))
    assert balances(books)["CustomerBalance"] == Decimal(booked) + Decimal(tax)


def test_conversion_leaves_at_most_pennies(books: Books, unit: WriteUnit) -> None:
    set_up(books)
    add_contract(books, currency="GBP", tax_group="STATE", rate=Decimal("1.2345"))
    category = {"Category": "TCN-0000001000-D3B43-1", "ItemSalesTaxGroup": "FULL"}
    books.insert("ProjectCategoryEntities", {"dataAreaId": "uspm"} | category)
    booked = {"ExchangeRate": Decimal("1.2345"), "AccountingAmount": Decimal("411.50")}
    sell(books, "work", "333.33", booked, TransactionCurrencyId="GBP")
    bill(books, "work", "333.33", TransactionCurrencyId="GBP")
    propose(books, unit, SalesCurrency="GBP")
    post(books)
    assert_vouchers_balance(books)
    # 333.33 -> 411.50, tax 33.33 -> 41.15, together 366.66 -> 452.64: a penny short
    assert balances(books)["PennyDifference"] == Decimal("0.01")


def test_many_small_lines_leave_no_more_to_rounding_than_one(books: Books, unit: WriteUnit) -> None:
    set_up(books)
    add_contract(books, currency="GBP", rate=Decimal("1.5"))
    values = {"TransactionClassification": MILESTONE, "TransactionCurrencyId": "GBP"}
    for place in range(40):
        add_actual(books, f"part {place}", "BilledSales", "0.33", InvoiceProposalId="INV-01", **values)
    propose(books, unit, count=40, SalesCurrency="GBP")
    assert post(books)["USPM"] == POSTED
    # 40 x 0.33 = 13.20 -> 19.80, while each line alone comes to 0.50
    assert balances(books) == {
        "CustomerBalance": Decimal("19.80"),
        "InvoicedRevenueOnAccount": Decimal("-19.80"),
    }


def test_r607_an_invoice_waits_for_its_rate(books: Books, unit: WriteUnit) -> None:
    set_up(books)
    add_contract(books, currency="GBP")
    sell(books, "work", "1000", TransactionCurrencyId="GBP")
    bill(books, "work", "1000", TransactionCurrencyId="GBP")
    propose(books, unit, SalesCurrency="GBP")
    result = post(books)
    assert result["USPM"] == {"posted": 0, "refused": 1}
    assert "No exchange rate from GBP to USD was found for 10/31/2026" in result["messages"][0]
    assert [row["DocumentNumber"] for row in open_messages(books, "uspm")] == ["INV-01"]
    fixed = {"ProjectContractId": CONTRACT, "FromCurrencyCode": "GBP", "ExchangeRate": Decimal("1.25")}
    books.insert("ProjectContractExchangeRates", {"dataAreaId": "uspm"} | fixed)
    assert post(books)["USPM"] == POSTED
    assert open_messages(books, "uspm") == []
