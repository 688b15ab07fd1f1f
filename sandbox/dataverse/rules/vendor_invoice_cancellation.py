"""A vendor invoice that is canceled: its actuals are taken back, what they replaced returns (R1004)."""

from uuid import uuid4

from sandbox.dataverse.desk import Desk, refused
from sandbox.dataverse.rules.actuals import (
    ACTUAL_ID,
    Role,
    Row,
    connect,
    connected,
    of_origin,
    origin,
    record,
    reverse,
)
from sandbox.dataverse.rules.approvals import INVOICED
from sandbox.dataverse.rules.impact import successor
from sandbox.dataverse.rules.options import BillingStatus, TransactionType

_LENT = (Role.RESOURCING_UNIT_COST, Role.INTERORGANIZATIONAL_SALES)


def demand_unbilled(desk: Desk, line: Row, invoice_number: str) -> None:
    """Refuse to cancel what is on a customer's invoice already (R306).

    Raises:
        ApiError: 0x80040265, naming line and invoice.
    """
    if any(actual["msdyn_billingstatus"] in INVOICED for actual in _own(desk, line)):
        raise refused(
            f"Line {line['msdyn_externalinvoiceline']} of vendor invoice {invoice_number} is on a customer's "
            "invoice: correct that invoice first, then cancel this one."
        )


def undo_line(desk: Desk, line: Row) -> None:
    """Reverse the open actuals of a line, and record those anew that they had replaced (R1004).

    Unbilled sales of a line that replaced costs are of the work itself, recorded anew since by its
    contract (R307): they stay, beside the cost that returns.
    """
    originals = originals_of(desk, line)
    kept: list[Row] = []
    for actual in _own(desk, line):
        if actual["msdyn_adjustmentstatus"] is not None:
            continue
        if originals and actual["msdyn_transactiontypecode"] == TransactionType.UNBILLED_SALES:
            kept.append(actual)
        else:
            reverse(desk, actual, billing_status=BillingStatus.CANCELED)
    costs = [_return(desk, original) for original in originals]
    for sale in kept:
        connect(desk, sale, Role.UNBILLED_SALES, costs[0], Role.COST)
        _copy_origins(desk, originals[0], sale)


def originals_of(desk: Desk, line: Row) -> list[Row]:
    """Return the costs that the actuals of a confirmed line have replaced."""
    own = _own(desk, line)
    ours = {actual[ACTUAL_ID] for actual in own}
    found = {
        original[ACTUAL_ID]: original
        for actual in own
        for original in connected(desk, actual, Role.REPLACING, Role.ORIGINAL)
        if original[ACTUAL_ID] not in ours
    }
    return list(found.values())


def _own(desk: Desk, line: Row) -> list[Row]:
    return of_origin(desk, line["msdyn_projectvendorinvoicelineid"])


def _return(desk: Desk, original: Row) -> Row:
    """Record a replaced cost anew, and beside it what a lender had recorded for it; return the cost."""
    cost = _anew(desk, original)
    for role in _LENT:
        for lent in connected(desk, original, Role.COST, role):
            connect(desk, _anew(desk, lent), role, cost, Role.COST)
    return cost


def _anew(desk: Desk, original: Row) -> Row:
    """Record an open actual like one that was adjusted, in its place and of the same origin."""
    unmatched = {"msdyn_matchedvendorinvoiceline": None}
    fresh = record(desk, successor(original, str(uuid4()), unmatched))
    connect(desk, fresh, Role.REPLACING, original, Role.ORIGINAL)
    _copy_origins(desk, original, fresh)
    return fresh


def _copy_origins(desk: Desk, original: Row, actual: Row) -> None:
    for source in desk.find("msdyn_transactionorigin", msdyn_transactionid=original[ACTUAL_ID]):
        origin(desk, actual, source["msdyn_origintype"], source["msdyn_originid"])
