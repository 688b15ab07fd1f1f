"""Invoices in tests: approved work, a draft of it, and a look at the actuals that come of it."""

from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sandbox.dataverse.desk import Desk
from sandbox.dataverse.rules.correction import correct_invoice
from sandbox.dataverse.rules.invoices import create_invoice
from sandbox.dataverse.rules.options import (
    AdjustmentStatus,
    BillingStatus,
    BillingType,
    InvoiceStatus,
    MilestoneStatus,
    TransactionClass,
    TransactionType,
)
from sandbox.dataverse.rules.work import Work, record_work
from sandbox.rules.hooks import Caller
from tests.unit.sandbox.conftest import as_user
from tests.unit.sandbox.dataverse.rules.conftest import DAY, Firm

DETAIL = "msdyn_invoicelinetransaction"
UNBILLED, BILLED = TransactionType.UNBILLED_SALES, TransactionType.BILLED_SALES
CHARGED, FREE = BillingType.CHARGEABLE, BillingType.NON_CHARGEABLE
POSTED, CREATED = BillingStatus.CUSTOMER_INVOICE_POSTED, BillingStatus.CUSTOMER_INVOICE_CREATED
ADJUSTED, UNADJUSTABLE = AdjustmentStatus.ADJUSTED, AdjustmentStatus.UNADJUSTABLE


@dataclass(frozen=True)
class Billed:
    """Eight approved hours at 200 on a draft invoice."""

    desk: Desk
    contract: str
    project: str
    invoice: str
    detail: str

    def edit(self, **values: Any) -> None:
        as_user(self.desk, DETAIL, self.detail, values)

    def confirm(self) -> None:
        confirm(self.desk, self.invoice)

    def corrected(self, **parameters: Any) -> "Billed":
        """The draft that corrects the confirmed invoice."""
        draft = correct_invoice(self.desk, {"invoice": self.invoice} | parameters)["invoice"]
        [detail] = self.desk.find(DETAIL, msdyn_invoice=draft)
        return Billed(self.desk, self.contract, self.project, draft, detail["msdyn_invoicelinetransactionid"])

    def sales(self, kind: TransactionType) -> Counter[tuple[Any, ...]]:
        """Hours, amount, billing type, adjustment status and whether Finance gets it, of all sales."""
        return Counter(
            (
                f"{it['msdyn_quantity'].normalize():f}",
                f"{it['msdyn_amount'].normalize():f}",
                it["msdyn_billingtype"],
                it["msdyn_adjustmentstatus"],
                not it["msdyn_skipsync"],
            )
            for it in self.desk.find("msdyn_actual", msdyn_transactiontypecode=kind)
        )

    def roles(self) -> Counter[tuple[str, str]]:
        """What is connected with what, but for the cost."""
        found = self.desk.find("msdyn_transactionconnection")
        return Counter(
            (it["msdyn_transaction1role"], it["msdyn_transaction2role"])
            for it in found
            if it["msdyn_transaction2role"] != "Cost"
        )


def hours(firm: Firm, project: str, quantity: str = "8", price: str = "200", **values: Any) -> None:
    """Approved hours of the main role."""
    work = Work(
        project,
        TransactionClass.TIME,
        Decimal(quantity),
        DAY,
        role=firm.role,
        resource=firm.resources["USPM"],
        unit=firm.hour,
        sales_price=Decimal(price),
        **values,
    )
    record_work(firm.desk, work)


def confirm(desk: Desk, invoice: str) -> None:
    as_user(desk, "invoice", invoice, {"msdyn_projectinvoicestatus": InvoiceStatus.CONFIRMED})


def remove(desk: Desk, table: str, row_id: str) -> None:
    """Delete a row as a user."""
    desk.writer.delete(desk.unit, desk.writer.entities.by_name[table], row_id, Caller.USER)


def eight_hours(firm: Firm) -> Billed:
    contract = firm.contract("C-1")
    project = firm.project("P-1", contract)
    hours(firm, project)
    [invoice] = create_invoice(firm.desk, {"contract": contract})["invoices"]
    [detail] = firm.desk.find(DETAIL, msdyn_invoice=invoice)
    return Billed(firm.desk, contract, project, invoice, detail["msdyn_invoicelinetransactionid"])


def milestone(firm: Firm, contract: str, amount: str, **values: Any) -> str:
    """A milestone that is ready, on the fixed-price line of a project."""
    line = firm.desk.first("salesorderdetail", salesorderid=contract)
    assert line is not None
    return firm.desk.create(
        "msdyn_contractlinescheduleofvalue",
        {
            "msdyn_name": "Delivery",
            "msdyn_contract": contract,
            "msdyn_contractlineid": line["salesorderdetailid"],
            "msdyn_project": line["msdyn_project"],
            "msdyn_amount": Decimal(amount),
            "msdyn_milestonedate": "2026-11-01",
            "msdyn_invoicestatus": MilestoneStatus.READY,
        }
        | values,
    )
