"""Which lines billed sales become: charged or not, fees, discounts, credits (R303, R613, R406)."""

from decimal import Decimal

import pytest

from sandbox.finance.books import Books
from sandbox.finance.rules.messages import open_messages
from sandbox.finance.rules.posting import post_journals
from sandbox.finance.rules.proposals import delete_lines, import_lines
from sandbox.rules.hooks import Caller
from sandbox.store import WriteUnit
from sandbox.store.defaults import ZERO_GUID
from tests.unit.sandbox.finance.rules.accounts import (
    CONTRACT,
    CUSTOMER,
    FEE,
    LINE,
    MILESTONE,
    PROJECT,
    RETAINER,
    add_actual,
    add_journal,
    add_line,
    connect,
    guid,
)
from tests.unit.sandbox.finance.rules.billing_rows import (
    NUMBER,
    ONE_LINE,
    WAITING,
    bill,
    lines,
    open_firm,
    post,
    propose,
    sell,
)


@pytest.fixture
def firm(books: Books) -> Books:
    return open_firm(books)


def test_r303_hours_that_are_not_charged_are_shown_without_amount(firm: Books, unit: WriteUnit) -> None:
    sell(firm, "charged", "1200")
    sell(firm, "free", "400", {"LinePropertyId": "NONBILL"}, BillingType="NonChargeable")
    bill(firm, "charged", "1200")
    bill(firm, "free", "400", BillingType="NonChargeable")
    propose(firm, unit, count=2)
    import_lines(firm, "uspm")
    assert lines(firm) == [(Decimal(1200), Decimal(120)), (Decimal(0), Decimal(0))]


def test_r613_a_fee_line_that_is_not_posted_holds_the_invoice_back(firm: Books, unit: WriteUnit) -> None:
    sell(firm, "work", "1600")
    bill(firm, "work", "1600")
    extra = {
        "ActualsImportId": ZERO_GUID,
        "ActualId": ZERO_GUID,
        "SourceActualId": guid("work/import"),
        "TransactionClassification": FEE,
        "Amount": Decimal(80),
        "AccountingAmount": Decimal(80),
    }
    source = firm.get("ProjActualsImports", ActualId=guid("work"))
    add_line(firm, add_journal(firm), source, **extra)
    propose(firm, unit)
    assert import_lines(firm, "uspm") == WAITING
    assert open_messages(firm, "uspm")[0]["ErrorId"] == "E9"
    post_journals(firm, {"company": "uspm"})
    assert import_lines(firm, "uspm")["proposal_lines"] == 2
    assert lines(firm) == [(Decimal(1600), Decimal(160)), (Decimal(80), Decimal(8))]


def test_r613_a_discount_that_is_posted_separately_is_taxed_after(firm: Books, unit: WriteUnit) -> None:
    sell(firm, "work", "1500", {"Amount": Decimal(1600), "AccountingAmount": Decimal(1600)})
    bill(firm, "work", "1500")
    extra = {
        "ActualsImportId": ZERO_GUID,
        "ActualId": ZERO_GUID,
        "SourceActualId": guid("work/import"),
        "Amount": Decimal(-100),
        "AccountingAmount": Decimal(-100),
        "Voucher": "V-discount",
    }
    add_line(firm, add_journal(firm), firm.get("ProjActualsImports", ActualId=guid("work")), **extra)
    post_journals(firm, {"company": "uspm"})
    propose(firm, unit)
    import_lines(firm, "uspm")
    assert lines(firm) == [(Decimal(1600), Decimal(150)), (Decimal(-100), Decimal(0))]


