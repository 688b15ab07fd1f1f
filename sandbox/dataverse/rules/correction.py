"""Corrections of confirmed invoices: a new draft that credits, and bills anew what is still owed (R406).

Source: "Revise (correct) project invoices" of the public documentation.
"""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.dataverse.desk import Desk
from sandbox.dataverse.rules.actuals import ACTUAL, ACTUAL_ID, Role, Row, connection, reversal
from sandbox.dataverse.rules.impact import (
    DETAIL_ID,
    SHARED,
    Bill,
    Impact,
    accounted,
    descendant,
    joined,
)
from sandbox.dataverse.rules.invoice_lines import DETAIL, FINAL, INVOICE, add_details
from sandbox.dataverse.rules.invoiced_work import bill_anew, in_place_of, remainder, unbilled_rest
from sandbox.dataverse.rules.invoices import draft
from sandbox.dataverse.rules.one_by_one import ids_named
from sandbox.dataverse.rules.options import AdjustmentStatus, TransactionClass, TransactionType
from sandbox.rules.jobs import JobRefusedError, Parameters, required
from sandbox.rules.money import money

_WHOLE = frozenset({TransactionClass.MILESTONE, TransactionClass.RETAINER})
_KEPT = ("msdyn_unbilledactual", "msdyn_milestone", "msdyn_retainer")


def correct_invoice(desk: Desk, parameters: Parameters) -> Mapping[str, Any]:
    """Create the draft invoice that corrects a confirmed one; confirm it like any other (R406).

    Each line detail is on it with the quantity 0, which credits it fully, and with what it was billed for;
    a quantity above 0 is billed anew. Milestones and retainers can be credited only.

    Args:
        desk: Dataverse.
        parameters: `invoice`: GUID of the confirmed invoice. Optional: `lines`, GUIDs of the line details
            to correct, else all of them; `quantities`, the corrected quantity by GUID of a line detail.

    Returns:
        `created`, `invoice` (GUID of the draft), `number`, `lines`.

    Raises:
        JobRefusedError: When the invoice is not confirmed, or a parameter does not fit it.
        MissingRowError: When there is no such invoice.
    """
    invoice = desk.get(INVOICE, str(required(parameters, "invoice")).lower())
    if invoice["msdyn_projectinvoicestatus"] not in FINAL:
        raise JobRefusedError(f"Invoice {invoice['invoicenumber']} is not confirmed: edit it as it is.")
    details = _correctable(desk, invoice, parameters)
    contract = desk.get("salesorder", invoice["salesorderid"])
    payer = desk.by_id("msdyn_projectcontractsplitbillingrule", [invoice["msdyn_contractcustomer"]])
    corrects = {
        "msdyn_hascorrections": True,
        "msdyn_correctedinvoice": invoice["invoiceid"],
        "msdyn_invoicedate": desk.now.date().isoformat(),
    }
    created = draft(desk, contract, next(iter(payer.values()), None), corrects)
    currency = desk.get("transactioncurrency", invoice["transactioncurrencyid"])["isocurrencycode"]
    quantities = _quantities(parameters, details)
    add_details(
        desk,
        created,
        [_credit_of(it, quantities.get(it[DETAIL_ID], Decimal(0)), currency) for it in details],
    )
    return {
        "created": 1,
        "invoice": created["invoiceid"],
        "number": created["invoicenumber"],
        "lines": len(details),
    }


