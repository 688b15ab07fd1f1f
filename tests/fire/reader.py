"""A copy of the accounts that is kept by following delta links, as an integration does it."""

from dataclasses import dataclass, field
from typing import Any

import httpx

_COLUMNS = "name,versionnumber"


@dataclass
class Reader:
    """A copy of the table.

    Attributes:
        client: Its base is the Web API's.
        page: Rows of a page.
        copy: Name and version of each account, by id.
        link: Where to go on.
        rounds: Delta links that were followed to their end.
        changes: Rows that came, deletes too.
    """

    client: httpx.Client
    page: int
    copy: dict[str, tuple[str, int]] = field(default_factory=dict)
    link: str = f"accounts?$select={_COLUMNS}"
    rounds: int = 0
    changes: int = 0

    def advance(self) -> int:
        """Follow the link to its last page; return how many rows came."""
        before = self.changes
        while True:
            answer = self.client.get(
                self.link, headers={"Prefer": f"odata.track-changes,odata.maxpagesize={self.page}"}
            )
            assert answer.status_code == 200, answer.text
            body = answer.json()
            self._apply(body["value"])
            if "@odata.deltaLink" in body:
                self.link = body["@odata.deltaLink"]
                self.rounds += 1
                return self.changes - before
            self.link = body["@odata.nextLink"]

    def differences(self) -> list[str]:
        """Compare the copy with the table, which nobody writes any more."""
        table = self._table()
        keys = sorted({*self.copy, *table})
        return [
            f"{key}: the copy has {self.copy.get(key)}, the table {table.get(key)}"
            for key in keys
            if self.copy.get(key) != table.get(key)
        ]

    def _table(self) -> dict[str, tuple[str, int]]:
        rows: list[dict[str, Any]] = []
        following: str | None = f"accounts?$select={_COLUMNS}"
        while following is not None:
            body = self.client.get(following).json()
            rows += body["value"]
            following = body.get("@odata.nextLink")
        return {row["accountid"]: (row["name"], row["versionnumber"]) for row in rows}

    def _apply(self, rows: list[dict[str, Any]]) -> None:
        self.changes += len(rows)
        for row in rows:
            if "reason" in row:
                self.copy.pop(row["id"], None)
            else:
                self.copy[row["accountid"]] = (row["name"], row["versionnumber"])
