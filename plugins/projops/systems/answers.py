"""Answers of both systems as they are read: JSON objects, pages of rows, links."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec
import pyarrow as pa

from projops.errors import PoisonPageError, ProtocolError

NEXT_LINK, DELTA_LINK = "@odata.nextLink", "@odata.deltaLink"
ETAG, CONTEXT = "@odata.etag", "@odata.context"
DELETED_ID, DELETED_ENTRY = "id", "/$deletedEntity"  # of an entry that says which row was deleted [D]
_NEXT_NAME = f'"{NEXT_LINK}"'.encode()
_NEXT = re.compile(re.escape(_NEXT_NAME) + rb'\s*:\s*("[^"]*")')  # no address holds a quote
_DECODER = msgspec.json.Decoder(float_hook=Decimal)


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list or of a delta.

    Attributes:
        batch: `_id` (lower-case GUID; null where the entity has none), `_version` (Dataverse: row
            version, Finance: etag), then a column for each property, by its name.
        deleted: GUIDs of deleted rows (Dataverse deltas only).
        next_link: Where the next page is, or None.
        delta_link: Where the next delta begins; on the last page of a tracked read only.
    """

    batch: pa.RecordBatch
    deleted: tuple[str, ...] = ()
    next_link: str | None = None
    delta_link: str | None = None


def decode_json(body: bytes, what: str) -> dict[str, Any]:
    """Read a JSON object, its fractions as `Decimal`.

    Args:
        body: The answer.
        what: What was read, for messages.

    Raises:
        PoisonPageError: It is no JSON object.
    """
    try:
        content = _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise _poison(body, f"The answer to {what} is no JSON.") from None
    if not isinstance(content, dict):
        raise _poison(body, f"The answer to {what} is no JSON object.")
    return content


def _poison(body: bytes, message: str) -> PoisonPageError:
    return PoisonPageError(message, body=body, remedy="See whether the host is the right one.")


def link_in(content: Mapping[str, Any], name: str, what: str) -> str | None:
    """Take a link out of an answer; None where it has none.

    Raises:
        ProtocolError: What stands there is no text.
    """
    link = content.get(name)
    if link is not None and not isinstance(link, str):
        raise unlike(what, f"holds a link ({name}) that is no text", name)
    return link


def probable_next_link(body: bytes) -> str | None:
    """Look for the next link of a page without reading the page; None where none is found at once.

    It is a guess: the same words may stand deeper in the answer. What the page says when it has been read
    counts.
    """
    found = _NEXT.match(body, max(body.rfind(_NEXT_NAME), 0))
    try:
        return None if found is None else msgspec.json.decode(found[1], type=str)
    except ValueError:
        return None


def unlike(what: str, how: str, field: str, row: object = None) -> ProtocolError:
    """Give the error for a value that is not what its column holds."""
    return ProtocolError(
        f"The answer to {what} {how}.",
        remedy="Compare the column's type in the catalog with the system's own metadata.",
        field=field,
        row=row,
    )
