"""Subcontracts: from draft to a confirmed order with a vendor (R1101).

Finance makes a purchase order of a confirmed subcontract and never makes a subcontract itself; later
changes of the lines follow there.
"""

from collections.abc import Mapping
from typing import Any

from sandbox.dataverse.desk import Desk, refused
from sandbox.dataverse.rules.one_by_one import ids_named, one_by_one
from sandbox.dataverse.rules.options import SubcontractStatus, TransactionClass
from sandbox.dataverse.rules.recording import demand_facts
from sandbox.rules.hooks import Change, Row, Verb, complete, guard

SUBCONTRACT = "msdyn_subcontract"
LINE = "msdyn_subcontractline"

_ALLOWED = {
    SubcontractStatus.DRAFT: {SubcontractStatus.CONFIRMED, SubcontractStatus.CANCELED},
    SubcontractStatus.CONFIRMED: {SubcontractStatus.CLOSED, SubcontractStatus.CANCELED},
    SubcontractStatus.CLOSED: set(),
    SubcontractStatus.CANCELED: set(),
}
"""States that a subcontract may go to (the states are DOC subcon-states.md, the steps between them INF)."""

_OVER = {SubcontractStatus.CLOSED, SubcontractStatus.CANCELED}


def confirm_subcontracts(desk: Desk, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    """Confirm subcontracts, each on its own: `{"subcontracts": [GUID, …]}` (R1101)."""
    subcontracts = [desk.get(SUBCONTRACT, row_id) for row_id in ids_named(parameters, "subcontracts")]
    confirmed, errors = one_by_one(
        desk, subcontracts, _confirm, lambda row: f"Subcontract {row['msdyn_subcontractnumber']}"
    )
    return {"confirmed": confirmed, "errors": errors}


def refuse_step(desk: Desk, change: Change) -> None:
    """Refuse a state that does not follow; see `demand_step`."""
    wanted = change.values["statuscode"]
    if wanted is None:
        raise refused(f"Subcontract {change.before['msdyn_subcontractnumber']} must have a status.")
    if change.before["statuscode"] != wanted:
        demand_step(desk, change.before, SubcontractStatus(wanted))


def demand_step(desk: Desk, subcontract: Row, status: SubcontractStatus) -> None:
    """Refuse a state that a subcontract cannot go to.

    Raises:
        ApiError: 0x80040265, naming the subcontract and what stands in the way.
    """
    number, now = subcontract["msdyn_subcontractnumber"], SubcontractStatus(subcontract["statuscode"])
    if status not in _ALLOWED[now]:
        raise refused(f"Subcontract {number} is {now.name.lower()} and cannot become {status.name.lower()}.")
    lines = desk.find(LINE, msdyn_subcontract=subcontract["msdyn_subcontractid"])
    if status == SubcontractStatus.CONFIRMED:
        _demand_complete(subcontract, lines)
    if status == SubcontractStatus.CANCELED and _has_actuals(desk, lines):
        raise refused(f"Subcontract {number} has actuals and cannot be canceled: close it instead.")


def refuse_change(desk: Desk, change: Change) -> None:
    """Refuse lines that come to a subcontract, change or leave it, once it is closed or canceled.

    Raises:
        ApiError: 0x80040265, naming the subcontract and its state.
    """
    headers = (row.get("msdyn_subcontract") for row in (change.before, change.after))
    for subcontract in desk.by_id(SUBCONTRACT, headers).values():
        if subcontract["statuscode"] in _OVER:
            state = SubcontractStatus(subcontract["statuscode"]).name.lower()
            raise refused(
                f"Subcontract {subcontract['msdyn_subcontractnumber']} is {state}: its lines cannot change."
            )


def follow_header(desk: Desk, change: Change) -> Row:
    """Let a new line belong to its subcontract's company and project where it does not say which."""
    subcontract = desk.first(SUBCONTRACT, msdyn_subcontractid=change.values.get("msdyn_subcontract"))
    if subcontract is None:
        return {}
    inherited = ("msdyn_owningcompany", "msdyn_project")
    return {name: subcontract[name] for name in inherited if change.values.get(name) is None}


def _confirm(desk: Desk, subcontract: Row) -> None:
    demand_step(desk, subcontract, SubcontractStatus.CONFIRMED)
    confirmed = {"statuscode": SubcontractStatus.CONFIRMED}
    desk.update(SUBCONTRACT, subcontract["msdyn_subcontractid"], confirmed)


def _demand_complete(subcontract: Row, lines: list[dict[str, Any]]) -> None:
    """Refuse what Finance could make no purchase order of: no vendor, no lines, a line without its facts."""
    number = subcontract["msdyn_subcontractnumber"]
    demand_facts(f"Subcontract {number}", subcontract, {"msdyn_vendor": "vendor"})
    if not lines:
        raise refused(f"Subcontract {number} has no lines: add what is ordered, then confirm.")
    for line in lines:
        name = f"Line {line['msdyn_subcontractlinenumber']} of subcontract {number}"
        demand_facts(name, line, {"msdyn_project": "project", "msdyn_quantity": "quantity"})
        material = line["msdyn_transactionclassification"] == TransactionClass.MATERIAL
        if material and line["msdyn_writeinproduct"] is None:
            demand_facts(name, line, {"msdyn_product": "product"})


def _has_actuals(desk: Desk, lines: list[dict[str, Any]]) -> bool:
    ids = [line["msdyn_subcontractlineid"] for line in lines]
    return bool(
        desk.find("msdyn_actual", msdyn_subcontractline=ids, msdyn_adjustmentstatus=None) if ids else False
    )


HOOKS = (
    guard(SUBCONTRACT, [Verb.UPDATE], refuse_step, ["statuscode"]),
    guard(LINE, [Verb.CREATE, Verb.UPDATE, Verb.DELETE], refuse_change),
    complete(LINE, [Verb.CREATE], follow_header),
)
JOBS = {"confirm-subcontract": confirm_subcontracts}
