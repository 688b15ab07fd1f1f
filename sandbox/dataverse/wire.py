"""A request and its answer as plain values: what HTTP, a `$batch` part and a test have in common."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from urllib.parse import parse_qsl

from sandbox.dataverse.errors import PLUGIN_REFUSED, ApiError
from sandbox.odata.wire import dumps

_PAGE_SIZE = re.compile("[0-9]{1,9}")

JSON = "application/json; odata.metadata=minimal"
_ERRORS = "Microsoft.PowerApps.CDS"


@dataclass(frozen=True, slots=True)
class Preferences:
    """The Prefer header, several values comma-joined or repeated.

    Attributes:
        page_size: `odata.maxpagesize`, None where not asked for.
        track_changes: `odata.track-changes`.
        representation: `return=representation`.
        annotations: Pattern of `odata.include-annotations`, "" for none.
        continue_on_error: `odata.continue-on-error`.
    """

    page_size: int | None = None
    track_changes: bool = False
    representation: bool = False
    annotations: str = ""
    continue_on_error: bool = False

    def applied(self) -> dict[str, str]:
        """Return the `Preference-Applied` header, or nothing."""
        words = [
            f"odata.maxpagesize={self.page_size}" if self.page_size else "",
            "odata.track-changes" if self.track_changes else "",
            "return=representation" if self.representation else "",
            f'odata.include-annotations="{self.annotations}"' if self.annotations else "",
        ]
        text = ", ".join(word for word in words if word)
        return {"Preference-Applied": text} if text else {}


@dataclass(frozen=True, slots=True)
class Request:
    """One operation.

    Attributes:
        method: HTTP verb.
        path: Below the service root, URL-decoded, without slash at the ends.
        query: The raw query string.
        root: Service root as the client reached it: `http://127.0.0.1:8801/api/data/v9.2/`.
        headers: By lower-case name.
        body: Raw.
        content_ids: What `$1` stands for inside a changeset: `accounts(guid)` by content id.
        in_batch: Whether this is a part of a `$batch`.
    """

    method: str
    path: str
    query: str
    root: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    content_ids: Mapping[str, str] = field(default_factory=dict)
    in_batch: bool = False

    @property
    def options(self) -> dict[str, str]:
        """Query options, URL-decoded, by name."""
        return dict(parse_qsl(self.query, keep_blank_values=True))

    def option(self, name: str) -> str | None:
        """Return one of Dataverse's own query options, whose names compare without case; None without it."""
        own = {option.lower(): value for option, value in self.options.items()}
        return own.get(name.lower())

    @property
    def preferences(self) -> Preferences:
        """The Prefer header, read."""
        return read_preferences(self.headers.get("prefer", ""))


@dataclass(frozen=True, slots=True)
class Response:
    """An answer, with what stats note about it.

    Attributes:
        status: HTTP status.
        body: Raw.
        headers: As they go out; `OData-Version` is added at the rim.
        key: GUID of the row that was written.
        columns: Columns that were written.
        rows: Rows read or written.
        verb: Name of the bulk message, "" for the HTTP verb.
        entity: Entity set that was asked, "" for none.
        written: GUID and columns of each row of a bulk message, in the order of its targets.
    """

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    key: str = ""
    columns: tuple[str, ...] = ()
    rows: int = 0
    verb: str = ""
    entity: str = ""
    written: tuple[tuple[str, tuple[str, ...]], ...] = ()


def read_preferences(header: str) -> Preferences:
    """Read a Prefer header; what is unknown or malformed is ignored, as preferences are."""
    values: dict[str, str] = {}
    for part in _split_quoted(header):
        name, _, value = part.partition("=")
        values[name.strip().lower()] = value.strip().strip('"')
    size = values.get("odata.maxpagesize", "")
    return Preferences(
        page_size=min(int(size), 5000) or None if _PAGE_SIZE.fullmatch(size) else None,
        track_changes="odata.track-changes" in values,
        representation=values.get("return") == "representation",
        annotations=values.get("odata.include-annotations", ""),
        continue_on_error="odata.continue-on-error" in values
        and values["odata.continue-on-error"] != "false",
    )


def json_response(status: int, value: object, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with JSON, decimals exact."""
    return Response(status, dumps(value), {"Content-Type": JSON, **(headers or {})})


def error_response(error: ApiError, annotations: str = "") -> Response:
    """Answer with an error body.

    Args:
        error: What went wrong.
        annotations: Pattern of `odata.include-annotations`: further details that the client asks for [D].
    """
    details = {f"@{name}": text for name, text in _details(error).items() if _asked(name, annotations)}
    body = {"error": {"code": error.code, "message": error.message, **details}}
    return json_response(error.status, body)


def _details(error: ApiError) -> dict[str, str]:
    code = error.code.removeprefix("0x")
    details = {
        f"{_ERRORS}.HelpLink": "http://go.microsoft.com/fwlink/?LinkID=398563&error="
        f"Microsoft.Crm.CrmException%3a{code}&client=platform",
        f"{_ERRORS}.TraceText": f"\r\n{error.message}\r\n",
        f"{_ERRORS}.InnerError.Message": error.message,
    }
    if error.code != PLUGIN_REFUSED:
        return details
    return {
        f"{_ERRORS}.ErrorDetails.OperationStatus": "0",
        f"{_ERRORS}.ErrorDetails.SubErrorCode": "-2146233088",
        **details,
    }


def _asked(name: str, pattern: str) -> bool:
    return any(fnmatchcase(name, part.strip()) for part in pattern.split(","))


def _split_quoted(header: str) -> list[str]:
    """Split at commas and semicolons that stand outside of double quotes."""
    parts, quoted = [""], False
    for character in header:
        quoted ^= character == '"'
        if character in ",;" and not quoted:
            parts.append("")
        else:
            parts[-1] += character
    return [part for part in parts if part.strip()]
