"""Posting to a webhook: whoever knows its address may post, so it is a secret and stands in no text."""

import logging
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception

from projops.alerts.model import Channel
from projops.errors import DeliveryError
from projops.systems.connection import Parts, is_loopback
from projops.systems.failures import retry_after

_ATTEMPTS = 3
_PATIENCE = 20.0  # seconds for which a task waits because a receiver asks it to; else the outbox waits
_BACKOFF = 0.5
_TIMEOUT = httpx.Timeout(10.0, connect=5.0)
_CODE = re.compile(r"[a-z]+(_[a-z]+){1,5}")  # as Slack names a refusal; all else may repeat what we sent
_GONE = (401, 403, 404, 410)


def address_of(channel: Channel, connection: Parts | None) -> str:
    """Give the address to post to: the connection's password if it is one, else its host and password.

    So both fit: a whole address in the password of any connection, and Airflow's type `slackwebhook`.

    Raises:
        DeliveryError: The connection is missing, or holds no https address.
    """
    password = (connection.password or "") if connection else ""
    host = (connection.host or "") if connection else ""
    address = password if "://" in password else f"{host.rstrip('/')}/{password.lstrip('/')}"
    try:
        split = urlsplit(address)
        named = split.hostname or ""
    except ValueError:
        named = ""
    if not named or not (split.scheme == "https" or (split.scheme == "http" and is_loopback(named))):
        raise DeliveryError(
            f"Channel {channel.name}: its connection {channel.connection!r} holds no https address.",
            again=False,
            remedy="Put the webhook's whole address into the password field of that Airflow connection.",
            channel=channel.name,
        )
    return address


def post(
    channel: Channel, address: str, body: Mapping[str, Any], pause: Callable[[float], None] = time.sleep
) -> None:
    """Post JSON to a webhook; what may pass by itself is tried again, no sooner than the receiver asks.

    Args:
        channel: The channel, for messages.
        address: The webhook.
        body: What to post.
        pause: Waits for seconds.

    Raises:
        DeliveryError: The receiver refuses it, or does not answer.
    """
    retrying = Retrying(
        retry=retry_if_exception(_may_pass),
        wait=_wait,
        stop=_is_enough,
        sleep=pause,
        reraise=True,
    )
    retrying(_post_once, channel, address, body)


def _post_once(channel: Channel, address: str, body: Mapping[str, Any]) -> None:
    trusted = not is_loopback(urlsplit(address).hostname or "")  # proxies
    try:
        with _address_unlogged(), httpx.Client(timeout=_TIMEOUT, trust_env=trusted) as client:
            answer = client.post(address, json=body)
    except (httpx.HTTPError, httpx.InvalidURL) as problem:
        raise _unreachable(channel, type(problem).__name__) from None
    if not answer.is_success:
        raise _refused(channel, answer)


def _unreachable(channel: Channel, reason: str) -> DeliveryError:
    return DeliveryError(
        f"Channel {channel.name}: its webhook does not answer ({reason}).",
        again=True,
        remedy="Tried again by itself; see whether this machine may reach it.",
        channel=channel.name,
    )


def _refused(channel: Channel, answer: httpx.Response) -> DeliveryError:
    status = answer.status_code
    code = _CODE.fullmatch(answer.text.strip())
    again = status in (408, 429) or status >= 500
    if again:
        remedy = "Tried again by itself."
    elif status in _GONE:
        remedy = f"Make a new webhook, and put its address into the connection {channel.connection}."
    else:
        remedy = f"See whether the address in the connection {channel.connection} is that of such a webhook."
    return DeliveryError(
        f"Channel {channel.name}: its webhook answers {status}{f' ({code.group()})' if code else ''}.",
        again=again,
        remedy=remedy,
        channel=channel.name,
        retry_after=retry_after(answer.headers),
    )


def _may_pass(problem: BaseException) -> bool:
    return isinstance(problem, DeliveryError) and problem.again


def _asked(state: RetryCallState) -> float:
    problem = state.outcome.exception() if state.outcome else None
    return float(problem.context.get("retry_after", 0.0)) if isinstance(problem, DeliveryError) else 0.0


def _wait(state: RetryCallState) -> float:
    return max(_asked(state), _BACKOFF * 2.0 ** (state.attempt_number - 1))


def _is_enough(state: RetryCallState) -> bool:
    return state.attempt_number >= _ATTEMPTS or _asked(state) > _PATIENCE


@contextmanager
def _address_unlogged() -> Iterator[None]:
    """Keep httpx from logging the address of each request."""
    log = logging.getLogger("httpx")

    def silent(record: logging.LogRecord) -> bool:
        return record.levelno > logging.INFO

    log.addFilter(silent)
    try:
        yield
    finally:
        log.removeFilter(silent)
