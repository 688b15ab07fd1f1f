"""The real server as a process of its own, once on SQLite and once on Postgres, over plain HTTP.

Every test here runs on both databases and begins with empty systems, real time and no faults:

    def test_something(dataverse: httpx.Client, finance: httpx.Client, control: httpx.Client) -> None: ...

`dataverse` has `/api/data/v9.2/` as its base, `finance` the root, both with a token that is always
accepted; `sandbox` knows the addresses. `demo` fills both systems with the demo seed.
"""

from collections.abc import Iterator

import httpx
import pytest

from tests.contract.process import Sandbox, serve_on

TOKEN = "sandbox-token"
REQUEST_SECONDS = 30


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with serve_on(request.param, tmp_path_factory.mktemp(request.param)) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(server: Sandbox) -> Sandbox:
    """The server, as new: both systems empty, real time, no faults, nothing counted."""
    with httpx.Client(base_url=server.control, timeout=REQUEST_SECONDS) as client:
        for answer in (
            client.delete("/sandbox/clock"),
            client.post("/sandbox/reset", json={"seed": "empty"}),
        ):
            assert answer.is_success, answer.text
    return server


@pytest.fixture
def control(sandbox: Sandbox) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=sandbox.control, timeout=REQUEST_SECONDS) as client:
        yield client


@pytest.fixture
def dataverse(sandbox: Sandbox) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {TOKEN}", "Accept": "application/json", "OData-Version": "4.0"}
    base = f"{sandbox.dataverse}/api/data/v9.2/"
    with httpx.Client(base_url=base, headers=headers, timeout=REQUEST_SECONDS) as client:
        yield client


@pytest.fixture
def finance(sandbox: Sandbox) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {TOKEN}", "Accept": "application/json"}
    with httpx.Client(base_url=sandbox.finance, headers=headers, timeout=REQUEST_SECONDS) as client:
        yield client


@pytest.fixture
def demo(control: httpx.Client) -> None:
    """Fill both systems with the demo seed."""
    answer = control.post("/sandbox/reset", json={"seed": "demo"})
    assert answer.is_success, answer.text
