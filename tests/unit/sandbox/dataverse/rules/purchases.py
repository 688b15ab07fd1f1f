"""What a project buys: expenses, vendor invoices and subcontracts of the small firm of `conftest`."""

from decimal import Decimal
from typing import Any

from sandbox.dataverse.rules.options import TransactionClass, TransactionType
from sandbox.dataverse.rules.work import Work, record_work
from tests.unit.sandbox.dataverse.rules.conftest import DAY, Firm

Row = dict[str, Any]


def invoice(firm: Firm, number: str = "VI-1", **values: Any) -> str:
    """A draft from Finance, of a vendor of USPM."""
    header = {
        "msdyn_name": number,
        "msdyn_vendorinvoicenumber": number,
        "msdyn_vendor": firm.account(f"V-{number}"),
        "msdyn_invoicedate": "2026-11-01",
        "msdyn_owningcompany": firm.companies["USPM"],
        "transactioncurrencyid": firm.currencies["USD"],
        "msdyn_hasexternalorigin": True,
    }
    return firm.desk.create("msdyn_projectvendorinvoice", header | values)


def invoice_line(firm: Firm, invoice_id: str, project: str, number: str = "L-1", **values: Any) -> str:
    """Eight hours at 90, as Finance hands them over."""
    line = {
        "msdyn_externalinvoiceline": number,
        "msdyn_vendorinvoice": invoice_id,
        "msdyn_project": project,
        "msdyn_transactionclassification": TransactionClass.TIME,
        "msdyn_resourcecategory": firm.role,
        "msdyn_description": "Design by a subcontractor",
        "msdyn_quantity": Decimal(8),
        "msdyn_price": Decimal(90),
        "msdyn_amount": Decimal(720),
        "msdyn_unit": firm.hour,
        "msdyn_owningcompany": firm.companies["USPM"],
        "transactioncurrencyid": firm.currencies["USD"],
    }
    return firm.desk.create("msdyn_projectvendorinvoiceline", line | values)


def subcontract(firm: Firm, project: str, number: str = "SC-1", **values: Any) -> str:
    """A draft with a vendor of USPM."""
    header = {
        "msdyn_name": number,
        "msdyn_subcontractnumber": number,
        "msdyn_vendor": firm.account(f"V-{number}"),
        "msdyn_project": project,
        "msdyn_owningcompany": firm.companies["USPM"],
    }
    return firm.desk.create("msdyn_subcontract", header | values)


def subcontract_line(firm: Firm, subcontract_id: str, number: str = "SCL-1", **values: Any) -> str:
    """Forty hours at 90."""
    line = {
        "msdyn_name": "Design",
        "msdyn_subcontractlinenumber": number,
        "msdyn_subcontract": subcontract_id,
        "msdyn_transactionclassification": TransactionClass.TIME,
        "msdyn_resourcecategory": firm.role,
        "msdyn_quantity": Decimal(40),
        "msdyn_price": Decimal(90),
    }
    return firm.desk.create("msdyn_subcontractline", line | values)


def hours(firm: Firm, project: str, quantity: str = "8", **values: Any) -> Row:
    """The cost of approved hours on a project."""
    work = Work(
        project,
        TransactionClass.TIME,
        Decimal(quantity),
        DAY,
        role=firm.role,
        resource=firm.resources["USPM"],
        unit=firm.hour,
    )
    fields = {name: getattr(work, name) for name in Work.__slots__}
    return record_work(firm.desk, Work(**fields | values)).cost


def amounts(firm: Firm, kind: TransactionType, **where: Any) -> list[Decimal]:
    """Amounts of all actuals of a type, reversals among them, oldest first."""
    rows = firm.desk.find("msdyn_actual", msdyn_transactiontypecode=kind, **where)
    return [row["msdyn_amount"] for row in sorted(rows, key=lambda row: row["createdon"])]


def total(firm: Firm, kind: TransactionType, **where: Any) -> Decimal:
    """Sum of the actuals of a type, reversals among them."""
    return sum(amounts(firm, kind, **where), Decimal(0))
