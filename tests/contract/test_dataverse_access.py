"""Tokens, TLS, faults, stats and the clock, as a Dataverse client meets them (protocol 1.1)."""

import ssl
from base64 import b64encode

import httpx
import pytest

from tests.contract.process import Sandbox

CREDENTIALS = {
    "grant_type": "client_credentials",
    "client_id": "sandbox-client",
    "client_secret": "sandbox-secret",
}


def token(sandbox: Sandbox, path: str, **changed: str) -> httpx.Response:
    return httpx.post(f"{sandbox.dataverse}/tenant/{path}", data=CREDENTIALS | changed)


@pytest.mark.parametrize(
    ("path", "resource"),
    [("oauth2/v2.0/token", {"scope": "https://org/.default"}), ("oauth2/token", {"resource": "https://org"})],
)
def test_issued_tokens_open_the_door(sandbox: Sandbox, path: str, resource: dict[str, str]) -> None:
    body = token(sandbox, path, **resource).json()
    assert (body["token_type"], int(body["expires_in"])) == ("Bearer", 3599)
    headers = {"Authorization": f"Bearer {body['access_token']}"}
    for place in (f"{sandbox.dataverse}/api/data/v9.2/WhoAmI", f"{sandbox.finance}/data/LegalEntities"):
        assert httpx.get(place, headers=headers).status_code == 200


@pytest.mark.protocol("auth: v2 token", "D")
@pytest.mark.parametrize(("secret", "status"), [("sandbox-secret", 200), ("guess", 401), ("\udcff", 401)])
def test_credentials_may_come_in_a_basic_header(sandbox: Sandbox, secret: str, status: int) -> None:
    encoded = b64encode(b"sandbox-client:" + secret.encode(errors="surrogateescape")).decode()
    answer = httpx.post(
        f"{sandbox.dataverse}/tenant/oauth2/v2.0/token",
        data={"grant_type": "client_credentials", "scope": "https://org/.default"},
        headers={"Authorization": f"Basic {encoded}"},
    )
    assert answer.status_code == status


@pytest.mark.parametrize(
    "header", [{}, {"Authorization": "Bearer guess"}, {"Authorization": "Basic c2FuZGJveA=="}]
)
def test_no_token_no_data(sandbox: Sandbox, header: dict[str, str]) -> None:
    for place in (f"{sandbox.dataverse}/api/data/v9.2/accounts", f"{sandbox.finance}/data/CustomersV3"):
        answer = httpx.get(place, headers=header)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer ")


def test_tokens_expire(sandbox: Sandbox, control: httpx.Client) -> None:
    issued = token(sandbox, "oauth2/v2.0/token", scope="https://org/.default").json()["access_token"]
    control.put("/sandbox/clock", json={"advance_seconds": 3600})
    answer = httpx.get(
        f"{sandbox.dataverse}/api/data/v9.2/WhoAmI", headers={"Authorization": f"Bearer {issued}"}
    )
    assert answer.status_code == 401


def test_https_with_the_sandbox_s_own_certificate(sandbox: Sandbox) -> None:
    context = ssl.create_default_context(cafile=sandbox.ca_file)
    with httpx.Client(verify=context, headers={"Authorization": "Bearer sandbox-token"}) as client:
        for host in (sandbox.dataverse_tls, sandbox.dataverse_tls.replace("127.0.0.1", "localhost")):
            body = client.get(f"{host}/api/data/v9.2/WhoAmI").json()
            assert body["@odata.context"].startswith(f"{host}/api/data/v9.2/")
        document = client.get(f"{sandbox.dataverse_tls}/tenant/v2.0/.well-known/openid-configuration").json()
    assert document["token_endpoint"] == f"{sandbox.dataverse_tls}/tenant/oauth2/v2.0/token"
    assert {"authorization_endpoint", "issuer"} <= set(document)


def test_faults_meet_the_requests_that_they_name(dataverse: httpx.Client, control: httpx.Client) -> None:
    rule = {
        "system": "dataverse",
        "entity": "accounts",
        "verb": "GET",
        "count": 1,
        "status": 429,
        "retry_after": 7,
    }
    assert control.put("/sandbox/faults", json=[rule]).status_code == 200
    assert dataverse.get("uoms").status_code == 200
    assert dataverse.post("accounts", json={"name": "a"}).status_code == 204
    refused = dataverse.get("accounts")
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "7")
    assert dataverse.get("accounts").status_code == 200
    assert control.get("/sandbox/stats").json()["faults"] == {"429": 1}
    assert control.put("/sandbox/faults", json=[{"nonsense": 1}]).status_code == 400


@pytest.mark.parametrize(("when", "rows"), [("before", 0), ("after", 1)])
def test_a_cut_connection(dataverse: httpx.Client, control: httpx.Client, when: str, rows: int) -> None:
    control.put("/sandbox/faults", json=[{"entity": "accounts", "drop": when, "count": 1}])
    with pytest.raises(httpx.RemoteProtocolError):
        dataverse.post("accounts", json={"name": "a"})
    assert len(dataverse.get("accounts").json()["value"]) == rows


def test_stats_log_writes(dataverse: httpx.Client, control: httpx.Client) -> None:
    place = dataverse.post("accounts", json={"name": "a", "description": "b"}).headers["OData-EntityId"]
    dataverse.get("accounts")
    stats = control.get("/sandbox/stats").json()
    [write] = stats["writes"]
    assert (write["system"], write["entity"], write["verb"], write["status"]) == (
        "dataverse",
        "accounts",
        "POST",
        204,
    )
    assert write["key"] in place
    assert write["columns"] == ["name", "description"]
    assert {
        "system": "dataverse",
        "verb": "GET",
        "entity": "accounts",
        "status": 200,
        "count": 1,
        "rows": 1,
    } in stats["requests"]


def test_the_clock_stamps_rows(dataverse: httpx.Client, control: httpx.Client) -> None:
    control.put("/sandbox/clock", json={"now": "2030-01-02T03:04:05Z"})
    place = dataverse.post("accounts", json={"name": "a"}).headers["OData-EntityId"]
    assert dataverse.get(place).json()["createdon"].startswith("2030-01-02T03:04:")
