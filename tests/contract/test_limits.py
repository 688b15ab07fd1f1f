"""Service protection limits and Finance's throttling over plain HTTP (protocol 1.7, 2.1)."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.contract.process import Sandbox

pytestmark = pytest.mark.parametrize("server", ["sqlite"], indirect=True)

TOKEN = {"Authorization": "Bearer sandbox-token"}
BURST = "x-ms-ratelimit-burst-remaining-xrm-requests"
TIME = "x-ms-ratelimit-time-remaining-xrm-requests"


def limit(control: httpx.Client, **limits: Any) -> None:
    answer = control.put("/sandbox/limits", json=limits)
    assert answer.is_success, answer.text


def throttled(control: httpx.Client) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = control.get("/sandbox/stats?writes=false").json()["throttled"]
    return found


@pytest.mark.protocol("limits: hint", "D")
def test_every_answer_tells_what_is_left(dataverse: httpx.Client) -> None:
    first, second = dataverse.get("WhoAmI").headers, dataverse.get("nothing").headers
    assert (first[BURST], second[BURST]) == ("5999", "5998")
    assert first[TIME].startswith("1,199.") or first[TIME] == "1,200.00"
    assert first["x-ms-dop-hint"] == "8"


@pytest.mark.protocol("limits: requests", "D")
@pytest.mark.protocol("limits: retry after", "D")
def test_the_number_of_requests(dataverse: httpx.Client, control: httpx.Client) -> None:
    limit(control, requests=3, window_seconds=60, dop_hint=2)
    batch = "--b\r\nContent-Type: application/http\r\n\r\nGET WhoAmI HTTP/1.1\r\n\r\n\r\n" * 5 + "--b--\r\n"
    headers = {"Content-Type": "multipart/mixed; boundary=b"}
    assert dataverse.post("$batch", content=batch, headers=headers).headers[BURST] == "2"
    assert [dataverse.get("WhoAmI").status_code for _ in range(2)] == [200, 200]
    refused = dataverse.get("WhoAmI")
    assert refused.status_code == 429
    assert refused.json()["error"] == {
        "code": "0x80072322",
        "message": "Number of requests exceeded the limit of 3 over time window of 60 seconds.",
    }
    assert 55 <= int(refused.headers["Retry-After"]) <= 60
    assert (refused.headers[BURST], refused.headers["x-ms-dop-hint"]) == ("0", "2")
    assert throttled(control) == [{"system": "dataverse", "facet": "requests", "count": 1}]


def test_another_user_goes_on(dataverse: httpx.Client, control: httpx.Client) -> None:
    limit(control, requests=1)
    assert dataverse.get("WhoAmI").status_code == 200
    assert dataverse.get("WhoAmI").status_code == 429
    other = {"Authorization": "Bearer mock-token-for-localhost"}
    assert dataverse.get("WhoAmI", headers=other).status_code == 200


@pytest.mark.protocol("limits: execution time", "D")
def test_execution_time(dataverse: httpx.Client, control: httpx.Client) -> None:
    limit(control, execution_seconds=0.000001)
    assert dataverse.get("WhoAmI").headers[TIME] == "0.00"
    refused = dataverse.get("WhoAmI")
    assert refused.json()["error"] == {
        "code": "0x80072321",
        "message": "Combined execution time of incoming requests exceeded limit of 0 milliseconds over "
        "time window of 300 seconds. Decrease number of concurrent requests or reduce the duration of "
        "requests and try again later.",
    }
    control.delete("/sandbox/limits")
    assert dataverse.get("WhoAmI").status_code == 200


def meanwhile(client: httpx.Client, url: str, other: str) -> tuple[httpx.Response, httpx.Response]:
    """Post a row slowly; ask for another address on a connection of its own while that runs."""
    answers: list[httpx.Response] = []

    def body() -> Iterator[bytes]:
        yield b"{"
        answers.append(httpx.get(other, headers=TOKEN))
        yield b"}"

    # With its length said beforehand, the body is read by who answers; chunks are collected at the gateway.
    headers = {"Content-Type": "application/json", "Content-Length": "2"}
    posted = client.post(url, content=body(), headers=headers)
    return posted, answers[0]


@pytest.mark.protocol("limits: concurrency", "D")
def test_concurrent_requests(sandbox: Sandbox, dataverse: httpx.Client, control: httpx.Client) -> None:
    limit(control, concurrent=1)
    posted, refused = meanwhile(dataverse, "accounts", f"{sandbox.dataverse}/api/data/v9.2/WhoAmI")
    assert (posted.status_code, refused.status_code) == (204, 429)
    assert refused.json()["error"] == {
        "code": "0x80072326",
        "message": "Number of concurrent requests exceeded the limit of 1.",
    }
    assert int(refused.headers["Retry-After"]) >= 1
    assert throttled(control) == [{"system": "dataverse", "facet": "concurrency", "count": 1}]
    assert control.get("/sandbox/stats?writes=false").json()["concurrency"] == {"dataverse": 2}
    assert dataverse.get("WhoAmI").status_code == 200


@pytest.mark.protocol("finance: 429", "D")
def test_finance_is_throttled_on_demand_only(
    sandbox: Sandbox, finance: httpx.Client, control: httpx.Client
) -> None:
    other = f"{sandbox.finance}/data/Currencies"
    assert meanwhile(finance, "/data/Currencies", other)[1].status_code == 200
    limit(control, finance={"concurrent": 1, "retry_after": 7})
    refused = meanwhile(finance, "/data/Currencies", other)[1]
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "7")
    assert throttled(control) == [{"system": "finance", "facet": "concurrency", "count": 1}]


def test_limits_are_shown_and_refused_when_they_make_no_sense(control: httpx.Client) -> None:
    limit(control, requests=5)
    assert control.get("/sandbox/limits").json() == {
        "window_seconds": 300.0,
        "requests": 5,
        "execution_seconds": 1200.0,
        "concurrent": 52,
        "dop_hint": 8,
        "finance": None,
    }
    refused = control.put("/sandbox/limits", json={"requests": -1})
    assert refused.status_code == 400
    assert "requests" in refused.json()["error"]
    assert control.get("/sandbox/limits").json()["requests"] == 5
