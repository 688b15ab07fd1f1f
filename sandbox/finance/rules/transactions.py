"""Posted project transactions: cost and sales of one piece of work are one transaction.

The cost and the unbilled sales that a transaction connection joins become one row of
ProjectTransactions, whichever is posted first; what has no partner stands alone.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sandbox.finance.books import Books
from sandbox.finance.rules.categories import TransactionClass
from sandbox.rules.days import noon
from sandbox.store.defaults import ZERO_GUID

TRANSACTIONS = "ProjectTransactions"
POSTED, PROPOSED, FULLY_INVOICED = "Posted", "InvoiceProposed", "FullyInvoiced"

_TYPE_OF_CLASS: Mapping[int, str] = {
    TransactionClass.TIME: "Hour",
    TransactionClass.EXPENSE: "Cost",
    TransactionClass.MATERIAL: "Item",
    TransactionClass.FEE: "Revenue",
    TransactionClass.MILESTONE: "OnAccount",
    TransactionClass.RETAINER: "OnAccount",
}


@dataclass(frozen=True, slots=True)
class Posting:
    """What was posted on a project.

    Attributes:
        company: Legal entity of the project.
        project: Project.
        classification: Transaction class as Dataverse numbers it (192350000 is Time).
        category: Project category.
        day: Date of the work.
        accounting_day: Date of the voucher.
        quantity: In the unit of the work.
        currency: Of price and amount.
        price: Of one unit.
        amount: In `currency`.
        accounting_amount: In the accounting currency.
        voucher: Voucher.
        actual: ActualsImportId of the actual.
        source: ActualsImportId of the actual that a fee or discount was made for (R613).
        line_property: Line property.
        contract: Project contract, or "".
        contract_line: Contract line, or "".
        funding_source: Who pays, or "".
        resource: Who worked.
        activity: Activity (task) number, or "".
        description: What was done.
    """

    company: str
    project: str
    classification: int
    category: str
    day: date
    accounting_day: date
    quantity: Decimal
    currency: str
    price: Decimal
    amount: Decimal
    accounting_amount: Decimal
    voucher: str
    actual: str = ZERO_GUID
    source: str = ZERO_GUID
    line_property: str = ""
    contract: str = ""
    contract_line: str = ""
    funding_source: str = ""
    resource: str = ZERO_GUID
    activity: str = ""
    description: str = ""


def post_cost(books: Books, posting: Posting, sales: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Write the cost of a transaction, on the transaction of its sales where that is there already.

    Args:
        books: Of the transaction.
        posting: The cost.
        sales: ProjectTransactions row of the unbilled sales that it is connected with, or None.

    Returns:
        The row of ProjectTransactions.
    """
    return _write(books, posting, _cost_values(posting), sales)


def post_sales(
    books: Books, posting: Posting, accrued: bool, cost: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Write the unbilled sales of a transaction, on that of its cost where that is free.

    Args:
        books: Of the transaction.
        posting: The sales.
        accrued: Whether the ledger holds it as WIP and accrued revenue.
        cost: ProjectTransactions row of the cost that it is connected with, or None.

    Returns:
        The row of ProjectTransactions.
    """
    values = _sales_values(posting) | {"IsRevenueAccrued": "Yes" if accrued else "No"}
    return _write(books, posting, values, cost)


def of_sales(books: Books, company: str, actuals: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return posted transactions by the import id of their unbilled sales."""
    rows = books.find(TRANSACTIONS, dataAreaId=company, SalesActualsImportId=actuals)
    return {row["SalesActualsImportId"]: row for row in rows}


def of_sources(books: Books, company: str, actuals: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """Return posted fees and discounts by the import id of the unbilled sales they were made for (R613)."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in books.find(TRANSACTIONS, dataAreaId=company, SourceActualsImportId=actuals):
        found[row["SourceActualsImportId"]].append(row)
    return found


def of_costs(books: Books, company: str, actuals: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return posted transactions by the import id of their cost."""
    rows = books.find(TRANSACTIONS, dataAreaId=company, CostActualsImportId=actuals)
    return {row["CostActualsImportId"]: row for row in rows}


def _write(
    books: Books, posting: Posting, values: Mapping[str, Any], partner: Mapping[str, Any] | None
) -> dict[str, Any]:
    if partner is not None:
        return books.update(TRANSACTIONS, partner, values)
    number = {"TransId": books.next_number(posting.company, "ProjectTransaction")}
    return books.insert(TRANSACTIONS, number | _common_values(posting) | dict(values))


def _common_values(posting: Posting) -> dict[str, Any]:
    return {
        "dataAreaId": posting.company,
        "ProjectId": posting.project,
        "TransactionType": _TYPE_OF_CLASS.get(posting.classification, "None"),
        "CategoryId": posting.category,
        "TransactionDate": noon(posting.day),
        "AccountingDate": noon(posting.accounting_day),
        "Quantity": posting.quantity,
        "LinePropertyId": posting.line_property,
        "TransactionStatus": POSTED,
        "ProjectContractId": posting.contract,
        "ContractLineId": posting.contract_line,
        "FundingSource": posting.funding_source,
        "ResourceId": posting.resource,
        "SourceActualsImportId": posting.source,
        "ActivityNumber": posting.activity,
        "Description": posting.description,
    }


def _cost_values(posting: Posting) -> dict[str, Any]:
    return {
        "CostCurrencyCode": posting.currency,
        "CostPrice": posting.price,
        "CostAmount": posting.amount,
        "CostAccountingAmount": posting.accounting_amount,
        "CostVoucher": posting.voucher,
        "CostActualsImportId": posting.actual,
    }


def _sales_values(posting: Posting) -> dict[str, Any]:
    """Return the sales side; what belongs to billing is the sales line's, whichever came first."""
    return {
        "SalesCurrencyCode": posting.currency,
        "SalesPrice": posting.price,
        "SalesAmount": posting.amount,
        "SalesAccountingAmount": posting.accounting_amount,
        "SalesVoucher": posting.voucher,
        "SalesActualsImportId": posting.actual,
        "LinePropertyId": posting.line_property,
        "ProjectContractId": posting.contract,
        "ContractLineId": posting.contract_line,
        "FundingSource": posting.funding_source,
    }
