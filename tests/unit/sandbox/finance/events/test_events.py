"""Events of Finance: what follows from writes, and what becomes of it behind them."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from threading import Event
from typing import Any

import pytest

from sandbox.finance.books import Books
from sandbox.finance.catalog import Catalog
from sandbox.finance.events import outbox as outbox_module
from sandbox.finance.events import service as service_module
from sandbox.finance.events.desk import EventDesk
from sandbox.rules.hooks import Caller, Verb
from sandbox.store import Store
from tests.contract.polling import until

EVENTS = ["PurchaseOrderConfirmedBusinessEvent", "VendorInvoicePostedBusinessEvent"]
Sent = list[tuple[str, Mapping[str, Any]]]


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    """Address and body of what was posted, without a network; `http://deaf` answers 500."""
    told: Sent = []

    def post(address: str, body: str, _headers: Mapping[str, str]) -> int:
        told.append((address, json.loads(body)))
        return 500 if "deaf" in address else 200

    monkeypatch.setattr(service_module, "post", post)
    monkeypatch.setattr(service_module, "_RETRY_SECONDS", 0.0)
    return told


def desk(store: Store, *urls: str) -> EventDesk:
    opened = EventDesk(store)
    opened.replace(
        [
            {"name": url, "url": url, "data_events": {"VendorsV2": ["Create"]}, "business_events": EVENTS}
            for url in urls
        ]
    )
    return opened


@contextmanager
def books_of(store: Store, events: EventDesk) -> Iterator[Books]:
    with store.write() as unit:
        yield Books(unit, Catalog(store, store.finance, {}, None, events.rules))


@contextmanager
def running(events: EventDesk) -> Iterator[None]:
    service = events.service("org.example")
    service.start()
    try:
        yield
    finally:
        service.stop()


def waiting(events: EventDesk) -> list[object]:
    return [each["waiting"] for each in events.listing()]


def add_vendor(books: Books) -> None:
    books.insert("VendorsV2", {"dataAreaId": "USPM", "VendorAccountNumber": "V1"})


def confirm_order(books: Books) -> None:
    values = {"dataAreaId": "USPM", "PurchaseOrderNumber": "P1", "AccountingDate": "2026-11-02T12:00:00Z"}
    order = books.insert("PurchaseOrderHeadersV2", values | {"DocumentApprovalStatus": "Draft"})
    books.update("PurchaseOrderHeadersV2", order, {"DocumentApprovalStatus": "Confirmed"})


def post_invoice(books: Books) -> None:
    day = {"dataAreaId": "USPM", "TransactionDate": "2026-11-02T12:00:00Z"}
    rows = [{**day, "Voucher": "1", "InvoiceNumber": "I1"}, {**day, "Voucher": "2", "InvoiceNumber": ""}]
    books.insert_many("VendorTransactions", rows)


@pytest.mark.parametrize(
    ("act", "event_id", "own"),
    [
        (confirm_order, EVENTS[0], {"PurchaseOrderNumber": "P1", "LegalEntity": "uspm"}),
        (post_invoice, EVENTS[1], {"InvoiceId": "I1", "Voucher": "1"}),
    ],
)
def test_a_business_event_has_the_members_that_live_systems_send(
    sandbox_store: Store, sent: Sent, act: Callable[[Books], None], event_id: str, own: Mapping[str, str]
) -> None:
    events = desk(sandbox_store, "http://one")
    with books_of(sandbox_store, events) as books:
        act(books)
    with running(events):
        until(lambda: waiting(events) == [0])
    [(_, body)] = sent
    assert body["BusinessEventId"] == event_id
    assert {name: body[name] for name in own} == own
    assert (body["BusinessEventLegalEntity"], body["EventTimeIso8601"]) == ("uspm", "2026-11-02T09:00:00Z")
    assert body["EventTime"] == "/Date(1793610000000)/"
    assert body["ControlNumber"] > 5_637_144_576
    assert (body["MajorVersion"], body["MinorVersion"]) == (0, 0)
    assert list(body) == sorted(body)


def test_what_waited_when_the_process_ended_is_sent_by_the_next_one(sandbox_store: Store, sent: Sent) -> None:
    events = desk(sandbox_store, "http://one", "http://two")
    with books_of(sandbox_store, events) as books:
        add_vendor(books)
    assert (sent, waiting(events)) == ([], [1, 1])
    later = EventDesk(sandbox_store)
    with running(later):
        until(lambda: waiting(later) == [0, 0])
    assert sorted(address for address, _ in sent) == ["http://one", "http://two"]


def test_an_endpoint_that_fails_holds_up_no_other_and_its_errors_can_be_sent_again(
    sandbox_store: Store, sent: Sent
) -> None:
    events = desk(sandbox_store, "http://deaf", "http://well")
    with books_of(sandbox_store, events) as books:
        add_vendor(books)
    with running(events):
        until(lambda: [each["errors"] for each in events.listing()] == [1, 0])
        until(lambda: waiting(events) == [0, 0])
        assert sorted(address for address, _ in sent) == ["http://deaf"] * 4 + ["http://well"]
        [error] = events.errors()
        assert (error["endpoint"], str(error["error"])[-5:]) == ("http://deaf", " 500.")
        assert events.resend() == 1
        until(lambda: len(sent) == 9)


def test_an_endpoint_with_a_long_line_holds_up_no_other(
    sandbox_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    told, end = [], Event()

    def post(address: str, _body: str, _headers: Mapping[str, str]) -> int:
        told.append(address)
        if "a-slow" in address:
            end.wait(20)
        return 200

    monkeypatch.setattr(service_module, "post", post)
    monkeypatch.setattr(outbox_module, "_AT_ONCE", 1)
    events = desk(sandbox_store, "http://a-slow", "http://b-well")
    with books_of(sandbox_store, events) as books:
        add_vendor(books)
    with running(events):
        until(lambda: "http://b-well" in told)
        assert told == ["http://a-slow", "http://b-well"]
        end.set()
        until(lambda: waiting(events) == [0, 0])


def test_a_write_that_is_undone_tells_nothing(sandbox_store: Store) -> None:
    events = desk(sandbox_store, "http://one")
    with pytest.raises(KeyError), books_of(sandbox_store, events) as books:
        add_vendor(books)
        raise KeyError
    assert waiting(events) == [0]


def test_rows_go_in_sets_where_nothing_is_active(sandbox_store: Store) -> None:
    events = desk(sandbox_store, "http://one")

    def concerned(table: str, verb: Verb) -> bool:
        return events.rules.concerns(table, verb, Caller.IMPORT)

    assert concerned("VendorsV2", Verb.CREATE)
    assert concerned("VendorTransactions", Verb.CREATE)
    assert not concerned("VendorsV2", Verb.UPDATE)
    events.clear()
    assert not concerned("VendorsV2", Verb.CREATE)
    assert not concerned("VendorTransactions", Verb.CREATE)
