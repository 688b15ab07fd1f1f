"""Texts from elsewhere in the form in which the state can keep them."""

from hashlib import sha256

from projops.mapping.keys import LONGEST_KEY

_LONGEST_BEGINNING = 250


def storable(text: str) -> str:
    """Replace the one character that Postgres takes in no text."""
    return text.replace("\0", "\ufffd")


def identity(source_id: str) -> str:
    """Give a row's identity in a form that fits its column: of a longer one the beginning, and its digest."""
    if len(source_id) <= LONGEST_KEY:
        return storable(source_id)
    return f"{storable(source_id)[:_LONGEST_BEGINNING]}…{sha256(source_id.encode()).hexdigest()}"


def key(text: str | None) -> str | None:
    """Give a key text, or None where it is longer than any key that the state can keep."""
    return None if text is None or len(text) > LONGEST_KEY else text
