"""Whether a request for a token is granted: client credentials, refused in Entra ID's words.

The numbers and sentences are those of Microsoft's list of AADSTS errors [D]; the HTTP statuses are what
the identity libraries see [C]. Each refusal is raised where it is found.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.auth.jwt import BrokenTokenError, read_signed
from sandbox.auth.tokens import TokenDesk

_DEFAULT = "/.default"
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class GrantRefusedError(Exception):
    """A request for a token that is refused.

    Attributes:
        status: HTTP status.
        error: OAuth's word for it.
        number: Entra ID's number.
        text: What is wrong.
    """

    def __init__(self, status: int, error: str, number: int, text: str) -> None:
        """Keep the parts of the answer."""
        super().__init__(text)
        self.status, self.error, self.number, self.text = status, error, number, text


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """A form that was posted to a token endpoint.

    Attributes:
        form: Its fields.
        tenant: The tenant of the path.
        endpoint: Address of the endpoint, as the client reached it.
        version: "1.0" for `/oauth2/token`, "2.0" for `/oauth2/v2.0/token`.
    """

    form: Mapping[str, str]
    tenant: str
    endpoint: str
    version: str

    def demand(self, field: str) -> str:
        """Return a field.

        Raises:
            GrantRefusedError: It is missing.
        """
        value = self.form.get(field, "")
        if not value:
            text = f"The request body must contain the following parameter: '{field}'."
            raise GrantRefusedError(400, "invalid_request", 900144, text)
        return value


def resource_granted(desk: TokenDesk, request: TokenRequest) -> str:
    """Return the resource that a token is granted for.

    Raises:
        GrantRefusedError: It is not.
    """
    grant, client = request.demand("grant_type"), request.demand("client_id")
    if grant != "client_credentials":
        text = f"The app requested an unsupported grant type '{grant}'."
        raise GrantRefusedError(400, "unsupported_grant_type", 70003, text)
    resource = request.demand("resource") if request.version == "1.0" else _scope(request.demand("scope"))
    if not desk.knows_client(client):
        text = (
            f"Application with identifier '{client}' was not found in the directory '{request.tenant}'. "
            "This can happen if the application has not been installed by the administrator of the tenant."
        )
        raise GrantRefusedError(400, "unauthorized_client", 700016, text)
    _prove(desk, request, client)
    return resource


def _scope(scope: str) -> str:
    if not scope.endswith(_DEFAULT):
        text = (
            f"The provided value for scope {scope} is not valid. Client credential flows must have a scope "
            "value with /.default suffixed to the resource identifier (application ID URI)."
        )
        raise GrantRefusedError(400, "invalid_scope", 1002012, text)
    return scope.removesuffix(_DEFAULT)


def _prove(desk: TokenDesk, request: TokenRequest, client: str) -> None:
    """Check the secret, or the assertion that the client signed instead."""
    if "client_assertion" in request.form:
        _check_assertion(desk, request, client)
    elif not request.form.get("client_secret"):
        text = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."
        raise GrantRefusedError(401, "invalid_client", 7000218, text)
    elif not desk.knows_secret(request.form["client_secret"]):
        text = (
            "Invalid client secret provided. Ensure the secret being sent in the request is the client "
            f"secret value, not the client secret ID, for a secret added to app '{client}'."
        )
        raise GrantRefusedError(401, "invalid_client", 7000215, text)


def _check_assertion(desk: TokenDesk, request: TokenRequest, client: str) -> None:
    """Check a token that the client signed with its certificate, for this endpoint and still good."""
    if request.demand("client_assertion_type") != _ASSERTION_TYPE:
        raise GrantRefusedError(400, "invalid_request", 50027, "JWT token is invalid or malformed.")
    if desk.application_key is None:
        text = f"A configuration issue is preventing authentication: app '{client}' has no certificate."
        raise GrantRefusedError(401, "invalid_client", 7000222, text)
    try:
        claims = read_signed(request.form["client_assertion"], desk.application_key)
    except BrokenTokenError as broken:
        text = "Client assertion contains an invalid signature: the key was not found, or it is malformed."
        raise GrantRefusedError(401, "invalid_client", 700027, text) from broken
    expiry = claims.get("exp")
    if not isinstance(expiry, int) or expiry <= desk.now.timestamp():
        text = "Client assertion is not within its valid time range."
        raise GrantRefusedError(401, "invalid_client", 700024, text)
    if claims.get("aud") != request.endpoint or {claims.get("iss"), claims.get("sub")} != {client}:
        text = f"Client assertion is for another audience or app than '{request.endpoint}' and '{client}'."
        raise GrantRefusedError(401, "invalid_client", 700023, text)
