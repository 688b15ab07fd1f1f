"""The authority's endpoints, on either system: tokens, and the documents that identity libraries ask for.

Protocol 1.1: client credentials on the v2.0 and the v1 path, and the openid document that Microsoft's
identity libraries fetch first [R].
"""

import base64
import binascii
import uuid
from urllib.parse import parse_qsl, unquote_plus, urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from sandbox.auth.grants import GrantRefusedError, TokenRequest, resource_granted
from sandbox.auth.tokens import LIFETIME_SECONDS, TokenDesk

_SCHEME = "Bearer"
_UNCACHED = {"Cache-Control": "no-store, no-cache", "Pragma": "no-cache"}


def token_routes(desk: TokenDesk) -> list[BaseRoute]:
    """Return the routes of an authority's endpoints, for any tenant and either host."""

    async def new_token(request: Request) -> JSONResponse:
        return _answer(desk, await _token_request(request, "2.0"))

    async def old_token(request: Request) -> JSONResponse:
        return _answer(desk, await _token_request(request, "1.0"))

    async def keys(_request: Request) -> JSONResponse:
        return JSONResponse({"keys": [desk.key.public()]})

    return [
        Route("/{tenant}/oauth2/v2.0/token", new_token, methods=["POST"]),
        Route("/{tenant}/oauth2/token", old_token, methods=["POST"]),
        Route("/{tenant}/v2.0/.well-known/openid-configuration", _new_document),
        Route("/{tenant}/.well-known/openid-configuration", _old_document),
        Route("/{tenant}/discovery/v2.0/keys", keys),
        Route("/{tenant}/discovery/keys", keys),
        Route("/common/discovery/instance", _instance),
    ]


async def _token_request(request: Request, version: str) -> TokenRequest:
    """Read a token request; a client may name itself in the `Authorization` header instead of the form."""
    text = (await request.body()).decode("utf-8", "replace")
    form = {name: value for name, value in parse_qsl(text, keep_blank_values=True) if value}
    endpoint = f"{_origin(request)}{request.url.path}"
    return TokenRequest(_basic(request) | form, request.path_params["tenant"], endpoint, version)


def _basic(request: Request) -> dict[str, str]:
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return {}
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode("utf-8", "replace")
    except binascii.Error:
        return {}
    name, _, secret = text.partition(":")
    return {"client_id": unquote_plus(name), "client_secret": unquote_plus(secret)}


def _answer(desk: TokenDesk, request: TokenRequest) -> JSONResponse:
    try:
        resource = resource_granted(desk, request)
    except GrantRefusedError as refused:
        return _refusal(desk, refused)
    authority = request.endpoint.partition("/oauth2/")[0]
    token = desk.issue(resource, authority, request.version)
    if request.version == "2.0":
        body: dict[str, str | int] = {
            "token_type": _SCHEME,
            "expires_in": LIFETIME_SECONDS,
            "ext_expires_in": LIFETIME_SECONDS,
        }
    else:
        # The older endpoint writes its numbers as text [D].
        began = int(desk.now.timestamp())
        body = {
            "token_type": _SCHEME,
            "expires_in": str(LIFETIME_SECONDS),
            "ext_expires_in": str(LIFETIME_SECONDS),
            "expires_on": str(began + LIFETIME_SECONDS),
            "not_before": str(began),
            "resource": resource,
        }
    return JSONResponse(body | {"access_token": token}, headers=_UNCACHED)


def _refusal(desk: TokenDesk, refused: GrantRefusedError) -> JSONResponse:
    trace, correlation = str(uuid.uuid4()), str(uuid.uuid4())
    stamp = desk.now.strftime("%Y-%m-%d %H:%M:%SZ")
    description = (
        f"AADSTS{refused.number}: {refused.text} "
        f"Trace ID: {trace} Correlation ID: {correlation} Timestamp: {stamp}"
    )
    body = {
        "error": refused.error,
        "error_description": description,
        "error_codes": [refused.number],
        "timestamp": stamp,
        "trace_id": trace,
        "correlation_id": correlation,
    }
    return JSONResponse(body, refused.status, _UNCACHED)


async def _new_document(request: Request) -> JSONResponse:
    return JSONResponse(_document(request, "/v2.0"))


async def _old_document(request: Request) -> JSONResponse:
    return JSONResponse(_document(request, ""))


def _document(request: Request, version: str) -> dict[str, object]:
    """The openid document; `version` is "/v2.0", or nothing for the older endpoints."""
    tenant = f"{_origin(request)}/{request.path_params['tenant']}"
    endpoints = f"{tenant}/oauth2{version}"
    return {
        "token_endpoint": f"{endpoints}/token",
        "token_endpoint_auth_methods_supported": [
            "client_secret_post",
            "private_key_jwt",
            "client_secret_basic",
        ],
        "jwks_uri": f"{tenant}/discovery{version}/keys",
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": f"{tenant}{version or '/'}",
        "authorization_endpoint": f"{endpoints}/authorize",
        "device_authorization_endpoint": f"{endpoints}/devicecode",
        "end_session_endpoint": f"{endpoints}/logout",
        "claims_supported": ["sub", "iss", "aud", "exp", "iat", "nbf", "appid", "azp", "tid", "ver"],
        "tenant_region_scope": "EU",
        "cloud_instance_name": urlsplit(tenant).netloc,
    }


async def _instance(request: Request) -> JSONResponse:
    """Tell which hosts are one authority, and where the tenant's openid document is."""
    asked = urlsplit(request.query_params.get("authorization_endpoint", ""))
    tenant = asked.path.strip("/").partition("/")[0] or "common"
    host = urlsplit(_origin(request)).netloc
    return JSONResponse(
        {
            "tenant_discovery_endpoint": f"{_origin(request)}/{tenant}/v2.0/.well-known/openid-configuration",
            "api-version": "1.1",
            "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}],
        }
    )


def _origin(request: Request) -> str:
    """Return scheme and host as the client reached us."""
    return f"{request.url.scheme}://{request.headers.get('host', request.url.netloc)}"
