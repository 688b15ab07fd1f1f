"""Posting of invoice proposals, and what goes back to Dataverse (R805, R806, R705, R406)."""

from decimal import Decimal
from typing import Any

import pytest

from sandbox.finance.books import Books
from sandbox.finance.rules.messages import open_messages
from sandbox.finance.rules.proposals import import_lines
from sandbox.rules.jobs import Job, JobRefusedError
from sandbox.store import WriteUnit
from tests.unit.sandbox.finance.rules.accounts import (
    CUSTOMER,
    MILESTONE,
    RETAINER,
    add_actual,
    add_contract,
    add_journal,
    add_line,
    assert_vouchers_balance,
    balances,
    connect,
    guid,
    set_up,
)
from tests.unit.sandbox.finance.rules.billing_rows import bill, post, propose, sell

POSTED = {"posted": 1, "refused": 0}


def with_tax(books: Books, accrue: bool = True) -> Books:
    set_up(books, accrue=accrue)
    add_contract(books, tax_group="STATE")
    category = {"Category": "TCN-0000001000-D3B43-1", "ItemSalesTaxGroup": "FULL"}
    books.insert("ProjectCategoryEntities", {"dataAreaId": "uspm"} | category)
    return books


def test_r805_the_customer_owes_net_and_tax_and_the_accrual_ends(books: Books, unit: WriteUnit) -> None:
    with_tax(books)
    sell(books, "work", "1600")
    bill(books, "work", "1600")
    propose(books, unit)
    assert post(books)["USPM"] == POSTED
    assert balances(books) == {
        "CustomerBalance": Decimal(1760),
        "SalesTax": Decimal(-160),
        "InvoicedRevenue": Decimal(-1600),
    }
    assert_vouchers_balance(books)
    transaction = books.get("ProjectTransactions")
    assert (transaction["TransactionStatus"], transaction["InvoiceId"]) == ("FullyInvoiced", "USPM-000001")
    owed = books.get("CustomerTransactions")
    assert (owed["CustomerAccountNumber"], owed["Amount"]) == (CUSTOMER, Decimal(1760))


def test_r805_without_accrual_there_is_nothing_to_end(books: Books, unit: WriteUnit) -> None:
    with_tax(books, accrue=False)
    sell(books, "work", "1600")
    bill(books, "work", "1600")
    propose(books, unit)
    post(books)
    kinds = {entry["PostingType"] for entry in books.find("GeneralJournalAccountEntries")}
    assert kinds == {"CustomerBalance", "SalesTax", "InvoicedRevenue"}


def test_r705_a_contract_rate_holds_from_the_journal_to_the_invoice(books: Books, unit: WriteUnit) -> None:
    set_up(books)
    add_contract(books, currency="GBP", rate=Decimal("1.25"))
    cost = add_actual(books, "cost", "Cost", "480", Quantity=Decimal(4), UnitPrice=Decimal(120))
    add_line(books, add_journal(books, number="J-cost"), cost, Voucher="V-cost")
    booked = {"ExchangeRate": Decimal("1.25"), "AccountingAmount": Decimal(1250)}
    pounds: dict[str, Any] = {
        "TransactionCurrencyId": "GBP",
        "Quantity": Decimal(4),
        "UnitPrice": Decimal(250),
    }
    sell(books, "work", "1000", booked, **pounds)
    assert balances(books, Voucher="V-cost") == {
        "ProjectCost": Decimal(480),
        "PayrollAllocation": Decimal(-480),
    }
    assert balances(books, Voucher="V-work") == {
        "WipSalesValue": Decimal(1250),
        "AccruedRevenue": Decimal(-1250),
    }
    wip = books.get("GeneralJournalAccountEntries", Voucher="V-work", PostingType="WipSalesValue")
    assert (wip["TransactionCurrencyAmount"], wip["TransactionCurrencyCode"]) == (Decimal(1000), "GBP")
    bill(books, "work", "1000", **pounds)
    propose(books, unit, SalesCurrency="GBP")
    post(books)
    voucher = books.get("ProjectCustomerInvoices")["Voucher"]
    assert balances(books, Voucher=voucher) == {
        "WipSalesValue": Decimal(-1250),
        "AccruedRevenue": Decimal(1250),
        "InvoicedRevenue": Decimal(-1250),
        "CustomerBalance": Decimal(1250),
    }
    assert_vouchers_balance(books)


