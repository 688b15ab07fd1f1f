"""Expenses: accepted from Finance, approved, and recorded as actuals (R903, R905, E1)."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sandbox.dataverse.desk import Desk, refused
from sandbox.dataverse.rules.approvals import cancel
from sandbox.dataverse.rules.one_by_one import one_by_one
from sandbox.dataverse.rules.options import BillingType, ExpenseStatus, TransactionClass
from sandbox.dataverse.rules.recording import demand_facts, demand_unrecorded, is_recorded
from sandbox.dataverse.rules.work import Work, record_work
from sandbox.rules.hooks import Change, Row, Verb, complete, effect, guard

EXPENSE = "msdyn_expense"

_REASONS = {
    ExpenseStatus.DRAFT: 867380000,
    ExpenseStatus.REJECTED: 867380001,
    ExpenseStatus.SUBMITTED: 867380002,
    ExpenseStatus.APPROVED: 867380003,
    ExpenseStatus.POSTED: 867380004,
    ExpenseStatus.PAID: 867380005,
}
"""Status reason that goes with an expense status; a recall that is asked for has none of its own."""


_TAKEN_BACK = {ExpenseStatus.DRAFT, ExpenseStatus.SUBMITTED, ExpenseStatus.REJECTED}
"""Statuses of an expense that is not approved any more; a recall that is asked for changes nothing yet."""

_STANDING = {ExpenseStatus.APPROVED, ExpenseStatus.POSTED, ExpenseStatus.PAID}


def demand_leaf_task(desk: Desk, change: Change) -> None:
    """Refuse an expense from Finance on a summary task, or on one of another project (E1).

    Raises:
        ApiError: 0x80040265, as documented.
    """
    expense = change.after
    task_id = expense.get("msdyn_projecttask")
    if task_id is None or expense.get("msdyn_externalid") is None:
        return
    task = desk.first("msdyn_projecttask", msdyn_projecttaskid=task_id)
    of_project = task is not None and task["msdyn_project"] == expense.get("msdyn_project")
    if not of_project or desk.first("msdyn_projecttask", msdyn_parenttask=task_id) is not None:
        raise refused(
            f"Could not resolve project task for export expense {expense['msdyn_externalid']}. The specified "
            "task activity number does not uniquely identify a task of the project: recall the expense and "
            "choose the activity of a leaf task."
        )


def submit_external(_desk: Desk, change: Change) -> Row:
    """Let an expense that Finance has posted begin as submitted: its approval there is done (R903)."""
    if change.values.get("msdyn_externalid") is None or change.values.get("msdyn_expensestatus") is not None:
        return {}
    return {
        "msdyn_expensestatus": ExpenseStatus.SUBMITTED,
        "statuscode": _REASONS[ExpenseStatus.SUBMITTED],
    }


def refuse_approved(_desk: Desk, change: Change) -> None:
    """Refuse an expense that is approved from the start: approval is what records it (R903).

    Raises:
        ApiError: 0x80040265, naming the expense.
    """
    if change.values.get("msdyn_expensestatus") in _STANDING:
        raise refused(f"{_name(change.values)} is created as Draft or Submitted: create it, then approve it.")


def follow_status(_desk: Desk, change: Change) -> Row:
    """Let the status reason follow the expense status."""
    reason = _REASONS.get(change.values["msdyn_expensestatus"])
    return {} if reason is None or "statuscode" in change.values else {"statuscode": reason}


def keep_posted(_desk: Desk, change: Change) -> None:
    """Refuse to take back what Finance has posted: its clearing account would not come to 0 (R903).

    Raises:
        ApiError: 0x80040265, naming the expense.
    """
    standing = change.before["msdyn_expensestatus"] in _STANDING and change.before["msdyn_externalid"]
    if standing and change.values["msdyn_expensestatus"] not in _STANDING:
        raise refused(f"{_name(change.before)} is posted in Finance and stays approved: reverse it there.")


def refuse_deletion(desk: Desk, change: Change) -> None:
    """Refuse to delete an expense whose actuals stand; see `demand_unrecorded`."""
    demand_unrecorded(desk, change.before["msdyn_expenseid"], _name(change.before))


def follow_approval(desk: Desk, change: Change) -> None:
    """Record an expense that becomes Approved (R903), take back what no longer is (R306)."""
    expense, expense_id = change.after, change.before["msdyn_expenseid"]
    if change.turned("msdyn_expensestatus", ExpenseStatus.APPROVED):
        if not is_recorded(desk, expense_id):
            record_work(desk, work_of(desk, expense))
    elif expense["msdyn_expensestatus"] in _TAKEN_BACK and is_recorded(desk, expense_id):
        cancel(desk, expense_id, _name(expense))


def approve_external(desk: Desk) -> tuple[int, list[str]]:
    """Approve the submitted expenses that came from Finance, as an asynchronous system job does (R903).

    Returns:
        How many were approved, and a sentence for each that was not; one leaves the others.
    """
    submitted = desk.find(EXPENSE, msdyn_expensestatus=ExpenseStatus.SUBMITTED)
    external = [expense for expense in submitted if expense["msdyn_externalid"] is not None]
    return one_by_one(desk, external, _approve, _name)


def work_of(desk: Desk, expense: Row) -> Work:
    """Return what an expense cost; its amount is the one that stands on Finance's clearing account (R902).

    One of another company is sold to the project at what it cost that company (R905).

    Raises:
        ApiError: 0x80040265, when it names no project or no amount.
    """
    demand_facts(_name(expense), expense, {"msdyn_project": "project", "msdyn_amount": "amount"})
    category = desk.first("msdyn_expensecategory", msdyn_expensecategoryid=expense["msdyn_expensecategory"])
    return Work(
        project=expense["msdyn_project"],
        classification=TransactionClass.EXPENSE,
        quantity=expense["msdyn_quantity"] or Decimal(1),
        date=expense["msdyn_transactiondate"] or expense["createdon"],
        task=expense["msdyn_projecttask"],
        resource=expense["msdyn_bookableresource"],
        category=category["msdyn_transactioncategory"] if category is not None else None,
        unit=expense["msdyn_unit"],
        cost_price=expense["msdyn_price"],
        cost_amount=expense["msdyn_amount"],
        cost_currency=expense["transactioncurrencyid"],
        billing_type=_billing_type(expense),
        resourcing_company=expense["msdyn_resourcingcompany"],
        resourcing_unit=expense["msdyn_resourceorganizationalunitid"],
        description=expense["msdyn_name"],
        external_description=expense["msdyn_externaldescription"],
        origin=(EXPENSE, expense["msdyn_expenseid"]),
        external_origin_reference=expense["msdyn_externalid"],
    )


def _name(expense: Mapping[str, Any]) -> str:
    return f"Expense {expense.get('msdyn_externalid') or expense.get('msdyn_name')}"


def _approve(desk: Desk, expense: Row) -> None:
    desk.update(EXPENSE, expense["msdyn_expenseid"], {"msdyn_expensestatus": ExpenseStatus.APPROVED})


def _billing_type(row: Row) -> BillingType | None:
    return None if row["msdyn_billingtype"] is None else BillingType(row["msdyn_billingtype"])


HOOKS = (
    guard(
        EXPENSE,
        [Verb.CREATE, Verb.UPDATE],
        demand_leaf_task,
        ["msdyn_project", "msdyn_projecttask", "msdyn_externalid"],
    ),
    guard(EXPENSE, [Verb.CREATE], refuse_approved),
    complete(EXPENSE, [Verb.CREATE], submit_external),
    complete(EXPENSE, [Verb.UPDATE], follow_status, ["msdyn_expensestatus"]),
    guard(EXPENSE, [Verb.UPDATE], keep_posted, ["msdyn_expensestatus"]),
    guard(EXPENSE, [Verb.DELETE], refuse_deletion),
    effect(EXPENSE, [Verb.UPDATE], follow_approval, ["msdyn_expensestatus"]),
)
