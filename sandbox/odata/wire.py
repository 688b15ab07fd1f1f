"""JSON without a float: decimals are read and written to the last digit."""

import json
from decimal import Decimal
from typing import Any

import msgspec
import orjson

from sandbox.odata.errors import ODataError

_OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_OMIT_MICROSECONDS | orjson.OPT_NON_STR_KEYS
_LARGEST_EXPONENT = 400  # beyond what any column holds; written out, 1e999999999 would fill the memory


def _decimal(text: str) -> Decimal:
    value = Decimal(text)
    if abs(value.adjusted()) > _LARGEST_EXPONENT:
        raise ValueError("Number out of range")
    return value


_decoder = msgspec.json.Decoder(float_hook=_decimal)


def loads(body: bytes) -> Any:
    """Read JSON; numbers with a point or an exponent are Decimal, others int.

    Raises:
        ODataError: The body is not JSON.
    """
    try:
        return _decoder.decode(body)
    except (msgspec.DecodeError, ValueError, RecursionError, ArithmeticError) as error:
        raise ODataError(f"The request body is not valid JSON: {error}.") from None


def sent_object(body: bytes) -> dict[str, Any]:
    """Return the JSON object of a request's body, nothing where there is none or it cannot be read."""
    try:
        value = loads(body) if body else {}
    except ODataError:
        return {}
    return value if isinstance(value, dict) else {}


def dumps(value: object) -> bytes:
    """Write JSON; Decimal as a number with exactly its digits, time stamps as UTC with whole seconds."""
    return orjson.dumps(value, default=_exact, option=_OPTIONS)


def dumps_sorted(value: object) -> bytes:
    """Write JSON as `dumps` does, the members of objects by name: the same for equal values.

    Any JSON that could be read is written, also what no column takes: integers of any length, deep nesting.
    """
    try:
        return orjson.dumps(value, default=_exact, option=_OPTIONS | orjson.OPT_SORT_KEYS)
    except TypeError:
        return json.dumps(value, default=str, sort_keys=True).encode("utf-8", "surrogatepass")


def error_body(code: str, message: str) -> bytes:
    """Write the JSON with which either system says that something went wrong, in its plainest form."""
    return dumps({"error": {"code": code, "message": message}})


def _exact(value: object) -> orjson.Fragment:
    if isinstance(value, Decimal) and value.is_finite():
        return orjson.Fragment(format(value, "f").encode())
    raise TypeError(f"{type(value).__name__} has no JSON form")
