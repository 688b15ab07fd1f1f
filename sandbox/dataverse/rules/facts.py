"""What a row has to say before it can be recorded."""

from collections.abc import Mapping
from typing import Any

from sandbox.dataverse.desk import refused


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
