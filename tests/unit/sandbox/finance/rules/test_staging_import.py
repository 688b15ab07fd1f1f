"""Import from staging: from staged actuals to lines of the integration journal."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from sandbox.data import finance_setup, intercompany
from sandbox.data.firm import Row
from sandbox.finance.books import Books
from sandbox.finance.errors import FinanceError
from sandbox.finance.rules import staging
from sandbox.finance.rules.messages import open_messages
from sandbox.finance.rules.staging_import import import_from_staging
from sandbox.finance.values import blanks
from sandbox.rules.days import noon
from sandbox.rules.hooks import Caller
from sandbox.store.tables import REC_ID, REC_VERSION, VERSION

TIME, EXPENSE, MATERIAL = 192350000, 192350001, 192350002
LINES = "ProjectIntegrationJournalLines"
JOURNALS = "ProjectIntegrationJournals"
ACTUALS = "ProjActualsImports"


@pytest.fixture
def firm(books: Books) -> Iterator[Books]:
    """USPM and GBPM as the demo has them set up, with a project of USPM's on a contract."""
    for code, currency in (("USPM", "USD"), ("GBPM", "GBP")):
        books.insert("LegalEntities", {"LegalEntityId": code, "Name": code})
        ledger = {"LegalEntityId": code, "AccountingCurrency": currency, "ExchangeRateType": "Default"}
        books.insert("Ledgers", ledger)
    sets = finance_setup.finance_rows() | {"CustomersV3": intercompany.customers()}
    for entity_set, rows in sets.items():
        enter(books, entity_set, [row for row in rows if row.get("dataAreaId") != "demf"])
    contract = {"dataAreaId": "uspm", "ProjectContractId": "ORD-1", "SalesCurrencyCode": "USD"}
    books.insert("ProjectContractHeaders", contract)
    project = {
        "dataAreaId": "uspm",
        "ProjectId": "PRJ-1",
        "ProjectStage": "InProcess",
        "ProjectContractId": "ORD-1",
        "DimensionDisplayValue": "DEP-7",
    }
    books.insert("ProjectsV2", project)
    rate("GBP", "USD", "1.25", books)
    yield books


def enter(books: Books, entity_set: str, rows: list[Row]) -> None:
    """Insert setup rows at once, without hooks, as the demo seed does."""
    table = books.catalog.sets[entity_set]
    unit = books.unit
    systems = [{VERSION: unit.next_version(), REC_ID: unit.next_recid(), REC_VERSION: 1} for _ in rows]
    full = [blanks(table) | row | system for row, system in zip(rows, systems, strict=True)]
    books.unit.connection.execute(sa.insert(books.catalog.sql(table)), full)


def rate(origin: str, target: str, value: str, books: Books) -> None:
    values = {
        "ExchangeRateTypeName": "Default",
        "FromCurrencyCode": origin,
        "ToCurrencyCode": target,
        "ValidFrom": noon(date(2025, 1, 1)),
        "ValidTo": noon(date(2154, 12, 31)),
        "Rate": Decimal(value),
    }
    books.insert("ExchangeRatesCDSEntity", values)


def actual(books: Books, kind: str, amount: str, **values: Any) -> dict[str, Any]:
    """Let an actual come in; by default hours of USPM on its project on October 5, 2026."""
    row = {
        "dataAreaId": "uspm",
        "ActualsImportId": str(uuid4()),
        "ActualId": str(uuid4()),
        "TransactionType": kind,
        "TransactionClassification": TIME,
        "BillingType": "Chargeable" if kind != "Cost" else "NotSpecified",
        "ProjectId": "PRJ-1",
        "ProjectDataAreaId": "USPM",
        "ResourcingCompany": "USPM",
        "ContractId": "ORD-1",
        "Quantity": Decimal(8),
        "Amount": Decimal(amount),
        "TransactionCurrencyId": "USD",
        "DocumentDate": noon(date(2026, 10, 5)),
    }
    return books.insert(ACTUALS, row | values)


def connect(books: Books, sales: dict[str, Any], cost: dict[str, Any]) -> None:
    values = {
        "ConnectionId": str(uuid4()),
        "Transaction1Id": sales["ActualId"],
        "Transaction1Role": "Unbilled Sales",
        "Transaction1Type": "msdyn_actual",
        "Transaction2Id": cost["ActualId"],
        "Transaction2Role": "Cost",
        "Transaction2Type": "msdyn_actual",
    }
    books.insert("ProjCDSTransactionRelationshipImports", values)


def run(books: Books, company: str = "USPM") -> dict[str, Any]:
    return dict(import_from_staging(books, {"company": company})[company])


