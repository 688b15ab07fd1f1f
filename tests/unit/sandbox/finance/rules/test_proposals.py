"""Lines of invoice proposals: all or none, counted, deleted and recreated (R801 to R804, R807, E9, E10)."""

from datetime import timedelta
from decimal import Decimal

import pytest

from sandbox.finance.books import Books
from sandbox.finance.errors import FinanceError
from sandbox.finance.rules import staging
from sandbox.finance.rules.messages import open_messages
from sandbox.finance.rules.posting import post_journals
from sandbox.finance.rules.proposals import delete_lines, import_lines
from sandbox.finance.rules.staging import unprocessed
from sandbox.finance.rules.staging_import import import_from_staging
from sandbox.rules.hooks import Caller
from sandbox.rules.jobs import Job, JobRefusedError
from sandbox.store import WriteUnit
from tests.unit.sandbox.finance.rules.accounts import (
    add_actual,
    add_journal,
    add_line,
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


def test_r801_a_proposal_has_the_number_of_the_proforma_and_stays(firm: Books, unit: WriteUnit) -> None:
    propose(firm, unit, number="INV-90000")
    propose(firm, unit, number="INV-00001")
    header = firm.get("ProjectInvoiceProposalsV2", InvoiceProposalId="INV-00001")
    with pytest.raises(FinanceError, match="INV-00001 came from Project Operations and can't be deleted"):
        firm.delete("ProjectInvoiceProposalsV2", header, Caller.USER)
    numbers = [row["InvoiceProposalId"] for row in firm.find("ProjectInvoiceProposalsV2")]
    assert numbers == ["INV-90000", "INV-00001"]


def test_r802_lines_come_from_billed_sales_once_their_unbilled_sales_are_posted(
    firm: Books, unit: WriteUnit
) -> None:
    sell(firm, "work", "1600")
    bill(firm, "work", "1600")
    propose(firm, unit)
    assert import_lines(firm, "uspm") == ONE_LINE
    assert lines(firm) == [(Decimal(1600), Decimal(160))]
    [line] = firm.find("ProjectInvoiceProposalLines")
    [transaction] = firm.find("ProjectTransactions")
    assert line["TransId"] == transaction["TransId"]
    assert line["CategoryId"] == "TCN-0000001000-D3B43-1"
    assert (transaction["TransactionStatus"], transaction["InvoiceProposalId"]) == (
        "InvoiceProposed",
        "INV-01",
    )
    assert firm.get("ProjectInvoiceProposalsV2")["ProposalStatus"] == "Ready"
    assert guid("work billed/import") not in {row["ActualsImportId"] for row in unprocessed(firm, "uspm")}
    assert import_lines(firm, "uspm") == {"proposals": 0, "proposals_waiting": 0, "proposal_lines": 0}


def test_r802_e9_all_or_none(firm: Books, unit: WriteUnit) -> None:
    sell(firm, "posted", "1600")
    bill(firm, "posted", "1600")
    journal = add_journal(firm)
    add_line(firm, journal, add_actual(firm, "waiting", "Sales", "400"))
    bill(firm, "waiting", "400")
    propose(firm, unit, count=2)
    assert import_lines(firm, "uspm") == WAITING
    assert lines(firm) == []
    [message] = open_messages(firm, "uspm")
    assert (message["ErrorId"], message["DocumentNumber"]) == ("E9", "INV-01")
    assert "hasn't been posted yet for 1 of 2 billed sales" in message["MessageText"]
    assert guid("waiting billed/import") in message["MessageText"]
    post_journals(firm, {"company": "uspm"})
    assert import_lines(firm, "uspm")["proposal_lines"] == 2
    assert open_messages(firm, "uspm") == []


def test_r802_unbilled_sales_that_have_not_come_in_hold_the_invoice_back(
    firm: Books, unit: WriteUnit
) -> None:
    bill(firm, "never sent", "400")
    propose(firm, unit)
    assert import_lines(firm, "uspm") == WAITING


def test_r803_e10_the_count_is_compared_with_dataverse(firm: Books, unit: WriteUnit) -> None:
    sell(firm, "work", "1600")
    bill(firm, "work", "1600")
    propose(firm, unit, count=2)
    assert import_lines(firm, "uspm") == WAITING
    [message] = open_messages(firm, "uspm")
    assert message["ErrorId"] == "E10"
    assert "mismatched billed sales actuals: 1 have come in, and Dataverse has 2" in message["MessageText"]
    sell(firm, "late", "400")
    bill(firm, "late", "400")
    assert import_lines(firm, "uspm")["proposal_lines"] == 2
    assert open_messages(firm, "uspm") == []


def test_r612_billed_sales_that_differ_from_dataverse_hold_the_invoice_back(
    firm: Books, unit: WriteUnit
) -> None:
    parameters = firm.get("ProjectIntegrationParameters", dataAreaId="uspm")
    firm.update("ProjectIntegrationParameters", parameters, {"PrevalidateActuals": "Yes"})
    sell(firm, "work", "1600")
    staging.mark(firm, "uspm", guid("work/import"), IsProcessed="Yes")
    bill(firm, "work", "1600")
    propose(firm, unit)
    rest_over(firm, "work")
    assert import_lines(firm, "uspm") == WAITING  # rests
    assert open_messages(firm, "uspm") == []
    rest_over(firm, "work billed")
    assert import_from_staging(firm, {"company": "USPM"})["USPM"]["proposal_lines"] == 0
    told = {(row["ErrorId"], row["DocumentNumber"]) for row in open_messages(firm, "uspm")}
    assert told == {("E7", ""), ("E7", "INV-01")}
    assert import_from_staging(firm, {"company": "USPM"})["USPM"]["proposal_lines"] == 0
    send_again(firm, unit, "work billed")
    rest_over(firm, "work billed")
    assert import_from_staging(firm, {"company": "USPM"})["USPM"]["proposal_lines"] == 1
    assert open_messages(firm, "uspm") == []


def rest_over(books: Books, name: str) -> None:
    """Let an actual have come in five minutes ago."""
    staging.mark(books, "uspm", guid(f"{name}/import"), ReceivedDateTime=books.now - timedelta(minutes=5))


def send_again(books: Books, unit: WriteUnit, name: str) -> None:
    """Let Dataverse have an actual as it is staged, and let it come in again."""
    row = books.get("ProjActualsImports", ActualsImportId=guid(f"{name}/import"))
    source = {
        "msdyn_actualid": row["ActualId"],
        "msdyn_quantity": row["Quantity"],
        "msdyn_price": row["UnitPrice"],
        "msdyn_amount": row["Amount"],
        "msdyn_transactionclassification": row["TransactionClassification"],
        "versionnumber": unit.next_version(),
    }
    store = books.catalog.store
    unit.connection.execute(store.sql(store.dataverse["msdyn_actual"]).insert().values(source))
    books.update("ProjActualsImports", row, {"Amount": row["Amount"]}, Caller.USER)


def test_what_came_in_twice_is_counted_and_billed_once(firm: Books, unit: WriteUnit) -> None:
    sell(firm, "work", "1600")
    bill(firm, "work", "1600")
    for name, kind in (("work", "Sales"), ("work billed", "BilledSales")):
        again = {"ActualId": guid(name), "InvoiceProposalId": "INV-01"}
        add_actual(firm, f"{name} again", kind, "1600", **again)
        staging.mark(firm, "uspm", guid(f"{name} again/import"), IsDuplicate="Yes")
    propose(firm, unit)
    assert import_lines(firm, "uspm") == ONE_LINE
    assert lines(firm) == [(Decimal(1600), Decimal(160))]


def test_r804_deleted_lines_are_recreated_by_the_next_import(firm: Books, unit: WriteUnit) -> None:
    sell(firm, "work", "1600")
    bill(firm, "work", "1600")
    propose(firm, unit)
    import_lines(firm, "uspm")
    assert delete_lines(firm, NUMBER)["USPM"] == {"deleted": 1}
    assert firm.get("ProjectTransactions")["TransactionStatus"] == "Posted"
    assert guid("work billed/import") in {row["ActualsImportId"] for row in unprocessed(firm, "uspm")}
    assert import_lines(firm, "uspm") == ONE_LINE
    assert lines(firm) == [(Decimal(1600), Decimal(160))]


def test_r804_lines_of_a_posted_proposal_stay(firm: Books, unit: WriteUnit) -> None:
    sell(firm, "work", "1600")
    bill(firm, "work", "1600")
    propose(firm, unit)
    post(firm)
    with pytest.raises(JobRefusedError, match="INV-01 of USPM is posted"):
        delete_lines(firm, NUMBER)
    with pytest.raises(JobRefusedError, match="no invoice proposal INV-02 in USPM"):
        delete_lines(firm, NUMBER | {"proposal": "INV-02"})


def test_r807_tax_groups_may_be_changed_and_nothing_else(firm: Books, unit: WriteUnit) -> None:
    sell(firm, "work", "1600")
    bill(firm, "work", "1600")
    propose(firm, unit)
    import_lines(firm, "uspm")
    line = firm.get("ProjectInvoiceProposalLines")
    changed = firm.update("ProjectInvoiceProposalLines", line, {"SalesTaxItemGroupId": "FREE"}, Caller.USER)
    assert changed["SalesTaxAmount"] == 0
    for column, value in (("DefaultDimensionDisplayValue", "001"), ("LineAmount", Decimal(1))):
        with pytest.raises(FinanceError, match=f"{column} can't be changed on a line"):
            firm.update("ProjectInvoiceProposalLines", line, {column: value}, Caller.USER)
    with pytest.raises(FinanceError, match="Delete all"):
        firm.delete("ProjectInvoiceProposalLines", line, Caller.USER)
    with pytest.raises(FinanceError, match="come from billed sales"):
        firm.insert("ProjectInvoiceProposalLines", {"InvoiceProposalId": "INV-01"}, Caller.USER)


def test_a_number_that_two_companies_have_needs_the_company(firm: Books, unit: WriteUnit) -> None:
    propose(firm, unit)
    firm.insert("ProjectInvoiceProposalsV2", {"dataAreaId": "gbpm", "InvoiceProposalId": "INV-01"})
    with pytest.raises(JobRefusedError, match="Several legal entities have an invoice proposal INV-01"):
        delete_lines(firm, {"proposal": "INV-01"})
    assert delete_lines(firm, NUMBER)["USPM"] == {"deleted": 0}


def test_the_job_needs_to_know_which_proposal(jobs: dict[str, Job]) -> None:
    with pytest.raises(JobRefusedError, match="needs the parameter 'proposal'"):
        jobs["delete-proposal-lines"]({"company": "USPM"})
