"""Every page that the console has, as its application names them, with an address to ask each at."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import get_type_hints
from urllib.parse import quote, urlencode

from fastapi import FastAPI
from fastapi.responses import RedirectResponse, StreamingResponse
from fastapi.routing import APIRoute

_NO_PAGES = (RedirectResponse, StreamingResponse)  # ways to pages, and files that runs have published
# How people narrow a page, beside asking for all of it.
_QUERIES: Mapping[str, tuple[Mapping[str, str], ...]] = {
    "/maps": ({"q": "proj"}, {"area": "estimates_and_actuals"}),
    "/letters": (
        {"map": "actuals"},
        {"status": "parked"},
        {"rule": "transaction_dates"},
        {"q": "PRJ-0000123"},
    ),
    "/letters/rows": ({"map": "actuals", "rule": "transaction_dates", "status": "open"},),
    "/conflicts": ({"map": "actuals"},),
    "/trace": ({"q": "PRJ-0000123"},),
    "/audit": ({"subject": "actuals"},),
}


@dataclass(frozen=True, slots=True)
class Page:
    """A page.

    Attributes:
        name: Path as the application declares it, with what a query narrows it by.
        address: Path and query that can be asked for.
    """

    name: str
    address: str


def pages_of(app: FastAPI, known: Mapping[str, object]) -> Iterator[Page]:
    """Name every page of an application.

    Args:
        app: The application.
        known: What stands for each parameter of a path, by `<first part of the path>.<parameter>`.

    Raises:
        LookupError: A path has a parameter for which nothing is known: names it.
    """
    for route in app.routes:
        if isinstance(route, APIRoute) and _is_page(route):
            path = route.path_format
            for name in route.param_convertors:
                path = path.replace(f"{{{name}}}", quote(str(_value(route.path, name, known)), safe=""))
            yield Page(route.path_format, path)
            for query in _QUERIES.get(route.path, ()):
                yield Page(f"{route.path} by {', '.join(query)}", f"{path}?{urlencode(query)}")


def _is_page(route: APIRoute) -> bool:
    return "GET" in route.methods and get_type_hints(route.endpoint)["return"] not in _NO_PAGES


def _value(path: str, name: str, known: Mapping[str, object]) -> object:
    wanted = f"{path.split('/')[1]}.{name}"
    if wanted not in known:
        raise LookupError(f"The page {path} has the parameter {name}: say what stands for {wanted}.")
    return known[wanted]
