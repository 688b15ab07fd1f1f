"""Which answer means what: one table of statuses, codes and texts, and the error that follows.

Dataverse names its errors by code, Finance by the text of its Infolog, inside a stack trace that
nobody should see. Texts of Finance come in the language of the integration user: en-US is assumed.
"""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import StrEnum
from json import loads

from projops.errors import (
    AuthenticationError,
    ConfigurationError,
    ProjOpsError,
    ProtocolError,
    SystemUnavailableError,
    ThrottledError,
    WatermarkExpiredError,
)
from projops.mapping.model import System

_LONGEST_SENTENCE = 500
_LONGEST_CODE = 40
_LONGEST_WAIT = 3600.0
# Systems and proxies like to repeat the header that they refuse; Entra's tokens begin with eyJ.
_TOKENS = re.compile(r"(?i)\bbearer\s+[^\s,;\"']+|\beyJ[\w-]+\.[\w-]+\.[\w-]*")
_MASK = "***"


class Kind(StrEnum):
    """What to do about an answer that is no success."""

    TRANSIENT = "transient"  # the same request may succeed later
    THROTTLED = "throttled"  # nothing was done; the system says when to come back
    ROW = "row"  # the system refuses this row for good
    PARENT_MISSING = "parent_missing"  # the row refers to one that is not there
    DUPLICATE = "duplicate"  # a row with this key is there already
    NOT_FOUND = "not_found"  # the row that was asked for is not there
    PRECONDITION = "precondition"  # somebody changed the row meanwhile
    AUTH = "auth"  # the token is not accepted
    FORBIDDEN = "forbidden"  # the integration user lacks a right
    EXPIRED_WATERMARK = "expired_watermark"  # the delta token is too old
    FATAL = "fatal"  # the request itself is wrong, every other like it will fail as well


@dataclass(frozen=True, slots=True)
class Failure:
    """An answer that is no success, understood.

    Attributes:
        kind: What to do about it.
        status: HTTP status.
        code: The system's own code, or "".
        message: The system's own sentence, without stack trace.
        retry_after: Seconds that the system asks us to wait, or None.
    """

    kind: Kind
    status: int
    code: str
    message: str
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """A line of the table; a row matches where all that it names agrees.

    Attributes:
        kind: What the answer means.
        system: Only for this system; None for both.
        statuses: Only for these statuses; empty for all.
        codes: Only for these codes (upper case), empty for all.
        pattern: Only where the sentence holds this.
    """

    kind: Kind
    system: System | None = None
    statuses: frozenset[int] = frozenset()
    codes: frozenset[str] = frozenset()
    pattern: re.Pattern[str] | None = None


def _rule(
    kind: Kind,
    system: System | None = None,
    *,
    statuses: Iterable[int] = (),
    codes: str = "",
    text: str = "",
) -> Rule:
    return Rule(
        kind,
        system,
        frozenset(statuses),
        frozenset(codes.upper().split()),
        re.compile(text, re.IGNORECASE) if text else None,
    )


_SERVER = range(500, 600)

# First match wins. [D]: documented, [L]: seen on live systems, INF: our inference.
RULES: tuple[Rule, ...] = (
    _rule(Kind.AUTH, statuses={401}),
    # Dataverse: service protection [D], SQL deadlock and timeout [D], by code whatever the status.
    _rule(Kind.THROTTLED, System.DATAVERSE, codes="0x80072322 0x80072321 0x80072326"),
    _rule(Kind.TRANSIENT, System.DATAVERSE, codes="0x80044150 -2147204784 0x80044151 -2147204783"),
    _rule(Kind.EXPIRED_WATERMARK, System.DATAVERSE, codes="0x80044352"),  # [L]
    _rule(Kind.DUPLICATE, System.DATAVERSE, codes="0x80040237 0x80040333 0x80060892"),
    _rule(Kind.PRECONDITION, System.DATAVERSE, codes="0x80060882"),
    _rule(Kind.FORBIDDEN, System.DATAVERSE, codes="0x80040220"),
    _rule(Kind.ROW, System.DATAVERSE, codes="0x80044331"),
    _rule(Kind.NOT_FOUND, System.DATAVERSE, codes="0x80040217 0x80060891"),
    _rule(
        Kind.FATAL,
        System.DATAVERSE,
        text="undeclared property|key in the request uri is not valid|resource not found for the segment"
        "|could not find a property named|query parameter isn't supported|unterminated literal"
        "|in the batch context|has not yet been implemented",
    ),  # [D]
    _rule(Kind.DUPLICATE, System.DATAVERSE, text="cannot insert duplicate key|already exists"),  # [L]
    _rule(Kind.NOT_FOUND, System.DATAVERSE, text="do(es)? not exist"),  # [L]
    # Finance: what X++ says, whatever the status: a failed changeset is a 500 [L].
    _rule(Kind.DUPLICATE, System.FINANCE, text="the record already exists"),  # [L]
    # A write to a key that is not there: 404 [?], or 400 with this sentence, as clients report it.
    _rule(Kind.NOT_FOUND, System.FINANCE, text="no resources were found when selecting for update"),
    _rule(Kind.TRANSIENT, System.FINANCE, text="deadlock|update conflict"),  # INF
    _rule(
        Kind.PARENT_MISSING,
        System.FINANCE,
        statuses={400, *_SERVER},
        text=r"does not exist\b|cannot be found in the related table|is not found in the related table",
    ),  # INF
    _rule(Kind.FATAL, System.FINANCE, text="no http resource was found"),  # [L]
    _rule(Kind.ROW, System.FINANCE, statuses=_SERVER, text="write failed for table row|infolog:"),  # [L]
    # Either system, by status.
    _rule(Kind.THROTTLED, statuses={429, 503}),
    _rule(Kind.TRANSIENT, statuses={408, 425, *_SERVER}),
    _rule(Kind.FORBIDDEN, statuses={403}),
    _rule(Kind.PRECONDITION, statuses={409, 412}),
    _rule(Kind.NOT_FOUND, System.FINANCE, statuses={404}),
    _rule(Kind.ROW, statuses={400, 413, 414, 422}),
    _rule(Kind.FATAL),
)


