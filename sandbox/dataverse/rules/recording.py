"""Rows on their way to actuals: what they have to say first, and whether they are recorded already."""

from collections.abc import Mapping
from typing import Any

from sandbox.dataverse.desk import Desk, refused
from sandbox.dataverse.rules.actuals import of_origin
from sandbox.dataverse.rules.options import BillingStatus


def demand_facts(name: str, row: Mapping[str, Any], facts: Mapping[str, str]) -> None:
    """Refuse a row that lacks a fact.

    Args:
        name: What people call the row.
        row: The stored row.
        facts: What people call a fact, by column.

    Raises:
        ApiError: 0x80040265, naming row and fact.
    """
    missing = next((fact for column, fact in facts.items() if row[column] is None), None)
    if missing is not None:
        raise refused(f"{name} has no {missing}: fill it in first.")


def is_recorded(desk: Desk, row_id: str) -> bool:
    """Whether a row has actuals that nobody has taken back.

    What a vendor's or a customer's invoice has adjusted is recorded all the same: only a cancellation
    says Canceled (R306, R1004).
    """
    return any(it["msdyn_billingstatus"] != BillingStatus.CANCELED for it in of_origin(desk, row_id))


def demand_unrecorded(desk: Desk, row_id: str, name: str) -> None:
    """Refuse to delete a row whose actuals stand: nothing would tell where they came from (R309).

    Args:
        desk: Dataverse.
        row_id: Id of the row.
        name: What people call the row.

    Raises:
        ApiError: 0x80040265, naming the row.
    """
    if is_recorded(desk, row_id):
        raise refused(f"{name} is approved and recorded: cancel its approval, then delete it.")
