"""Material usage: logged by people or by packing slips of Finance, approved, recorded as actuals (R505)."""

from collections.abc import Mapping
from enum import IntEnum
from typing import Any

from sandbox.dataverse.desk import Desk, refused
from sandbox.dataverse.rules.actuals import Row
from sandbox.dataverse.rules.approvals import cancel
from sandbox.dataverse.rules.one_by_one import ids_named, one_by_one
from sandbox.dataverse.rules.options import TransactionClass
from sandbox.dataverse.rules.recording import demand_facts, demand_unrecorded, is_recorded
from sandbox.dataverse.rules.work import Work, record_work
from sandbox.rules.days import NEVER, day_of, noon
from sandbox.rules.hooks import Change, Verb, complete, effect, guard
from sandbox.rules.jobs import JobRefusedError

USAGE = "msdyn_materialusagelog"


class UsageStatus(IntEnum):
    """msdyn_usagestatus of a material usage log; column and values are PROPOSED."""

    DRAFT = 192350000
    SUBMITTED = 192350001
    APPROVED = 192350002
    REJECTED = 192350003


def begin(_desk: Desk, change: Change) -> Row:
    """Let a log of people begin as a draft, one of a packing slip as submitted."""
    if change.values.get("msdyn_usagestatus") is not None:
        return {}
    external = change.values.get("msdyn_externalid") is not None
    return {"msdyn_usagestatus": UsageStatus.SUBMITTED if external else UsageStatus.DRAFT}


def refuse_approved(_desk: Desk, change: Change) -> None:
    """Refuse usage that is approved from the start: approval is what records it (R505).

    Raises:
        ApiError: 0x80040265.
    """
    if change.values.get("msdyn_usagestatus") == UsageStatus.APPROVED:
        raise refused("Material usage is created as Draft or Submitted: create it, then approve it.")


def keep_posted(_desk: Desk, change: Change) -> None:
    """Refuse to take back what a packing slip of Finance has posted (R505).

    Raises:
        ApiError: 0x80040265, naming the usage.
    """
    approved = change.before["msdyn_usagestatus"] == UsageStatus.APPROVED
    if (
        approved
        and change.before["msdyn_externalid"]
        and change.after["msdyn_usagestatus"] != UsageStatus.APPROVED
    ):
        raise refused(f"{_name(change.before)} is posted in Finance and stays approved: reverse it there.")


def refuse_deletion(desk: Desk, change: Change) -> None:
    """Refuse to delete usage whose actuals stand; see `demand_unrecorded`."""
    demand_unrecorded(desk, change.before["msdyn_materialusagelogid"], _name(change.before))


def follow_approval(desk: Desk, change: Change) -> None:
    """Record usage that becomes Approved, take back what no longer is (R306).

    The cost of a packing slip carries its id as origin reference: Finance has posted that cost and
    must make no journal line of it (R505).
    """
    usage_id = change.before["msdyn_materialusagelogid"]
    if change.turned("msdyn_usagestatus", UsageStatus.APPROVED):
        record_work(desk, work_of(change.after))
    elif change.after["msdyn_usagestatus"] != UsageStatus.APPROVED and is_recorded(desk, usage_id):
        cancel(desk, usage_id, _name(change.after))


def approve_usage(desk: Desk, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    """Approve material usage: `{"usages": [GUID, …]}`, without it all that is submitted; each on its own.

    Raises:
        JobRefusedError: When a named log is not submitted.
    """
    approved, errors = one_by_one(desk, _chosen(desk, parameters), _approve, _name)
    return {"approved": approved, "errors": errors}


def work_of(usage: Mapping[str, Any]) -> Work:
    """Return what was used; without a price of its own it costs what the price lists say.

    Raises:
        ApiError: 0x80040265, when it names no project or no quantity.
    """
    demand_facts(_name(usage), usage, {"msdyn_project": "project", "msdyn_quantity": "quantity"})
    return Work(
        project=usage["msdyn_project"],
        classification=TransactionClass.MATERIAL,
        quantity=usage["msdyn_quantity"],
        date=noon(day_of(usage["msdyn_transactiondate"] or usage["createdon"]) or NEVER),
        task=usage["msdyn_task"],
        product=usage["msdyn_product"],
        unit=usage["msdyn_unit"],
        cost_price=usage["msdyn_price"],
        cost_currency=usage["transactioncurrencyid"],
        origin=(USAGE, usage["msdyn_materialusagelogid"]),
        external_origin_reference=usage["msdyn_externalid"],
    )


def _name(usage: Mapping[str, Any]) -> str:
    return f"Material usage {usage['msdyn_externalid'] or usage['msdyn_materialusagelogid']}"


def _chosen(desk: Desk, parameters: Mapping[str, Any]) -> list[Row]:
    if "usages" not in parameters:
        return desk.find(USAGE, msdyn_usagestatus=UsageStatus.SUBMITTED)
    chosen = [desk.get(USAGE, row_id) for row_id in ids_named(parameters, "usages")]
    for usage in chosen:
        if usage["msdyn_usagestatus"] != UsageStatus.SUBMITTED:
            raise JobRefusedError(f"{_name(usage)} is not submitted: submit it first.")
    return chosen


def _approve(desk: Desk, usage: Row) -> None:
    desk.update(USAGE, usage["msdyn_materialusagelogid"], {"msdyn_usagestatus": UsageStatus.APPROVED})


HOOKS = (
    guard(USAGE, [Verb.CREATE], refuse_approved),
    complete(USAGE, [Verb.CREATE], begin),
    guard(USAGE, [Verb.UPDATE], keep_posted, ["msdyn_usagestatus"]),
    guard(USAGE, [Verb.DELETE], refuse_deletion),
    effect(USAGE, [Verb.UPDATE], follow_approval, ["msdyn_usagestatus"]),
)
JOBS = {"approve-material-usage": approve_usage}
