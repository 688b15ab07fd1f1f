"""Where Data Docs stand below the staging area: for those who write, show and link them."""

from __future__ import annotations

DOCS = "docs"
INDEX = "index.html"


def leg_folder(map_id: str, leg: str) -> str:
    """Give the folder of a leg below the root of the staging area."""
    return f"{DOCS}/{map_id}/{leg}"
