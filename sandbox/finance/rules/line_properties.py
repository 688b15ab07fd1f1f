"""Line properties: whether and how a transaction is charged, by its billing type (R608)."""

from sandbox.finance.books import Books
from sandbox.finance.rules.parameters import PARAMETERS, is_switched_on, uses_project_operations
from sandbox.rules.hooks import Change, Verb, effect, guard

MAP = "ProjectBillingTypeLineProperties"
ACTUALS = "ProjActualsImports"

LABELS = {
    "NotSpecified": "Not specified",
    "Chargeable": "Chargeable",
    "NonChargeable": "Non-chargeable",
    "Complimentary": "Complimentary",
    "NotAvailable": "Not available",
}
"""The five billing types of the parameters as people read them (R114)."""


def line_property(books: Books, company: str, billing_type: str) -> str | None:
    """Return the line property of a billing type in a legal entity, None where none is set (R608)."""
    row = books.first(MAP, dataAreaId=company, BillingType=billing_type)
    return None if row is None else str(row["LinePropertyId"]) or None


def _require_line_property(books: Books, change: Change) -> None:
    """Refuse an actual whose billing type has no line property (R503, E6)."""
    row = change.after
    company, label = row["dataAreaId"], LABELS[row["BillingType"]]
    if not uses_project_operations(books, company):
        return
    if line_property(books, company, row["BillingType"]) is None:
        raise books.refused(
            ACTUALS,
            f"Error: Line property {label} doesn't exist in company {company.upper()}. Choose a line "
            f"property for the billing type {label} in the Project management and accounting parameters.\n"
            "validateWrite failed on data source 'ProjCDSActualsImport (ProjCDSActualsImport)'",
        )


def _require_known(books: Books, change: Change) -> None:
    """Refuse a line property in the map that the legal entity does not have (R114)."""
    row = change.after
    chosen = row["LinePropertyId"]
    known = books.first("ProjectLineProperties", dataAreaId=row["dataAreaId"], LinePropertyId=chosen)
    if chosen and known is None:
        raise books.refused(MAP, f"Error: The line property '{chosen}' does not exist")


def _list_billing_types(books: Books, change: Change) -> None:
    """Give a legal entity that is switched the five rows of its line property map, to be filled (R114)."""
    if not is_switched_on(change):
        return
    for billing_type in LABELS:
        key = {"dataAreaId": change.after["dataAreaId"], "BillingType": billing_type}
        if books.first(MAP, **key) is None:
            books.insert(MAP, key)


HOOKS = (
    guard(ACTUALS, (Verb.CREATE, Verb.UPDATE), _require_line_property, ("BillingType",)),
    effect(PARAMETERS, (Verb.CREATE, Verb.UPDATE), _list_billing_types),
    guard(MAP, (Verb.CREATE, Verb.UPDATE), _require_known, ("LinePropertyId",)),
)