def test_r806_billed_actuals_and_the_invoice_export_tell_dataverse(books: Books, unit: WriteUnit) -> None:
    with_tax(books)
    sell(books, "work", "1600")
    bill(books, "work", "1600")
    propose(books, unit)
    post(books)
    actual = books.get("ProjActualsImports", ActualsImportId=guid("work billed/import"))
    assert (actual["AccountingAmount"], actual["SalesTaxAmount"]) == (Decimal(1600), Decimal(160))
    assert (actual["ExchangeRate"], actual["IsJournalized"]) == (Decimal(1), "Yes")
    assert actual["VoucherNumber"] == books.get("ProjectCustomerInvoices")["Voucher"] == "USPM-CIV-000001"
    export = books.get("ProjCustomerInvoiceExports")
    assert (export["CustomerInvoiceNumber"], export["InvoiceProposalId"]) == ("USPM-000001", "INV-01")
    assert (export["InvoiceAmount"], export["SalesTaxAmount"]) == (Decimal(1760), Decimal(160))
    assert (export["CustomerInvoiceDate"], export["CurrencyCode"]) == ("2026-10-31T12:00:00Z", "USD")
    header = books.get("ProjectInvoiceProposalsV2")
    assert (header["ProposalStatus"], header["Invoice"]) == ("Posted", "USPM-000001")


@pytest.mark.parametrize(
    ("balance", "account"), [(False, "InvoicedRevenueOnAccount"), (True, "WipInvoicedOnAccount")]
)
def test_r805_on_account_goes_to_revenue_or_to_the_balance_sheet(
    books: Books, unit: WriteUnit, balance: bool, account: str
) -> None:
    set_up(books, balance=balance)
    add_contract(books)
    for name, kind, amount in (("milestone", MILESTONE, "5000"), ("retainer", RETAINER, "2000")):
        values = {"TransactionClassification": kind, "InvoiceProposalId": "INV-01"}
        add_actual(books, name, "BilledSales", amount, **values)
    propose(books, unit, count=2)
    post(books)
    assert balances(books) == {"CustomerBalance": Decimal(7000), account: Decimal(-7000)}
    statuses = {row["TransStatus"] for row in books.find("ProjectOnAccountTransactions")}
    assert statuses == {"FullyInvoiced"}


def test_r406_a_correction_credits_the_original_and_bills_what_is_right(
    books: Books, unit: WriteUnit
) -> None:
    with_tax(books)
    sell(books, "work", "1600")
    bill(books, "work", "1600")
    propose(books, unit)
    post(books)
    sell(books, "right", "1200")
    bill(books, "right", "1200", "INV-02")
    add_actual(books, "credit", "BilledSales", "-1600", Quantity=Decimal(-8), InvoiceProposalId="INV-02")
    connect(books, "credit", "Reversing", "work billed", "Original")
    connect(books, "right billed", "Replacing", "work billed", "Original")
    sell(books, "rest", "400")
    propose(books, unit, count=2, number="INV-02")
    assert post(books)["USPM"] == POSTED
    assert balances(books) == {
        "CustomerBalance": Decimal(1320),
        "SalesTax": Decimal(-120),
        "InvoicedRevenue": Decimal(-1200),
        "WipSalesValue": Decimal(400),
        "AccruedRevenue": Decimal(-400),
    }
    assert_vouchers_balance(books)
    credit = books.get("ProjectCustomerInvoices", InvoiceProposalId="INV-02")
    assert (credit["InvoiceAmount"], credit["SalesTaxAmount"]) == (Decimal(-440), Decimal(-40))


def test_r406_a_milestone_is_credited_in_full(books: Books, unit: WriteUnit) -> None:
    set_up(books)
    add_contract(books)
    kind = {"TransactionClassification": MILESTONE}
    add_actual(books, "milestone", "BilledSales", "5000", InvoiceProposalId="INV-01", **kind)
    propose(books, unit)
    post(books)
    add_actual(books, "credit", "BilledSales", "-5000", InvoiceProposalId="INV-02", **kind)
    connect(books, "credit", "Reversing", "milestone", "Original")
    propose(books, unit, number="INV-02")
    post(books)
    assert balances(books) == {}
    first, second = books.find("ProjectOnAccountTransactions")
    assert (second["Amount"], second["AdjRefTransId"]) == (Decimal(-5000), first["TransId"])
    assert second["TransactionOrigin"] == "Deduction"


def test_an_invoice_in_a_closed_month_waits(books: Books, unit: WriteUnit) -> None:
    set_up(books, closed=[10])
    add_contract(books)
    values = {"TransactionClassification": MILESTONE, "InvoiceProposalId": "INV-01"}
    add_actual(books, "milestone", "BilledSales", "5000", **values)
    propose(books, unit)
    assert post(books)["USPM"] == {"posted": 0, "refused": 1}
    assert open_messages(books, "uspm")[0]["ErrorId"] == "E12"
    assert books.find("GeneralJournalAccountEntries") == []


def test_a_proposal_without_lines_is_not_posted(books: Books, unit: WriteUnit) -> None:
    set_up(books)
    propose(books, unit, count=1)
    assert import_lines(books, "uspm")["proposals_waiting"] == 1
    assert post(books)["USPM"] == {"posted": 0, "refused": 0}


def test_the_job_names_a_company_that_it_does_not_know(jobs: dict[str, Job]) -> None:
    with pytest.raises(JobRefusedError, match="no legal entity 'NONE'"):
        jobs["post-invoice-proposals"]({"company": "NONE"})
