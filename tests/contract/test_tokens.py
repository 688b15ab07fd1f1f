"""Tokens, and the documents that identity libraries fetch, as Entra ID's clients meet them (protocol 1.1)."""

import base64
import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from sandbox.auth.jwt import read_signed
from tests.contract.process import Sandbox, serve

CREDENTIALS = {
    "grant_type": "client_credentials",
    "client_id": "sandbox-client",
    "client_secret": "sandbox-secret",
    "scope": "https://org.example.com/.default",
}
OLD = CREDENTIALS | {"resource": "https://org.example.com"}


def ask(sandbox: Sandbox, path: str = "oauth2/v2.0/token", **changed: str) -> httpx.Response:
    form = (CREDENTIALS if "v2.0" in path else OLD) | changed
    return httpx.post(
        f"{sandbox.dataverse}/tenant/{path}", data={name: value for name, value in form.items() if value}
    )


def claims_of(token: str) -> dict[str, Any]:
    claims = token.split(".")[1]
    read: dict[str, Any] = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    return read


def read(address: str, token: str) -> httpx.Response:
    return httpx.get(address, headers={"Authorization": f"Bearer {token}"})


@pytest.mark.protocol("auth: v2 token", "D")
def test_the_newer_endpoint(sandbox: Sandbox) -> None:
    answer = ask(sandbox)
    body = answer.json()
    assert answer.headers["Cache-Control"].startswith("no-store")
    assert {name: body[name] for name in ("token_type", "expires_in", "ext_expires_in")} == {
        "token_type": "Bearer",
        "expires_in": 3599,
        "ext_expires_in": 3599,
    }
    claims = claims_of(body["access_token"])
    assert claims["aud"] == "https://org.example.com"
    assert claims["iss"] == f"{sandbox.dataverse}/tenant/v2.0"
    assert (claims["azp"], claims["tid"], claims["ver"]) == ("sandbox-client", "tenant", "2.0")
    assert claims["exp"] - claims["iat"] == 3599


@pytest.mark.protocol("auth: v1 token", "D")
def test_the_older_endpoint_writes_numbers_as_text(sandbox: Sandbox) -> None:
    body = ask(sandbox, "oauth2/token").json()
    assert (body["expires_in"], body["resource"]) == ("3599", "https://org.example.com")
    assert int(body["expires_on"]) - int(body["not_before"]) == 3599
    claims = claims_of(body["access_token"])
    assert (claims["aud"], claims["appid"], claims["ver"]) == (
        "https://org.example.com",
        "sandbox-client",
        "1.0",
    )


@pytest.mark.protocol("auth: no token", "D")
def test_a_token_opens_the_system_that_it_was_asked_for(sandbox: Sandbox) -> None:
    who = f"{sandbox.dataverse}/api/data/v9.2/WhoAmI"
    entities = f"{sandbox.finance}/data/LegalEntities"
    ours = ask(sandbox, scope=f"{sandbox.dataverse}/.default").json()["access_token"]
    theirs = ask(sandbox, scope=f"{sandbox.finance_tls}/.default").json()["access_token"]
    unknown = ask(sandbox).json()["access_token"]
    statuses = [
        [read(place, token).status_code for place in (who, entities)] for token in (ours, theirs, unknown)
    ]
    assert statuses == [[200, 401], [401, 200], [200, 200]]
    refused = read(who, theirs)
    host = sandbox.dataverse
    assert refused.headers["WWW-Authenticate"] == (
        f"Bearer authorization_uri={host}/common/oauth2/authorize, resource_id={host}/"
    )


