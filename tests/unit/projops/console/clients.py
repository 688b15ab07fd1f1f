"""What tests of pages share: clients of users with a role, and the forms that they send."""

from collections.abc import Callable
from typing import Any

from fastapi.testclient import TestClient

from projops.console.forgery import FIELD, form_token

Client = Callable[[str | None], TestClient]
"""Gives a client of a user with a role of Airflow's simple auth manager; None has not signed in."""


def name_of(role: str) -> str:
    """The name of the user with a role, as the audit trail knows it."""
    return f"an {role}"


def form_of(role: str, **fields: Any) -> dict[str, Any]:
    """The fields of a form on a page that was rendered for the user with a role."""
    return {FIELD: form_token(name_of(role)), **fields}
