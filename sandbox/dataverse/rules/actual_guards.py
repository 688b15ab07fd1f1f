"""Who may write actuals, and what of them (R309, R310); what texts of connections and origins point to."""

from collections.abc import Mapping
from typing import Any

from sandbox.dataverse.desk import Desk, refused
from sandbox.dataverse.rules.actuals import ACCOUNTED, ACTUAL, invoiceable
from sandbox.dataverse.rules.options import BillingStatus
from sandbox.rules.hooks import Caller, Change, Verb, complete, guard

_DESCRIBING = frozenset({"msdyn_description", "msdyn_externaldescription"})
_IMPORTED = ("importsequencenumber", "overriddencreatedon")
_MARKED = frozenset({BillingStatus.READY_TO_INVOICE, BillingStatus.UNBILLED_SALES_CREATED})
_ORIGIN = "msdyn_transactionorigin"
_CONNECTION = "msdyn_transactionconnection"


def refuse_deletion(_desk: Desk, change: Change) -> None:
    """Actuals stay: they are taken back by reversals (R309).

    Raises:
        ApiError: Always.
    """
    raise refused(
        f"Actual {change.before['msdyn_actualid']} cannot be deleted: cancel its approval, recall it, or"
        " correct it with Correct entries."
    )


def refuse_direct_creation(_desk: Desk, change: Change) -> None:
    """A person makes actuals only by what they record (R309).

    Data import and integrations write them: bulk messages, and rows that say when or in which import
    they came [?].

    Raises:
        ApiError: When a user creates an actual directly.
    """
    imported = any(change.values.get(name) is not None for name in _IMPORTED)
    if change.caller is Caller.USER and not imported:
        raise refused(
            "Actuals cannot be created directly: record the transaction in an entry journal and post it,"
            " or change existing actuals with Correct entries."
        )


def refuse_change(desk: Desk, change: Change) -> None:
    """Of an actual only its descriptions can be edited, and whether it is ready to invoice (R309, R310).

    What Finance tells of posted actuals is the integration's to write.

    Raises:
        ApiError: When a user changes another column, or marks what cannot be invoiced as ready.
    """
    if change.turned("msdyn_billingstatus", BillingStatus.READY_TO_INVOICE):
        _refuse_readiness(change.before)
    if change.caller is not Caller.USER:
        return
    changed = {name for name, value in change.values.items() if value != change.before.get(name)}
    if change.values.get("msdyn_billingstatus") in _MARKED and invoiceable(change.before):
        changed.discard("msdyn_billingstatus")
    fixed = sorted(changed - ACCOUNTED - _DESCRIBING)
    if fixed:
        raise refused(
            f"Column {fixed[0]} of actual {change.before['msdyn_actualid']} cannot be edited, only its"
            " descriptions: use Correct entries."
        )


def point(_desk: Desk, change: Change) -> Mapping[str, Any]:
    """Fill the lookups of a connection or origin from its texts, where it was written with texts only."""
    pairs = _TEXTS[change.table]
    return {
        lookup: change.values[text].lower()
        for lookup, (text, of_type, types) in pairs.items()
        if change.values.get(lookup) is None
        and change.values.get(text)
        and change.values.get(of_type) in types
    }


def _refuse_readiness(actual: Mapping[str, Any]) -> None:
    if not invoiceable(actual):
        raise refused(
            f"Actual {actual['msdyn_actualid']} cannot be marked Ready to Invoice: only unbilled sales that"
            " are not adjusted, not invoiced and within their not-to-exceed limit can be."
        )


_ACTUALS = frozenset({ACTUAL})
_SOURCES = frozenset(
    {
        "msdyn_timeentry",
        "msdyn_expense",
        "msdyn_materialusagelog",
        "msdyn_projectvendorinvoiceline",
        "msdyn_journalline",
    }
)
_TEXTS = {
    _CONNECTION: {
        "msdyn_transaction1id": ("msdyn_transaction1", "msdyn_transaction1type", _ACTUALS),
        "msdyn_transaction2id": ("msdyn_transaction2", "msdyn_transaction2type", _ACTUALS),
    },
    _ORIGIN: {
        "msdyn_transactionid": ("msdyn_transaction", "msdyn_transactiontype", _ACTUALS),
        "msdyn_originid": ("msdyn_origin", "msdyn_origintype", _SOURCES),
    },
}

HOOKS = (
    guard(ACTUAL, [Verb.DELETE], refuse_deletion),
    guard(ACTUAL, [Verb.CREATE], refuse_direct_creation),
    guard(ACTUAL, [Verb.UPDATE], refuse_change),
    complete(_CONNECTION, [Verb.CREATE], point),
    complete(_ORIGIN, [Verb.CREATE], point),
)
