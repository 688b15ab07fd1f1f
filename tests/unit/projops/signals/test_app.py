"""The endpoint as strangers and as both systems see it, before a state of its own."""

import json
import logging
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event

from projops.engine import Engine
from projops.errors import ConfigurationError, SystemUnavailableError
from projops.signals import app as endpoint_app
from projops.signals.endpoint import HEADER, Endpoint, KeptEndpoint
from projops.signals.noting import Notebook
from projops.state import signals
from projops.state.signals import Fate
from projops.systems.dataverse_writer import TAG
from tests.unit.projops.signals.conftest import ORGANIZATION

SECRET = "s3cret-s3cret-s3cret-s3cret"
CUSTOMERS = ("customers", "dataverse_to_finance")


@pytest.fixture
def client(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    endpoint = Endpoint(SECRET, events={"custposted": ("CustomersV3",)})
    monkeypatch.setattr(endpoint_app, "kept_engine", lambda: engine)
    monkeypatch.setattr(endpoint_app, "_endpoint", KeptEndpoint(lambda: endpoint))
    monkeypatch.setattr(endpoint_app, "_notebook", Notebook())
    with TestClient(endpoint_app.app) as client:
        yield client


def context(table: str = "account", organization: str = ORGANIZATION, tag: str | None = None) -> bytes:
    shared = [] if tag is None else [{"key": "tag", "value": tag}]
    return json.dumps(
        {
            "MessageName": "Update",
            "PrimaryEntityName": table,
            "OrganizationId": organization,
            "SharedVariables": shared,
        }
    ).encode()


def post(client: TestClient, body: bytes, place: str = "/dataverse", secret: str = SECRET) -> int:
    answer = client.post(place, content=body, headers={HEADER: secret})
    assert answer.content == b""
    return answer.status_code


def fates(engine: Engine) -> dict[tuple[str, Fate], int]:
    with engine.state.begin() as connection:
        return signals.counted_today(connection)


def waiting(engine: Engine) -> set[tuple[str, str]]:
    with engine.state.begin() as connection:
        return set(signals.waiting(connection))


def test_a_change_is_noted_for_the_legs_that_read_the_table(client: TestClient, engine: Engine) -> None:
    assert post(client, context()) == 202
    assert CUSTOMERS in waiting(engine)
    assert {leg for _, leg in waiting(engine)} == {"dataverse_to_finance"}
    assert fates(engine) == {("dataverse", Fate.NOTED): 1}


def test_changes_of_one_table_are_one_signal(client: TestClient, engine: Engine) -> None:
    assert [post(client, context()) for _ in range(5)] == [202] * 5
    with engine.state.begin() as connection:
        [signal] = [each for each in signals.signals(connection) if (each.map, each.leg) == CUSTOMERS]
    assert signal.number == 5
    assert signal.waiting_since is not None and signal.waiting_since <= signal.last_at


@pytest.mark.parametrize(
    ("place", "body"),
    [
        ("/finance", {"BusinessEventId": "CustPosted"}),
        ("/finance", {"BusinessEventId": "CustomersV3"}),
        ("/finance", {"PrimaryEntityName": "mserp_custcustomerv3entity"}),
    ],
)
def test_finance_tells_of_an_entity(
    client: TestClient, engine: Engine, place: str, body: dict[str, str]
) -> None:
    assert post(client, json.dumps(body).encode(), place) == 202
    assert waiting(engine) == {("customers", "finance_to_dataverse")}


@pytest.mark.parametrize(
    ("body", "secret", "status", "fate"),
    [
        (context(tag=TAG), SECRET, 202, Fate.OWN),
        (context(table="contoso_table"), SECRET, 202, Fate.UNMAPPED),
        (context(organization="0b5e1b5c-0000-4000-8000-0000000000bb"), SECRET, 401, Fate.FOREIGN),
        (context(), "wrong", 401, Fate.NOT_OURS),
        (b"[" * 100_000, SECRET, 400, Fate.GARBLED),
        (b" " * 400_000, SECRET, 413, Fate.TOO_LARGE),
        (b" " * 400_000, "wrong", 401, Fate.NOT_OURS),
    ],
)
def test_what_is_no_news_is_counted_and_noted_nowhere(
    client: TestClient,
    engine: Engine,
    caplog: pytest.LogCaptureFixture,
    body: bytes,
    secret: str,
    status: int,
    fate: Fate,
) -> None:
    with caplog.at_level(logging.DEBUG):
        assert post(client, body, secret=secret) == status
    assert not waiting(engine)
    assert fates(engine) == {("dataverse", fate): 1}
    assert secret not in caplog.text and SECRET not in caplog.text


def test_a_body_without_a_length_is_bounded_too(client: TestClient) -> None:
    pieces = (b" " * 50_000 for _ in range(10))
    assert client.post("/dataverse", content=pieces, headers={HEADER: SECRET}).status_code == 413


def test_the_secret_may_stand_in_the_address_where_a_system_knows_no_headers(client: TestClient) -> None:
    for query in (f"code={SECRET}", f"{HEADER}={SECRET}"):
        assert client.post(f"/dataverse?{query}", content=context()).status_code == 202
    assert client.post("/dataverse?code=", content=context()).status_code == 401


def test_strangers_cost_no_transaction_each(client: TestClient, engine: Engine) -> None:
    statements: list[str] = []
    event.listen(engine.state.engine, "before_cursor_execute", lambda *facts: statements.append(facts[2]))
    for _ in range(50):
        assert post(client, context(), secret="wrong") == 401
    assert sum("INSERT" in each for each in statements) == 1
    assert post(client, context()) == 202  # takes what was counted meanwhile along
    assert fates(engine)["dataverse", Fate.NOT_OURS] == 50


def test_without_a_secret_there_is_no_endpoint(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint_app, "_endpoint", KeptEndpoint(lambda: None))
    assert post(client, context()) == 404


def test_what_cannot_be_written_down_is_to_come_again(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> Engine:
        raise SystemUnavailableError("The state is away.", remedy="")

    def wrong() -> Endpoint | None:
        raise ConfigurationError("Connection projops_signals is wrong.", remedy="")

    monkeypatch.setattr(endpoint_app, "kept_engine", away)
    assert post(client, context()) == 503
    monkeypatch.setattr(endpoint_app, "_endpoint", KeptEndpoint(wrong))
    assert post(client, context()) == 503


def test_nothing_else_is_there(client: TestClient) -> None:
    for path in ("/", "/docs", "/openapi.json", "/redoc", "/dataverse"):
        assert client.get(path).status_code in {404, 405}


def test_a_changed_secret_holds_after_half_a_minute() -> None:
    now, secrets = [0.0], iter(["one", "two"])
    kept = KeptEndpoint(lambda: Endpoint(next(secrets)), clock=lambda: now[0])
    found = []
    for at in (0.0, 29.0, 31.0):
        now[0] = at
        endpoint = kept.get()
        assert endpoint is not None
        found.append(endpoint.secret)
    assert found == ["one", "one", "two"]
