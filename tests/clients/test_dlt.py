"""dlt's rest_api source: OAuth over https, paging by next links and by offset, an incremental cursor."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clients.conftest import TENANT, TOKEN
from tests.contract.process import Sandbox


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DLT_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")


def _rows(client: dict[str, Any], endpoint: dict[str, Any]) -> Iterator[dict[str, Any]]:
    from dlt.sources.rest_api import rest_api_source

    source = rest_api_source(
        {
            "client": {"headers": {"Prefer": "odata.maxpagesize=10"}} | client,
            "resources": [{"name": "rows", "endpoint": {"data_selector": "value"} | endpoint}],
        }
    )
    yield from source.resources["rows"]


def test_dataverse_incrementally(sandbox: Sandbox) -> None:
    from dlt.sources.helpers.rest_client.auth import OAuth2ClientCredentials

    client = {
        "base_url": f"{sandbox.dataverse_tls}/api/data/v9.2/",
        "auth": OAuth2ClientCredentials(
            access_token_url=f"{sandbox.dataverse_tls}/{TENANT}/oauth2/v2.0/token",
            client_id="sandbox-client",
            client_secret="sandbox-secret",
            access_token_request_data={"scope": f"{sandbox.dataverse_tls}/.default"},
        ),
        "paginator": {"type": "json_link", "next_url_path": "'@odata.nextLink'"},
    }

    def tasks_since(moment: str) -> list[dict[str, Any]]:
        endpoint = {
            "path": "msdyn_projecttasks",
            "params": {
                "$select": "msdyn_subject,modifiedon",
                "$filter": "modifiedon ge {incremental.start_value}",
            },
            "incremental": {"cursor_path": "modifiedon", "initial_value": moment},
        }
        return list(_rows(client, endpoint))

    rows = tasks_since("2020-01-01T00:00:00Z")
    assert len({row["msdyn_projecttaskid"] for row in rows}) == len(rows) > 20
    assert tasks_since("2200-01-01T00:00:00Z") == []


@pytest.mark.parametrize(
    "paginator",
    [
        {"type": "json_link", "next_url_path": "'@odata.nextLink'"},
        {
            "type": "offset",
            "limit": 10,
            "offset_param": "$skip",
            "limit_param": "$top",
            "total_path": "'@odata.count'",
        },
    ],
)
def test_finance(sandbox: Sandbox, paginator: dict[str, Any]) -> None:
    client = {
        "base_url": f"{sandbox.finance}/data/",
        "auth": {"type": "bearer", "token": TOKEN},
        "paginator": paginator,
    }
    endpoint = {"path": "CustomersV3", "params": {"cross-company": "true", "$count": "true"}}
    rows = list(_rows(client, endpoint))
    assert len({(row["dataAreaId"], row["CustomerAccount"]) for row in rows}) == len(rows) > 30
    assert {row["dataAreaId"] for row in rows} == {"uspm", "gbpm", "demf"}
