"""Proforma invoices: created from what waits to be billed (R401), read-only once confirmed (R407)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import uuid4

import sqlalchemy as sa

from sandbox.dataverse.desk import Desk, refused
from sandbox.dataverse.rules import milestones, retainers
from sandbox.dataverse.rules.actuals import ACTUAL, Row, invoiceable
from sandbox.dataverse.rules.invoice_lines import (
    FINAL,
    INVOICE,
    INVOICE_TOTALS,
    Charge,
    add_details,
    detail_of,
)
from sandbox.dataverse.rules.options import (
    BillingStatus,
    InvoiceStatus,
    MilestoneStatus,
    OrderType,
    TransactionClass,
    TransactionType,
)
from sandbox.dataverse.rules.prices import day_meant
from sandbox.rules.hooks import Change, Verb, guard
from sandbox.rules.jobs import JobRefusedError, Parameters, required

_STATUS = "msdyn_projectinvoicestatus"
_MAY_BECOME = {
    InvoiceStatus.CONFIRMED: {InvoiceStatus.PAID},
    InvoiceStatus.POSTED: {InvoiceStatus.PAID},
    InvoiceStatus.PAID: frozenset[InvoiceStatus](),
}
"""What a user may make of an invoice that is read-only; *Posted* comes with Finance's invoice (R806)."""


def create_invoice(desk: Desk, parameters: Parameters) -> Mapping[str, Any]:
    """Create draft invoices of a contract, one for each of its customers who owes something (R401).

    On them come unbilled sales, milestones and retainers that are ready, and retainers to be used up. No
    actual arises; what is on a draft has the billing status *Customer Invoice Created*.

    Args:
        desk: Dataverse.
        parameters: `contract`: GUID of the salesorder. Optional: `until` and `invoice_date`, ISO dates;
            `ready_only`: true for only what somebody marked *Ready to Invoice*, else all that may be
            marked so is (R310).

    Returns:
        `created`, `invoices` (GUIDs), `numbers`, `lines` (how many details).

    Raises:
        JobRefusedError: When a parameter is wrong.
        MissingRowError: When there is no such contract.
    """
    contract = desk.get("salesorder", str(required(parameters, "contract")).lower())
    until, invoice_date = _date(parameters, "until"), _date(parameters, "invoice_date")
    waiting = [
        *_unbilled(desk, contract, until, bool(parameters.get("ready_only"))),
        *milestones.charges(desk, contract, until),
        *retainers.charges(desk, contract, until),
    ]
    payers = _contract_customers(desk, contract)
    by_payer = _by_payer(waiting, next(iter(payers), None))
    values = {"msdyn_invoicedate": invoice_date or until or desk.now.date().isoformat()}
    created = []
    for payer, details in by_payer.items():
        details.extend(retainers.applied(desk, contract, payer, details))
        created.append(draft(desk, contract, payers.get(payer or ""), values))
        add_details(desk, created[-1], details)
        _take(desk, details)
    return {
        "created": len(created),
        "invoices": [it["invoiceid"] for it in created],
        "numbers": [it["invoicenumber"] for it in created],
        "lines": sum(map(len, by_payer.values())),
    }


def draft(desk: Desk, contract: Row, payer: Row | None, values: Mapping[str, Any]) -> Row:
    """Create an invoice without lines; return it as stored.

    Args:
        desk: Dataverse.
        contract: The stored salesorder.
        payer: The contract-customer row, None for the contract's customer.
        values: What this invoice says besides.
    """
    number = _next_number(desk)
    customer = contract["customerid"] if payer is None else payer["msdyn_customer"]
    row_id = desk.create(
        INVOICE,
        {
            "invoicenumber": number,
            "name": contract["name"] or number,
            "salesorderid": contract["salesorderid"],
            "msdyn_ordertype": OrderType.WORK_BASED,
            _STATUS: InvoiceStatus.DRAFT,
            "msdyn_company": contract["msdyn_company"],
            "msdyn_contractcustomer": payer and payer["msdyn_projectcontractsplitbillingruleid"],
            "accountid": customer,
            "billto_name": payer and payer["msdyn_billtoname"],
            "paymenttermscode": contract["paymenttermscode"],
            "transactioncurrencyid": contract["transactioncurrencyid"],
            **dict.fromkeys(INVOICE_TOTALS, Decimal(0)),
            **values,
        },
    )
    return desk.get(INVOICE, row_id)


