"""Bodies of requests: JSON, in the encoding and the form that the Content-Type says."""

import re

from sandbox.finance.errors import FinanceError, RoutingError
from sandbox.finance.request import DataRequest
from sandbox.odata.wire import loads

_JSON = frozenset({"", "application/json", "text/json"})  # no Content-Type at all is taken for JSON [?]
_UTF8 = frozenset({"", "utf-8", "utf8", "us-ascii"})
_CHARSET = re.compile(r"charset\s*=\s*\"?([^\s;\"]+)", re.IGNORECASE)
_TEXT_NUMBERS = re.compile(r"ieee754compatible\s*=\s*\"?true\b", re.IGNORECASE)
_MARK = b"\xef\xbb\xbf"


def read_body(request: DataRequest) -> object:
    """The JSON of a request; a byte order mark before it is no part of it.

    Raises:
        FinanceError: There is no body.
        ODataError: It is not JSON.
        RoutingError: The Content-Type is not JSON in UTF-8 (415).
    """
    content_type = request.headers.get("content-type", "")
    media_type = content_type.partition(";")[0].strip().lower()
    charset = _CHARSET.search(content_type)
    if media_type not in _JSON or (charset is not None and charset[1].lower() not in _UTF8):
        message = f"The request entity's media type '{content_type}' is not supported for this resource."
        raise RoutingError(415, message)
    body = request.body.removeprefix(_MARK)
    if not body.strip():
        raise FinanceError(400, "A non-empty request body is required.")
    return loads(body)


def takes_text_numbers(request: DataRequest) -> bool:
    """Whether the body holds decimals and 64-bit integers as text: `IEEE754Compatible=true` [D OData 4.0]."""
    return _TEXT_NUMBERS.search(request.headers.get("content-type", "")) is not None
