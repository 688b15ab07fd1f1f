"""Project contracts as they are set up: who pays, which project a line is for, whose currency it is in."""

import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sandbox.dataverse.desk import Desk, refused
from sandbox.dataverse.rules.actuals import Row
from sandbox.dataverse.rules.options import OrderType
from sandbox.rules.hooks import Caller, Change, Verb, effect, guard

_CONTRACT = "salesorder"
_LINE = "salesorderdetail"
_CUSTOMER = "msdyn_projectcontractsplitbillingrule"
_CUSTOMER_ID = "msdyn_projectcontractsplitbillingruleid"


def add_contract_customer(desk: Desk, change: Change) -> None:
    """Let the customer of a project contract pay all of it, until somebody says otherwise (R103).

    A contract whose customer changes has the new one in the old one's place.
    """
    contract = change.after
    customer = contract.get("customerid")
    work_based = contract.get("msdyn_ordertype") == OrderType.WORK_BASED
    # What the system itself writes says by itself who pays.
    if not work_based or customer is None or change.caller is Caller.SYSTEM:
        return
    row_id = _own_id(contract["salesorderid"])
    payers = desk.find(_CUSTOMER, msdyn_projectcontract=contract["salesorderid"])
    if row_id in {it[_CUSTOMER_ID] for it in payers}:
        desk.update(_CUSTOMER, row_id, {"msdyn_customer": customer})
    if payers:
        return
    number = f"FS-{row_id[:8].upper()}"
    desk.create(
        _CUSTOMER,
        {
            _CUSTOMER_ID: row_id,
            "msdyn_name": number,
            "msdyn_fundingsourceid": number,
            "msdyn_projectcontract": contract["salesorderid"],
            "msdyn_customer": customer,
            "msdyn_splitpercentage": Decimal(100),
            "msdyn_isprimary": True,
            "msdyn_isrounding": True,
            "msdyn_company": contract["msdyn_company"],
        },
    )


def replace_own_customer(desk: Desk, change: Change) -> None:
    """Remove the contract customer that the contract itself made when a person adds the same one (R103)."""
    contract = change.values.get("msdyn_projectcontract")
    if contract is None or change.caller is Caller.SYSTEM:
        return
    made = desk.first(_CUSTOMER, **{_CUSTOMER_ID: _own_id(contract)})
    if made is not None and made["msdyn_customer"] == change.values.get("msdyn_customer"):
        desk.delete(_CUSTOMER, made[_CUSTOMER_ID])


def refuse_foreign_contract(desk: Desk, change: Change) -> None:
    """Refuse a contract line for a project that another contract pays for (R105).

    Raises:
        ApiError: When the project belongs to another contract.
    """
    project = _row(desk, "msdyn_project", change.after.get("msdyn_project"))
    if project is None or project["msdyn_salesorderid"] in {None, change.after["salesorderid"]}:
        return
    lines = desk.find(_LINE, msdyn_project=project["msdyn_projectid"])
    if any(line["salesorderid"] != change.after["salesorderid"] for line in lines):
        raise refused(
            f"Project {project['msdyn_projectnumber']} is on another contract: remove it from that contract's"
            " lines first."
        )


def link_project(desk: Desk, change: Change) -> None:
    """Link a project to the contract of the line that pays for it, and to the contract's customer (R105)."""
    line = change.after
    project = _row(desk, "msdyn_project", line.get("msdyn_project"))
    contract = _row(desk, _CONTRACT, line["salesorderid"])
    if project is None or contract is None:
        return
    linked = {"msdyn_salesorderid": contract["salesorderid"]}
    if project["msdyn_customer"] is None:
        linked["msdyn_customer"] = contract["customerid"]
    if any(project[name] != value for name, value in linked.items()):
        desk.update("msdyn_project", project["msdyn_projectid"], linked)


def refuse_foreign_currency(desk: Desk, change: Change) -> None:
    """Refuse a contract whose contracting unit has another currency than the company's ledger (R112).

    Raises:
        ApiError: When both currencies are known and differ.
    """
    after = change.after
    unit = _row(desk, "msdyn_organizationalunit", after.get("msdyn_contractorganizationalunitid"))
    company = after.get("msdyn_company" if change.table == _CONTRACT else "msdyn_owningcompany")
    ledger = desk.first("msdyn_ledger", msdyn_company=company) if company else None
    if unit is None or ledger is None:
        return
    currencies = {unit["msdyn_currency"], ledger["msdyn_accountingcurrency"]}
    if None not in currencies and len(currencies) > 1:
        raise refused(
            "Owning company currency does not match the contracting unit currency. Pick different owning"
            " company or contracting unit to continue"
        )


def _own_id(contract_id: str) -> str:
    return str(uuid.uuid5(uuid.UUID(contract_id), "contract customer"))


def _row(desk: Desk, table: str, row_id: str | None) -> Row | Mapping[str, Any] | None:
    return desk.by_id(table, [row_id]).get(row_id or "")


_SAVED = (Verb.CREATE, Verb.UPDATE)
_UNIT = "msdyn_contractorganizationalunitid"

HOOKS = (
    guard(_CONTRACT, _SAVED, refuse_foreign_currency, [_UNIT, "msdyn_company"]),
    guard("msdyn_project", _SAVED, refuse_foreign_currency, [_UNIT, "msdyn_owningcompany"]),
    effect(_CONTRACT, _SAVED, add_contract_customer, ["customerid"]),
    effect(_CUSTOMER, [Verb.CREATE], replace_own_customer),
    guard(_LINE, _SAVED, refuse_foreign_contract, ["msdyn_project"]),
    effect(_LINE, _SAVED, link_project, ["msdyn_project"]),
)
