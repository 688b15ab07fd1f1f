"""Estimates become forecasts, one each."""

from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from sandbox.finance.books import Books
from sandbox.finance.errors import FinanceError
from sandbox.finance.rules import estimates, forecasts
from sandbox.rules.hooks import Caller

HOURS, EXPENSES, MATERIAL = estimates.HOURS, estimates.EXPENSES, estimates.MATERIAL


@pytest.fixture
def firm(books: Books) -> Books:
    """A company with a profile for time and material, and a project on such a contract line."""
    switched = {"ProjectOperationsIntegrationFeatureStatus": "Yes", "EmplCategory": "HOURS"}
    model = {"ProjectOperationsForecastModelId": "PROJOPS"}
    books.insert("ProjectParametersV2", {"dataAreaId": "uspm", "Key": 0, **switched, **model})
    books.insert("ProjectIntegrationParameters", {"dataAreaId": "uspm", "CostRevenueProfileId": "STANDARD"})
    profile = {"ProfileId": "STANDARD", "BillingMethod": "TimeAndMaterial"}
    books.insert("ProjectRevenueProfileRules", {"dataAreaId": "uspm", **profile})
    contract = {"dataAreaId": "uspm", "ProjectContractId": "ORD-1"}
    books.insert("ProjectContractHeaders", contract | {"SalesCurrencyCode": "USD"})
    books.insert("ProjectsV2", contract | {"ProjectId": "PRJ-1", "DimensionDisplayValue": "DEP-7"})
    line = {"LineSequenceNumber": 1, "LineProjectId": "PRJ-1", "BillingMethod": "TimeAndMaterial"}
    books.insert("ProjectContractLines", contract | line)
    return books


def assign(books: Books, resource: str, hours: str = "8", **values: Any) -> dict[str, Any]:
    row = {
        "dataAreaId": "uspm",
        "EstimateHoursImportId": str(uuid4()),
        "ProjectId": "PRJ-1",
        "ActivityNumber": "T1",
        "ResourceCategoryId": "RCN-1",
        "ProjCDSResourceId": resource,
        "Duration": Decimal(hours),
        "PlannedCostAmount": Decimal(800),
        "PlannedSalesAmount": Decimal(1600),
        "StartDate": "2026-10-05T12:00:00Z",
    }
    return books.insert(HOURS, row | values, Caller.USER)


def expense(books: Books, kind: str, price: str, line: str, origin: str | None = None) -> dict[str, Any]:
    row = {
        "dataAreaId": "uspm",
        "EstimateExpensesImportId": line,
        "EstimateLineId": line,
        "TransType": kind,
        "ProjectId": "PRJ-1",
        "Quantity": Decimal(3),
        "Price": Decimal(price),
        "CurrencyId": "USD",
    }
    return books.insert(EXPENSES, row | ({"OriginEstimateLineId": origin} if origin else {}), Caller.USER)


def material(books: Books, kind: str, price: str, line: str, origin: str | None = None) -> dict[str, Any]:
    row = {
        "dataAreaId": "uspm",
        "ImportId": line,
        "ForecastLineId": line,
        "TransType": kind,
        "ProjId": "PRJ-1",
        "ItemId": "0001",
        "SalesQty": Decimal(2),
        "InventQty": Decimal(2),
        "Price": Decimal(price),
        "Currency": "USD",
        "EndDate": "2026-10-30T12:00:00Z",
    }
    return books.insert(MATERIAL, row | ({"ForecastLineIdOrigin": origin} if origin else {}), Caller.USER)


def test_r201_an_estimate_of_a_project_on_contract_lines_needs_a_revenue_profile(firm: Books) -> None:
    rule = firm.get("ProjectRevenueProfileRules")
    firm.delete("ProjectRevenueProfileRules", rule)
    with pytest.raises(FinanceError, match="PRJ-1 has no cost and revenue profile .* TimeAndMaterial"):
        assign(firm, str(uuid4()))
    firm.insert("ProjectsV2", {"dataAreaId": "uspm", "ProjectId": "INTERNAL"})
    assert assign(firm, str(uuid4()), ProjectId="INTERNAL")
    firm.insert("ProjectRevenueProfileRules", {name: rule[name] for name in ("dataAreaId", "ProfileId")})
    assert assign(firm, str(uuid4()))


def test_r202_an_assignment_becomes_an_hour_forecast_in_the_parameters_model(firm: Books) -> None:
    row = assign(firm, str(uuid4()))
    made = firm.get(forecasts.HOURS)
    assert made["TransactionID"] == row["EstimateHoursImportId"]
    assert (made["ForecastModel"], made["Hours"]) == ("PROJOPS", Decimal(8))
    assert (made["CostPrice"], made["SalesPrice"]) == (Decimal(100), Decimal(200))
    assert (made["Category"], made["ProjectContractID"], made["SalesCurrency"]) == ("HOURS", "ORD-1", "USD")
    assert (made["DefaultDimensionDisplayValue"], made["ProjectDate"]) == ("DEP-7", "2026-10-05T12:00:00Z")


