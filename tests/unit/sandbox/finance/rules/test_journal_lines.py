"""Import from staging: what stands on a line of the integration journal."""

from datetime import date
from decimal import Decimal

import pytest

from sandbox.data import finance_setup
from sandbox.finance.books import Books
from sandbox.finance.errors import FinanceError
from sandbox.rules.days import noon
from sandbox.rules.hooks import Caller
from tests.unit.sandbox.finance.rules.staged import (
    EXPENSE,
    LINES,
    MATERIAL,
    actual,
    errors,
    line_of,
    open_firm,
    rate,
    run,
    set_up,
)


@pytest.fixture
def firm(books: Books) -> Books:
    return open_firm(books)


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