def line_of(books: Books, row: dict[str, Any]) -> dict[str, Any]:
    return books.get(LINES, ActualsImportId=row["ActualsImportId"])


def set_up(books: Books, entity_set: str, company: str, **values: Any) -> None:
    books.update(entity_set, books.get(entity_set, dataAreaId=company), values)


def errors(books: Books, company: str = "uspm") -> list[str]:
    return [row["ErrorId"] for row in open_messages(books, company)]


def test_r601_cost_and_unbilled_sales_become_a_line_each_and_billed_sales_none(firm: Books) -> None:
    cost, sales = actual(firm, "Cost", "800"), actual(firm, "Sales", "1600")
    actual(firm, "BilledSales", "1600")
    assert run(firm)["lines"] == 2
    assert line_of(firm, cost)["Amount"] == Decimal("800.00")
    assert line_of(firm, sales)["Amount"] == Decimal("1600.00")
    assert run(firm)["lines"] == 0
    state = staging.state_of(firm, "uspm", cost["ActualsImportId"])
    assert state is not None
    assert (state["JournalId"], state["JournalLineNumber"]) == ("USPM-000001", 1)


@pytest.mark.parametrize(
    ("period", "journals"), [("Days", [2, 1, 1, 1]), ("Months", [3, 1, 1]), ("Years", [4, 1]), ("All", [5])]
)
def test_r602_a_journal_holds_the_lines_of_a_period_unit(
    firm: Books, period: str, journals: list[int]
) -> None:
    set_up(firm, "ProjectIntegrationParameters", "uspm", PeriodUnit=period)
    for day in ((2026, 10, 5), (2026, 10, 5), (2026, 10, 6), (2026, 11, 1), (2025, 10, 5)):
        actual(firm, "Cost", "100", DocumentDate=noon(date(*day)))
    assert run(firm)["journals"] == len(journals)
    assert [row["NumberOfLines"] for row in firm.find(JOURNALS)] == journals


def test_r602_a_journal_that_is_being_posted_takes_no_lines(firm: Books) -> None:
    actual(firm, "Cost", "100")
    run(firm)
    firm.update(JOURNALS, firm.get(JOURNALS), {"JournalStatus": "Processing"})
    late = actual(firm, "Cost", "200")
    run(firm)
    assert line_of(firm, late)["JournalId"] == "USPM-000002"


def test_r602_a_draft_of_the_period_takes_the_lines_of_the_next_import(firm: Books) -> None:
    actual(firm, "Cost", "100")
    run(firm)
    late = actual(firm, "Cost", "200")
    assert run(firm)["journals"] == 0
    assert (line_of(firm, late)["JournalId"], line_of(firm, late)["LineNumber"]) == ("USPM-000001", 2)


def test_r603_a_journal_holds_no_more_lines_than_the_parameter_says(firm: Books) -> None:
    set_up(firm, "ProjectIntegrationParameters", "uspm", LinesPerJournal=2)
    for _ in range(5):
        actual(firm, "Cost", "100")
    assert run(firm)["journals"] == 3
    assert [row["NumberOfLines"] for row in firm.find(JOURNALS)] == [2, 2, 1]
    actual(firm, "Cost", "100")
    assert run(firm)["journals"] == 0
    assert [row["NumberOfLines"] for row in firm.find(JOURNALS)] == [2, 2, 2]


def test_r603_the_limit_is_200_where_nobody_set_it(firm: Books) -> None:
    set_up(firm, "ProjectIntegrationParameters", "uspm", LinesPerJournal=0)
    for _ in range(201):
        actual(firm, "Cost", "1")
    run(firm)
    assert [row["NumberOfLines"] for row in firm.find(JOURNALS)] == [200, 1]


def test_r604_a_closed_period_moves_the_accounting_date_alone(firm: Books) -> None:
    row = actual(firm, "Cost", "100", DocumentDate=noon(date(2026, 8, 17)))
    run(firm)
    line = line_of(firm, row)
    assert (line["TransactionDate"], line["AccountingDate"]) == (
        "2026-08-17T12:00:00Z",
        "2026-09-01T12:00:00Z",
    )


