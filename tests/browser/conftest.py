"""Chromium, and people with one role each, signed in to Airflow by its own form.

All tests share the Airflow and the sandbox of `tests/stack.py`, and leave both systems in step.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from runner.stack import Stack
from tests.browser.chromium import arguments, executable, missing
from tests.browser.people import PATIENCE_MS, People, Session

_NARROW = {"maps": "maps", "maps/*": "map"}
AsRole = Callable[..., Session]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--screenshots", type=Path, help="folder in which pictures of the console are put")


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    if lacking := list(missing()):
        pytest.fail(" ".join(lacking), pytrace=False)
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable(), args=arguments())
        yield chromium
        chromium.close()


@pytest.fixture(scope="package")
def people(stack: Stack, first_rounds: list[int], browser: Browser) -> People:
    """All areas are in step, and nobody has signed in yet."""
    return People(stack.airflow, browser)


@pytest.fixture
def as_role(people: People) -> Iterator[AsRole]:
    """Open the console as somebody with a role; at the end no page may have complained."""
    opened: list[Session] = []

    def go(role: str, **device: object) -> Session:
        opened.append(people.session(role, **device))
        return opened[-1]

    yield go
    complaints = [complaint for session in opened for complaint in session.complaints]
    for session in opened:
        session.close()
    assert complaints == []


@pytest.fixture
def admin(as_role: AsRole) -> Page:
    return as_role("admin").page


@dataclass(frozen=True)
class Pictures:
    """Where pictures of the console go; nowhere, unless they were asked for."""

    folder: Path | None

    def take(self, page: Page, name: str) -> None:
        """Take what the window shows."""
        if self.folder is not None:
            page.screenshot(path=self.folder / f"console-{name}.png")

    def take_page(self, page: Page, kind: str) -> None:
        """Take a page as a narrow dark window shows it, of the pages that the handbook shows so."""
        if kind in _NARROW:
            self.take(page, f"{_NARROW[kind]}-narrow")


@pytest.fixture
def pictures(request: pytest.FixtureRequest) -> Pictures:
    return Pictures(request.config.getoption("--screenshots", default=None))
