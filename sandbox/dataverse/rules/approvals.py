"""Approval of submitted work, which records its actuals, and its cancellation, which takes them back."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from sandbox.dataverse.desk import Desk, refused
from sandbox.dataverse.rules.actuals import of_origin, reverse
from sandbox.dataverse.rules.journals import close, open_lines
from sandbox.dataverse.rules.options import BillingStatus, EntryStatus, TransactionType
from sandbox.dataverse.rules.recording import is_recorded
from sandbox.dataverse.rules.time import STATUS, TIME_ENTRY, demand_step, named, work_of
from sandbox.dataverse.rules.work import Work, record_work
from sandbox.rules.hooks import Change, Verb, effect

Row = Mapping[str, Any]

INVOICED = frozenset({BillingStatus.CUSTOMER_INVOICE_CREATED, BillingStatus.CUSTOMER_INVOICE_POSTED})
"""Billing statuses of unbilled sales that stand on an invoice."""

_TAKEN_BACK = frozenset({EntryStatus.DRAFT, EntryStatus.RETURNED})
_APPROVED = frozenset({EntryStatus.APPROVED, EntryStatus.RECALL_REQUESTED})


def approve(desk: Desk, entry: Row, billable: Decimal | None = None) -> None:
    """Approve a submitted time entry: its actuals are recorded, its journal is posted (R302 to R304).

    Args:
        desk: Dataverse.
        entry: The stored row.
        billable: Chargeable hours as the approver says; None for what the billing type says.

    Raises:
        ApiError: When the entry is not submitted, or the billable hours do not hold.
    """
    demand_step(entry, EntryStatus.APPROVED)
    _record(desk, entry, billable)
    desk.update(TIME_ENTRY, entry["msdyn_timeentryid"], {STATUS: EntryStatus.APPROVED})


def cancel(desk: Desk, source_id: str, name: str) -> int:
    """Take back the actuals of an approved row: each is Adjusted and Canceled, with a reversal (R306).

    Args:
        desk: Dataverse.
        source_id: Id of the time entry, expense or material usage that they came from.
        name: What a message calls it: "Time entry 'Design'".

    Returns:
        How many actuals were taken back.

    Raises:
        ApiError: When they are invoiced, or a vendor invoice has adjusted them (R1004).
    """
    actuals = of_origin(desk, source_id)
    if any(it["msdyn_billingstatus"] in INVOICED for it in actuals):
        raise refused(f"The approval of {name} cannot be canceled: it is on an invoice. Correct the invoice.")
    current = [it for it in actuals if it["msdyn_adjustmentstatus"] is None]
    if not any(it["msdyn_transactiontypecode"] == TransactionType.COST for it in current):
        raise refused(f"The approval of {name} cannot be canceled: its cost has been adjusted already.")
    for actual in current:
        reverse(desk, actual, billing_status=BillingStatus.CANCELED)
    return len(current)


def take_back(desk: Desk, entry: Row) -> None:
    """Make an approved time entry a draft again, its actuals taken back (R306).

    Raises:
        ApiError: When it is not approved, or its actuals cannot be taken back.
    """
    if entry[STATUS] not in _APPROVED:
        raise refused(f"{named(entry)} is not approved: there is nothing to cancel.")
    desk.update(TIME_ENTRY, entry["msdyn_timeentryid"], {STATUS: EntryStatus.DRAFT})


def follow(desk: Desk, change: Change) -> None:
    """Record the actuals of what is approved, take back those of what no longer is."""
    entry, before = change.after, change.before[STATUS]
    if change.turned(STATUS, EntryStatus.APPROVED):
        _record(desk, entry, None)
    elif (
        before in _APPROVED and entry[STATUS] in _TAKEN_BACK and is_recorded(desk, entry["msdyn_timeentryid"])
    ):
        cancel(desk, entry["msdyn_timeentryid"], named(entry))


def _record(desk: Desk, entry: Row, billable: Decimal | None) -> None:
    """Record the work of an entry, unless it is recorded: a recall that was refused changes nothing."""
    work, entry_id = work_of(desk, entry), entry["msdyn_timeentryid"]
    if work is None or is_recorded(desk, entry_id):
        return
    lines = open_lines(desk, entry_id)
    record_work(desk, _at_prices_of(lines, work), billable)
    close(desk, lines)


def _at_prices_of(lines: Sequence[Row], work: Work) -> Work:
    """Return work at the prices with which it was submitted."""
    for line in lines:
        if line["msdyn_transactiontypecode"] == TransactionType.COST:
            work = replace(work, cost_price=line["msdyn_price"], cost_currency=line["transactioncurrencyid"])
        else:
            work = replace(work, sales_price=line["msdyn_price"])
    return work


HOOKS = (effect(TIME_ENTRY, [Verb.UPDATE], follow, [STATUS]),)
