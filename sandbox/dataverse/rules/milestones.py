"""Milestones: how a fixed price is scheduled, and how it comes on invoices."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from sandbox.dataverse.desk import Desk, refused
from sandbox.dataverse.rules.actuals import ACTUAL, ACTUAL_ID, Row, origin
from sandbox.dataverse.rules.billing import Payer, payers
from sandbox.dataverse.rules.engagement import Engagement
from sandbox.dataverse.rules.impact import DETAIL_ID, Bill, Impact, descendant, sale_of
from sandbox.dataverse.rules.invoice_lines import DETAIL, Charge, scheduled_detail
from sandbox.dataverse.rules.options import (
    MilestoneStatus,
    PsaStatusReason,
    TransactionClass,
)
from sandbox.dataverse.rules.prices import day_meant
from sandbox.rules.hooks import Change, Verb, effect, guard
from sandbox.rules.money import split

MILESTONE = "msdyn_contractlinescheduleofvalue"
MILESTONE_ID = "msdyn_contractlinescheduleofvalueid"


def charges(desk: Desk, contract: Mapping[str, Any], until: str | None) -> Iterator[Charge]:
    """Yield what milestones that are ready bring on an invoice: a share for each contract customer.

    A customer who has been billed for a milestone, and not been credited, is left out: it may be ready
    once more for another customer only.

    Args:
        desk: Dataverse.
        contract: The stored salesorder.
        until: Last milestone date, ISO; None for all.
    """
    ready = desk.find(
        MILESTONE, msdyn_contract=contract["salesorderid"], msdyn_invoicestatus=MilestoneStatus.READY
    )
    due = [it for it in ready if until is None or (_day(it) or until) <= until]
    if not due:
        return
    who = payers(desk, Engagement({}, contract=contract))
    currency = desk.get("transactioncurrency", contract["transactioncurrencyid"])["isocurrencycode"]
    rounding = next((place for place, payer in enumerate(who) if payer.rounding), 0)
    for milestone in due:
        amounts = split(milestone["msdyn_amount"], [it.percent for it in who], currency, rounding)
        billed = _billed_customers(desk, milestone)
        for payer, amount in zip(who, amounts, strict=True):
            if payer.contract_customer not in billed:
                yield Charge(payer.contract_customer, _detail(desk, milestone, contract, payer, amount))


def bill_milestone(detail: Row, invoice: Bill) -> Impact:
    """Return the impact of billing a milestone: billed sales alone, since no unbilled sales were (R405)."""
    sale = sale_of(detail, invoice)
    return Impact(recorded=(sale,), details=((detail[DETAIL_ID], {"msdyn_billedactual": sale[ACTUAL_ID]}),))


def settle(desk: Desk, details: Iterable[Row]) -> None:
    """Give milestones the status that a confirmed invoice leaves them in, and billed sales their origin.

    A milestone is posted when nobody's share of it waits on a draft; credited, it is ready again (R406).
    """
    for detail in details:
        milestone_id = detail["msdyn_milestone"]
        if milestone_id is None:
            continue
        if detail["msdyn_correction"]:
            status = MilestoneStatus.READY
        else:
            origin(desk, {ACTUAL_ID: descendant(detail, "billed")}, MILESTONE, milestone_id)
            shares = desk.find(DETAIL, msdyn_milestone=milestone_id, msdyn_correction=False)
            waiting = any(it["msdyn_billedactual"] is None for it in shares)
            status = MilestoneStatus.INVOICE_CREATED if waiting else MilestoneStatus.INVOICE_POSTED
        desk.update(MILESTONE, milestone_id, {"msdyn_invoicestatus": status})


def refuse_without_project(desk: Desk, change: Change) -> None:
    """Refuse a milestone of a contract line that has no project (R107).

    Raises:
        ApiError: When the contract line has none.
    """
    line = desk.by_id("salesorderdetail", [change.after.get("msdyn_contractlineid")])
    for found in line.values():
        if found["msdyn_project"] is None:
            raise refused(
                f"Contract line {found['msdyn_contractlinenumber']} has no project: give it one before its"
                " milestones."
            )


def check_schedules(desk: Desk, change: Change) -> None:
    """Hold a contract's confirmation while milestones do not add up to their line's value (R107).

    Raises:
        ApiError: When the sum of a line's milestones is not its contract value.
    """
    if not change.turned("msdyn_psastatusreason", PsaStatusReason.CONFIRMED):
        return
    milestones = desk.find(MILESTONE, msdyn_contract=change.after["salesorderid"], statecode=0)
    lines = desk.by_id("salesorderdetail", (it["msdyn_contractlineid"] for it in milestones))
    for line_id, line in lines.items():
        total = sum((_amount(it) for it in milestones if it["msdyn_contractlineid"] == line_id), Decimal(0))
        value = line["msdyn_contractamount"]
        if value is not None and total != value:
            raise refused(
                f"The milestones of contract line {line['msdyn_contractlinenumber']} add up to {total},"
                f" its contract value is {value}: make them equal."
            )


def _detail(desk: Desk, milestone: Row, contract: Mapping[str, Any], payer: Payer, amount: Decimal) -> Row:
    line = desk.get("salesorderdetail", milestone["msdyn_contractlineid"])
    day = _day(milestone) or desk.now.date().isoformat()
    scheduled = scheduled_detail(contract, line, payer.customer, TransactionClass.MILESTONE, amount, day)
    return scheduled | {
        "msdyn_description": milestone["msdyn_name"],
        "msdyn_externaldescription": milestone["msdyn_externaldescription"],
        "msdyn_project": milestone["msdyn_project"] or line["msdyn_project"],
        "msdyn_task": milestone["msdyn_projecttask"],
        "msdyn_milestone": milestone[MILESTONE_ID],
    }


def _billed_customers(desk: Desk, milestone: Row) -> set[str | None]:
    shares: Sequence[Row] = desk.find(DETAIL, msdyn_milestone=milestone[MILESTONE_ID])
    sales = desk.by_id(ACTUAL, (it["msdyn_billedactual"] for it in shares))
    return {it["msdyn_contractcustomer"] for it in sales.values() if it["msdyn_adjustmentstatus"] is None}


def _day(milestone: Row) -> str | None:
    """The day on which it may be billed: its date, or the older column's, a time stamp."""
    date: str | None = milestone["msdyn_milestonedate"]
    if date is None and milestone["msdyn_invoicedate"] is not None:
        return day_meant(milestone["msdyn_invoicedate"])
    return date


def _amount(milestone: Row) -> Decimal:
    amount: Decimal | None = milestone["msdyn_amount"]
    return amount or Decimal(0)


HOOKS = (
    guard(MILESTONE, [Verb.CREATE, Verb.UPDATE], refuse_without_project, ["msdyn_contractlineid"]),
    effect("salesorder", [Verb.UPDATE], check_schedules, ["msdyn_psastatusreason"]),
)
