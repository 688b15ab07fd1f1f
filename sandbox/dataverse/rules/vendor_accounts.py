"""Vendors as accounts: vendor invoices and subcontracts look up `account`, not `msdyn_vendor`.

DOC procurement/configure-materials-nonstocked: a workflow copies each vendor to an account of the
relationship type Vendor.
"""

import uuid

from sandbox.dataverse.desk import Desk
from sandbox.rules.hooks import Change, Verb, effect

_VENDOR = 11  # account.customertypecode


def copy_to_account(desk: Desk, change: Change) -> None:
    """Create the vendor's account, or bring its name and currency up to date."""
    vendor = change.after
    number, company = vendor["msdyn_vendoraccountnumber"], vendor["msdyn_company"]
    if number is None or company is None:
        return
    copied = {"name": vendor["msdyn_name"], "transactioncurrencyid": vendor["msdyn_currencycode"]}
    account = desk.first("account", accountnumber=number, msdyn_company=company)
    if account is not None:
        if account["customertypecode"] == _VENDOR and any(account[name] != copied[name] for name in copied):
            desk.update("account", account["accountid"], copied)
        return
    account_id = str(uuid.uuid5(uuid.UUID(vendor["msdyn_vendorid"]), "account"))
    desk.create(
        "account",
        {
            "accountid": account_id,
            "accountnumber": number,
            "msdyn_company": company,
            "customertypecode": _VENDOR,
            **copied,
        },
    )


HOOKS = (effect("msdyn_vendor", [Verb.CREATE, Verb.UPDATE], copy_to_account),)
