"""What became of each row that was written."""

import re
from dataclasses import dataclass
from enum import StrEnum

from projops.systems.failures import Failure, Kind

_NAMED_BY_ID = re.compile(r"(\w+) With Ids? = ([0-9a-fA-F-]{36})")
_NAMED_BY_KEY = re.compile(r"does not exist in (\w+) entity", re.IGNORECASE)


class Status(StrEnum):
    """What became of a row."""

    OK = "ok"
    REJECTED = "rejected"  # for good
    PARENT_MISSING = "parent_missing"  # waits for another row
    DUPLICATE = "duplicate"  # the key is taken
    NOT_FOUND = "not_found"  # there is no such row to update or delete
    CONFLICT = "conflict"  # changed meanwhile
    UNKNOWN = "unknown"  # read back by key before anything else


@dataclass(frozen=True, slots=True)
class RowOutcome:
    """What became of one row.

    Attributes:
        index: Its place among the rows that were given.
        status: What became of it.
        code: The system's code, or "".
        message: The system's sentence, or "".
        entity_id: GUID of the row at Dataverse, where the answer tells it.
        etag: As the answer gives it, or None.
    """

    index: int
    status: Status
    code: str = ""
    message: str = ""
    entity_id: str | None = None
    etag: str | None = None


_STATUSES = {
    Kind.TRANSIENT: Status.UNKNOWN,
    Kind.THROTTLED: Status.UNKNOWN,
    Kind.ROW: Status.REJECTED,
    Kind.PARENT_MISSING: Status.PARENT_MISSING,
    Kind.DUPLICATE: Status.DUPLICATE,
    Kind.NOT_FOUND: Status.NOT_FOUND,
    Kind.PRECONDITION: Status.CONFLICT,
}


def of_failure(index: int, failure: Failure) -> RowOutcome | None:
    """Give the outcome of a row that failed; None where the failure is no matter of one row."""
    status = _STATUSES.get(failure.kind)
    return None if status is None else RowOutcome(index, status, failure.code, failure.message)


def unknown(index: int) -> RowOutcome:
    """Give the outcome of a row whose answer never came."""
    return RowOutcome(index, Status.UNKNOWN, message="No answer came; the row may have been written.")


def concerns_row_itself(message: str, entity_type: str, entity_id: str | None) -> bool:
    """Tell whether Dataverse's "does not exist" means the row written or one that it refers to.

    Args:
        message: Such as "account With Id = .. Does Not Exist" [D], or "A record with the specified
            key values does not exist in account entity" [L].
        entity_type: Logical name of the table written to.
        entity_id: GUID of the row written, where it was addressed by GUID.
    """
    by_id = _NAMED_BY_ID.search(message)
    if by_id is not None:
        same_row = entity_id is None or by_id.group(2).lower() == entity_id.lower()
        return by_id.group(1).lower() == entity_type.lower() and same_row
    by_key = _NAMED_BY_KEY.search(message)
    return by_key is None or (by_key.group(1).lower() == entity_type.lower() and entity_id is None)
