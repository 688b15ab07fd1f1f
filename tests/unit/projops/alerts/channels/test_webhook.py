"""How webhooks are posted to: tried again, refused, slow, and never telling their address."""

import logging
import socket
import time

import httpx
import pytest

from projops.alerts.channels import webhook
from projops.alerts.channels.webhook import address_of, post
from projops.alerts.model import Channel
from projops.errors import DeliveryError
from projops.systems.connection import Parts
from tests import receivers

CHANNEL = Channel("ops", "slack", "ops_webhook")
SECRET = "Pl4ntedW3bhook"


def sent(address: str) -> tuple[DeliveryError | None, list[float]]:
    waits: list[float] = []
    try:
        post(CHANNEL, address, {"text": "hello"}, waits.append)
    except DeliveryError as error:
        assert SECRET not in f"{error} {error.remedy} {error.context}"
        assert error.__cause__ is None
        assert error.__suppress_context__ or error.__context__ is None
        return error, waits
    return None, waits


def test_what_passes_by_itself_is_tried_again_no_sooner_than_asked() -> None:
    with receivers.webhook() as hook:
        hook.answers += [(429, {"Retry-After": "7"}, "rate_limited"), (503, {}, "")]
        error, waits = sent(hook.address)
    assert (error, waits) == (None, [7.0, 1.0])
    assert hook.posts == [{"text": "hello"}] * 3


def test_it_is_given_up_after_three_tries_for_now() -> None:
    with receivers.webhook() as hook:
        hook.answers += [(500, {}, f"oops {SECRET}")] * 4
        error, waits = sent(hook.address)
    assert error is not None
    assert error.again
    assert str(error) == "Channel ops: its webhook answers 500. Tried again by itself."
    assert (len(hook.posts), waits) == (3, [0.5, 1.0])


def test_a_receiver_that_asks_for_minutes_is_left_to_the_outbox() -> None:
    with receivers.webhook() as hook:
        hook.answers.append((429, {"Retry-After": "300"}, ""))
        error, waits = sent(hook.address)
    assert error is not None
    assert error.again
    assert (len(hook.posts), waits) == (1, [])


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (404, "no_service", "answers 404 (no_service). Make a new webhook"),
        (410, "channel_is_archived", "answers 410 (channel_is_archived). Make a new webhook"),
        (403, f"no {SECRET}", "answers 403. Make a new webhook"),
        (400, "invalid_payload", "answers 400 (invalid_payload). See whether the address"),
        (302, "", "answers 302. See whether the address"),
    ],
)
def test_a_refusal_is_final_and_says_what_to_mend(status: int, body: str, said: str) -> None:
    with receivers.webhook() as hook:
        hook.answers.append((status, {"Location": "https://evil.example"}, body))
        error, waits = sent(hook.address)
    assert error is not None
    assert not error.again
    assert said in str(error)
    assert (len(hook.posts), waits) == (1, [])


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    error, waits = sent(f"http://127.0.0.1:{port}/{SECRET}")
    assert error is not None
    assert error.again
    assert "does not answer (ConnectError)" in str(error)
    assert len(waits) == 2


def test_a_silent_receiver_does_not_hold_a_task(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "_TIMEOUT", httpx.Timeout(0.05))
    with receivers.webhook() as hook:
        hook.silent = True
        began = time.monotonic()
        error, _ = sent(hook.address)
        assert time.monotonic() - began < 5
    assert error is not None
    assert error.again
    assert "ReadTimeout" in str(error)


def test_the_address_stands_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    with receivers.webhook() as hook, caplog.at_level(logging.DEBUG, "httpx"):
        hook.answers.append((500, {}, ""))
        assert sent(hook.address)[0] is None
        assert SECRET not in caplog.text
        httpx.get(hook.address, trust_env=False)
    assert SECRET in caplog.text  # as httpx does for all others, before and after


@pytest.mark.parametrize(
    ("connection", "address"),
    [
        (Parts("http", password="https://a.example/x?sig=y"), "https://a.example/x?sig=y"),
        (
            Parts("slackwebhook", host="https://hooks.slack.com/services", password="T/B/x"),
            "https://hooks.slack.com/services/T/B/x",
        ),
        (Parts("http", host="https://a.example/", password="/x"), "https://a.example/x"),
        (Parts("http", password="http://127.0.0.1:1/x"), "http://127.0.0.1:1/x"),
    ],
)
def test_the_address_stands_in_the_connection(connection: Parts, address: str) -> None:
    assert address_of(CHANNEL, connection) == address


@pytest.mark.parametrize(
    "connection",
    [
        None,
        Parts("http"),
        Parts("http", password=SECRET),
        Parts("http", password=f"http://hooks.example/{SECRET}"),
        Parts("http", password=f"ftp://hooks.example/{SECRET}"),
        Parts("http", password=f"https://[{SECRET}"),
    ],
)
def test_no_address_or_one_in_the_clear_is_refused(connection: Parts | None) -> None:
    with pytest.raises(
        DeliveryError, match="'ops_webhook' holds no https address. Put the webhook"
    ) as raised:
        address_of(CHANNEL, connection)
    assert SECRET not in str(raised.value)
    assert not raised.value.again
