"""Import from staging: which actuals become lines, and which wait."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from sandbox.finance.books import Books
from sandbox.finance.errors import FinanceError
from sandbox.finance.rules import staging
from sandbox.finance.rules.messages import open_messages
from sandbox.finance.rules.staging_import import import_from_staging
from sandbox.rules.days import noon
from sandbox.rules.hooks import Caller
from sandbox.rules.jobs import JobRefusedError
from sandbox.store.defaults import ZERO_GUID
from tests.unit.sandbox.finance.rules.staged import (
    ACTUALS,
    LINES,
    MATERIAL,
    actual,
    errors,
    line_of,
    open_firm,
    run,
    set_up,
)

FEE = 192350004


@pytest.fixture
def firm(books: Books) -> Books:
    return open_firm(books)


def lent(books: Books, company: str, kind: str, amount: str, currency: str) -> dict[str, Any]:
    """Let an actual of the intercompany example come in: GBPM works ten hours on a project of USPM."""
    parties = {"ProjectDataAreaId": "USPM", "ResourcingCompany": "GBPM"}
    values = {"dataAreaId": company, "Quantity": Decimal(10), "TransactionCurrencyId": currency}
    return actual(books, kind, amount, **parties, **values)


def test_a_job_for_an_unknown_company_is_refused(firm: Books) -> None:
    with pytest.raises(JobRefusedError, match="NONE"):
        import_from_staging(firm, {"company": "NONE"})


def test_without_a_company_the_job_runs_in_all(firm: Books) -> None:
    actual(firm, "Cost", "100")
    counts = import_from_staging(firm, {})
    assert (counts["USPM"]["lines"], counts["GBPM"]["lines"], counts["messages"]) == (1, 0, [])


def test_an_actual_that_came_in_under_two_import_ids_is_imported_once(firm: Books) -> None:
    first = actual(firm, "Cost", "100")
    second = actual(firm, "Cost", "100", ActualId=first["ActualId"])
    counts = run(firm)
    assert (counts["lines"], counts["duplicates"]) == (1, 1)
    state = staging.state_of(firm, "uspm", second["ActualsImportId"])
    assert state is not None
    assert state["IsDuplicate"] == "Yes"


def test_taxes_of_dataverse_and_journalised_actuals_make_no_line(firm: Books) -> None:
    actual(firm, "Tax", "50", TransactionClassification=690970002)
    actual(firm, "Cost", "100", IsJournalized="Yes")
    counts = run(firm)
    assert (counts["lines"], counts["without_line"]) == (0, 2)
    assert run(firm)["without_line"] == 0


def test_r113_e8_a_completed_project_takes_no_transactions_until_it_is_open_again(firm: Books) -> None:
    set_up(firm, "ProjectsV2", "uspm", ProjectStage="Completed")
    row = actual(firm, "Cost", "100")
    assert (run(firm)["refused"], errors(firm)) == (1, ["E8"])
    message = open_messages(firm, "uspm")[0]
    assert message["ActualsImportId"] == row["ActualsImportId"]
    assert "Project stage finished doesn't allow recording in the project PRJ-1" in message["MessageText"]
    set_up(firm, "ProjectsV2", "uspm", ProjectStage="InProcess")
    assert (run(firm)["lines"], errors(firm)) == (1, [])


def test_another_cause_takes_the_place_of_an_actual_s_message(firm: Books) -> None:
    set_up(firm, "ProjectsV2", "uspm", ProjectStage="Completed")
    actual(firm, "Cost", "100", TransactionCurrencyId="JPY")
    run(firm)
    set_up(firm, "ProjectsV2", "uspm", ProjectStage="InProcess")
    run(firm)
    assert errors(firm) == ["R607"]


def test_r503_e6_an_actual_whose_billing_type_has_no_line_property_is_not_taken(firm: Books) -> None:
    row = actual(firm, "Sales", "100", BillingType="Chargeable")
    missing = firm.get("ProjectBillingTypeLineProperties", dataAreaId="uspm", BillingType="NotAvailable")
    firm.update("ProjectBillingTypeLineProperties", missing, {"LinePropertyId": ""})
    with pytest.raises(FinanceError, match="Line property Not available doesn't exist") as refused:
        firm.update(ACTUALS, row, {"BillingType": "NotAvailable"}, Caller.USER)
    assert "validateWrite failed on data source 'ProjCDSActualsImport" in refused.value.message
    firm.update("ProjectBillingTypeLineProperties", missing, {"LinePropertyId": "NONBILL"})
    assert firm.update(ACTUALS, row, {"BillingType": "NotAvailable"}, Caller.USER)


def test_r503_a_company_that_is_not_switched_to_project_operations_takes_actuals_as_they_are(
    books: Books,
) -> None:
    values = {"dataAreaId": "uspm", "ActualsImportId": str(uuid4()), "BillingType": "NotAvailable"}
    assert books.insert(ACTUALS, values, Caller.USER)


def test_r505_costs_that_finance_has_posted_itself_become_no_line(firm: Books) -> None:
    firm.insert("ProjMaterialUsageExports", {"dataAreaId": "uspm", "MaterialUsageId": "PS-1"})
    posted = {"JournalBatchNumber": "GJ-1", "LineNumber": 1, "Voucher": "GJV-1", "IsPosted": "Yes"}
    firm.insert("GeneralJournalLines", {"dataAreaId": "uspm", **posted})
    origins = ("PS-1", "GJV-1")
    for origin in origins:
        actual(firm, "Cost", "90", TransactionClassification=MATERIAL, ExternalOriginReference=origin)
    sales = [actual(firm, "Sales", "120", ExternalOriginReference=origin) for origin in origins]
    expense = actual(firm, "Cost", "30", ExternalOriginReference="EXP-1")
    counts = run(firm)
    assert (counts["lines"], counts["without_line"]) == (3, 2)
    for row in (*sales, expense):
        assert line_of(firm, row)["LineStatus"] == "Draft"


def test_r612_e7_an_actual_rests_five_minutes_and_is_compared_with_dataverse(firm: Books) -> None:
    set_up(firm, "ProjectIntegrationParameters", "uspm", PrevalidateActuals="Yes")
    row = actual(firm, "Cost", "100")
    assert (run(firm)["resting"], run(firm)["lines"]) == (1, 0)
    rest(firm, row)
    assert (run(firm)["refused"], errors(firm)) == (1, ["E7"])
    assert "Unable to look up msdyn_actuals" in open_messages(firm, "uspm")[0]["MessageText"]
    state = staging.state_of(firm, "uspm", row["ActualsImportId"])
    assert state is not None
    assert state["IsInvalid"] == "Yes"


def rest(books: Books, row: dict[str, Any]) -> None:
    came = books.now - timedelta(minutes=5)
    staging.mark(books, "uspm", row["ActualsImportId"], ReceivedDateTime=came)


def source_of(books: Books, row: dict[str, Any], **differing: Any) -> None:
    """Let Dataverse have the actual that came in, but for what differs."""
    store = books.catalog.store
    table = store.dataverse["msdyn_actual"]
    values = {
        "msdyn_actualid": row["ActualId"],
        "msdyn_quantity": row["Quantity"],
        "msdyn_price": row["UnitPrice"],
        "msdyn_amount": row["Amount"],
        "msdyn_transactionclassification": row["TransactionClassification"],
        "versionnumber": books.unit.next_version(),
    }
    books.unit.connection.execute(store.sql(table).insert().values(values | differing))


def test_an_actual_without_its_dataverse_id_is_imported_and_keeps_nobody_waiting(firm: Books) -> None:
    unknown = actual(firm, "Sales", "1600", ActualId=ZERO_GUID, FeeAmount=Decimal(40))
    actual(firm, "Cost", "100")
    assert run(firm)["lines"] == 3
    fee = firm.get(LINES, SourceActualId=unknown["ActualsImportId"])
    assert fee["RelatedVoucher"] == line_of(firm, unknown)["Voucher"]


def test_r612_what_differs_from_dataverse_is_invalid_until_it_comes_again(firm: Books) -> None:
    set_up(firm, "ProjectIntegrationParameters", "uspm", PrevalidateActuals="Yes")
    good, bad = actual(firm, "Cost", "100"), actual(firm, "Cost", "100")
    source_of(firm, good)
    source_of(firm, bad, msdyn_amount=Decimal(120))
    rest(firm, good)
    rest(firm, bad)
    counts = run(firm)
    assert (counts["lines"], counts["refused"]) == (1, 1)
    assert "differs from Dataverse in Amount" in open_messages(firm, "uspm")[0]["MessageText"]
    assert run(firm)["refused"] == 0
    firm.update(ACTUALS, bad, {"Amount": Decimal(120)}, Caller.USER)
    rest(firm, bad)
    assert (run(firm)["lines"], errors(firm)) == (1, [])
    assert line_of(firm, bad)["Amount"] == Decimal("120.00")


def test_r613_a_fee_is_an_extra_line_that_is_linked_to_its_source_actual(firm: Books) -> None:
    row = actual(firm, "Sales", "1600", FeeAmount=Decimal("40.005"))
    assert run(firm)["lines"] == 2
    fee = firm.get(LINES, SourceActualId=row["ActualsImportId"])
    assert (fee["CategoryId"], fee["Amount"], fee["TransactionClassification"]) == (
        "FEES",
        Decimal("40.01"),
        FEE,
    )
    assert fee["RelatedVoucher"] == line_of(firm, row)["Voucher"]
    with pytest.raises(FinanceError, match="goes with the line of its source actual"):
        firm.delete(LINES, fee, Caller.USER)


def test_r613_a_deleted_line_takes_its_fee_line_along_and_both_come_again(firm: Books) -> None:
    row = actual(firm, "Sales", "1600", FeeAmount=Decimal(40))
    run(firm)
    firm.delete(LINES, line_of(firm, row), Caller.USER)
    assert firm.find(LINES) == []
    assert run(firm)["lines"] == 2


@pytest.mark.parametrize(("category", "amounts"), [("", ["900.00"]), ("HOURS", ["1000.00", "-100.00"])])
def test_r613_a_discount_is_posted_separately_only_with_a_category_and_taxed_after_it(
    firm: Books, category: str, amounts: list[str]
) -> None:
    set_up(firm, "ProjectIntegrationParameters", "uspm", LineDiscountCategory=category)
    set_up(firm, "ProjectContractHeaders", "uspm", SalesTaxGroupCode="US-STATE")
    row = actual(firm, "Sales", "900", LineDiscountAmount=Decimal(100))
    run(firm)
    lines = firm.find(LINES)
    assert [line["Amount"] for line in lines] == [Decimal(amount) for amount in amounts]
    assert sum(line["SalesTaxAmount"] for line in lines) == Decimal("79.88")
    other = firm.update(LINES, line_of(firm, row), {"SalesTaxGroupId": ""}, Caller.USER)
    again = firm.update(LINES, other, {"SalesTaxGroupId": "US-STATE"}, Caller.USER)
    assert (other["SalesTaxAmount"], again["SalesTaxAmount"]) == (0, Decimal("79.88"))


def test_r1201_the_borrower_journals_unbilled_sales_the_lender_cost_and_interorganizational_sales(
    firm: Books,
) -> None:
    """The worked example: cost 1,200 and unbilled 2,000 USD, resourcing 880 GBP, inter-org sales 1,200."""
    unbilled = lent(firm, "uspm", "Sales", "2000", "USD")
    lent(firm, "uspm", "Cost", "1200", "USD")
    resourcing = lent(firm, "gbpm", "ResourcingUnitCost", "880", "GBP")
    sales = lent(firm, "gbpm", "InterOrgSales", "1200", "USD")
    counts = import_from_staging(firm, {})
    assert (counts["USPM"]["lines"], counts["GBPM"]["lines"]) == (1, 2)
    assert [line["Amount"] for line in firm.find(LINES, dataAreaId="uspm")] == [Decimal("2000.00")]
    assert line_of(firm, unbilled)["TransactionType"] == "Sales"
    first, second = line_of(firm, resourcing), line_of(firm, sales)
    assert (first["Amount"], first["CurrencyCode"], first["AccountingAmount"]) == (880, "GBP", 880)
    assert (second["Amount"], second["CurrencyCode"]) == (1200, "USD")
    assert second["AccountingAmount"] == Decimal("960.00")  # at 1.25 USD a pound


def test_r610_dimensions_of_what_is_lent_are_the_intercompany_customer_s(firm: Books) -> None:
    row = lent(firm, "gbpm", "InterOrgSales", "1200", "USD")
    run(firm, "GBPM")
    assert line_of(firm, row)["DefaultDimensionDisplayValue"] == "IC-USPM"


def test_r1204_e11_companies_without_a_relation_import_nothing_from_each_other(firm: Books) -> None:
    relation = firm.get(
        "IntercompanyProjectRelations", LendingLegalEntityId="GBPM", BorrowingLegalEntityId="USPM"
    )
    firm.delete("IntercompanyProjectRelations", relation)
    row = lent(firm, "gbpm", "InterOrgSales", "1200", "USD")
    own = actual(
        firm, "Cost", "100", dataAreaId="gbpm", ProjectDataAreaId="", ResourcingCompany="", ProjectId=""
    )
    counts = run(firm, "GBPM")
    assert (counts["lines"], counts["refused"], errors(firm, "gbpm")) == (1, 1, ["E11"])
    assert line_of(firm, own)["LineStatus"] == "Draft"
    message = open_messages(firm, "gbpm")[0]
    assert message["ActualsImportId"] == row["ActualsImportId"]
    assert f"Unable to import actual {row['ActualId']}" in message["MessageText"]
    assert "between legal entity GBPM and USPM" in message["MessageText"]
    firm.insert(
        "IntercompanyProjectRelations", {name: relation[name] for name in relation if name[0].isupper()}
    )
    assert (run(firm, "GBPM")["lines"], errors(firm, "gbpm")) == (1, [])


def test_r604_days_of_an_actual_without_document_date_are_those_of_its_work(firm: Books) -> None:
    day = noon(date(2026, 10, 9))
    row = actual(firm, "Cost", "100", DocumentDate=noon(date(1900, 1, 1)), StartDate=day)
    run(firm)
    assert line_of(firm, row)["TransactionDate"] == day


def test_r604_an_actual_without_any_date_waits(firm: Books) -> None:
    actual(firm, "Cost", "100", DocumentDate=noon(date(1900, 1, 1)))
    assert (run(firm)["lines"], errors(firm)) == (0, ["R604"])
