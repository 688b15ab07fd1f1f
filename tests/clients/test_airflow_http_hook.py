"""HttpHook of Airflow's own http provider: a connection, its headers, the checks that it makes of answers."""

import json

import pytest
from airflow.providers.http.hooks.http import HttpHook

from tests.clients.conftest import TOKEN
from tests.contract.process import Sandbox


@pytest.fixture
def connection(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> str:
    host, _, port = sandbox.dataverse_tls.removeprefix("https://").partition(":")
    described = {
        "conn_type": "http",
        "schema": "https",
        "host": host,
        "port": int(port),
        "extra": {"Authorization": f"Bearer {TOKEN}", "Accept": "application/json", "OData-Version": "4.0"},
    }
    monkeypatch.setenv("AIRFLOW_CONN_DATAVERSE_OF_HOOK", json.dumps(described))
    return "dataverse_of_hook"


def test_read_and_write(connection: str) -> None:
    made = HttpHook(method="POST", http_conn_id=connection).run(
        "api/data/v9.2/accounts", json={"name": "Hook 1"}, headers={"Prefer": "return=representation"}
    )
    assert made.status_code == 201
    rows = HttpHook(method="GET", http_conn_id=connection).run(
        "api/data/v9.2/accounts", data={"$select": "name", "$filter": "name eq 'Hook 1'"}
    )
    assert [row["accountid"] for row in rows.json()["value"]] == [made.json()["accountid"]]


def test_refusal_is_an_error_of_the_hook(connection: str) -> None:
    with pytest.raises(Exception, match="404:Not Found"):
        HttpHook(method="GET", http_conn_id=connection).run("api/data/v9.2/no_such_set")
