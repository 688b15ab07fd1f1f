"""Work on an invoice that is confirmed: its unbilled sales become billed sales (R402 to R404).

Which actuals arise follows the tables "Actuals impact in a time and materials engagement" and "Confirm a
proforma project-based invoice" of the public documentation.
"""

from decimal import Decimal

from sandbox.dataverse.rules.actuals import ACTUAL_ID, Role, Row, connection, reversal
from sandbox.dataverse.rules.impact import DETAIL_ID, Bill, Impact, accounted, descendant, joined, successor
from sandbox.dataverse.rules.options import (
    AdjustmentStatus,
    AmountMethod,
    BillingStatus,
    BillingType,
    TransactionType,
)
from sandbox.rules.money import money

_OF_THE_WHOLE = {"msdyn_feeamount": None, "msdyn_linediscountamount": None}
"""Fee and discount stay with what is billed; a rest has none (R613)."""

_EDITABLE = ("msdyn_quantity", "msdyn_price", "msdyn_amount", "msdyn_billingtype")


def bill(detail: Row, unbilled: Row, invoice: Bill) -> Impact:
    """Return the impact of a line detail that bills unbilled sales, edited on the draft or not."""
    if all(detail[name] == unbilled[name] for name in _EDITABLE):
        return bill_unchanged(detail, unbilled, invoice)
    return bill_edited(detail, unbilled, invoice)


def bill_unchanged(detail: Row, unbilled: Row, invoice: Bill) -> Impact:
    """Return the impact of billing unbilled sales as they are (R402).

    They become *Customer Invoice Posted*; their reversal, which Finance must not get since it reverses
    them itself when it posts the invoice (R501), is unadjustable; billed sales of the same amount arise.
    """
    posted = {"msdyn_billingstatus": BillingStatus.CUSTOMER_INVOICE_POSTED}
    return joined([Impact(changed=((unbilled[ACTUAL_ID], posted),)), _billed(detail, unbilled, invoice)])


def bill_edited(detail: Row, unbilled: Row, invoice: Bill) -> Impact:
    """Return the impact of billing another quantity, price or way of billing than was approved.

    The original is adjusted and reversed; Finance gets this reversal, as it has the original [INF]. New
    unbilled sales say what is billed (R404); of a smaller quantity the rest is non-chargeable (R403).
    """
    back = reversal(unbilled) | {ACTUAL_ID: descendant(detail, "adjustment")}
    adjusted = Impact(
        recorded=(back,),
        changed=((unbilled[ACTUAL_ID], {"msdyn_adjustmentstatus": AdjustmentStatus.ADJUSTED}),),
        connections=(connection(back, Role.REVERSING, unbilled, Role.ORIGINAL),),
    )
    parts = [adjusted]
    if detail["msdyn_quantity"]:
        parts.append(bill_anew(detail, unbilled, invoice))
    left = remainder(unbilled["msdyn_quantity"], detail["msdyn_quantity"])
    if left:
        parts.append(_bill_rest(detail, unbilled, left, invoice))
    return joined(parts)


def bill_anew(detail: Row, unbilled: Row, invoice: Bill) -> Impact:
    """Return the impact of billing what a line detail says by unbilled sales made for it (R404, R406).

    They are connected with those in whose place they stand, as are replaced costs [INF]: else nothing would
    lead from them to the work.
    """
    edited = {name: detail[name] for name in _EDITABLE} | {
        "msdyn_amountmethod": AmountMethod.QUANTITY_BY_PRICE,
        "msdyn_billingstatus": BillingStatus.CUSTOMER_INVOICE_POSTED,
    }
    fresh = successor(unbilled, descendant(detail, "unbilled"), edited)
    made = Impact(recorded=(fresh,), connections=(in_place_of(fresh, unbilled),))
    return joined([made, _billed(detail, fresh, invoice)])


def in_place_of(fresh: Row, unbilled: Row) -> Row:
    """Return the values of the connection of new unbilled sales with those that they replace."""
    return connection(fresh, Role.REPLACING, unbilled, Role.ORIGINAL)


def unbilled_rest(detail: Row, unbilled: Row, left: Decimal, price: Decimal, invoice: Bill) -> Row:
    """Return the values of unbilled sales for a quantity that is left to be billed later (R406)."""
    return successor(
        unbilled,
        descendant(detail, "rest"),
        {
            "msdyn_quantity": left,
            "msdyn_price": price,
            "msdyn_amount": money(left * price, invoice.currency),
            "msdyn_amountmethod": AmountMethod.QUANTITY_BY_PRICE,
            "msdyn_billingstatus": BillingStatus.UNBILLED_SALES_CREATED,
            **_OF_THE_WHOLE,
        },
    )


def remainder(original: Decimal, billed: Decimal) -> Decimal:
    """Return what is left of a quantity, 0 where as much or more is billed; quantities may be negative."""
    left = original - billed
    return left if left * original > 0 else Decimal(0)


def _billed(detail: Row, unbilled: Row, invoice: Bill) -> Impact:
    """Return a reversal of unbilled sales, and billed sales connected with them."""
    posted = BillingStatus.CUSTOMER_INVOICE_POSTED
    back = reversal(unbilled, skip_sync=True) | {
        ACTUAL_ID: descendant(detail, "reversal"),
        "msdyn_billingstatus": posted,
    }
    sale = successor(
        unbilled,
        descendant(detail, "billed"),
        {
            **{name: detail[name] for name in _EDITABLE},
            "msdyn_transactiontypecode": TransactionType.BILLED_SALES,
            "msdyn_billingstatus": posted,
            "msdyn_invoice": invoice.invoice,
            "msdyn_skipsync": False,
            **accounted(invoice),
        },
    )
    return Impact(
        recorded=(back, sale),
        connections=(
            connection(back, Role.REVERSING, unbilled, Role.ORIGINAL),
            connection(sale, Role.BILLED_SALES, unbilled, Role.UNBILLED_SALES),
        ),
        details=(
            (
                detail[DETAIL_ID],
                {"msdyn_unbilledactual": unbilled[ACTUAL_ID], "msdyn_billedactual": sale[ACTUAL_ID]},
            ),
        ),
    )


def _bill_rest(detail: Row, unbilled: Row, left: Decimal, invoice: Bill) -> Impact:
    """Return the impact of a quantity that is not charged, with a line detail of its own."""
    free = {
        "msdyn_quantity": left,
        "msdyn_price": unbilled["msdyn_price"],
        "msdyn_amount": money(left * unbilled["msdyn_price"], invoice.currency),
        "msdyn_billingtype": BillingType.NON_CHARGEABLE,
    }
    rest = detail | free | {DETAIL_ID: descendant(detail, "rest")}
    return joined([Impact(added=(rest,)), bill_anew(rest, unbilled | _OF_THE_WHOLE, invoice)])
