"""What keeps the sandbox fast, counted: statements a request sends, whatever the number of its rows."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from sandbox.dataverse.api import Api, open_api
from sandbox.dataverse.router import dispatch
from sandbox.dataverse.wire import Request
from sandbox.store import Store

ROOT = "http://127.0.0.1/api/data/v9.2/"
COMPANY = "5f1c2f0e-0000-4000-8000-000000000001"
KEPT = 3  # statements of a write transaction itself: begin, lock the counters, write them back


@contextmanager
def statements(store: Store) -> Iterator[list[str]]:
    """The statements that reach the driver inside the block; one that takes many rows counts once."""
    sent: list[str] = []

    def note(_connection: sa.Connection, _cursor: object, text: str, *_: object) -> None:
        sent.append(text)

    event.listen(store.engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(store.engine, "before_cursor_execute", note)


def upsert(api: Api, numbers: range, name: str) -> None:
    targets: list[dict[str, Any]] = [
        {
            "@odata.type": "Microsoft.Dynamics.CRM.account",
            "@odata.id": f"accounts(accountnumber='A-{number}',_msdyn_company_value={COMPANY})",
            "name": name,
            "creditlimit": number,
            "parentaccountid@odata.bind": f"/accounts({COMPANY})",
        }
        for number in numbers
    ]
    body = json.dumps({"Targets": targets}).encode()
    path = "accounts/Microsoft.Dynamics.CRM.UpsertMultiple"
    assert dispatch(api, Request("POST", path, "", ROOT, body=body)).status == 204


def filled(store: Store) -> Api:
    store.bulk_insert(store.dataverse["cdm_company"], [{"cdm_companyid": COMPANY, "cdm_companycode": "USPM"}])
    store.bulk_insert(store.dataverse["account"], [{"accountid": COMPANY, "name": "Parent"}])
    return open_api(store)


def test_an_upsert_of_many_rows_costs_as_many_statements_as_one_of_few(sandbox_store: Store) -> None:
    api = filled(sandbox_store)
    upsert(api, range(90, 91), "any")  # the first write asks which steps are registered
    counts = []
    for numbers in (range(2), range(100, 1100)):
        with statements(sandbox_store) as created:
            upsert(api, numbers, "first")
        with statements(sandbox_store) as changed:
            upsert(api, numbers, "second")
        counts.append((len(created), len(changed)))
    assert counts[0] == counts[1]
    # One finds the rows that binds lead to, one those that the keys name, one writes; where rows are
    # created, one more finds what the lookups in their keys lead to.
    assert counts[0] == (KEPT + 4, KEPT + 3), counts


def test_a_page_costs_one_statement_whatever_its_size(sandbox_store: Store) -> None:
    api = filled(sandbox_store)
    upsert(api, range(300), "any")
    for size in (1, 200):
        headers = {"prefer": f"odata.maxpagesize={size}"}
        with statements(sandbox_store) as sent:
            answer = dispatch(api, Request("GET", "accounts", "$select=name,creditlimit", ROOT, headers))
        assert answer.rows == size
        assert [text for text in sent if text.startswith("SELECT")] == sent[-1:], sent


def test_rows_in_bulk_reach_the_driver_in_chunks(sandbox_store: Store) -> None:
    rows = [{"name": f"Account {number}"} for number in range(3000)]
    with statements(sandbox_store) as sent:
        sandbox_store.bulk_insert(sandbox_store.dataverse["account"], rows)
    assert len([text for text in sent if text.startswith("INSERT")]) == 2, sent
