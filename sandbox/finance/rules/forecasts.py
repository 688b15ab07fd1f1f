"""Forecasts: what Finance plans of an estimate, in the model of the parameters (R202, R203).

A forecast has the id of the estimate that it comes from, so that the same estimate always finds it.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sandbox.finance.books import Books
from sandbox.finance.rules.categories import TransactionClass, project_category
from sandbox.finance.rules.line_properties import line_property
from sandbox.finance.rules.parameters import read_parameters
from sandbox.rules.hooks import Row

HOURS = "ProjectEmplForecasts"
EXPENSES = "ProjectExpenseForecasts"
ITEMS = "ProjectItemForecasts"

_ID = {HOURS: "TransactionID", EXPENSES: "TransId", ITEMS: "ProjectTransactionId"}
_PRICE = Decimal("1E-10")
_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Estimate:
    """An estimate of expense or material: its cost line and its sales line (R203).

    Attributes:
        company: Legal entity.
        origin: Id of the cost line, which the sales line names.
        cost: The cost line's staging row, None where it is not there (yet).
        sales: The sales line's staging row, likewise.
    """

    company: str
    origin: str
    cost: Row | None
    sales: Row | None

    def price(self, line: Row | None) -> Decimal:
        """Return the price of one of the lines, 0 where it is not there."""
        return _ZERO if line is None else line["Price"]


def keep_hours(books: Books, assignment: Row) -> None:
    """Make the hour forecast of a resource assignment, or bring it up to date (R202)."""
    company = assignment["dataAreaId"]
    hours = assignment["Duration"]
    values = _planned(books, company, assignment["ProjectId"]) | {
        "ProjectID": assignment["ProjectId"],
        "ActivityNumber": assignment["ActivityNumber"],
        "Description": assignment["Description"],
        "Category": _category(books, company, assignment, TransactionClass.TIME),
        "ForecastModel": read_parameters(books, company).forecast_model,
        "Hours": hours,
        "CostPrice": _per_unit(assignment["PlannedCostAmount"], hours),
        "SalesPrice": _per_unit(assignment["PlannedSalesAmount"], hours),
        "ProjectDate": assignment["StartDate"],
        "ResourceId": assignment["ProjCDSResourceId"],
        "ResourceCategoryId": assignment["ResourceCategoryId"],
        "Active": "Yes",
    }
    _keep(books, HOURS, company, assignment["EstimateHoursImportId"], values)


def keep_expense(books: Books, estimate: Estimate) -> None:
    """Make the one expense forecast of a cost line and its sales line, or bring it up to date (R203)."""
    company, line = estimate.company, estimate.cost or estimate.sales
    if line is None:
        drop(books, EXPENSES, company, estimate.origin)
        return
    values = _planned(books, company, line["ProjectId"]) | {
        "ProjectID": line["ProjectId"],
        "ActivityNumber": line["ActivityNumber"],
        "Description": line["Description"],
        "Category": _category(books, company, line, TransactionClass.EXPENSE),
        "ForecastModel": read_parameters(books, company).forecast_model,
        "Quantity": line["Quantity"],
        "CostPrice": estimate.price(estimate.cost),
        "SalesPrice": estimate.price(estimate.sales),
        "LineProperty": _line_property(books, estimate),
        "ProjectDate": line["StartDate"],
        "EndDate": line["EndDate"],
        "ResourceId": line["ProjCDSResourceId"],
        "ResourceCategoryId": line["ResourceCategoryId"],
        "Active": "Yes",
    }
    _keep(books, EXPENSES, company, estimate.origin, values)


def keep_material(books: Books, estimate: Estimate) -> None:
    """Make the one item forecast of a cost line and its sales line, or bring it up to date (R203)."""
    company, line = estimate.company, estimate.cost or estimate.sales
    if line is None:
        drop(books, ITEMS, company, estimate.origin)
        return
    planned = _planned(books, company, line["ProjId"])
    values = {
        "ProjectId": line["ProjId"],
        "ProjectContractID": planned["ProjectContractID"],
        "DefaultDimensionDisplayValue": planned["DefaultDimensionDisplayValue"],
        "ActivityNumber": line["ActivityNumber"],
        "BudgetComment": line["Comment"],
        "ItemId": line["ItemId"],
        "ProjectCategoryId": _category(books, company, line, TransactionClass.MATERIAL),
        "ModelId": read_parameters(books, company).forecast_model,
        "SalesQuantity": line["SalesQty"],
        "InventQuantity": line["InventQty"],
        "CostPrice": estimate.price(estimate.cost),
        "SalesPrice": estimate.price(estimate.sales),
        "Currency": (estimate.sales or line)["Currency"],
        "ProjectLinePropertyId": _line_property(books, estimate),
        "StartDate": line["StartDate"],
        "EndDate": line["EndDate"],
        "Active": "Yes",
    }
    _keep(books, ITEMS, company, estimate.origin, values)


def drop(books: Books, table: str, company: str, estimate: str) -> None:
    """Delete the forecast of an estimate, if there is one."""
    known = books.first(table, dataAreaId=company, **{_ID[table]: estimate})
    if known is not None:
        books.delete(table, known)


def _keep(books: Books, table: str, company: str, estimate: str, values: dict[str, Any]) -> None:
    key = {"dataAreaId": company, _ID[table]: estimate}
    known = books.first(table, **key)
    if known is None:
        books.insert(table, key | values)
    else:
        books.update(table, known, values)


def _planned(books: Books, company: str, project: str) -> dict[str, Any]:
    """Return what a forecast has from its project: the contract and its currency, the dimensions."""
    row = books.first("ProjectsV2", dataAreaId=company, ProjectId=project) or {}
    contract = row.get("ProjectContractId", "")
    header = books.first("ProjectContractHeaders", dataAreaId=company, ProjectContractId=contract)
    return {
        "ProjectContractID": contract,
        "SalesCurrency": "" if header is None else header["SalesCurrencyCode"],
        "DefaultDimensionDisplayValue": row.get("DimensionDisplayValue", ""),
    }


def _category(books: Books, company: str, line: Row, of_class: TransactionClass) -> str:
    """Return the project category of an estimate, "" where the legal entity has none yet."""
    return project_category(books, company, line["TransactionCategoryId"], of_class) or ""


def _line_property(books: Books, estimate: Estimate) -> str:
    line = estimate.sales or estimate.cost
    return "" if line is None else line_property(books, estimate.company, line["BillingType"]) or ""


def _per_unit(amount: Decimal, quantity: Decimal) -> Decimal:
    """Return a price to ten digits; an estimate of nothing has none."""
    return (amount / quantity).quantize(_PRICE) if quantity else _ZERO
