"""Which Chromium drives the console, how it is started, and what is missing where there is none."""

import importlib.util
import os
import shutil
from collections.abc import Iterator

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_PACKAGES = ("playwright", "axe_playwright_python")
QUIET = (
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-gpu",
    "--disable-quic",
)
"""Nothing but the console is asked for anything."""


def executable() -> str | None:
    """Find Chromium: the one that `CHROMIUM` names, or the first on PATH."""
    named = os.environ.get("CHROMIUM")
    return shutil.which(named) if named else next(filter(None, map(shutil.which, _NAMES)), None)


def arguments() -> list[str]:
    """Give Chromium's options: root has no sandbox of its own to start it in."""
    return [*QUIET, *(["--no-sandbox"] if os.geteuid() == 0 else [])]


def missing() -> Iterator[str]:
    """Say what these tests lack, a sentence each, with where to get it."""
    for package in _PACKAGES:
        if importlib.util.find_spec(package) is None:
            yield f"The Python package {package} is missing: 'make setup' installs it."
    if executable() is None:
        named = os.environ.get("CHROMIUM")
        what = (
            f"CHROMIUM names {named}, which cannot be run"
            if named
            else f"none of {', '.join(_NAMES)} is on PATH"
        )
        yield (
            f"Chromium is missing: {what}. Debian and Ubuntu have it as the package chromium "
            "('apt-get install chromium'); elsewhere name one with CHROMIUM=/path/to/chromium."
        )
