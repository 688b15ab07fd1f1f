"""From the staging table to the invoice, through all jobs: the documentation's worked examples."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from sandbox.finance.books import Books
from sandbox.finance.rules.intercompany_invoices import post_intercompany_invoices
from sandbox.finance.rules.messages import open_messages
from sandbox.finance.rules.posting import post_journals
from sandbox.finance.rules.proposal_posting import post_proposals
from sandbox.finance.rules.staging_import import import_from_staging
from sandbox.finance.rules.vendor_invoices import post_vendor_invoices
from sandbox.rules.days import noon
from sandbox.store import WriteUnit
from tests.unit.sandbox.finance.rules.accounts import (
    DAY,
    assert_vouchers_balance,
    balances,
    bill_in_dataverse,
)
from tests.unit.sandbox.finance.rules.staged import actual, connect, open_firm

HOURS = {"Quantity": Decimal(10)}


@pytest.fixture
def firm(books: Books) -> Iterator[Books]:
    """The demo's setup; whatever a test posts, every voucher balances in the end."""
    yield open_firm(books)
    assert_vouchers_balance(books)


def run_all(books: Books) -> None:
    """Import, post, import what that allowed, and post the invoices."""
    for job in (import_from_staging, post_journals, import_from_staging, post_proposals):
        assert job(books, {})["messages"] == []


def join(books: Books, first: dict[str, Any], role: str, other: dict[str, Any], other_role: str) -> None:
    ends = {"Transaction1Id": first["ActualId"], "Transaction2Id": other["ActualId"]}
    roles = {"Transaction1Role": role, "Transaction2Role": other_role}
    books.insert("ProjCDSTransactionRelationshipImports", {"ConnectionId": str(uuid4())} | ends | roles)


def test_r705_the_worked_example_from_staging_to_the_invoice(firm: Books, unit: WriteUnit) -> None:
    fixed = {"dataAreaId": "uspm", "ProjectContractId": "ORD-1", "FromCurrencyCode": "GBP"}
    firm.insert("ProjectContractExchangeRates", fixed | {"ExchangeRate": Decimal("1.25")})
    pounds = {"Quantity": Decimal(4), "UnitPrice": Decimal(250), "TransactionCurrencyId": "GBP"}
    cost = actual(firm, "Cost", "480", Quantity=Decimal(4), UnitPrice=Decimal(120))
    sales = actual(firm, "Sales", "1000", **pounds)
    billed = actual(firm, "BilledSales", "1000", InvoiceProposalId="INV-1", **pounds)
    connect(firm, sales, cost)
    join(firm, billed, "Billed Sales", sales, "Unbilled Sales")
    bill_in_dataverse(unit, firm, "INV-1", 1)
    header = {"InvoiceProposalId": "INV-1", "ProjectContractId": "ORD-1", "SalesCurrency": "GBP"}
    firm.insert("ProjectInvoiceProposalsV2", {"dataAreaId": "uspm", "InvoiceDate": noon(DAY)} | header)
    run_all(firm)
    posted = {it["TransactionType"]: it for it in firm.find("ProjActualsImports", dataAreaId="uspm")}
    assert balances(firm, Voucher=posted["Cost"]["VoucherNumber"]) == {
        "ProjectCost": Decimal(480),
        "PayrollAllocation": Decimal(-480),
    }
    assert balances(firm, Voucher=posted["Sales"]["VoucherNumber"]) == {
        "WipSalesValue": Decimal(1250),
        "AccruedRevenue": Decimal(-1250),
    }
    assert balances(firm, Voucher=posted["BilledSales"]["VoucherNumber"]) == {
        "WipSalesValue": Decimal(-1250),
        "AccruedRevenue": Decimal(1250),
        "InvoicedRevenue": Decimal(-1250),
        "CustomerBalance": Decimal(1250),
    }
    assert posted["BilledSales"]["AccountingAmount"] == Decimal(1250)
    assert posted["BilledSales"]["ExchangeRate"] == Decimal("1.25")


def lend_hours(books: Books) -> None:
    """R1201's ten hours of a British resource on an American project; its own cost is not sent."""
    lender = {"dataAreaId": "gbpm", "ResourcingCompany": "GBPM", "ContractId": "", **HOURS}
    unbilled = actual(books, "Sales", "2000", ResourcingCompany="GBPM", UnitPrice=Decimal(200), **HOURS)
    resourcing = actual(
        books, "ResourcingUnitCost", "880", TransactionCurrencyId="GBP", UnitPrice=Decimal(88), **lender
    )
    sold = actual(books, "InterOrgSales", "1200", UnitPrice=Decimal(120), **lender)
    cost = {"ActualId": str(uuid4())}
    join(books, unbilled, "Unbilled Sales", cost, "Cost")
    join(books, sold, "Inter-Organizational Sales", cost, "Cost")
    join(books, resourcing, "Resourcing Unit Cost", cost, "Cost")


def test_r1202_r1201_the_lender_s_and_the_borrower_s_journals(firm: Books) -> None:
    lend_hours(firm)
    run_all(firm)
    assert balances(firm, "gbpm") == {
        "IntercompanyCost": Decimal(880),
        "PayrollAllocation": Decimal(-880),
        "WipSalesValue": Decimal(960),
        "AccruedRevenue": Decimal(-960),
    }
    assert balances(firm, "uspm") == {"WipSalesValue": Decimal(2000), "AccruedRevenue": Decimal(-2000)}
    [transaction] = firm.find("ProjectTransactions")
    assert (transaction["dataAreaId"], transaction["SalesAmount"]) == ("uspm", Decimal(2000))
    assert transaction["CostAmount"] == 0


def test_r1203_the_borrower_books_the_cost_with_the_lender_s_invoice(firm: Books) -> None:
    lend_hours(firm)
    run_all(firm)
    assert post_intercompany_invoices(firm, {})["GBPM"] == {"posted": 1, "refused": 0}
    assert balances(firm, "gbpm") == {
        "IntercompanyCost": Decimal(880),
        "PayrollAllocation": Decimal(-880),
        "CustomerBalance": Decimal(960),
        "IntercompanyRevenue": Decimal(-960),
    }
    assert post_vendor_invoices(firm, {})["USPM"] == {"posted": 1, "refused": 0}
    [transaction] = firm.find("ProjectTransactions")
    assert (transaction["CostAmount"], transaction["SalesAmount"]) == (Decimal(1200), Decimal(2000))
    borrower = balances(firm, "uspm")
    assert (borrower["ProjectCost"], borrower["VendorBalance"]) == (Decimal(1200), Decimal(-1200))
    assert open_messages(firm, "uspm") == open_messages(firm, "gbpm") == []