@pytest.mark.parametrize(
    ("path", "changed", "status", "error", "number"),
    [
        ("oauth2/v2.0/token", {"client_secret": "guess"}, 401, "invalid_client", 7000215),
        ("oauth2/v2.0/token", {"client_secret": ""}, 401, "invalid_client", 7000218),
        ("oauth2/v2.0/token", {"client_id": "stranger"}, 400, "unauthorized_client", 700016),
        ("oauth2/v2.0/token", {"client_id": ""}, 400, "invalid_request", 900144),
        ("oauth2/v2.0/token", {"grant_type": ""}, 400, "invalid_request", 900144),
        ("oauth2/v2.0/token", {"grant_type": "password"}, 400, "unsupported_grant_type", 70003),
        ("oauth2/v2.0/token", {"scope": ""}, 400, "invalid_request", 900144),
        ("oauth2/v2.0/token", {"scope": "https://org/user"}, 400, "invalid_scope", 1002012),
        ("oauth2/token", {"resource": ""}, 400, "invalid_request", 900144),
        ("oauth2/token", {"client_secret": "guess"}, 401, "invalid_client", 7000215),
    ],
)
def test_refusals_are_worded_as_entra_id_does(
    server: Sandbox, path: str, changed: dict[str, str], status: int, error: str, number: int
) -> None:
    answer = ask(server, path, **changed)
    body = answer.json()
    assert (answer.status_code, body["error"], body["error_codes"]) == (status, error, [number])
    assert body["error_description"].startswith(f"AADSTS{number}: ")
    assert body["trace_id"] in body["error_description"]
    assert "access_token" not in body


@pytest.mark.protocol("auth: openid document", "R")
def test_documents_lead_to_the_endpoints(server: Sandbox) -> None:
    for host in (server.dataverse, server.finance):
        new = httpx.get(f"{host}/tenant/v2.0/.well-known/openid-configuration").json()
        old = httpx.get(f"{host}/tenant/.well-known/openid-configuration").json()
        assert new["token_endpoint"] == f"{host}/tenant/oauth2/v2.0/token"
        assert old["token_endpoint"] == f"{host}/tenant/oauth2/token"
        assert new["issuer"] == f"{host}/tenant/v2.0"
        assert {"authorization_endpoint", "device_authorization_endpoint"} <= new.keys()
        instance = httpx.get(
            f"{host}/common/discovery/instance",
            params={"authorization_endpoint": f"{host}/tenant/oauth2/v2.0/authorize"},
        ).json()
        found = httpx.get(instance["tenant_discovery_endpoint"]).json()
        assert found["token_endpoint"] == new["token_endpoint"]
        assert host.endswith(instance["metadata"][0]["aliases"][0])


def test_tokens_are_signed_by_the_key_that_is_shown(server: Sandbox) -> None:
    document = httpx.get(f"{server.dataverse}/tenant/v2.0/.well-known/openid-configuration").json()
    [shown] = httpx.get(document["jwks_uri"]).json()["keys"]
    n, e = (int.from_bytes(base64.urlsafe_b64decode(shown[name] + "==")) for name in ("n", "e"))
    key = rsa.RSAPublicNumbers(e, n).public_key()
    token = ask(server).json()["access_token"]
    assert read_signed(token, key)["azp"] == "sandbox-client"
    head = json.loads(base64.urlsafe_b64decode(token.split(".")[0] + "=="))
    assert (head["kid"], head["alg"]) == (shown["kid"], "RS256")


def certificate(folder: Path, key: rsa.RSAPrivateKey) -> Path:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "integration")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    file = folder / "application.pem"
    file.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    return file


def assertion(key: rsa.RSAPrivateKey, audience: str, expires: float) -> str:
    claims = {"aud": audience, "iss": "sandbox-client", "sub": "sandbox-client", "exp": int(expires)}
    parts = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
        for part in ({"alg": "PS256", "typ": "JWT"}, claims)
    ]
    text = ".".join(parts)
    scheme = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
    signature = key.sign(text.encode(), scheme, hashes.SHA256())
    return f"{text}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def test_a_certificate_instead_of_a_secret(tmp_path: Path) -> None:
    key, other = (rsa.generate_private_key(65537, 2048) for _ in range(2))
    options = ("--client-certificate", str(certificate(tmp_path, key)))
    with serve("sqlite", f"sqlite:///{tmp_path / 'sandbox.db'}", tmp_path, options) as sandbox:
        endpoint = f"{sandbox.dataverse}/tenant/oauth2/v2.0/token"
        soon, past = time.time() + 300, time.time() - 300
        answers = [
            ask(
                sandbox,
                client_secret="",
                client_assertion_type="urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                client_assertion=signed,
            )
            for signed in (
                assertion(key, endpoint, soon),
                assertion(other, endpoint, soon),
                assertion(key, endpoint, past),
                assertion(key, "https://elsewhere/token", soon),
                "no.token",
            )
        ]
    codes = [answer.json().get("error_codes", [200])[0] for answer in answers]
    assert codes == [200, 700027, 700024, 700023, 700027]