def understand(
    system: System, status: int, headers: Mapping[str, str], body: bytes, secrets: Iterable[str] = ()
) -> Failure:
    """Say what an answer with a status of 400 or more means.

    Args:
        system: Who answered.
        status: HTTP status.
        headers: Of the answer; names as in HTTP, looked up case-insensitively.
        body: JSON error body, or anything else.
        secrets: What the sentence must not hold, besides bearer tokens.
    """
    code, message, text = _error_body(body)
    kind = next(rule.kind for rule in RULES if _matches(rule, system, status, code, text))
    code, message = (masked(each, secrets) for each in (code, message))  # before they are cut
    sentence = message[:_LONGEST_SENTENCE] or f"HTTP {status}"
    return Failure(kind, status, code[:_LONGEST_CODE], sentence, retry_after(headers))


def masked(text: str, secrets: Iterable[str]) -> str:
    """Put a mask in the place of known secrets and of bearer tokens."""
    for secret in filter(None, secrets):
        text = text.replace(secret, _MASK)
    return _TOKENS.sub(_MASK, text)


def error(failure: Failure, connection: str, what: str) -> ProjOpsError:
    """Give the error to raise for a request that failed as a whole.

    What would be a matter of one row (refused, not found, ...) says here that the request is wrong:
    rows that are written have outcomes (`outcomes`), not errors.

    Args:
        failure: What went wrong.
        connection: Connection id, for the message.
        what: What was being done, such as "reading accounts".
    """
    sentence = f"{connection}, {what}: {failure.message.rstrip('.')}."
    context = {"connection": connection, "code": failure.code or None, "status": failure.status}
    if failure.kind is Kind.THROTTLED:
        return ThrottledError(
            sentence,
            retry_after=failure.retry_after or 0.0,
            remedy="Retried by itself later.",
            **context,
        )
    kind, remedy = _ERRORS.get(failure.kind, (ProtocolError, _CHECK))
    return kind(sentence, remedy=remedy, **context)


_CHECK = "Check the address, and the names of table and columns in the mapping."
_ERRORS: Mapping[Kind, tuple[type[ProjOpsError], str]] = {
    Kind.TRANSIENT: (SystemUnavailableError, "Retried by itself later; see whether the system is up."),
    Kind.AUTH: (AuthenticationError, "Check tenant, client id and secret of the connection."),
    Kind.FORBIDDEN: (ConfigurationError, "Give the integration user the role that it lacks."),
    Kind.EXPIRED_WATERMARK: (WatermarkExpiredError, "A full read heals it, by itself."),
}


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Read `Retry-After` (seconds or a date) as seconds from now: 0 to an hour, None for nonsense.

    All tasks obey it, so that one wrong header must not stop them for years; limits last minutes [D].
    """
    text = headers.get("Retry-After", "").strip()
    try:
        seconds = float(text)
    except ValueError:
        seconds = _seconds_until(text, headers.get("Date", ""))
    return None if math.isnan(seconds) else min(max(seconds, 0.0), _LONGEST_WAIT)


def _seconds_until(text: str, present: str) -> float:
    """Count from the server's own `Date`, so that clocks need not agree; NaN where it is no date."""
    try:
        return (parsedate_to_datetime(text) - parsedate_to_datetime(present)).total_seconds()
    except (ValueError, TypeError):
        return math.nan


def _matches(rule: Rule, system: System, status: int, code: str, text: str) -> bool:
    return (
        rule.system in (None, system)
        and (not rule.statuses or status in rule.statuses)
        and (not rule.codes or code.upper() in rule.codes)
        and (rule.pattern is None or rule.pattern.search(text) is not None)
    )


def _error_body(body: bytes) -> tuple[str, str, str]:
    """Read code, sentence for people and the text that rules look at."""
    try:
        content = loads(body)
    except ValueError:
        return "", "", ""
    if not isinstance(content, dict):
        return "", "", ""
    fault = content.get("error")
    if not isinstance(fault, dict):  # Finance's form for an unknown address
        text = str(content.get("Message") or content.get("error_description") or "")
        return "", _sentence(text), text
    inner = fault.get("innererror")
    text = str((inner if isinstance(inner, dict) else fault).get("message") or fault.get("message") or "")
    return str(fault.get("code") or ""), _sentence(text), text


def _sentence(text: str) -> str:
    """Take what follows `Infolog:`, on one line."""
    after = text.partition("Infolog:")[2] or text
    line = re.sub(r"\s+", " ", after).strip()
    line = re.sub(r"^(Info|Warning|Error): ", "", line)
    return re.sub(r"\.{2,}$", ".", line)