def test_r202_the_forecast_follows_its_assignment(firm: Books) -> None:
    row = assign(firm, str(uuid4()))
    firm.update(HOURS, row, {"Duration": Decimal(16)}, Caller.USER)
    (made,) = firm.find(forecasts.HOURS)
    assert (made["Hours"], made["CostPrice"]) == (Decimal(16), Decimal(50))
    firm.update(HOURS, row, {"Duration": Decimal(0)}, Caller.USER)
    assert firm.get(forecasts.HOURS)["CostPrice"] == 0


@pytest.mark.parametrize("sales_first", [False, True])
def test_r203_cost_and_sales_line_of_an_expense_merge_into_one_forecast(
    firm: Books, sales_first: bool
) -> None:
    cost, sales = str(uuid4()), str(uuid4())
    if sales_first:
        expense(firm, "Sales", "150", sales, cost)
    expense(firm, "Cost", "120", cost)
    if not sales_first:
        expense(firm, "Sales", "150", sales, cost)
    (made,) = firm.find(forecasts.EXPENSES)
    assert (made["TransId"], made["Quantity"]) == (cost, Decimal(3))
    assert (made["CostPrice"], made["SalesPrice"]) == (Decimal(120), Decimal(150))


@pytest.mark.parametrize("sales_first", [False, True])
def test_r203_cost_and_sales_line_of_material_merge_into_one_forecast(firm: Books, sales_first: bool) -> None:
    cost, sales = str(uuid4()), str(uuid4())
    if sales_first:
        material(firm, "Sales", "12.50", sales, cost)
    material(firm, "Cost", "9.99", cost)
    if not sales_first:
        material(firm, "Sales", "12.50", sales, cost)
    (made,) = firm.find(forecasts.ITEMS)
    assert (made["ProjectTransactionId"], made["ModelId"]) == (cost, "PROJOPS")
    assert (made["CostPrice"], made["SalesPrice"]) == (Decimal("9.99"), Decimal("12.50"))


def test_r203_a_line_that_goes_leaves_the_other_and_the_last_takes_the_forecast_along(firm: Books) -> None:
    cost, sales = str(uuid4()), str(uuid4())
    first, second = expense(firm, "Cost", "120", cost), expense(firm, "Sales", "150", sales, cost)
    firm.delete(EXPENSES, second, Caller.USER)
    made = firm.get(forecasts.EXPENSES)
    assert (made["CostPrice"], made["SalesPrice"]) == (Decimal(120), Decimal(0))
    firm.delete(EXPENSES, first, Caller.USER)
    assert firm.find(forecasts.EXPENSES) == []


def test_r203_a_changed_end_date_does_not_double_the_item_forecast(firm: Books) -> None:
    row = material(firm, "Cost", "9.99", str(uuid4()))
    firm.update(MATERIAL, row, {"EndDate": "2026-11-30T12:00:00Z"}, Caller.USER)
    (made,) = firm.find(forecasts.ITEMS)
    assert made["EndDate"] == "2026-11-30T12:00:00Z"
    firm.delete(MATERIAL, row, Caller.USER)
    assert firm.find(forecasts.ITEMS) == []


def test_r204_removing_and_adding_an_assignment_again_does_not_double_the_forecast(firm: Books) -> None:
    """It once did (Finance 482558)."""
    resource = str(uuid4())
    firm.delete(HOURS, assign(firm, resource), Caller.USER)
    assert firm.find(forecasts.HOURS) == []
    again = assign(firm, resource)
    assert [row["TransactionID"] for row in firm.find(forecasts.HOURS)] == [again["EstimateHoursImportId"]]


def test_r204_nor_does_it_where_the_new_assignment_comes_before_the_old_one_goes(firm: Books) -> None:
    resource = str(uuid4())
    old, new = assign(firm, resource), assign(firm, resource)
    assert [row["TransactionID"] for row in firm.find(forecasts.HOURS)] == [new["EstimateHoursImportId"]]
    firm.delete(HOURS, old, Caller.USER)
    assert [row["TransactionID"] for row in firm.find(forecasts.HOURS)] == [new["EstimateHoursImportId"]]


def test_r204_other_resources_and_other_tasks_keep_their_forecasts(firm: Books) -> None:
    resource = str(uuid4())
    assign(firm, resource)
    assign(firm, str(uuid4()))
    assign(firm, resource, ActivityNumber="T2")
    assert len(firm.find(forecasts.HOURS)) == 3
