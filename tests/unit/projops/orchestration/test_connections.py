"""Airflow's masker is told of every secret of a connection, extras too."""

import pytest
from airflow.sdk import Connection as AirflowConnection

from projops.mapping.model import System
from projops.orchestration import connections
from projops.orchestration.connections import airflow_connection, database_url
from projops.orchestration.hooks import FinanceHook


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the masker is told."""
    secrets: list[str] = []
    monkeypatch.setattr(connections, "mask_secret", secrets.append)
    return secrets


def test_client_secret_and_static_token_are_masked(told: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    found = AirflowConnection(
        conn_id="finance_default",
        conn_type="finance",
        host="https://f.example",
        login="client",
        password="Pl4nted.Secret",
        extra='{"tenant_id": "contoso", "token": "pl4nted-token"}',
    )
    monkeypatch.setattr(FinanceHook, "get_connection", lambda *_: found)
    assert airflow_connection(System.FINANCE).static_token == "pl4nted-token"
    assert sorted(told) == ["Pl4nted.Secret", "pl4nted-token"]


def test_the_password_of_the_state_database_is_masked(told: list[str]) -> None:
    found = AirflowConnection(
        conn_id="projops_state", conn_type="postgres", host="h", login="u", password="Pl4nted@Db", schema="d"
    )
    assert database_url(found) == "postgresql+psycopg://u:Pl4nted%40Db@h/d"
    assert told == ["Pl4nted@Db"]
