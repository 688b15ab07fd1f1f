"""Both systems over plain HTTP, apart from the engine: what a second pair of eyes reads.

One request after the other, no cache, no retry; numbers come as Decimal, to the last digit.
"""

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Self
from urllib.parse import quote

import httpx

from runner.errors import RunnerError
from runner.sandbox import CLIENT_ID, CLIENT_SECRET, TENANT, Addresses

Row = Mapping[str, Any]
_ANSWER_SECONDS = 120.0


class Wire:
    """Signed-in clients of both systems.

    Args:
        dataverse: Client whose base is the Web API.
        finance: Client whose base is `/data/`.
        control: Client of the control plane, which runs both systems' jobs.
    """

    def __init__(self, dataverse: httpx.Client, finance: httpx.Client, control: httpx.Client) -> None:
        self._dataverse = dataverse
        self._finance = finance
        self._control = control

    @classmethod
    def sign_in(cls, addresses: Addresses) -> Self:
        """Get a token of each system."""
        return cls(
            _client(addresses.dataverse, "/api/data/v9.2/"),
            _client(addresses.finance, "/data/"),
            httpx.Client(base_url=addresses.control, timeout=_ANSWER_SECONDS, trust_env=False),
        )

    def close(self) -> None:
        """Give up the network connections."""
        self._dataverse.close()
        self._finance.close()
        self._control.close()

    def dataverse_rows(self, entity_set: str, where: str | None = None) -> list[Row]:
        """Read the rows of a Dataverse table, all or those of a filter."""
        return list(_pages(self._dataverse, entity_set + (f"?$filter={_quoted(where)}" if where else "")))

    def finance_rows(self, entity_set: str, where: str | None = None) -> list[Row]:
        """Read the rows of a Finance entity set, of all companies, all or those of a filter."""
        path = f"{entity_set}?cross-company=true" + (f"&$filter={_quoted(where)}" if where else "")
        return list(_pages(self._finance, path))

    def change_dataverse(self, entity_set: str, row_id: str, values: Row) -> None:
        """Change some columns of a row that must exist."""
        _require(self._dataverse.patch(f"{entity_set}({row_id})", json=values, headers={"If-Match": "*"}))

    def create_dataverse(self, entity_set: str, values: Row) -> str:
        """Create a row; return its GUID."""
        answer = self._dataverse.post(entity_set, json=values)
        _require(answer)
        return answer.headers["OData-EntityId"].rpartition("(")[2].removesuffix(")")

    def create_finance(self, entity_set: str, values: Row) -> None:
        """Create a row."""
        _require(self._finance.post(entity_set, json=values))

    def run_job(self, name: str, **parameters: Any) -> Row:
        """Run a job of the sandbox: what people and batch servers do there."""
        answer = self._control.post(f"/sandbox/jobs/{name}", json=parameters)
        return _decoded(answer)

    def change_finance(self, key: str, values: Row) -> None:
        """Change some fields of a row, named by set and key predicate."""
        _require(self._finance.patch(f"{key}?cross-company=true", json=values, headers={"If-Match": "*"}))


def _client(address: str, path: str) -> httpx.Client:
    form = {
        "grant_type": "client_credentials",
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "scope": f"{address}/.default",
    }
    answer = httpx.post(
        f"{address}/{TENANT}/oauth2/v2.0/token", data=form, timeout=_ANSWER_SECONDS, trust_env=False
    )
    return httpx.Client(
        base_url=address + path,
        headers={
            "Authorization": f"Bearer {_decoded(answer)['access_token']}",
            "Prefer": "odata.maxpagesize=5000",
        },
        timeout=_ANSWER_SECONDS,
        trust_env=False,
    )


def _pages(client: httpx.Client, path: str) -> Iterator[Row]:
    link: str | None = path
    while link is not None:
        page = _decoded(client.get(link))
        yield from page["value"]
        link = page.get("@odata.nextLink")


def _decoded(answer: httpx.Response) -> dict[str, Any]:
    _require(answer)
    body: dict[str, Any] = json.loads(answer.text, parse_float=Decimal)
    return body


def _quoted(where: str) -> str:
    return quote(where, safe="'(),= ")


def _require(answer: httpx.Response) -> None:
    if answer.is_error:
        asked = f"{answer.request.method} {answer.request.url}"
        raise RunnerError(f"{asked} was refused with {answer.status_code}: {answer.text[:500]}")
