"""Subcontracts as they arrive from Dataverse, and the posted work on them."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from sandbox.finance.books import Books
from sandbox.rules.days import noon
from sandbox.rules.hooks import Caller
from tests.unit.sandbox.finance.rules.purchasing import DAY

_KEYS = {
    "SubContractPurchaseOrderHeaders": "ProjSubContractNumber",
    "ProjSubContractPurchaseOrderLines": "ProjSubContractLineNumber",
}


def subcontract(books: Books, number: str = "SUB-1", **values: Any) -> None:
    """Create a subcontract with the vendor USPM-V1."""
    books.insert(
        "SubContractPurchaseOrderHeaders",
        {
            "dataAreaId": "uspm",
            "ProjSubContractNumber": number,
            "SubConName": "Review by a partner",
            "SubConDate": DAY,
            "AccountingDate": DAY,
            "OrderAccount": "USPM-V1",
            "ProjId": "PRJ-USPM",
            **values,
        },
        Caller.USER,
    )


def subcontract_line(books: Books, number: str = "SUBL-1", **values: Any) -> None:
    """Create a line of four hours at 90."""
    books.insert(
        "ProjSubContractPurchaseOrderLines",
        {
            "dataAreaId": "uspm",
            "ProjSubContractLineNumber": number,
            "SubcontractNumber": "SUB-1",
            "Name": "Review",
            "SubConTransClass": "Time",
            "SubConLineType": "Time",
            "SubConRoleID": "RCN-0001",
            "PurchQty": Decimal(4),
            "PurchUnit": "hr",
            "PurchPrice": Decimal(90),
            "DeliveryDate": DAY,
            "ProjId": "PRJ-USPM",
            "ActivityNumber": "T1",
            **values,
        },
        Caller.USER,
    )


def change(books: Books, entity_set: str, number: str = "SUB-1", **values: Any) -> None:
    """Change a subcontract or a line, as the integration does."""
    row = books.get(entity_set, **{_KEYS[entity_set]: number})
    books.update(entity_set, row, values, Caller.USER)


def posted_work(
    books: Books,
    name: str,
    quantity: str,
    day: date = date(2026, 10, 20),
    status: str = "Posted",
    line: str = "SUBL-1",
    vendor_line: str = "",
) -> str:
    """Bring in the cost actual of work on a subcontract line, and its journal line; return its id."""
    actual = str(uuid5(NAMESPACE_OID, name))
    common = {"dataAreaId": "uspm", "ActualsImportId": actual, "TransactionType": "Cost"}
    books.insert(
        "ProjActualsImports",
        common
        | {
            "ActualId": actual,
            "SubcontractLine": line,
            "Quantity": Decimal(quantity),
            "VendInvoiceLineProjTransId": vendor_line,
        },
    )
    number = len(books.find("ProjectIntegrationJournalLines")) + 1
    books.insert(
        "ProjectIntegrationJournalLines",
        common
        | {
            "JournalId": "J-1",
            "LineNumber": number,
            "AccountingDate": noon(day),
            "Quantity": Decimal(quantity),
            "LineStatus": status,
        },
    )
    return actual
