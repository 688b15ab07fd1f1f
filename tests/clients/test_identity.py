"""Libraries that fetch tokens: Microsoft's azure-identity and msal, and the OAuth client of authlib."""

import ssl

import httpx
import msal
import pytest
from authlib.integrations.requests_client import OAuth2Session
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import ClientSecretCredential

from tests.clients.conftest import TENANT
from tests.contract.process import Sandbox

DATAVERSE = "/api/data/v9.2/accounts?$select=name&$top=1"
FINANCE = "/data/CustomersV3?$select=CustomerAccount&$top=1"


def _status(sandbox: Sandbox, url: str, token: str) -> int:
    trusted = ssl.create_default_context(cafile=sandbox.ca_file)
    return httpx.get(url, headers={"Authorization": f"Bearer {token}"}, verify=trusted).status_code


def test_azure_identity(sandbox: Sandbox, credential: ClientSecretCredential) -> None:
    token = credential.get_token(f"{sandbox.dataverse_tls}/.default")
    assert _status(sandbox, f"{sandbox.dataverse_tls}{DATAVERSE}", token.token) == 200


def test_azure_identity_with_a_wrong_secret(sandbox: Sandbox) -> None:
    wrong = ClientSecretCredential(
        TENANT, "sandbox-client", "wrong", authority=sandbox.dataverse_tls, disable_instance_discovery=True
    )
    with wrong, pytest.raises(ClientAuthenticationError, match="AADSTS7000215"):
        wrong.get_token(f"{sandbox.dataverse_tls}/.default")


@pytest.mark.parametrize(("system", "path"), [("dataverse_tls", DATAVERSE), ("finance_tls", FINANCE)])
def test_msal(sandbox: Sandbox, system: str, path: str) -> None:
    host: str = getattr(sandbox, system)
    application = msal.ConfidentialClientApplication(
        "sandbox-client",
        client_credential="sandbox-secret",
        authority=f"{host}/{TENANT}",
        instance_discovery=False,
        validate_authority=False,
    )
    answer = application.acquire_token_for_client([f"{host}/.default"])
    assert _status(sandbox, f"{host}{path}", answer["access_token"]) == 200
    again = application.acquire_token_for_client([f"{host}/.default"])
    assert again["token_source"] == "cache"


@pytest.mark.parametrize("version", ["v2.0", "v1"])
@pytest.mark.parametrize("how", ["client_secret_post", "client_secret_basic"])
def test_authlib(sandbox: Sandbox, version: str, how: str) -> None:
    host = sandbox.finance_tls
    path, wanted = {
        "v2.0": ("oauth2/v2.0/token", {"scope": f"{host}/.default"}),
        "v1": ("oauth2/token", {"resource": host}),
    }[version]
    with OAuth2Session("sandbox-client", "sandbox-secret", token_endpoint_auth_method=how) as session:
        session.fetch_token(f"{host}/{TENANT}/{path}", grant_type="client_credentials", **wanted)
        assert session.get(f"{host}{FINANCE}").json()["value"]