def correct(detail: Row, billed: Row, unbilled: Row, invoice: Bill) -> Impact:
    """Return the impact of correcting work that was billed (R406).

    The billed sales are adjusted and reversed. What the correction still bills gets unbilled sales of its
    own with their reversal, and billed sales that replace the old ones; what is left of the quantity is
    open again, to be billed later. A fee that is credited in part leaves nothing.
    """
    parts = [credit(detail, billed, invoice)]
    if detail["msdyn_quantity"]:
        anew = bill_anew(detail, unbilled, invoice)
        sale = next(it for it in anew.recorded if it[ACTUAL_ID] == descendant(detail, "billed"))
        replacing = connection(sale, Role.REPLACING, billed, Role.ORIGINAL)
        parts += [anew, Impact(connections=(replacing,))]
    left = remainder(billed["msdyn_quantity"], detail["msdyn_quantity"])
    fee = billed["msdyn_transactionclassification"] == TransactionClass.FEE
    if left and not (fee and detail["msdyn_quantity"]):
        rest = unbilled_rest(detail, unbilled, left, billed["msdyn_price"], invoice)
        parts.append(Impact(recorded=(rest,), connections=(in_place_of(rest, unbilled),)))
    return joined(parts)


def credit(detail: Row, billed: Row, invoice: Bill) -> Impact:
    """Return the impact of taking billed sales back in full, as milestones always are (R406)."""
    back = reversal(billed) | {
        ACTUAL_ID: descendant(detail, "credit"),
        "msdyn_invoice": invoice.invoice,
        **accounted(invoice),
    }
    return Impact(
        recorded=(back,),
        changed=((billed[ACTUAL_ID], {"msdyn_adjustmentstatus": AdjustmentStatus.ADJUSTED}),),
        connections=(connection(back, Role.REVERSING, billed, Role.ORIGINAL),),
    )


def _correctable(desk: Desk, invoice: Row, parameters: Parameters) -> list[Row]:
    """Return the details that are to be corrected: billed, and not corrected before."""
    details = [it for it in desk.find(DETAIL, msdyn_invoice=invoice["invoiceid"]) if it["msdyn_billedactual"]]
    sales = desk.by_id(ACTUAL, (it["msdyn_billedactual"] for it in details))
    open_ones = [it for it in details if sales[it["msdyn_billedactual"]]["msdyn_adjustmentstatus"] is None]
    asked = set(
        ids_named(parameters, "lines") if "lines" in parameters else (it[DETAIL_ID] for it in open_ones)
    )
    missing = asked - {it[DETAIL_ID] for it in open_ones}
    if missing or not asked:
        where = ", ".join(sorted(missing)) or "it"
        raise JobRefusedError(
            f"Invoice {invoice['invoicenumber']} has nothing to correct in {where}: name line details that"
            " are billed and have not been corrected yet."
        )
    return [it for it in open_ones if it[DETAIL_ID] in asked]


def _quantities(parameters: Parameters, details: list[Row]) -> dict[str, Decimal]:
    classes = {it[DETAIL_ID]: it["msdyn_transactionclassification"] for it in details}
    given = parameters.get("quantities", {})
    if not isinstance(given, Mapping):
        raise JobRefusedError(
            "The parameter 'quantities' must be an object: a quantity by id of a line detail."
        )
    found: dict[str, Decimal] = {}
    for detail_id, text in given.items():
        quantity = _number(text)
        if detail_id not in classes or quantity is None or quantity < 0:
            raise JobRefusedError(f"{detail_id}: {text} is no quantity of a line detail that is corrected.")
        if quantity and classes[detail_id] in _WHOLE:
            raise JobRefusedError(f"{detail_id} is a milestone or retainer: it can be credited in full only.")
        found[detail_id] = quantity
    return found


def _number(text: object) -> Decimal | None:
    try:
        number = Decimal(str(text))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _credit_of(detail: Row, quantity: Decimal, currency: str) -> Row:
    """Return the values of the detail that corrects another one."""
    kept = {name: detail[name] for name in (*SHARED, *_KEPT)}
    return kept | {
        "msdyn_transactiontypecode": TransactionType.BILLED_SALES,
        "msdyn_quantity": quantity,
        "msdyn_amount": money(quantity * (detail["msdyn_price"] or Decimal(0)), currency),
        "msdyn_previousamount": detail["msdyn_amount"],
        "msdyn_correction": True,
        "msdyn_originalinvoicelinedetail": detail[DETAIL_ID],
    }


JOBS = {"correct-invoice": correct_invoice}
