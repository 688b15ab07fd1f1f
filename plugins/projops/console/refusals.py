"""Answers to what cannot be done: a page for people, a sentence for programs, a part of the page for htmx."""

from http import HTTPMethod
from urllib.parse import quote, urlencode, urlsplit

from fastapi import Request, Response, status
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse
from markupsafe import escape
from starlette.exceptions import HTTPException

from projops.console.access import NotSignedInError
from projops.console.headers import HEADERS
from projops.console.rendering import airflow_root, page, root
from projops.errors import ConfigurationError, LeaseHeldError, ProjOpsError, TryAgainError

_TITLES = {
    status.HTTP_401_UNAUTHORIZED: "You are signed out",
    status.HTTP_403_FORBIDDEN: "Not allowed",
    status.HTTP_404_NOT_FOUND: "Not there",
    status.HTTP_409_CONFLICT: "Not now",
    status.HTTP_500_INTERNAL_SERVER_ERROR: "Something broke",
    status.HTTP_503_SERVICE_UNAVAILABLE: "Not available",
}
_SENTENCES = {
    "Not Found": "There is no such page.",
    "Method Not Allowed": "This address does not take such a request.",
}
_BROKE = "The console has met an error of its own. The log of Airflow's API server says which."


def refuse(request: Request, error: HTTPException) -> Response:
    """Answer an error with its sentence; a page that needs signing in leads there."""
    if isinstance(error, NotSignedInError):
        return _sign_in(request, error)
    sentence = _SENTENCES.get(error.detail, error.detail)
    return _answer(request, error.status_code, sentence, headers=dict(error.headers or {}))


def refuse_ours(request: Request, error: ProjOpsError) -> Response:
    """Answer an error of the engine, such as a state database that is away, with its sentence and remedy."""
    passing = isinstance(error, TryAgainError | ConfigurationError) and not isinstance(error, LeaseHeldError)
    code = status.HTTP_503_SERVICE_UNAVAILABLE if passing else status.HTTP_409_CONFLICT
    return _answer(request, code, error.message, error.remedy)


def refuse_form(request: Request, error: RequestValidationError) -> Response:
    """Answer an address or a form that does not hold what it must; what it holds is not repeated."""
    names = ", ".join(sorted({str(each["loc"][-1]) for each in error.errors()}))
    return _answer(request, status.HTTP_422_UNPROCESSABLE_CONTENT, f"This is not as it must be: {names}.")


def require_text(request: Request) -> None:
    """Insist on an address whose parameters are texts: a database refuses what no text holds.

    Raises:
        HTTPException: 422.
    """
    if any("\0" in part for pair in request.query_params.multi_items() for part in pair):
        sentence = "The address holds characters that no text has."
        raise HTTPException(status.HTTP_422_UNPROCESSABLE_CONTENT, sentence)


def confess(request: Request, _error: Exception) -> Response:
    """Answer an error that nobody foresaw: what it was stands in the log alone."""
    return _answer(request, status.HTTP_500_INTERNAL_SERVER_ERROR, _BROKE, headers=dict(HEADERS))


def _sign_in(request: Request, error: HTTPException) -> Response:
    if "HX-Request" in request.headers:  # htmx loads the whole page again, which leads to the sign-in
        return Response(status_code=error.status_code, headers={"HX-Refresh": "true"})
    reads = request.method in {HTTPMethod.GET, HTTPMethod.HEAD}
    # Quoted anew: in the request's own URL a per cent sign of a key stands for itself.
    here = quote(request.scope["path"], safe="/")
    back = f"{here}?{request.url.query}".rstrip("?") if reads else _before(request)
    address = f"{airflow_root(request)}/api/v2/auth/login?{urlencode({'next': back})}"
    # Identity providers refuse to be shown inside of a frame: there a link leads out of it.
    if reads and _is_for_people(request) and request.headers.get("Sec-Fetch-Dest") != "iframe":
        return RedirectResponse(address, status.HTTP_303_SEE_OTHER)
    headers = dict(error.headers or {})
    return _answer(request, error.status_code, str(error.detail), sign_in=address, headers=headers)


def _answer(
    request: Request,
    code: int,
    sentence: str,
    remedy: str = "",
    sign_in: str = "",
    headers: dict[str, str] | None = None,
) -> Response:
    whole = f"{sentence} {remedy}".strip()
    if "HX-Request" in request.headers:
        return HTMLResponse(f"<p>{escape(whole)}</p>", code, headers)
    if not _is_for_people(request):
        return PlainTextResponse(f"{whole}\n", code, headers)
    facts = {
        "heading": _TITLES.get(code, "Not understood"),
        "sentence": sentence,
        "remedy": remedy,
        "sign_in": sign_in,
        "back": _before(request),
    }
    shown = page(request, None, "error.html.j2", code, **facts)
    shown.headers.update(headers or {})
    return shown


def _is_for_people(request: Request) -> bool:
    return "text/html" in request.headers.get("Accept", "")


def _before(request: Request) -> str:
    """Give the page of ours from which the request came, or the first."""
    came_from = urlsplit(request.headers.get("Referer", ""))
    own = came_from.netloc == request.headers.get("Host") and came_from.path.startswith(f"{root(request)}/")
    if not own or came_from.path == request.url.path:
        return f"{root(request)}/maps"
    return came_from.path + (f"?{came_from.query}" if came_from.query else "")
