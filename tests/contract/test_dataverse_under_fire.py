"""A reader that follows delta links ends with exactly the table, while writers create, update and delete."""

import random
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import httpx

WRITERS = 4
OPERATIONS = 40


def write(client: httpx.Client, seed: int) -> None:
    chance, mine = random.Random(seed), list[str]()
    for number in range(OPERATIONS):
        action = chance.choice(["create", "update", "delete"]) if mine else "create"
        if action == "create":
            answer = client.post("accounts", json={"name": f"{seed}/{number}"})
            mine.append(answer.headers["OData-EntityId"])
        elif action == "update":
            answer = client.patch(chance.choice(mine), json={"name": f"{seed}/{number}"})
        else:
            answer = client.delete(mine.pop(chance.randrange(len(mine))))
        assert answer.status_code == 204, answer.text


def apply(copy: dict[str, str], rows: list[dict[str, Any]]) -> None:
    for row in rows:
        if "reason" in row:
            copy.pop(row["id"], None)
        else:
            copy[row["accountid"]] = row["name"]


def advance(client: httpx.Client, copy: dict[str, str], link: str) -> str:
    """Follow a link to its last page; return the delta link."""
    while True:
        answer = client.get(link, headers={"Prefer": "odata.track-changes,odata.maxpagesize=7"})
        assert answer.status_code == 200, answer.text
        body = answer.json()
        apply(copy, body["value"])
        if "@odata.deltaLink" in body:
            delta: str = body["@odata.deltaLink"]
            return delta
        link = body["@odata.nextLink"]


def test_change_tracking_under_fire(dataverse: httpx.Client) -> None:
    copy: dict[str, str] = {}
    with ThreadPoolExecutor(WRITERS) as pool:
        writers: list[Future[None]] = [pool.submit(write, dataverse, seed) for seed in range(WRITERS)]
        link = advance(dataverse, copy, "accounts?$select=name")
        while not all(writer.done() for writer in writers):
            link = advance(dataverse, copy, link)
        for writer in writers:
            writer.result()
    advance(dataverse, copy, link)
    rows = dataverse.get("accounts?$select=name").json()["value"]
    assert copy == {row["accountid"]: row["name"] for row in rows}
