"""Posting of the integration journal (R701 to R704, R115, R1202, E14)."""

from decimal import Decimal
from typing import Any

import pytest

from sandbox.finance.books import Books
from sandbox.finance.rules.posting import post_journals, update_to_draft
from sandbox.rules.jobs import Job, JobRefusedError
from sandbox.store.defaults import ZERO_GUID
from tests.unit.sandbox.finance.rules.accounts import (
    CONTRACT,
    EXPENSE,
    LINE,
    MATERIAL,
    PROJECT,
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

DONE = {"journals": 1, "in_batch": 0, "posted": 2, "failed": 0}


def post(books: Books, company: str = "USPM") -> dict[str, Any]:
    return post_journals(books, {"company": company})


def post_one(books: Books, kind: str, amount: str, line: dict[str, Any], **values: Any) -> dict[str, Decimal]:
    """Post one actual in a journal of its own; return what its voucher books."""
    number = f"J-{len(books.find('ProjectIntegrationJournals')) + 1}"
    actual = add_actual(books, number, kind, amount, **values)
    add_line(books, add_journal(books, number=number), actual, Voucher=f"V-{number}", **line)
    assert post(books)["USPM"]["posted"] == 1
    return balances(books, Voucher=f"V-{number}")


def test_r113_e8_a_project_that_was_closed_after_the_import_fails_its_lines(books: Books) -> None:
    set_up(books)
    add_contract(books)
    journal = add_journal(books)
    add_line(books, journal, add_actual(books, "cost", "Cost", "800"))
    project = books.get("ProjectsV2", ProjectId=PROJECT)
    project = books.update("ProjectsV2", project, {"ProjectStage": "Completed"})
    told = post(books)
    assert (told["USPM"]["posted"], told["USPM"]["failed"]) == (0, 1)
    assert f"Project stage finished doesn't allow recording in the project {PROJECT}" in told["messages"][0]
    assert balances(books) == {}
    books.update("ProjectsV2", project, {"ProjectStage": "InProcess"})
    update_to_draft(books, {})
    assert post(books)["USPM"]["posted"] == 1
    assert balances(books) == {"ProjectCost": Decimal(800), "PayrollAllocation": Decimal(-800)}


def test_r703_time_and_material_without_accrual_books_the_cost_only(books: Books) -> None:
    set_up(books, accrue=False)
    add_contract(books)
    cost = post_one(books, "Cost", "800", {})
    assert cost == {"ProjectCost": Decimal(800), "PayrollAllocation": Decimal(-800)}
    assert post_one(books, "Sales", "1600", {}) == {}


def test_r703_accrual_books_wip_against_accrued_revenue(books: Books) -> None:
    set_up(books)
    add_contract(books)
    sales = post_one(books, "Sales", "1600", {})
    assert sales == {"WipSalesValue": Decimal(1600), "AccruedRevenue": Decimal(-1600)}
    assert_vouchers_balance(books)


def test_r703_of_a_fixed_price_only_the_cost_is_booked(books: Books) -> None:
    set_up(books)
    add_contract(books)
    line = {"ProjectContractId": CONTRACT, "ContractLineId": LINE, "BillingMethod": "FixedPrice"}
    books.insert("ProjectContractLines", {"dataAreaId": "uspm", "LineProjectId": PROJECT} | line)
    cost = post_one(books, "Cost", "800", {})
    assert cost == {"ProjectCost": Decimal(800), "PayrollAllocation": Decimal(-800)}
    assert books.get("ProjectTransactions")["SalesAmount"] == 0


def test_r703_what_is_not_charged_is_not_accrued(books: Books) -> None:
    set_up(books)
    add_contract(books)
    assert post_one(books, "Sales", "400", {"LinePropertyId": "NONBILL"}) == {}


@pytest.mark.parametrize(
    ("values", "offset"),
    [
        ({"TransactionClassification": EXPENSE, "ExternalOriginReference": "EXP-1"}, "ExpenseIntegration"),
        ({"TransactionClassification": EXPENSE}, "ExpenseIntegration"),
        ({"TransactionClassification": EXPENSE, "MatchedVendorInvoice": "VI-1"}, "ProcurementIntegration"),
        ({"VendInvoiceLineProjTransId": "USPM-000007"}, "ProcurementIntegration"),
        ({"TransactionClassification": MATERIAL}, "CostItem"),
    ],
)
def test_r703_a_cost_is_credited_to_where_it_comes_from(
    books: Books, values: dict[str, Any], offset: str
) -> None:
    set_up(books)
    add_contract(books)
    booked = post_one(books, "Cost", "120", {}, **values)
    assert booked == {"ProjectCost": Decimal(120), offset: Decimal(-120)}


@pytest.mark.parametrize(
    ("values", "offset"),
    [
        ({}, "PayrollAllocation"),
        ({"TransactionClassification": EXPENSE}, "ExpenseOffset"),
        ({"TransactionClassification": EXPENSE, "ExternalOriginReference": "EXP-1"}, "ExpenseIntegration"),
        ({"TransactionClassification": MATERIAL}, "CostItem"),
    ],
    ids=["time", "expense", "expense that Finance posted", "material"],
)
def test_r115_an_internal_project_is_profit_and_loss(
    books: Books, values: dict[str, Any], offset: str
) -> None:
    set_up(books)
    booked = post_one(books, "Cost", "800", {}, ContractId="", ContractLineId="", **values)
    assert booked == {"ProjectCost": Decimal(800), offset: Decimal(-800)}


def test_r115_linking_a_project_later_takes_its_cost_back_and_books_it_anew(books: Books) -> None:
    set_up(books, accrue=False)
    add_contract(books)
    internal = {"ContractId": "", "ContractLineId": "", "TransactionClassification": EXPENSE}
    post_one(books, "Cost", "800", {}, **internal)
    post_one(books, "Cost", "-800", {}, **internal)
    post_one(books, "Cost", "800", {}, ExternalOriginReference="EXP-1", TransactionClassification=EXPENSE)
    assert balances(books) == {"ProjectCost": Decimal(800), "ExpenseIntegration": Decimal(-800)}


def test_r704_r204_posting_tells_the_staging_row_what_it_made(books: Books) -> None:
    """The accounting details were once missing there after posting (Finance 480962)."""
    set_up(books)
    add_contract(books)
    actual = add_actual(books, "sales", "Sales", "1000", TransactionCurrencyId="GBP")
    add_line(
        books,
        add_journal(books),
        actual,
        ExchangeRate=Decimal("1.25"),
        AccountingAmount=Decimal(1250),
        SalesTaxAmount=Decimal(100),
        Voucher="USPM-000051",
    )
    post(books)
    row = books.get("ProjActualsImports", ActualsImportId=guid("sales/import"))
    assert (row["AccountingAmount"], row["ExchangeRate"]) == (Decimal(1250), Decimal("1.25"))
    assert (row["VoucherNumber"], row["SalesTaxAmount"], row["IsJournalized"]) == ("USPM-000051", 100, "Yes")
    line = books.get("ProjectIntegrationJournalLines", Voucher="USPM-000051")
    assert line["LineStatus"] == "Posted"
    journal = books.get("ProjectIntegrationJournals", JournalId="USPM-000041")
    assert (journal["JournalStatus"], journal["NumberOfLines"]) == ("Posted", 1)


@pytest.mark.parametrize("order", [("cost", "sales"), ("sales", "cost")])
def test_connected_cost_and_sales_become_one_project_transaction(
    books: Books, order: tuple[str, str]
) -> None:
    set_up(books)
    add_contract(books)
    actuals = {
        "cost": add_actual(books, "cost", "Cost", "800"),
        "sales": add_actual(books, "sales", "Sales", "1600"),
    }
    connect(books, "sales", "Unbilled Sales", "cost", "Cost")
    journal = add_journal(books)
    for name in order:
        add_line(books, journal, actuals[name])
    assert post(books)["USPM"] == DONE
    [transaction] = books.find("ProjectTransactions")
    assert (transaction["CostAmount"], transaction["SalesAmount"]) == (Decimal(800), Decimal(1600))
    assert transaction["CostActualsImportId"] == guid("cost/import")
    assert transaction["SalesActualsImportId"] == guid("sales/import")
    assert (transaction["TransactionType"], transaction["IsRevenueAccrued"]) == ("Hour", "Yes")


def test_sales_of_another_journal_join_their_cost_and_a_second_part_stands_alone(books: Books) -> None:
    set_up(books)
    add_contract(books)
    add_line(books, add_journal(books, number="J-1"), add_actual(books, "cost", "Cost", "800"), Voucher="V-1")
    post(books)
    second = add_journal(books, number="J-2")
    for name, amount in (("charged", "1200"), ("free", "400")):
        actual = add_actual(books, name, "Sales", amount)
        connect(books, name, "Unbilled Sales", "cost", "Cost")
        add_line(books, second, actual, Voucher=f"V-{name}")
    post(books)
    joined, alone = books.find("ProjectTransactions")
    assert (joined["CostAmount"], joined["SalesAmount"]) == (Decimal(800), Decimal(1200))
    assert (alone["CostAmount"], alone["SalesAmount"]) == (Decimal(0), Decimal(400))


def test_r1202_the_lender_books_its_cost_and_accrues_and_makes_no_project_transaction(books: Books) -> None:
    set_up(books, company="gbpm", currency="GBP", accrue=False)
    relation = {"LendingLegalEntityId": "GBPM", "BorrowingLegalEntityId": "USPM", "AccrueRevenue": "Yes"}
    books.insert("IntercompanyProjectRelations", relation)
    journal = add_journal(books, "gbpm", "GBPM-000001")
    lent = {"dataAreaId": "gbpm", "ProjectDataAreaId": "uspm", "ContractId": ""}
    cost = add_actual(books, "rc", "ResourcingUnitCost", "880", TransactionCurrencyId="GBP", **lent)
    sales = add_actual(books, "io", "InterOrgSales", "1200", **lent)
    add_line(books, journal, cost)
    add_line(books, journal, sales, ExchangeRate=Decimal("0.8"), AccountingAmount=Decimal(960))
    assert post(books, "GBPM")["GBPM"] == DONE
    assert balances(books, "gbpm") == {
        "IntercompanyCost": Decimal(880),
        "PayrollAllocation": Decimal(-880),
        "WipSalesValue": Decimal(960),
        "AccruedRevenue": Decimal(-960),
    }
    assert books.find("ProjectTransactions") == []
    assert_vouchers_balance(books)


def test_r701_more_than_a_hundred_lines_post_in_batch(books: Books) -> None:
    set_up(books)
    journal = add_journal(books)
    for place in range(101):
        add_line(books, journal, add_actual(books, f"cost {place}", "Cost", "8", ContractId=""))
    assert post(books)["USPM"] == {"journals": 1, "in_batch": 1, "posted": 101, "failed": 0}
    assert_vouchers_balance(books)


def test_an_extra_fee_line_makes_a_transaction_that_knows_its_source(books: Books) -> None:
    set_up(books)
    add_contract(books)
    actual = add_actual(books, "sales", "Sales", "1600")
    add_line(
        books,
        add_journal(books),
        actual,
        ActualsImportId=ZERO_GUID,
        ActualId=ZERO_GUID,
        SourceActualId=guid("sales/import"),
        Amount=Decimal(80),
        AccountingAmount=Decimal(80),
    )
    post(books)
    [transaction] = books.find("ProjectTransactions", ProjectId=PROJECT)
    assert transaction["SourceActualsImportId"] == guid("sales/import")
    assert books.get("ProjActualsImports", ActualId=guid("sales"))["VoucherNumber"] == ""


def test_a_company_that_does_not_exist_is_refused(books: Books) -> None:
    with pytest.raises(JobRefusedError, match="no legal entity 'NONE'"):
        post(books, "NONE")


def test_both_jobs_answer_by_company(jobs: dict[str, Job]) -> None:
    assert jobs["post-integration-journal"]({}) == {"messages": []}
    assert jobs["update-journal-to-draft"]({}) == {"messages": []}
