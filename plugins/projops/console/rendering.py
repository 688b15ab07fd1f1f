"""Pages as answers: the templates, and what each page is told beside its own facts."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from fastapi import Request, status
from fastapi.responses import HTMLResponse
from jinja2 import Environment

from projops.console.access import Viewer
from projops.console.forgery import FIELD, form_token, unsealed
from projops.console.headers import asset
from projops.pages import environment

SAID = "said"  # the query parameter in which an action hands on what it did
NAVIGATION = (
    ("maps", "Maps"),
    ("letters", "Dead letters"),
    ("conflicts", "Conflicts"),
    ("reconciliations", "Reconciliation"),
    ("trace", "Trace"),
    ("alerts", "Alerts"),
    ("audit", "Audit"),
)
"""The pages that every page leads to: path below the console's root, and title."""


def page(
    request: Request, viewer: Viewer | None, template: str, code: int = status.HTTP_200_OK, **facts: Any
) -> HTMLResponse:
    """Render a page.

    Beside its facts a template sees `root` (path of the console), `airflow` (path of Airflow), `viewer`, the
    macros as `ui` (`macros.html.j2`), and `here_with(name=value)`: the page's own address with other
    parameters.

    A request of htmx (`HX-Request`) that names a block of the template by `HX-Target` is answered with
    that block alone: the part of the page that changes. So a block holds the element of its name,
    `{% block letters %}<div id="letters">`, and nothing that the template sets outside of the block.

    Args:
        request: The request.
        viewer: Who asks: templates see their rights as `viewer`. None on pages of errors.
        template: File below `templates/`.
        code: Status of the answer.
        facts: What the template shows.
    """
    found = _environment().get_template(template)
    told = {**_frame(request, viewer), **facts}
    told["ui"] = _environment().get_template("macros.html.j2").make_module(told)
    block = request.headers.get("HX-Target", "") if "HX-Request" in request.headers else ""
    if block in found.blocks:
        return HTMLResponse("".join(found.blocks[block](found.new_context(told))), code)
    return HTMLResponse(found.render(told), code)


def root(request: Request) -> str:
    """Give the path below which the console's pages lie, without a slash at its end: `/projops`."""
    return str(request.scope.get("root_path", "")).rstrip("/")


def airflow_root(request: Request) -> str:
    """Give the path below which Airflow's own pages lie, without a slash at its end: mostly ""."""
    return str(request.scope.get("app_root_path", "")).rstrip("/")


def _frame(request: Request, viewer: Viewer | None) -> dict[str, Any]:
    below = request.url.path.removeprefix(root(request)).strip("/")

    def here_with(**changes: Any) -> str:
        kept = [each for each in request.query_params.multi_items() if each[0] not in {SAID, *changes}]
        query = urlencode([*kept, *((name, value) for name, value in changes.items() if value is not None)])
        return f"{root(request)}/{below}" + (f"?{query}" if query else "")

    return {
        "root": root(request),
        "airflow": airflow_root(request),
        "asset": asset,
        "here": below.partition("/")[0],
        "here_with": here_with,
        "viewer": viewer,
        "navigation": _navigation(viewer),
        "form_field": FIELD,
        "form_token": form_token(viewer.name) if viewer else "",
        "said": unsealed(request.query_params.get(SAID, "")),
    }


def _navigation(viewer: Viewer | None) -> Mapping[str, str]:
    shown = dict(NAVIGATION)
    if viewer is None or not viewer.reads(None):
        del shown["audit"]
    return shown


@lru_cache
def _environment() -> Environment:
    return environment("projops.console", "templates")
