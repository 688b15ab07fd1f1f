"""What Dataverse itself fills in of a contact: its full name, and which table its customer is in."""

from sandbox.dataverse.desk import Desk
from sandbox.rules.hooks import Change, Row, Verb, complete

_SAVED = (Verb.CREATE, Verb.UPDATE)
_NAMES = ("firstname", "lastname")
_CUSTOMER = "parentcustomerid"


def full_name(_desk: Desk, change: Change) -> Row:
    """Return `First Last`, as organizations have it unless they choose another order [D]."""
    names = [change.after[name] for name in _NAMES if change.after.get(name)]
    return {"fullname": " ".join(names) or None}


def parent(desk: Desk, change: Change) -> Row:
    """Return the customer once more as an account or as a contact."""
    customer = change.values.get(_CUSTOMER)
    account = customer is not None and desk.first("account", accountid=customer) is not None
    return {"accountid": customer if account else None, "parentcontactid": None if account else customer}


HOOKS = (
    complete("contact", _SAVED, full_name, _NAMES),
    complete("contact", _SAVED, parent, [_CUSTOMER]),
)
