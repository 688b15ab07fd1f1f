"""What the forms of the console share: they come from our own pages, and say where they lead afterwards."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import Depends, HTTPException, Request, status
from fastapi.responses import RedirectResponse

from projops.console.access import SignedIn
from projops.console.forgery import require_own_form, sealed
from projops.console.rendering import SAID, root

_FORM = "application/x-www-form-urlencoded"
_LONGEST = 1 << 18  # bytes
_MOST_FIELDS = 1_000


class Fields(Mapping[str, str]):
    """The fields of a form, by name; one that may come several times is asked for by `each`.

    Args:
        pairs: Names and texts, as they came.
    """

    def __init__(self, pairs: Sequence[tuple[str, str]]) -> None:
        self._texts: dict[str, list[str]] = {}
        for name, text in pairs:
            self._texts.setdefault(name, []).append(text)

    def each(self, name: str) -> Sequence[str]:
        """Give all texts of a field, such as those of the boxes that are ticked."""
        return self._texts.get(name, [])

    def __getitem__(self, name: str) -> str:
        """Give the text of a field.

        Raises:
            KeyError: There is no such field.
            HTTPException: 422 where it came more than once.
        """
        texts = self._texts[name]
        if len(texts) > 1:
            raise _refused(status.HTTP_422_UNPROCESSABLE_CONTENT, f"The field {name!r} came more than once.")
        return texts[0]

    def __iter__(self) -> Iterator[str]:
        """Go through the names."""
        return iter(self._texts)

    def __len__(self) -> int:
        """Count the names."""
        return len(self._texts)


async def own_form(request: Request, viewer: SignedIn) -> Fields:
    """Give the fields of a form that was sent from a page of ours.

    Raises:
        HTTPException: 401 without a valid token, 403 for a form from elsewhere, 413 for one that is too big,
            415 for anything but a form of texts, 422 for texts that are none.
    """
    if request.headers.get("Content-Type", _FORM).partition(";")[0].strip().lower() != _FORM:
        raise _refused(status.HTTP_415_UNSUPPORTED_MEDIA_TYPE, f"Send a form of texts ({_FORM}).")
    fields = _read(await _body(request))
    require_own_form(request, fields, viewer.name)
    return fields


OwnForm = Annotated[Fields, Depends(own_form)]


def back_to(request: Request, path: str, said: str) -> RedirectResponse:
    """Lead to a page after an action, which says there what it did.

    Args:
        request: The request.
        path: Path of the page below the console's root, which may have a query.
        said: One sentence.
    """
    mark = "&" if "?" in path else "?"
    address = f"{root(request)}/{path}{mark}{SAID}={sealed(said)}"
    return RedirectResponse(address, status.HTTP_303_SEE_OTHER)


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > _LONGEST:
            raise _refused(
                status.HTTP_413_CONTENT_TOO_LARGE,
                f"A form may hold {_LONGEST // 1024} KB. Choose fewer rows.",
            )
    return bytes(body)


def _read(body: bytes) -> Fields:
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS
        )
    except ValueError:  # UnicodeDecodeError, too
        raise _refused(
            status.HTTP_422_UNPROCESSABLE_CONTENT,
            f"The form is none in UTF-8 of at most {_MOST_FIELDS} fields.",
        ) from None
    if any("\0" in part for pair in pairs for part in pair):
        raise _refused(status.HTTP_422_UNPROCESSABLE_CONTENT, "The form holds characters that no text has.")
    return Fields(pairs)


def _refused(code: int, sentence: str) -> HTTPException:
    return HTTPException(code, sentence)
