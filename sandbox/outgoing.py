"""Requests that the systems themselves send: to the receivers of webhooks and of Finance's endpoints."""

from collections.abc import Mapping
from functools import lru_cache

import httpx

TIMEOUT_SECONDS = 60


@lru_cache(maxsize=1)
def _client() -> httpx.Client:
    """Return the client that posts to receivers, opened when first needed; all threads share it."""
    return httpx.Client(timeout=TIMEOUT_SECONDS, follow_redirects=False)


def post(address: str, body: str, headers: Mapping[str, str]) -> int:
    """Post a text and return the status of the answer.

    Raises:
        httpx.TimeoutException: The receiver did not answer within 60 seconds.
        httpx.HTTPError: It could not be reached.
        httpx.InvalidURL: The address is none.
        ValueError: A header cannot be sent.
    """
    return _client().post(address, content=body.encode(), headers=dict(headers)).status_code
