"""One sandbox for all clients, on SQLite, with the demo seed, over http and https.

Nothing is reset between the tests: each makes rows of its own. What a client warns of is its own
business, so its warnings do not fail a test here.
"""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import requests
from azure.identity import ClientSecretCredential

from tests.contract.process import Sandbox, serve_on

TENANT = "11111111-2222-3333-4444-555555555555"
TOKEN = "sandbox-token"
FOLDER = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if FOLDER in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("ignore"))


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    folder = tmp_path_factory.mktemp("clients")
    with serve_on("sqlite", folder) as server:
        httpx.post(f"{server.control}/sandbox/reset", json={"seed": "demo"}, timeout=60).raise_for_status()
        yield server


@pytest.fixture(autouse=True)
def trust(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every client trust the sandbox's certificate, in the way that each of their stacks has for it."""
    for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"):
        monkeypatch.setenv(name, sandbox.ca_file)


@pytest.fixture
def credential(sandbox: Sandbox) -> Iterator[ClientSecretCredential]:
    with ClientSecretCredential(
        TENANT,
        "sandbox-client",
        "sandbox-secret",
        authority=sandbox.dataverse_tls,
        disable_instance_discovery=True,
    ) as credential:
        yield credential


@pytest.fixture
def session() -> Iterator[requests.Session]:
    """A session of requests with a token, for clients that want one."""
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {TOKEN}"
        yield session
