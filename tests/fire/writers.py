"""Writers of accounts: one by one, in batches, in bulk; on rows of their own and on some that all write."""

import json
import random
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

SHARED = tuple(f"{number:08x}-0000-4000-8000-00000000f12e" for number in range(8))
_TYPE = "Microsoft.Dynamics.CRM.account"
_AT_ONCE = 5
# What may become of a row that others write and delete at the same time.
_CONTESTED = frozenset({204, 404, 412})


class Refused(AssertionError):
    """A write was refused that nothing stood in the way of."""


@dataclass
class Writer:
    """One client that writes until it is told to stop.

    Attributes:
        client: Its base is the Web API's.
        seed: Of its choices; its place among the writers too.
        written: Requests that took effect.
    """

    client: httpx.Client
    seed: int
    written: int = 0
    _mine: list[str] = field(default_factory=list)

    def run(self, stop: threading.Event, most: int) -> int:
        """Write until `stop` is set or so many requests took effect; return how many did."""
        chance = random.Random(self.seed)
        kinds = (self._single, self._batch, self._bulk, self._contest)
        while not stop.is_set() and self.written < most:
            kind: Callable[[random.Random], None] = kinds[chance.choices(range(4), (4, 2, 2, 2))[0]]
            kind(chance)
        return self.written

    def _single(self, chance: random.Random) -> None:
        if not self._mine or chance.random() < 0.4:
            row_id = str(uuid.UUID(int=chance.getrandbits(128)))
            self._expect(self.client.post("accounts", json={"accountid": row_id, "name": self._name(chance)}))
            self._mine.append(row_id)
        elif chance.random() < 0.6:
            address = f"accounts({chance.choice(self._mine)})"
            self._expect(self.client.patch(address, json={"name": self._name(chance)}))
        else:
            self._expect(self.client.delete(f"accounts({self._taken(chance)})"))

    def _batch(self, chance: random.Random) -> None:
        """A changeset that creates some rows, changes one of them again and deletes an older one."""
        ids = [str(uuid.UUID(int=chance.getrandbits(128))) for _ in range(_AT_ONCE)]
        parts = [("POST", "accounts", {"accountid": row_id, "name": self._name(chance)}) for row_id in ids]
        parts.append(("PATCH", f"accounts({ids[0]})", {"name": self._name(chance)}))
        if self._mine:
            parts.append(("DELETE", f"accounts({self._taken(chance)})", {}))
        answer = self.client.post(
            "$batch", content=_changeset(parts), headers={"Content-Type": "multipart/mixed; boundary=b"}
        )
        statuses = answer.text.count("HTTP/1.1 204")
        if answer.status_code != 200 or statuses != len(parts):
            raise Refused(answer.text)
        self.written += 1
        self._mine += ids

    def _bulk(self, chance: random.Random) -> None:
        """One of the bulk messages; an upsert creates and updates at once."""
        known = chance.sample(self._mine, min(_AT_ONCE, len(self._mine)))
        new = [str(uuid.UUID(int=chance.getrandbits(128))) for _ in range(_AT_ONCE)]
        message = chance.choice(["CreateMultiple", "UpdateMultiple", "UpsertMultiple"])
        ids = {"CreateMultiple": new, "UpdateMultiple": known, "UpsertMultiple": known + new}[message]
        if not ids:
            return
        targets = [{"@odata.type": _TYPE, "accountid": each, "name": self._name(chance)} for each in ids]
        self._expect(
            self.client.post(f"accounts/Microsoft.Dynamics.CRM.{message}", json={"Targets": targets}),
            frozenset({200, 204}),
        )
        self._mine += [] if message == "UpdateMultiple" else new

    def _contest(self, chance: random.Random) -> None:
        """Upsert or delete a row that all writers write."""
        address = f"accounts({chance.choice(SHARED)})"
        if chance.random() < 0.7:
            self._expect(self.client.patch(address, json={"name": self._name(chance)}), _CONTESTED)
        else:
            self._expect(self.client.delete(address), _CONTESTED)

    def _taken(self, chance: random.Random) -> str:
        return self._mine.pop(chance.randrange(len(self._mine)))

    def _name(self, chance: random.Random) -> str:
        return f"{self.seed}/{chance.getrandbits(32)}"

    def _expect(self, answer: httpx.Response, statuses: frozenset[int] = frozenset({204})) -> None:
        if answer.status_code not in statuses:
            raise Refused(f"{answer.request.method} {answer.request.url}: {answer.status_code} {answer.text}")
        self.written += answer.is_success


def _changeset(parts: list[tuple[str, str, dict[str, Any]]]) -> bytes:
    lines = ["--b", "Content-Type: multipart/mixed; boundary=c", ""]
    for number, (verb, address, body) in enumerate(parts, start=1):
        head = ["--c", "Content-Type: application/http", "Content-Transfer-Encoding: binary"]
        head += [f"Content-ID: {number}", "", f"{verb} {address} HTTP/1.1"]
        if verb != "DELETE":
            head += ["Content-Type: application/json"]
        lines += [*head, "", json.dumps(body) if verb != "DELETE" else ""]
    return "\r\n".join([*lines, "--c--", "--b--", ""]).encode()
