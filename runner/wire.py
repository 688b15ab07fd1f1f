"""Both systems over plain HTTP, apart from the engine: what a second pair of eyes reads.

One request after the other, no cache, no retry; numbers come as Decimal, to the last digit.
"""

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Self

import httpx

from runner.sandbox import CLIENT_ID, CLIENT_SECRET, TENANT, Addresses

Row = Mapping[str, Any]
_ANSWER_SECONDS = 120.0


class Wire:
    """Signed-in clients of both systems.

    Args:
        dataverse: Client whose base is the Web API.
        finance: Client whose base is `/data/`.
    """

    def __init__(self, dataverse: httpx.Client, finance: httpx.Client) -> None:
        self._dataverse = dataverse
        self._finance = finance

    @classmethod
    def sign_in(cls, addresses: Addresses) -> Self:
        """Get a token of each system."""
        return cls(
            _client(addresses.dataverse, "/api/data/v9.2/"),
            _client(addresses.finance, "/data/"),
        )

    def close(self) -> None:
        """Give up the network connections."""
        self._dataverse.close()
        self._finance.close()

    def dataverse_rows(self, entity_set: str) -> list[Row]:
        """Read all rows of a Dataverse table."""
        return list(_pages(self._dataverse, entity_set))

    def finance_rows(self, entity_set: str) -> list[Row]:
        """Read all rows of a Finance entity set, of all companies."""
        return list(_pages(self._finance, f"{entity_set}?cross-company=true"))

    def finance_sets(self) -> frozenset[str]:
        """Name the entity sets that Finance offers."""
        return frozenset(entry["name"] for entry in _decoded(self._finance.get(""))["value"])

    def change_dataverse(self, entity_set: str, row_id: str, values: Row) -> None:
        """Change some columns of a row that must exist."""
        _require(self._dataverse.patch(f"{entity_set}({row_id})", json=values, headers={"If-Match": "*"}))

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


def _require(answer: httpx.Response) -> None:
    answer.raise_for_status()
