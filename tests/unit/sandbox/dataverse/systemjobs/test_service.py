"""What the asynchronous service owes: nothing is lost with a process, nobody waits for another receiver."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from sandbox.data.environment import ensure_environment
from sandbox.dataverse.api import Api, open_api
from sandbox.dataverse.events.delivery import Delivery, Subject
from sandbox.dataverse.events.message import Message
from sandbox.dataverse.events.steps import Endpoint
from sandbox.dataverse.systemjobs import service as service_module
from sandbox.dataverse.systemjobs.service import AsyncService
from sandbox.rules.hooks import Caller
from sandbox.store import Store
from sandbox.store.past import lagging
from tests.contract.polling import until


@pytest.fixture
def api(sandbox_store: Store) -> Api:
    ensure_environment(sandbox_store)
    return open_api(sandbox_store)


@contextmanager
def running(api: Api) -> Iterator[AsyncService]:
    service = AsyncService(api)
    service.start()
    try:
        yield service
    finally:
        service.stop()


def write(api: Api, table: str, **values: object) -> str:
    with api.store.write() as unit:
        [row_id] = api.writer.insert(unit, api.entities.by_name[table], [values], Caller.USER)
    return row_id


def register(api: Api, url: str, table: str) -> None:
    """Register an asynchronous step on the creation of a table's rows."""
    with api.store.read() as connection:
        filters = api.entities.by_name["sdkmessagefilter"].sql.c
        messages = api.entities.by_name["sdkmessage"].sql.c
        chosen = sa.select(filters.sdkmessagefilterid, messages.sdkmessageid).where(
            filters.sdkmessageid == messages.sdkmessageid,
            messages.name == "Create",
            filters.primaryobjecttypecode == table,
        )
        filter_id, message_id = connection.execute(chosen).one()
    hook = write(api, "serviceendpoint", name="hook", contract=8, url=url)
    write(
        api,
        "sdkmessageprocessingstep",
        name=table,
        mode=1,
        eventhandler=hook,
        sdkmessageid=message_id,
        sdkmessagefilterid=filter_id,
    )


def states(api: Api) -> list[int]:
    job = api.entities.by_name["asyncoperation"].sql.c
    with api.store.read() as connection:
        return list(connection.execute(sa.select(job.statecode).order_by(job.createdon)).scalars())


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, str]]]:
    """Address and table of each message, without a network; `http://slow` waits until the test ends."""
    told: list[tuple[str, str]] = []
    end = Event()

    def deliver(endpoint: Endpoint, subject: Subject, _message: Message) -> Delivery:
        told.append((endpoint.url, subject.table))
        if endpoint.url == "http://slow":
            end.wait(20)
        return Delivery("", 1)

    monkeypatch.setattr(service_module, "deliver", deliver)
    yield told
    end.set()


def test_what_was_queued_before_the_process_is_sent_after_it(api: Api, sent: list[tuple[str, str]]) -> None:
    register(api, "http://quick", "account")
    write(api, "account", name="A")
    assert (sent, states(api)) == ([], [0])
    later = open_api(api.store)
    with running(later):
        until(lambda: states(api) == [3])
    assert sent == [("http://quick", "account")]
    with running(open_api(api.store)):
        write(later, "uom", name="h", msdyn_symbol="h")
    assert len(sent) == 1


def test_a_slow_receiver_holds_up_nobody_else(api: Api, sent: list[tuple[str, str]]) -> None:
    register(api, "http://slow", "account")
    register(api, "http://quick", "uom")
    with running(api):
        write(api, "account", name="A")
        until(lambda: sent)
        write(api, "account", name="B")
        for symbol in "xy":
            write(api, "uom", name=symbol, msdyn_symbol=symbol)
        until(lambda: sum(states(api)) == 6)
        assert sent == [("http://slow", "account"), *[("http://quick", "uom")] * 2]
    # The process ends while a message is on its way: it stays to be sent again.
    assert sorted(states(api)) == [0, 0, 3, 3]


@pytest.mark.parametrize("failing", ["ready_jobs", "finish"])
def test_a_database_that_fails_once_ends_nothing(
    api: Api, sent: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    register(api, "http://quick", "account")
    write(api, "account", name="A")
    works, failures = getattr(service_module, failing), [OperationalError("SELECT", {}, Exception("gone"))]

    def fails_once(*arguments: object) -> object:
        if failures:
            raise failures.pop()
        return works(*arguments)

    monkeypatch.setattr(service_module, failing, fails_once)
    with running(api):
        until(lambda: states(api) == [3])
    assert failures == []
    assert set(sent) == {("http://quick", "account")}


def test_steps_are_those_of_the_present_whatever_a_stale_read_sees(api: Api) -> None:
    api.store.past.keep(600)
    register(api, "http://quick", "account")
    with lagging(300):
        assert [step.endpoint.url for step in api.registry.steps()] == ["http://quick"]
    api.store.past.keep(0)
