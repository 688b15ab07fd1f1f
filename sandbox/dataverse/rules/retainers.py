"""Retainers: money that a customer pays before the work, and that later invoices use up (R405)."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sandbox.dataverse.desk import Desk, refused
from sandbox.dataverse.rules.actuals import ACTUAL, ACTUAL_ID, Role, Row, connection, reversal
from sandbox.dataverse.rules.impact import (
    DETAIL_ID,
    SHARED,
    Bill,
    Impact,
    descendant,
    joined,
    sale_of,
    successor,
)
from sandbox.dataverse.rules.invoice_lines import Charge, charged, scheduled_detail
from sandbox.dataverse.rules.invoiced_work import bill_unchanged
from sandbox.dataverse.rules.options import (
    AdjustmentStatus,
    BillingStatus,
    MilestoneStatus,
    TransactionClass,
    TransactionType,
)
from sandbox.dataverse.rules.recording import demand_facts

RETAINER = "msdyn_retainer"

_UNUSED = frozenset({BillingStatus.UNBILLED_SALES_CREATED, BillingStatus.READY_TO_INVOICE})
"""Billing statuses of negative unbilled sales that no invoice uses, or none uses any more."""


def charges(desk: Desk, contract: Mapping[str, Any], until: str | None) -> Iterator[Charge]:
    """Yield the retainers of a contract that are ready to be invoiced.

    Args:
        desk: Dataverse.
        contract: The stored salesorder.
        until: Last invoice date, ISO; None for all.
    """
    for it in desk.find(
        RETAINER, msdyn_contract=contract["salesorderid"], msdyn_invoicestatus=MilestoneStatus.READY
    ):
        if until is None or (it["msdyn_invoicedate"] or until) <= until:
            yield Charge(it["msdyn_contractcustomer"], _detail(desk, it, contract))


def applied(desk: Desk, contract: Mapping[str, Any], payer: str | None, charges: Iterable[Row]) -> list[Row]:
    """Return line details that use up a customer's retainers, oldest first, as far as they owe anything.

    A retainer pays for work, not for another retainer.

    Args:
        desk: Dataverse.
        contract: The stored salesorder.
        payer: GUID of the contract customer.
        charges: Values of what else is on the invoice.
    """
    owed = charged(it for it in charges if it["msdyn_transactionclassification"] != TransactionClass.RETAINER)
    details: list[Row] = []
    for unbilled in desk.find(
        ACTUAL,
        msdyn_salescontract=contract["salesorderid"],
        msdyn_transactiontypecode=TransactionType.UNBILLED_SALES,
        msdyn_transactionclassification=TransactionClass.RETAINER,
        msdyn_billingstatus=_UNUSED,
        msdyn_adjustmentstatus=None,
    ):
        used = min(owed, -unbilled["msdyn_amount"])
        if used <= 0 or unbilled["msdyn_contractcustomer"] not in {payer, None}:
            continue
        owed -= used
        details.append(
            {name: unbilled[name] for name in SHARED}
            | {
                "msdyn_price": used,
                "msdyn_amount": -used,
                "msdyn_transactiontypecode": TransactionType.BILLED_SALES,
                "msdyn_unbilledactual": unbilled[ACTUAL_ID],
            }
        )
    return details


def bill_retainer(detail: Row, invoice: Bill) -> Impact:
    """Return the impact of invoicing a retainer: billed sales, and negative unbilled sales to use up (R405).

    Finance never gets the negative ones: they reconcile, they are no work (R501).
    """
    sale = sale_of(detail, invoice)
    available = sale | {
        ACTUAL_ID: descendant(detail, "unbilled"),
        "msdyn_transactiontypecode": TransactionType.UNBILLED_SALES,
        "msdyn_billingstatus": BillingStatus.UNBILLED_SALES_CREATED,
        "msdyn_quantity": -detail["msdyn_quantity"],
        "msdyn_amount": -detail["msdyn_amount"],
        "msdyn_invoice": None,
        "msdyn_skipsync": True,
    }
    return Impact(
        recorded=(sale, available),
        connections=(connection(sale, Role.BILLED_SALES, available, Role.UNBILLED_SALES),),
        details=(
            (
                detail[DETAIL_ID],
                {"msdyn_unbilledactual": available[ACTUAL_ID], "msdyn_billedactual": sale[ACTUAL_ID]},
            ),
        ),
    )


def use_retainer(detail: Row, unbilled: Row, invoice: Bill) -> Impact:
    """Return the impact of using a retainer on an invoice, all of it or a part (R405).

    The negative unbilled sales are reversed, the part is billed; what is left stands as new negative
    unbilled sales.

    Raises:
        ApiError: When more is used than is left.
    """
    left = unbilled["msdyn_amount"] - detail["msdyn_amount"]
    if left > 0:
        asked, available = -detail["msdyn_amount"], -unbilled["msdyn_amount"]
        raise refused(f"The invoice uses {asked:f} of a retainer of which {available:f} is left: use less.")
    used = bill_unchanged(detail, unbilled, invoice)
    if not left:
        return used
    rest = successor(
        unbilled,
        descendant(detail, "rest"),
        {
            "msdyn_price": -left,
            "msdyn_amount": left,
            "msdyn_billingstatus": BillingStatus.UNBILLED_SALES_CREATED,
        },
    )
    return joined([used, Impact(recorded=(rest,))])


def withdraw(detail: Row, available: Row) -> Impact:
    """Return the impact of crediting a retainer: nothing is left to be used (R406).

    Raises:
        ApiError: When an invoice has used it.
    """
    unused = available["msdyn_billingstatus"] in _UNUSED
    if available["msdyn_adjustmentstatus"] is not None or not unused:
        raise refused("The retainer is used on another invoice: correct that one first.")
    back = reversal(available) | {ACTUAL_ID: descendant(detail, "withdrawal")}
    return Impact(
        recorded=(back,),
        changed=((available[ACTUAL_ID], {"msdyn_adjustmentstatus": AdjustmentStatus.ADJUSTED}),),
        connections=(connection(back, Role.REVERSING, available, Role.ORIGINAL),),
    )


def settle(desk: Desk, details: Iterable[Row]) -> None:
    """Give retainers the status that a confirmed invoice leaves them in."""
    for detail in details:
        if detail["msdyn_retainer"] is not None:
            credited = detail["msdyn_correction"]
            status = MilestoneStatus.READY if credited else MilestoneStatus.INVOICE_POSTED
            desk.update(RETAINER, detail["msdyn_retainer"], {"msdyn_invoicestatus": status})


def _detail(desk: Desk, retainer: Row, contract: Mapping[str, Any]) -> Row:
    demand_facts(f"Retainer {retainer['msdyn_name']}", retainer, {"msdyn_amount": "amount"})
    line = desk.by_id("salesorderdetail", [retainer["msdyn_contractlineid"]])
    payer = desk.by_id("msdyn_projectcontractsplitbillingrule", [retainer["msdyn_contractcustomer"]])
    customer = next((it["msdyn_customer"] for it in payer.values()), contract["customerid"])
    day = retainer["msdyn_invoicedate"] or desk.now.date().isoformat()
    scheduled = scheduled_detail(
        contract,
        next(iter(line.values()), None),
        customer,
        TransactionClass.RETAINER,
        retainer["msdyn_amount"],
        day,
    )
    return scheduled | {
        "msdyn_description": retainer["msdyn_name"],
        "msdyn_retainer": retainer["msdyn_retainerid"],
    }
