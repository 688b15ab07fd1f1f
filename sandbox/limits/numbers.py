"""The limits as numbers: what is documented, or what a test has put in their place."""

from typing import Annotated

import msgspec
from msgspec import Meta

_Count = Annotated[int, Meta(ge=1)]
_Seconds = Annotated[float, Meta(gt=0)]


class LimitsError(ValueError):
    """Limits that cannot be; its text says which part."""


class FinanceLimits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Finance has no limits for a user any more, but turns requests away while it is busy (protocol 0.1).

    Attributes:
        concurrent: Requests that may run at once, of all clients together.
        retry_after: What it tells those to wait that it turns away, in seconds.
    """

    concurrent: _Count
    retry_after: Annotated[int, Meta(ge=0)] = 5


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Service protection limits; the defaults are those that Dataverse documents [D], for one web server.

    Attributes:
        window_seconds: Length of the sliding window.
        requests: Requests of a user in a window. A `$batch` and a bulk message are one request [D].
        execution_seconds: Time that a user's requests may take in a window, all together.
        concurrent: Requests of a user that may run at once.
        dop_hint: Parallel requests that every answer recommends; live systems say 4 to 50 [L].
        finance: Finance's throttling, None for none.
    """

    window_seconds: _Seconds = 300
    requests: _Count = 6_000
    execution_seconds: _Seconds = 1_200
    concurrent: _Count = 52
    dop_hint: _Count = 8
    finance: FinanceLimits | None = None


def read_limits(body: object) -> Limits:
    """Read the limits of `PUT /sandbox/limits`; a part that is not given is as documented.

    Raises:
        LimitsError: A part is unknown, or no number that it can be.
    """
    try:
        return msgspec.convert(body, Limits)
    except msgspec.ValidationError as error:
        known = ", ".join(Limits.__struct_fields__)
        raise LimitsError(f"The limits cannot be read: {error}. Their parts: {known}.") from None
