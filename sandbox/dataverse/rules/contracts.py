"""What a contract does to work that is recorded already: its actuals are reversed and recorded anew.

That happens when a project is linked to a contract line (R115, and R305: a quote is won), and when the
contract is confirmed (R307).
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from sandbox.dataverse.desk import Desk
from sandbox.dataverse.rules.actuals import ACTUAL, Role, Row, connect, connected, reverse
from sandbox.dataverse.rules.approvals import INVOICED
from sandbox.dataverse.rules.options import (
    BillingStatus,
    BillingType,
    PsaState,
    PsaStatusReason,
    TransactionClass,
    TransactionType,
)
from sandbox.dataverse.rules.work import Work, record_work
from sandbox.rules.hooks import Caller, Change, Verb, effect
from sandbox.rules.jobs import JobRefusedError, required

_CONTRACT, _LINE, _PROJECT = "salesorder", "salesorderdetail", "msdyn_project"
_WORK = [TransactionClass.TIME, TransactionClass.EXPENSE, TransactionClass.MATERIAL]
_LENT = (Role.RESOURCING_UNIT_COST, Role.INTERORGANIZATIONAL_SALES)


def record_anew(desk: Desk, costs: Iterable[Row]) -> int:
    """Reverse work that is recorded and record it again by the terms that hold now.

    Cost, unbilled sales and what another unit lent go together; prices stay as they were, a price of
    sales that were none before comes from the price lists. What is adjusted or invoiced stays.

    Returns:
        How many pieces of work were recorded anew.
    """
    done = 0
    for cost in costs:
        sales = _sales(desk, cost)
        if not _open(cost) or any(it["msdyn_billingstatus"] in INVOICED for it in sales):
            continue
        unbilled = [it for it in sales if _open(it)]
        work, billable = _work(desk, cost, unbilled)
        lent = [it for role in _LENT for it in connected(desk, cost, Role.COST, role) if _open(it)]
        for actual in (cost, *unbilled, *lent):
            reverse(desk, actual, billing_status=BillingStatus.CANCELED)
        connect(desk, record_work(desk, work, billable).cost, Role.REPLACING, cost, Role.ORIGINAL)
        done += 1
    return done


def follow_link(desk: Desk, change: Change) -> None:
    """A project that is linked to a contract line is internal no longer: its work is recorded anew (R115).

    Before the sale work has a cost only; once the quote is won unbilled sales stand beside it (R305).
    """
    project = change.after.get("msdyn_project")
    if project is not None and project != change.before.get("msdyn_project"):
        record_anew(desk, _costs(desk, msdyn_project=project, msdyn_salescontract=None))


def follow_confirmation(desk: Desk, change: Change) -> None:
    """Confirming a contract records all of its work anew, cost and unbilled sales (R307)."""
    if change.turned("msdyn_psastatusreason", PsaStatusReason.CONFIRMED):
        record_anew(desk, _costs(desk, msdyn_salescontract=change.after["salesorderid"]))


def confirm_contract(desk: Desk, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    """Job `confirm-contract`: confirm a project contract (R307).

    Args:
        desk: Dataverse.
        parameters: `contract`, its id.

    Returns:
        `recorded`: how many pieces of work were recorded anew.

    Raises:
        JobRefusedError: When the contract is confirmed already, or closed.
    """
    contract = desk.get(_CONTRACT, required(parameters, "contract"))
    if contract["msdyn_psastate"] == PsaState.CLOSED:
        raise JobRefusedError(f"Contract {contract['ordernumber']} is closed: it cannot be confirmed.")
    if contract["msdyn_psastatusreason"] == PsaStatusReason.CONFIRMED:
        raise JobRefusedError(f"Contract {contract['ordernumber']} is confirmed already.")
    contract_id = contract["salesorderid"]
    before = {it["msdyn_actualid"] for it in _costs(desk, msdyn_salescontract=contract_id)}
    confirmed = {"msdyn_psastate": PsaState.ACTIVE, "msdyn_psastatusreason": PsaStatusReason.CONFIRMED}
    desk.update(_CONTRACT, contract_id, confirmed)
    after = {it["msdyn_actualid"] for it in _costs(desk, msdyn_salescontract=contract_id)}
    return {"recorded": len(before - after)}


def link_project(desk: Desk, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    """Job `link-project`: link a project to a contract line, by which it stops being internal (R115).

    Args:
        desk: Dataverse.
        parameters: `project` and `contract_line`, their ids.

    Returns:
        `recorded`: how many pieces of work are recorded by the terms of the contract now.

    Raises:
        JobRefusedError: When the line pays for another project already, or belongs to another company.
    """
    project = desk.get(_PROJECT, required(parameters, "project"))
    line = desk.get(_LINE, required(parameters, "contract_line"))
    contract = desk.get(_CONTRACT, line["salesorderid"])
    number = f"{line['msdyn_contractlinenumber']} of contract {contract['ordernumber']}"
    if line["msdyn_project"] not in {None, project["msdyn_projectid"]}:
        raise JobRefusedError(f"Contract line {number} pays for another project: choose a line without one.")
    if contract["msdyn_company"] != project["msdyn_owningcompany"]:
        raise JobRefusedError(
            f"Contract line {number} belongs to another company than project"
            f" {project['msdyn_projectnumber']}: choose a line of its owning company."
        )
    linked = (line["salesorderdetailid"], {"msdyn_project": project["msdyn_projectid"]})
    # On behalf of a person: what a person may not link is refused here too.
    desk.writer.update(desk.unit, desk.writer.entities.by_name[_LINE], [linked], Caller.USER)
    return {"recorded": len(_costs(desk, msdyn_salescontractlineid=line["salesorderdetailid"]))}


def _costs(desk: Desk, **where: Any) -> list[Row]:
    """Return the open cost actuals of work."""
    return desk.find(
        ACTUAL,
        msdyn_transactiontypecode=TransactionType.COST,
        msdyn_transactionclassification=_WORK,
        msdyn_adjustmentstatus=None,
        **where,
    )


def _sales(desk: Desk, cost: Row) -> list[Row]:
    """Return the unbilled sales of a cost; one that replaced another has those of that other (R1004)."""
    replaced = connected(desk, cost, Role.REPLACING, Role.ORIGINAL)
    own = connected(desk, cost, Role.COST, Role.UNBILLED_SALES)
    return own + [sale for original in replaced for sale in _sales(desk, original)]


def _open(actual: Row) -> bool:
    return actual["msdyn_adjustmentstatus"] is None


def _work(desk: Desk, cost: Row, unbilled: Sequence[Row]) -> tuple[Work, Decimal | None]:
    """Return the work that actuals tell of, and how much of it was chargeable."""
    billable = [it for it in unbilled if it["msdyn_billingtype"] == BillingType.CHARGEABLE]
    kinds = {it["msdyn_billingtype"] for it in unbilled} - {None}
    source = desk.first("msdyn_transactionorigin", msdyn_transactionid=cost["msdyn_actualid"])
    work = Work(
        project=cost["msdyn_project"],
        classification=TransactionClass(cost["msdyn_transactionclassification"]),
        # An actual that came by data import may lack them (R309).
        quantity=cost["msdyn_quantity"] or Decimal(0),
        date=cost["msdyn_documentdate"] or cost["createdon"],
        task=cost["msdyn_task"],
        role=cost["msdyn_resourcecategory"],
        resource=cost["msdyn_bookableresource"],
        category=cost["msdyn_transactioncategory"],
        product=cost["msdyn_product"],
        writein_product=cost["msdyn_writeinproduct"],
        unit=cost["msdyn_unit"],
        cost_price=cost["msdyn_price"],
        cost_amount=cost["msdyn_amount"],
        cost_currency=cost["transactioncurrencyid"],
        sales_price=unbilled[0]["msdyn_price"] if unbilled else None,
        billing_type=BillingType(kinds.pop()) if kinds and not billable else None,
        resourcing_company=cost["msdyn_resourcingcompany"],
        resourcing_unit=cost["msdyn_resourceorganizationalunitid"],
        vendor=cost["msdyn_accountvendor"],
        description=cost["msdyn_description"],
        external_description=cost["msdyn_externaldescription"],
        origin=None if source is None else (source["msdyn_origintype"], source["msdyn_origin"]),
        vendor_invoice_line=cost["msdyn_vendorinvoiceline"],
        subcontract_line=cost["msdyn_subcontractline"],
        external_origin_reference=cost["msdyn_externaloriginreference"],
    )
    return work, sum((it["msdyn_quantity"] for it in billable), Decimal(0)) if billable else None


HOOKS = (
    effect(_LINE, [Verb.CREATE, Verb.UPDATE], follow_link, ["msdyn_project"]),
    effect(_CONTRACT, [Verb.UPDATE], follow_confirmation, ["msdyn_psastatusreason"]),
)
JOBS = {"confirm-contract": confirm_contract, "link-project": link_project}