def test_r613_r807_tax_that_is_changed_by_hand_is_after_discount_too(firm: Books, unit: WriteUnit) -> None:
    sell(firm, "work", "1500", {"Amount": Decimal(1600), "AccountingAmount": Decimal(1600)})
    bill(firm, "work", "1500")
    source = firm.get("ProjActualsImports", ActualId=guid("work"))
    none = {"ActualsImportId": ZERO_GUID, "ActualId": ZERO_GUID, "SourceActualId": guid("work/import")}
    for amount, values in ((-100, {}), (80, {"TransactionClassification": FEE})):
        booked = {"Amount": Decimal(amount), "AccountingAmount": Decimal(amount), "Voucher": f"V-{amount}"}
        journal = add_journal(firm, number=f"J-{amount}")
        add_line(firm, journal, source, **none, **booked, **values)
    post_journals(firm, {"company": "uspm"})
    propose(firm, unit)
    import_lines(firm, "uspm")
    for groups in ({"SalesTaxGroupId": ""}, {"SalesTaxGroupId": "STATE", "SalesTaxItemGroupId": "FULL"}):
        for line in firm.find("ProjectInvoiceProposalLines"):
            firm.update("ProjectInvoiceProposalLines", line, groups, Caller.USER)
    assert lines(firm) == [
        (Decimal(1600), Decimal(150)),
        (Decimal(-100), Decimal(0)),
        (Decimal(80), Decimal(8)),
    ]


def test_a_milestone_takes_its_on_account_transaction_and_a_retainer_gets_one(
    firm: Books, unit: WriteUnit
) -> None:
    known = {"ProjID": PROJECT, "PSAContractLineNum": LINE, "TransactionOrigin": "Milestone"}
    for number, amount in (("MS-1", 5000), ("MS-2", 2000)):
        key = {"dataAreaId": "uspm", "TransId": number}
        firm.insert("ProjectOnAccountTransactions", key | known | {"Amount": Decimal(amount)})
    for name, kind, billed in (("milestone", MILESTONE, "5000"), ("retainer", RETAINER, "2000")):
        actual = {"InvoiceProposalId": "INV-01", "TransactionClassification": kind}
        add_actual(firm, name, "BilledSales", billed, **actual)
    propose(firm, unit, count=2)
    import_lines(firm, "uspm")
    first, second = firm.find("ProjectInvoiceProposalLines")
    assert (first["OnAccountTransId"], first["CategoryId"]) == ("MS-1", "ONACC")
    retainer = firm.get("ProjectOnAccountTransactions", TransId=second["OnAccountTransId"])
    assert (retainer["Amount"], retainer["TransactionOrigin"]) == (Decimal(2000), "Prepayment")
    assert retainer["TransStatus"] == "InvoiceProposed"
    delete_lines(firm, NUMBER)
    assert firm.get("ProjectOnAccountTransactions", TransId="MS-1")["TransStatus"] == "NotPosted"
    import_lines(firm, "uspm")
    assert len(firm.find("ProjectOnAccountTransactions")) == 3


def test_r406_a_credit_waits_for_its_original_and_mirrors_it(firm: Books, unit: WriteUnit) -> None:
    sell(firm, "work", "1600")
    bill(firm, "work", "1600")
    add_actual(firm, "credit", "BilledSales", "-1600", Quantity=Decimal(-8), InvoiceProposalId="INV-02")
    connect(firm, "credit", "Reversing", "work billed", "Original")
    propose(firm, unit)
    propose(firm, unit, number="INV-02")
    import_lines(firm, "uspm")
    assert lines(firm, "INV-02") == []
    post(firm)
    assert import_lines(firm, "uspm") == ONE_LINE
    assert lines(firm, "INV-02") == [(Decimal(-1600), Decimal(-160))]
    [line] = firm.find("ProjectInvoiceProposalLines", InvoiceProposalId="INV-02")
    assert line["Quantity"] == -8


def test_r308_each_funding_source_pays_its_own_proposal(firm: Books, unit: WriteUnit) -> None:
    source = {"ProjectContractID": CONTRACT, "FundingSourceId": "FS-2", "CustomerOrOrganization": "US-002"}
    firm.insert("ProjectFundingSources", {"dataAreaId": "uspm"} | source)
    for name, number, source_id in (("a", "INV-01", ""), ("b", "INV-02", "FS-2")):
        sell(firm, name, "800")
        bill(firm, name, "800", number)
        propose(firm, unit, number=number, FundingSourceId=source_id)
    post(firm)
    owed = [row["CustomerAccountNumber"] for row in firm.find("ProjectCustomerInvoices")]
    assert owed == [CUSTOMER, "US-002"]