def refuse_edit(_desk: Desk, change: Change) -> None:
    """Refuse to change or delete an invoice that is confirmed (R407).

    Raises:
        ApiError: When it is read-only, or shall be posted by hand.
    """
    status, number = change.before[_STATUS], change.before["invoicenumber"]
    changed = {name: value for name, value in change.values.items() if change.before.get(name) != value}
    if status not in FINAL:
        if changed.get(_STATUS) == InvoiceStatus.POSTED:
            raise refused(f"Invoice {number} is posted in Finance, not here: confirm it.")
        return
    paid = changed.keys() == {_STATUS} and changed[_STATUS] in _MAY_BECOME[InvoiceStatus(status)]
    if change.verb is Verb.DELETE or (changed and not paid):
        raise refused(f"Invoice {number} is confirmed and read-only: correct it instead.")


def _unbilled(desk: Desk, contract: Row, until: str | None, ready_only: bool) -> list[Charge]:
    """Return the unbilled sales of a contract that an invoice may take (R310)."""
    open_sales = {
        "msdyn_salescontract": contract["salesorderid"],
        "msdyn_transactiontypecode": TransactionType.UNBILLED_SALES,
        "msdyn_adjustmentstatus": None,
    }
    statuses: list[BillingStatus | None] = [BillingStatus.READY_TO_INVOICE]
    if not ready_only:
        statuses += [BillingStatus.UNBILLED_SALES_CREATED, None]
    found = [it for status in statuses for it in desk.find(ACTUAL, msdyn_billingstatus=status, **open_sales)]
    return [
        Charge(it["msdyn_contractcustomer"], detail_of(it))
        for it in found
        if invoiceable(it)
        and it["msdyn_transactionclassification"] != TransactionClass.RETAINER
        and (until is None or day_meant(it["msdyn_documentdate"] or it["createdon"]) <= until)
    ]


def _by_payer(charges: Iterable[Charge], first: str | None) -> dict[str | None, list[Row]]:
    """Return line details by contract customer; what names none goes to the contract's first."""
    found: dict[str | None, list[Row]] = defaultdict(list)
    for charge in charges:
        found[charge.payer or first].append(charge.detail)
    return found


def _take(desk: Desk, details: Sequence[Row]) -> None:
    """Mark what is on a draft, so that no other invoice takes it."""
    taken = [it["msdyn_unbilledactual"] for it in details if it.get("msdyn_unbilledactual")]
    status = {"msdyn_billingstatus": BillingStatus.CUSTOMER_INVOICE_CREATED}
    desk.update_many(ACTUAL, [(row_id, status) for row_id in taken])
    for table, column in ((milestones.MILESTONE, "msdyn_milestone"), (retainers.RETAINER, "msdyn_retainer")):
        ids = dict.fromkeys(it[column] for it in details if it.get(column))
        desk.update_many(
            table, [(row_id, {"msdyn_invoicestatus": MilestoneStatus.INVOICE_CREATED}) for row_id in ids]
        )


def _contract_customers(desk: Desk, contract: Row) -> dict[str, Row]:
    """Return the contract's customers by GUID, the primary one first."""
    rows: Iterable[Row] = desk.find(
        "msdyn_projectcontractsplitbillingrule", msdyn_projectcontract=contract["salesorderid"]
    )
    ordered = sorted(rows, key=lambda it: not it["msdyn_isprimary"])
    return {it["msdyn_projectcontractsplitbillingruleid"]: it for it in ordered}


def _next_number(desk: Desk) -> str:
    """Return a new number as Dataverse draws it: a serial one and six letters and digits that are not."""
    invoices = desk.writer.entities.by_name[INVOICE].sql
    count = desk.unit.connection.execute(sa.select(sa.func.count()).select_from(invoices)).scalar_one()
    return f"INV-{count + 1:05d}-{uuid4().hex[:6].upper()}"


def _date(parameters: Parameters, name: str) -> str | None:
    value = parameters.get(name)
    if value is None:
        return None
    try:
        return date.fromisoformat(str(value)).isoformat()
    except ValueError as wrong:
        raise JobRefusedError(f"The parameter '{name}' must be a date like 2026-10-31.") from wrong


HOOKS = (guard(INVOICE, [Verb.UPDATE, Verb.DELETE], refuse_edit),)
JOBS = {"create-invoice": create_invoice}
