"""People in front of a browser: who they are, what they opened, what their browser complained of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Page

from runner.airflow import Airflow

WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 360, "height": 740}
PATIENCE_MS = 30_000
CONSOLE = "/projops/"


@dataclass(frozen=True)
class Session:
    """A browser's window of somebody who has signed in.

    Attributes:
        context: Cookies and settings of the browser.
        page: The window.
        address: Where Airflow answers.
        complaints: Errors of the console's pages that the browser has told of: scripts, policies, requests.
    """

    context: BrowserContext
    page: Page
    address: str
    complaints: list[str] = field(default_factory=list)

    def goto(self, path: str) -> Page:
        """Open a page of the console without Airflow's frame around it, by its path below `/projops/`."""
        self.page.goto(f"{self.address}{CONSOLE}{path}")
        return self.page

    def close(self) -> None:
        self.context.close()


class People:
    """Signs everybody in once, by Airflow's own form.

    Args:
        airflow: The running Airflow.
        browser: The browser.
    """

    def __init__(self, airflow: Airflow, browser: Browser) -> None:
        self._airflow, self._browser = airflow, browser
        self._known: dict[str, Any] = {}

    def session(self, role: str, **device: Any) -> Session:
        """Open a window of the user with a role; `device` is what Playwright knows of a device."""
        if role not in self._known:
            with self._browser.new_context() as context:
                sign_in(context.new_page(), self._airflow, role)
                self._known[role] = context.storage_state()
        return self.window({"viewport": WIDE, **device}, self._known[role])

    def window(self, device: Mapping[str, Any], known: Any = None) -> Session:
        """Open a window of a device; without `known` nobody has signed in there."""
        # Colours on their way from one to the other would be judged as they are halfway.
        context = self._browser.new_context(storage_state=known, reduced_motion="reduce", **device)
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        session = Session(context, page, self._airflow.address)
        context.on("console", lambda message: _note_message(session, message))
        context.on("weberror", lambda error: _note_error(session, error.error))
        return session


def sign_in(page: Page, airflow: Airflow, role: str) -> None:
    """Fill in Airflow's own form."""
    page.goto(airflow.address)
    page.get_by_label("Username").fill(role)
    page.get_by_label("Password").fill(airflow.passwords[role])
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name="Table maps").wait_for()


def _note_message(session: Session, message: ConsoleMessage) -> None:
    """Note errors of our pages, and whatever a policy of ours has refused."""
    address = message.location.get("url", "")
    ours = CONSOLE in address or "Content Security Policy" in message.text
    if message.type == "error" and ours:
        session.complaints.append(f"{address}: {message.text}")


def _note_error(session: Session, error: Error) -> None:
    if CONSOLE in (error.stack or ""):
        session.complaints.append(str(error))
