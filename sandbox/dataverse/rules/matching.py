"""Matching: which recorded costs a vendor's invoice line bills (R1005).

A cost actual that was recorded before its invoice came (an hour of a subcontractor) is matched with the
invoice line by its lookup `msdyn_matchedvendorinvoiceline` (PROPOSED); the confirmation then replaces it
(R1004). The lookup `msdyn_vendorinvoiceline`, which Finance gets, is of the costs that the line itself
has become: theirs clear the procurement integration account, those of an hour do not (R703).
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from sandbox.dataverse.desk import Desk
from sandbox.dataverse.rules.actuals import ACTUAL, ACTUAL_ID, Row
from sandbox.dataverse.rules.one_by_one import ids_named
from sandbox.dataverse.rules.options import TransactionType, VendorInvoiceStatus
from sandbox.dataverse.rules.verification import INVOICE, LINE
from sandbox.rules.jobs import JobRefusedError, required

_SAME = ("msdyn_project", "msdyn_transactionclassification", "msdyn_subcontractline")
_SAME_IF_SET = (
    "msdyn_salescontract",
    "msdyn_salescontractlineid",
    "msdyn_task",
    "msdyn_resourcecategory",
    "msdyn_transactioncategory",
    "msdyn_product",
    "msdyn_bookableresource",
)


def candidates(desk: Desk, line: Row) -> list[Row]:
    """Return the cost actuals that a line may bill, oldest first (R1005).

    They are open (blank adjustment status), neither matched with another line nor what an earlier invoice
    became, and equal to the line in project, class and subcontract line; in contract, contract line,
    task, role, category, product and resource where both say which.
    """
    open_costs = desk.find(
        ACTUAL,
        msdyn_transactiontypecode=TransactionType.COST,
        msdyn_adjustmentstatus=None,
        msdyn_matchedvendorinvoiceline=None,
        msdyn_vendorinvoiceline=None,
        **{name: line[name] for name in _SAME},
    )
    return [actual for actual in open_costs if all(_agrees(line, actual, name) for name in _SAME_IF_SET)]


def matched(desk: Desk, line: Row) -> list[Row]:
    """Return the open cost actuals that were matched with a line which is not confirmed yet."""
    return desk.find(
        ACTUAL,
        msdyn_matchedvendorinvoiceline=line["msdyn_projectvendorinvoicelineid"],
        msdyn_transactiontypecode=TransactionType.COST,
        msdyn_adjustmentstatus=None,
    )


def release(desk: Desk, line: Row) -> None:
    """Let the costs go that are matched with a line: another invoice may bill them."""
    for actual in matched(desk, line):
        desk.update(ACTUAL, actual[ACTUAL_ID], {"msdyn_matchedvendorinvoiceline": None})


def match_by_subcontract(desk: Desk, line: Row) -> list[Row]:
    """Match a line of a subcontract with the oldest costs that cover its quantity (R1104); return them.

    The last one may overshoot: what it leaves over is met by the vendor's next invoice, and at no
    moment does a cost count twice.
    """
    if line["msdyn_subcontractline"] is None:
        return []
    chosen: list[Row] = []
    for actual in candidates(desk, line):
        if quantity_of(chosen) >= (line["msdyn_quantity"] or 0):
            break
        chosen.append(actual)
    _match(desk, line, chosen)
    return chosen


def match_actuals(desk: Desk, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    """Match a line as a project manager does: `{"line": GUID, "actuals": [GUID, …]}` (R1005).

    What was matched with the line before is let go; without `actuals` all candidates are taken.

    Raises:
        JobRefusedError: When the invoice is confirmed, or an actual is no candidate.
    """
    line = desk.get(LINE, required(parameters, "line"))
    invoice = desk.get(INVOICE, line["msdyn_vendorinvoice"])
    number = invoice["msdyn_vendorinvoicenumber"]
    if invoice["statuscode"] in {VendorInvoiceStatus.CONFIRMED, VendorInvoiceStatus.CANCELED}:
        raise JobRefusedError(f"Vendor invoice {number} is confirmed or canceled: its lines stay.")
    release(desk, line)
    possible = {actual[ACTUAL_ID]: actual for actual in candidates(desk, line)}
    wanted = ids_named(parameters, "actuals") if "actuals" in parameters else list(possible)
    strangers = [row_id for row_id in wanted if row_id not in possible]
    if strangers:
        raise JobRefusedError(
            f"Actual {strangers[0]} cannot be matched with line {line['msdyn_externalinvoiceline']} of "
            f"vendor invoice {number}: it is adjusted or matched already, or is of another project, class, "
            "task, role, category, product, resource or subcontract line."
        )
    chosen = [possible[row_id] for row_id in wanted]
    _match(desk, line, chosen)
    warning = mismatch(line, chosen)
    return {"matched": len(chosen), "warnings": [warning] if warning else []}


def mismatch(line: Row, actuals: Sequence[Row]) -> str | None:
    """Return the warning that a line bills another quantity than its actuals have, or None (R1104)."""
    billed, recorded = line["msdyn_quantity"] or Decimal(0), quantity_of(actuals)
    if not actuals or billed == recorded:
        return None
    return (
        f"Vendor invoice line {line['msdyn_externalinvoiceline']} bills {billed.normalize():f}, "
        f"its matched actuals have {recorded.normalize():f}."
    )


def quantity_of(actuals: Sequence[Row]) -> Decimal:
    """Return what actuals come to together."""
    return sum((actual["msdyn_quantity"] or Decimal(0) for actual in actuals), Decimal(0))


def _match(desk: Desk, line: Row, actuals: Sequence[Row]) -> None:
    for actual in actuals:
        line_id = line["msdyn_projectvendorinvoicelineid"]
        desk.update(ACTUAL, actual[ACTUAL_ID], {"msdyn_matchedvendorinvoiceline": line_id})


def _agrees(line: Row, actual: Row, name: str) -> bool:
    return line[name] is None or actual[name] is None or line[name] == actual[name]


JOBS = {"match-actuals": match_actuals}
