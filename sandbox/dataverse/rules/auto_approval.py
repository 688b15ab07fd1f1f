"""What Dataverse approves by itself, since Finance has posted it already (R903, R1003)."""

from collections.abc import Mapping
from typing import Any

from sandbox.dataverse.desk import Desk
from sandbox.dataverse.rules.expenses import approve_external
from sandbox.dataverse.rules.vendor_invoices import confirm_alone


def approve_all(desk: Desk, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    """Approve expenses and confirm vendor invoices that came from Finance; takes no parameters.

    Returns:
        Counts `expenses` and `vendor_invoices`, and `errors`: a sentence for each row that stays open.
    """
    expenses, refused_expenses = approve_external(desk)
    invoices, refused_invoices = confirm_alone(desk)
    return {
        "expenses": expenses,
        "vendor_invoices": invoices,
        "errors": [*refused_expenses, *refused_invoices],
    }


JOBS = {"auto-approve": approve_all}
