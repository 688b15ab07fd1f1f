"""Jobs that submit, approve and take back time, many entries at once or with what only an approver knows."""

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.dataverse.desk import Desk
from sandbox.dataverse.rules.actuals import Row
from sandbox.dataverse.rules.approvals import approve, take_back
from sandbox.dataverse.rules.one_by_one import one_by_one
from sandbox.dataverse.rules.options import EntryStatus
from sandbox.dataverse.rules.time import STATUS, TIME_ENTRY, named, submit
from sandbox.rules.jobs import JobRefusedError, Parameters


def submit_time(desk: Desk, parameters: Parameters) -> Mapping[str, Any]:
    """Job `submit-time`: submit time entries, all drafts unless named (R301).

    Args:
        desk: Dataverse.
        parameters: `entries` (ids), `cost_price` and `sales_price` of an hour, each optional.

    Returns:
        `submitted`: how many; `errors`: sentences about entries that could not be.

    Raises:
        JobRefusedError: When a parameter is not what it has to be.
    """
    given = {name: _number(parameters, name) for name in ("cost_price", "sales_price")}
    prices = {name: price for name, price in given.items() if price is not None}
    return _each(
        desk, parameters, EntryStatus.DRAFT, "submitted", lambda entry: submit(desk, entry, **prices)
    )


def approve_time(desk: Desk, parameters: Parameters) -> Mapping[str, Any]:
    """Job `approve-time`: approve time entries, all that are submitted unless named (R302 to R304).

    Args:
        desk: Dataverse.
        parameters: `entries` (ids) and `billable_quantity` (hours of each), both optional.

    Returns:
        `approved`: how many; `errors`: sentences about entries that could not be.

    Raises:
        JobRefusedError: When a parameter is not what it has to be.
    """
    billable = _number(parameters, "billable_quantity")
    return _each(
        desk, parameters, EntryStatus.SUBMITTED, "approved", lambda entry: approve(desk, entry, billable)
    )


def cancel_approval(desk: Desk, parameters: Parameters) -> Mapping[str, Any]:
    """Job `cancel-approval`: make approved time entries drafts again (R306).

    Args:
        desk: Dataverse.
        parameters: `entries` (ids); without it those whose recall is requested.

    Returns:
        `canceled`: how many; `errors`: sentences about entries that could not be.

    Raises:
        JobRefusedError: When a parameter is not what it has to be.
    """
    return _each(
        desk, parameters, EntryStatus.RECALL_REQUESTED, "canceled", lambda entry: take_back(desk, entry)
    )


def _each(
    desk: Desk, parameters: Parameters, status: EntryStatus, done: str, act: Callable[[Row], None]
) -> Mapping[str, Any]:
    """Act on the entries that a job names, or on all of a status; return how many were `done`."""
    wanted = parameters.get("entries")
    if wanted is None:
        entries = desk.find(TIME_ENTRY, **{STATUS: status})
    elif isinstance(wanted, list):
        entries = [desk.get(TIME_ENTRY, entry_id) for entry_id in wanted]
    else:
        raise JobRefusedError("The parameter 'entries' has to be a list of ids of time entries.")
    count, errors = one_by_one(desk, entries, lambda _desk, entry: act(entry), named)
    return {done: count, "errors": errors}


def _number(parameters: Parameters, name: str) -> Decimal | None:
    given = parameters.get(name)
    try:
        number = None if given is None else Decimal(str(given))
    except InvalidOperation:
        number = Decimal("NaN")
    if number is not None and not number.is_finite():
        raise JobRefusedError(f"The parameter '{name}' has to be a number, not {given!r}.")
    return number


JOBS = {"submit-time": submit_time, "approve-time": approve_time, "cancel-approval": cancel_approval}