@pytest.mark.parametrize(
    ("day", "moves", "error"), [((2026, 8, 17), "No", "E12"), ((2028, 1, 1), "Yes", "E13")]
)
def test_r604_an_actual_of_no_open_period_waits_for_one(
    firm: Books, day: tuple[int, int, int], moves: str, error: str
) -> None:
    set_up(firm, "ProjectParametersV2", "uspm", IsAccountingDateUpdateAllowed=moves)
    row, good = actual(firm, "Cost", "100", DocumentDate=noon(date(*day))), actual(firm, "Cost", "100")
    counts = run(firm)
    assert (counts["lines"], counts["refused"]) == (1, 1)
    assert line_of(firm, good)["LineStatus"] == "Draft"
    assert errors(firm) == [error]
    values = {"FiscalYear": "X", "PeriodName": "X", "PeriodStatus": "Open"}
    span = {"StartDate": row["DocumentDate"], "EndDate": row["DocumentDate"]}
    firm.insert("LedgerFiscalPeriods", {"dataAreaId": "uspm", **values, **span})
    assert run(firm)["lines"] == 1
    assert errors(firm) == []


def test_r605_each_line_has_a_voucher_and_cost_and_sales_name_each_other(firm: Books) -> None:
    cost, sales = actual(firm, "Cost", "800"), actual(firm, "Sales", "1600")
    connect(firm, sales, cost)
    run(firm)
    first, second = line_of(firm, cost), line_of(firm, sales)
    assert first["Voucher"] != second["Voucher"]
    assert (first["RelatedVoucher"], second["RelatedVoucher"]) == (second["Voucher"], first["Voucher"])


def test_r605_sales_that_come_later_name_the_voucher_of_the_earlier_cost(firm: Books) -> None:
    cost = actual(firm, "Cost", "800")
    run(firm)
    sales = actual(firm, "Sales", "1600")
    connect(firm, sales, cost)
    run(firm)
    first, second = line_of(firm, cost), line_of(firm, sales)
    assert (first["RelatedVoucher"], second["RelatedVoucher"]) == (second["Voucher"], first["Voucher"])


def test_r606_the_project_category_is_that_of_transaction_category_and_class(firm: Books) -> None:
    number = finance_setup.finance_rows()["ProjectCategoryEntities"][5]["Category"]
    transaction_category = str(number)[:-2]
    hours = actual(firm, "Cost", "100", TransactionCategoryId=transaction_category)
    expense = actual(
        firm,
        "Cost",
        "100",
        TransactionCategoryId=transaction_category,
        TransactionClassification=EXPENSE,
    )
    none = actual(firm, "Cost", "100", TransactionClassification=MATERIAL)
    run(firm)
    assert line_of(firm, hours)["CategoryId"] == f"{transaction_category}-1"
    assert line_of(firm, expense)["CategoryId"] == f"{transaction_category}-4"
    assert line_of(firm, none)["CategoryId"] == "ITEMS"


def test_r606_a_transaction_category_without_project_category_waits_for_the_accountant(firm: Books) -> None:
    actual(firm, "Cost", "100", TransactionCategoryId="TCN-NEW")
    assert run(firm)["refused"] == 1
    assert errors(firm) == ["R606"]
    category = {"Category": "TCN-NEW-1", "TransactionType": "Hour", "CategoryGroup": "HOUR"}
    firm.insert("ProjectCategoryEntities", {"dataAreaId": "uspm", **category})
    assert run(firm)["lines"] == 1
    assert errors(firm) == []


def test_r607_a_missing_exchange_rate_leaves_out_its_row_only_until_the_next_run(firm: Books) -> None:
    yen = actual(firm, "Cost", "15000", TransactionCurrencyId="JPY")
    pounds = actual(firm, "Cost", "100", TransactionCurrencyId="GBP")
    assert (run(firm)["lines"], errors(firm)) == (1, ["R607"])
    assert line_of(firm, pounds)["AccountingAmount"] == Decimal("125.00")
    rate("JPY", "USD", "0.0066917", firm)
    assert (run(firm)["lines"], errors(firm)) == (1, [])
    line = line_of(firm, yen)
    assert (line["ExchangeRate"], line["AccountingAmount"]) == (Decimal("0.0066917"), Decimal("100.38"))


@pytest.mark.parametrize(
    ("currency", "amount", "booked"), [("JPY", "1500.5", "1501"), ("KWD", "1.23456", "1.235")]
)
def test_r607_amounts_have_the_digits_of_their_currency(
    firm: Books, currency: str, amount: str, booked: str
) -> None:
    rate(currency, "USD", "2", firm)
    row = actual(firm, "Cost", amount, TransactionCurrencyId=currency)
    run(firm)
    line = line_of(firm, row)
    assert (line["Amount"], line["AccountingAmount"]) == (Decimal(booked), Decimal(booked) * 2)


