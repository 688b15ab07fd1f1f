"""Intercompany customer invoices: billed in the lender, pending in the borrower (R1203)."""

from decimal import Decimal
from typing import Any

import pytest

from sandbox.finance.books import Books
from sandbox.finance.rules.intercompany_invoices import post_intercompany_invoices
from sandbox.finance.rules.messages import open_messages
from sandbox.finance.rules.posting import post_journals
from tests.unit.sandbox.finance.rules.accounts import (
    PROJECT,
    add_actual,
    add_contract,
    add_journal,
    add_line,
    assert_vouchers_balance,
    balances,
    set_up,
)

RATE = Decimal("0.8")
RELATION = {
    "LendingLegalEntityId": "GBPM",
    "BorrowingLegalEntityId": "USPM",
    "CustomerAccountNumber": "IC-USPM",
    "VendorAccountNumber": "IC-GBPM",
    "AccrueRevenue": "Yes",
}


def bill_lender(books: Books) -> Any:
    return post_intercompany_invoices(books, {"company": "GBPM"})


def lend(books: Books, name: str, amount: str, hours: str = "10", **line: Any) -> None:
    """Post what a British resource did on the American project: R1201's inter-organizational sales."""
    values = {"dataAreaId": "gbpm", "ProjectDataAreaId": "uspm", "ContractId": "", "Quantity": Decimal(hours)}
    price = {"UnitPrice": Decimal(amount) / Decimal(hours)}
    sales = add_actual(books, name, "InterOrgSales", amount, **values, **price)
    booked = {"ExchangeRate": RATE, "AccountingAmount": Decimal(amount) * RATE, "Voucher": f"V-{name}"}
    add_line(books, add_journal(books, "gbpm", f"J-{name}"), sales, **booked, **line)
    post_journals(books, {"company": "gbpm"})


@pytest.fixture
def firm(books: Books) -> Books:
    set_up(books)
    add_contract(books)
    set_up(books, company="gbpm", currency="GBP")
    books.insert("IntercompanyProjectRelations", RELATION)
    books.insert(
        "ExchangeRates",
        {
            "RateTypeName": "Default",
            "FromCurrency": "USD",
            "ToCurrency": "GBP",
            "StartDate": "2026-01-01T12:00:00Z",
            "Rate": RATE,
        },
    )
    return books


def test_r1203_the_lender_bills_the_borrower_and_the_accrual_ends(firm: Books) -> None:
    lend(firm, "work", "1200")
    assert balances(firm, "gbpm") == {"WipSalesValue": Decimal(960), "AccruedRevenue": Decimal(-960)}
    assert bill_lender(firm)["GBPM"] == {"posted": 1, "refused": 0}
    assert balances(firm, "gbpm") == {"CustomerBalance": Decimal(960), "IntercompanyRevenue": Decimal(-960)}
    assert_vouchers_balance(firm)
    invoice = firm.get("ProjectCustomerInvoices", dataAreaId="gbpm")
    assert (invoice["IsIntercompany"], invoice["CustomerAccountNumber"]) == ("Yes", "IC-USPM")
    assert (invoice["InvoiceAmount"], invoice["CurrencyCode"]) == (Decimal(1200), "USD")


def test_r610_the_intercompany_invoice_bears_the_dimensions_of_its_lines(firm: Books) -> None:
    lend(firm, "work", "1200", DefaultDimensionDisplayValue="IC-USPM")
    bill_lender(firm)
    kinds = ["WipSalesValue", "AccruedRevenue", "IntercompanyRevenue"]
    entries = firm.find("GeneralJournalAccountEntries", dataAreaId="gbpm", PostingType=kinds)
    assert len(entries) == 5
    assert {row["DefaultDimensionDisplayValue"] for row in entries} == {"IC-USPM"}


def test_r1203_a_pending_vendor_invoice_of_the_same_number_waits_in_the_borrower(firm: Books) -> None:
    lend(firm, "work", "1200")
    bill_lender(firm)
    number = firm.get("ProjectCustomerInvoices", dataAreaId="gbpm")["InvoiceId"]
    header = firm.get("VendorInvoiceHeaders", dataAreaId="uspm")
    assert (header["InvoiceNumber"], header["InvoiceAccount"]) == (number, "IC-GBPM")
    assert (header["InvoiceStatus"], header["IsIntercompany"]) == ("Pending", "Yes")
    line = firm.get("VendorInvoiceLines", dataAreaId="uspm")
    assert (line["LineAmount"], line["Quantity"], line["UnitPrice"]) == (1200, 10, 120)
    assert line["ProjectId"] == PROJECT


def test_r1203_what_is_billed_is_not_billed_again(firm: Books) -> None:
    lend(firm, "work", "1200")
    bill_lender(firm)
    assert bill_lender(firm)["GBPM"] == {"posted": 0, "refused": 0}
    lend(firm, "more", "240", hours="2")
    assert bill_lender(firm)["GBPM"] == {"posted": 1, "refused": 0}
    amounts = [row["InvoiceAmount"] for row in firm.find("ProjectCustomerInvoices", dataAreaId="gbpm")]
    assert amounts == [1200, 240]


def test_r1203_a_relation_without_a_vendor_bills_nothing(firm: Books) -> None:
    relation = firm.get("IntercompanyProjectRelations")
    firm.update("IntercompanyProjectRelations", relation, {"VendorAccountNumber": ""})
    lend(firm, "work", "1200")
    assert bill_lender(firm)["GBPM"] == {"posted": 0, "refused": 1}
    assert firm.find("ProjectCustomerInvoices") == []
    assert open_messages(firm, "gbpm")[0]["DocumentNumber"] == "USPM"


def test_r1203_of_two_currencies_there_are_two_invoices(firm: Books) -> None:
    lend(firm, "dollars", "1200")
    journal = add_journal(firm, "gbpm", "J-pounds")
    lent = {"dataAreaId": "gbpm", "ProjectDataAreaId": "uspm", "TransactionCurrencyId": "GBP"}
    add_line(firm, journal, add_actual(firm, "pounds", "InterOrgSales", "80", **lent), Voucher="V-pounds")
    post_journals(firm, {"company": "gbpm"})
    bill_lender(firm)
    currencies = [row["CurrencyCode"] for row in firm.find("ProjectCustomerInvoices", dataAreaId="gbpm")]
    assert currencies == ["USD", "GBP"]
    assert_vouchers_balance(firm)
