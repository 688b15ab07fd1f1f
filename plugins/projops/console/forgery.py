"""That a form was sent from a page of ours, and not from somebody else's in the same browser.

Airflow's cookie goes with every request of the browser. So a form carries a token that only a page of ours
can hold: signed with Airflow's own secret, made out to the user, good for a working day. And the browser
itself says where a form comes from (`Sec-Fetch-Site`; over plain http only `Origin`), which nobody's page can
change. A request that carries Airflow's token in its Authorization header needs neither: no browser adds
that header by itself, so a program sent it.
"""

from collections.abc import Mapping
from urllib.parse import urlsplit

from airflow.configuration import conf
from fastapi import HTTPException, Request, status
from fastapi.security.utils import get_authorization_scheme_param
from itsdangerous import BadSignature, URLSafeTimedSerializer

FIELD = "form_token"
_FORM = "form"
_SECONDS = 12 * 3600
_SAID = "said"
_SAID_SECONDS = 300
_REFUSED = "This form came from another page, or is too old. Load the page again and repeat what you did."


def form_token(user: str) -> str:
    """Make out a token to a user."""
    return str(_signer(_FORM).dumps(user))


def require_own_form(request: Request, fields: Mapping[str, str], user: str) -> None:
    """Insist that a form was sent from a page of ours to the same user, or by a program.

    Args:
        request: The request, whose headers say from where the browser sent it.
        fields: Fields of the form.
        user: Who sends it.

    Raises:
        HTTPException: 403.
    """
    if _by_a_program(request):
        return
    if not _from_our_site(request) or _user_of(fields.get(FIELD, "")) != user:
        raise HTTPException(status.HTTP_403_FORBIDDEN, _REFUSED)


def sealed(sentence: str) -> str:
    """Seal what an action did for the address of the page that says it: no other link makes it speak."""
    return str(_signer(_SAID).dumps(sentence))


def unsealed(text: str) -> str:
    """Give a sealed sentence back; "" for one that is not ours, or older than some minutes."""
    try:
        return str(_signer(_SAID).loads(text, max_age=_SAID_SECONDS))
    except BadSignature:
        return ""


def _by_a_program(request: Request) -> bool:
    """Whether the user is known by the header and not by the cookie: read as Airflow reads it."""
    scheme, token = get_authorization_scheme_param(request.headers.get("Authorization"))
    return scheme.lower() == "bearer" and bool(token)


def _from_our_site(request: Request) -> bool:
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("Origin")
    return origin is None or urlsplit(origin).netloc in {
        request.headers.get("Host"),
        urlsplit(conf.get("api", "base_url", fallback="")).netloc or None,
    }


def _user_of(token: str) -> str | None:
    try:
        return str(_signer(_FORM).loads(token, max_age=_SECONDS))
    except BadSignature:
        return None


def _signer(purpose: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(conf.get("api", "secret_key"), salt=f"projops.console.{purpose}")