def test_r607_the_contract_s_fixed_rate_goes_first(firm: Books) -> None:
    fixed = {"ProjectContractId": "ORD-1", "FromCurrencyCode": "GBP", "ExchangeRate": Decimal("1.3")}
    firm.insert("ProjectContractExchangeRates", {"dataAreaId": "uspm", **fixed})
    row = actual(firm, "Sales", "1000", TransactionCurrencyId="GBP")
    other = actual(firm, "Sales", "1000", TransactionCurrencyId="GBP", ContractId="")
    run(firm)
    assert line_of(firm, row)["AccountingAmount"] == Decimal("1300.00")
    assert line_of(firm, other)["AccountingAmount"] == Decimal("1250.00")


def test_r608_the_line_property_is_that_of_the_billing_type(firm: Books) -> None:
    rows = {
        billing_type: actual(firm, "Sales", "100", BillingType=billing_type)
        for billing_type in ("Chargeable", "NonChargeable", "Complimentary", "NotAvailable", "NotSpecified")
    }
    run(firm)
    found = {billing_type: line_of(firm, row)["LinePropertyId"] for billing_type, row in rows.items()}
    assert found == {
        "Chargeable": "BILL",
        "NonChargeable": "NONBILL",
        "Complimentary": "COMPL",
        "NotAvailable": "NONBILL",
        "NotSpecified": "NONBILL",
    }


def test_r609_sales_have_the_tax_groups_of_project_contract_or_customer_and_their_tax(firm: Books) -> None:
    sales, cost = actual(firm, "Sales", "1600"), actual(firm, "Cost", "800")
    set_up(firm, "ProjectContractHeaders", "uspm", SalesTaxGroupCode="US-STATE")
    run(firm)
    line = line_of(firm, sales)
    assert (line["SalesTaxGroupId"], line["SalesTaxItemGroupId"]) == ("US-STATE", "FULL")
    assert line["SalesTaxAmount"] == Decimal("142.00")
    assert line_of(firm, cost)["SalesTaxAmount"] == 0


def test_r609_people_may_change_taxes_and_dimensions_of_a_line_and_nothing_else(firm: Books) -> None:
    sales = actual(firm, "Sales", "1600")
    run(firm)
    line = firm.update(LINES, line_of(firm, sales), {"SalesTaxGroupId": "US-STATE"}, Caller.USER)
    assert line["SalesTaxAmount"] == Decimal("142.00")
    firm.update(LINES, line, {"DefaultDimensionDisplayValue": "DEP-8"}, Caller.USER)
    with pytest.raises(FinanceError, match="Amount can't be changed"):
        firm.update(LINES, line, {"Amount": Decimal(1)}, Caller.USER)
    firm.update(LINES, line, {"LineStatus": "Posted"})
    with pytest.raises(FinanceError, match="has the status Posted"):
        firm.update(LINES, line_of(firm, sales), {"SalesTaxGroupId": ""}, Caller.USER)


def test_r610_dimensions_of_cost_and_sales_are_the_project_s(firm: Books) -> None:
    cost, sales = actual(firm, "Cost", "800"), actual(firm, "Sales", "1600")
    run(firm)
    assert line_of(firm, cost)["DefaultDimensionDisplayValue"] == "DEP-7"
    assert line_of(firm, sales)["DefaultDimensionDisplayValue"] == "DEP-7"


def test_r610_dimensions_of_a_milestone_are_the_contract_line_s(firm: Books) -> None:
    line = {"ProjectContractId": "ORD-1", "LineSequenceNumber": 1, "ContractLineId": "CLN-1"}
    dimension = {"DefaultLedgerDimensionDisplayValue": "DEP-9"}
    firm.insert("ProjectContractLines", {"dataAreaId": "uspm", **line, **dimension})
    retainer = actual(firm, "Sales", "-500", TransactionClassification=192350005, ContractLineId="CLN-1")
    run(firm)
    assert line_of(firm, retainer)["DefaultDimensionDisplayValue"] == "DEP-9"


def test_r611_the_next_import_recreates_a_line_that_was_deleted(firm: Books) -> None:
    row = actual(firm, "Cost", "800")
    run(firm)
    deleted = line_of(firm, row)
    firm.delete(LINES, deleted, Caller.USER)
    assert firm.get(JOURNALS)["NumberOfLines"] == 0
    assert run(firm)["lines"] == 1
    again = line_of(firm, row)
    assert (again["JournalId"], again["Amount"]) == (deleted["JournalId"], Decimal("800.00"))
    assert again["Voucher"] != deleted["Voucher"]
    firm.update(LINES, line_of(firm, row), {"LineStatus": "Posted"})
    with pytest.raises(FinanceError, match="can't be changed or deleted"):
        firm.delete(LINES, line_of(firm, row), Caller.USER)
