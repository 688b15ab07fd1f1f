"""Milestones: how a fixed price is scheduled, and how it comes on invoices."""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from sandbox.dataverse.desk import Desk, refused
from sandbox.dataverse.rules.actuals import ACTUAL, ACTUAL_ID, Row, origin
from sandbox.dataverse.rules.billing import Payer, payers
from sandbox.dataverse.rules.engagement import Engagement
from sandbox.dataverse.rules.impact import DETAIL_ID, Bill, Impact, descendant, sale_of
from sandbox.dataverse.rules.invoice_lines import DETAIL, INVOICE, Charge, scheduled_detail
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
        amounts = split(_amount(milestone), [it.percent for it in who], currency, rounding)
        billed = _billed_customers(desk, milestone)
        for payer, amount in zip(who, amounts, strict=True):
            if payer.contract_customer not in billed:
                yield Charge(payer.contract_customer, _detail(desk, milestone, contract, payer, amount))


def bill_milestone(detail: Row, invoice: Bill) -> Impact:
    """Return the impact of billing a milestone: billed sales alone, since no unbilled sales were (R405)."""
    sale = sale_of(detail, invoice)
    return Impact(recorded=(sale,), details=((detail[DETAIL_ID], {"msdyn_billedactual": sale[ACTUAL_ID]}),))


def settle(desk: Desk, details: Iterable[Row]) -> None:
    """Give milestones the status that a confirmed invoice leaves them in, and billed sales their origin."""
    for detail in details:
        milestone_id = detail["msdyn_milestone"]
        if milestone_id is not None:
            if not detail["msdyn_correction"]:
                origin(desk, {ACTUAL_ID: descendant(detail, "billed")}, MILESTONE, milestone_id)
            follow_shares(desk, milestone_id)


def follow_shares(desk: Desk, milestone_id: str) -> None:
    """Give a milestone the status that the shares of its customers make (R405, R406).

    Posted when all of it is billed; else it is on an invoice while a share waits on a draft; else it is
    ready, for the first time or since it was credited.
    """
    milestone = desk.get(MILESTONE, milestone_id)
    drafts, sales = _shares(desk, milestone)
    if sum((it["msdyn_amount"] for it in sales), Decimal(0)) == _amount(milestone):
        status = MilestoneStatus.INVOICE_POSTED
    else:
        status = MilestoneStatus.INVOICE_CREATED if drafts else MilestoneStatus.READY
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
    line = next(iter(desk.by_id("salesorderdetail", [milestone["msdyn_contractlineid"]]).values()), None)
    day = _day(milestone) or desk.now.date().isoformat()
    scheduled = scheduled_detail(contract, line, payer.customer, TransactionClass.MILESTONE, amount, day)
    return scheduled | {
        "msdyn_description": milestone["msdyn_name"],
        "msdyn_externaldescription": milestone["msdyn_externaldescription"],
        "msdyn_project": milestone["msdyn_project"] or scheduled["msdyn_project"],
        "msdyn_task": milestone["msdyn_projecttask"],
        "msdyn_milestone": milestone[MILESTONE_ID],
    }


def _billed_customers(desk: Desk, milestone: Row) -> set[str | None]:
    """Return whose share is on a draft, or billed and not credited."""
    drafts, sales = _shares(desk, milestone)
    return {it["msdyn_contractcustomer"] for it in (*drafts, *sales)}


def _shares(desk: Desk, milestone: Row) -> tuple[list[Row], list[Row]]:
    """Return the draft invoices that shares of a milestone wait on, and the billed sales that stand."""
    shares = desk.find(DETAIL, msdyn_milestone=milestone[MILESTONE_ID], msdyn_correction=False)
    drafts = desk.by_id(INVOICE, (it["msdyn_invoice"] for it in shares if it["msdyn_billedactual"] is None))
    sales = desk.by_id(ACTUAL, (it["msdyn_billedactual"] for it in shares)).values()
    return list(drafts.values()), [it for it in sales if it["msdyn_adjustmentstatus"] is None]


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
