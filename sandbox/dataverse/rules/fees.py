"""Fees: entered in a journal on a project, billed by the contract line that includes fees (R405)."""

from decimal import Decimal
from typing import Any

from sandbox.dataverse.desk import Desk, refused
from sandbox.dataverse.rules.actuals import Row
from sandbox.dataverse.rules.engagement import engagement
from sandbox.dataverse.rules.journals import LINE
from sandbox.dataverse.rules.options import (
    BillingStatus,
    BillingType,
    CustomerType,
    TransactionClass,
    TransactionType,
)
from sandbox.rules.hooks import Change, Verb, complete
from sandbox.rules.money import money


def complete_fee(desk: Desk, change: Change) -> Row:
    """Return what a journal line for a fee leaves out: who pays by which contract line, and how much.

    Raises:
        ApiError: When no contract line of the project includes fees.
    """
    fee = change.values
    if fee.get("msdyn_transactionclassification") != TransactionClass.FEE or not fee.get("msdyn_project"):
        return {}
    terms = engagement(desk, fee["msdyn_project"], TransactionClass.FEE)
    if terms.line is None or terms.contract is None:
        raise refused(
            f"No contract line of project {terms.project['msdyn_projectnumber']} includes fees: include them"
            " in one, or charge another project."
        )
    quantity, price = fee.get("msdyn_quantity") or Decimal(1), fee.get("msdyn_price")
    defaults: dict[str, Any] = {
        "msdyn_transactiontypecode": TransactionType.UNBILLED_SALES,
        "msdyn_billingtype": BillingType.CHARGEABLE,
        "msdyn_billingstatus": BillingStatus.UNBILLED_SALES_CREATED,
        "msdyn_salescontract": terms.contract["salesorderid"],
        "msdyn_salescontractline": terms.line["msdyn_contractlinenumber"],
        "msdyn_salescontractlineid": terms.line["salesorderdetailid"],
        "msdyn_accountcustomer": terms.contract["customerid"],
        "msdyn_customertype": CustomerType.ACCOUNT,
        "msdyn_contractorganizationalunitid": terms.unit,
        "msdyn_quantity": quantity,
        "transactioncurrencyid": terms.currency,
    }
    if price is not None:
        code = desk.get("transactioncurrency", terms.currency)["isocurrencycode"]
        defaults["msdyn_amount"] = money(quantity * price, code)
    return {name: value for name, value in defaults.items() if fee.get(name) is None}


HOOKS = (complete(LINE, [Verb.CREATE], complete_fee),)
