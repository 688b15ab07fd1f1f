"""Every page that links lead to, and what axe-core finds wrong with one."""

import re
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.people import CONSOLE, Session

_SERIOUS = {"serious", "critical"}
_FILES = ("reports/", "docs/", "static/")
_OPTIONS = {
    "resultTypes": ["violations"],
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
}


def pages(session: Session) -> dict[str, str]:
    """Follow the links of the console from its first page; give a path of each kind of page.

    Pages are of one kind where only a number, a map or a key tells them apart.
    """
    found: dict[str, str] = {}
    ahead = ["maps"]
    while ahead:
        path = ahead.pop(0)
        if kind_of(path) in found:
            continue
        found[kind_of(path)] = path
        ahead += _links(session.goto(path))
    return found


def kind_of(path: str) -> str:
    """Name the kind of a page: its path with a star for each part that may be another."""
    first, *others = urlsplit(path).path.split("/")
    fixed = {"plan", "rows", "month-end", "decisions"}
    return "/".join([first, *(part if part in fixed else "*" for part in others[:2])])


def _links(page: Page) -> list[str]:
    addresses = page.eval_on_selector_all("a[href]:not([data-out])", "all => all.map(each => each.href)")
    paths = [re.sub(r"#.*", "", each).partition(CONSOLE)[2] for each in addresses]
    return [path for path in paths if path and not path.startswith(_FILES)]


def violations(page: Page) -> list[str]:
    """Say what axe-core finds that is serious or critical, a line each."""
    found = Axe().run(page, options=_OPTIONS).response["violations"]
    return [
        f"{each['id']}: {node['target']} {node['html'][:200]}"
        for each in found
        if each["impact"] in _SERIOUS
        for node in each["nodes"][:3]
    ]
