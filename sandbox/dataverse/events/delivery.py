"""Posting a message to a webhook's receiver, and what its answer means [D].

2xx within 60 seconds is success. After 502, 503 and 504, which tell of the network, one more attempt is made;
anything else has failed.
"""

import html
import re
from dataclasses import dataclass
from urllib.parse import quote

import httpx

from sandbox.dataverse.events.message import Message
from sandbox.dataverse.events.steps import Auth, Endpoint
from sandbox.outgoing import post

_ATTEMPTS = 2
_PASSING = frozenset({502, 503, 504})
_SETTING = re.compile(r"<setting\s+name\s*=\s*\"([^\"]*)\"\s+value\s*=\s*\"([^\"]*)\"\s*/?>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Subject:
    """What the headers of a webhook's request name.

    Attributes:
        host: The environment's domain name.
        table: Logical name.
        message: Create, Update or Delete.
        correlation_id: GUID of the operation.
    """

    host: str
    table: str
    message: str
    correlation_id: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of a message.

    Attributes:
        failure: Why it was not taken, "" where it was.
        attempts: How often it was sent.
    """

    failure: str
    attempts: int


def deliver(endpoint: Endpoint, subject: Subject, message: Message) -> Delivery:
    """Post a message; whatever goes wrong is in the answer, in a sentence [?]."""
    address, headers = _authenticated(endpoint)
    headers = {**headers, **_headers(subject, message)}
    failure = ""
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            status = post(address, message.body, headers)
        except httpx.TimeoutException:
            return Delivery(
                "The webhook call failed because the http request timed out at client side. "
                "Please check your webhook request handler.",
                attempt,
            )
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            return Delivery(
                f"The webhook call failed because the request could not be sent: {error}.", attempt
            )
        if 200 <= status < 300:
            return Delivery("", attempt)
        failure = f"The webhook call failed because the http request was answered with the status {status}."
        if status not in _PASSING:
            return Delivery(failure, attempt)
    return Delivery(failure, _ATTEMPTS)


def settings(secret: str) -> dict[str, str]:
    """Read keys and values of `<settings><setting name="" value=""/></settings>`."""
    return {html.unescape(name): html.unescape(value) for name, value in _SETTING.findall(secret)}


def _authenticated(endpoint: Endpoint) -> tuple[str, dict[str, str]]:
    """Return address and headers by which the receiver knows the sender."""
    match endpoint.auth:
        case Auth.WEBHOOK_KEY:
            return _with_query(endpoint.url, {"code": endpoint.secret}), {}
        case Auth.QUERY_STRING:
            return _with_query(endpoint.url, settings(endpoint.secret)), {}
        case Auth.HTTP_HEADER:
            return endpoint.url, settings(endpoint.secret)
    return endpoint.url, {}


def _with_query(url: str, values: dict[str, str]) -> str:
    query = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in values.items())
    return f"{url}{'&' if '?' in url else '?'}{query}" if query else url


def _headers(subject: Subject, message: Message) -> dict[str, str]:
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "x-ms-dynamics-organization": subject.host,
        "x-ms-dynamics-entity-name": subject.table,
        "x-ms-dynamics-request-name": subject.message,
        "x-ms-correlation-request-id": subject.correlation_id,
    }
    return headers | ({"x-ms-dynamics-msg-size-exceeded": "true"} if message.exceeded else {})
