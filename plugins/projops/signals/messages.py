"""What the two systems send when something has changed, read no further than to know which table it was.

Dataverse posts a RemoteExecutionContext [D webhooks]. Finance posts a business event, a JSON object with a
BusinessEventId [D business events], or a data event, the RemoteExecutionContext of a virtual table [D data
events]. Whatever else they hold is skipped, and kept nowhere.
"""

from collections.abc import Container, Iterable
from dataclasses import dataclass
from typing import Any

import msgspec

from projops.mapping.model import System

LARGEST = 320 * 1024
"""Bytes: Dataverse leaves parts out above 256 KB [D], headers and escapes aside."""
WRITTEN = frozenset({"Create", "Update", "Delete"})


class GarbledSignalError(Exception):
    """A body that is no message of that system."""


@dataclass(frozen=True, slots=True)
class Message:
    """One change, as a system tells of it.

    Attributes:
        system: Who tells.
        name: Logical name of the table; of Finance, what the event or the virtual table is called.
        organization: Id of the environment, lower case; "" where the system does not say it (Finance).
        own: Whether we made the change ourselves, as the tag of our writes says.
    """

    system: System
    name: str
    organization: str = ""
    own: bool = False


class _Variable(msgspec.Struct):
    key: str
    value: Any = None


class _Context(msgspec.Struct):
    message: str = msgspec.field(name="MessageName")
    table: str = msgspec.field(name="PrimaryEntityName")
    organization: str = msgspec.field(name="OrganizationId")
    depth: int = msgspec.field(name="Depth", default=1)
    shared: list[_Variable] | None = msgspec.field(name="SharedVariables", default=None)


class _Event(msgspec.Struct):
    name: str = msgspec.field(name="BusinessEventId", default="")
    table: str = msgspec.field(name="PrimaryEntityName", default="")
    organization: str = msgspec.field(name="OrganizationId", default="")
    event_user: str | None = msgspec.field(name="InitiatingUserAADObjectId", default=None)
    user: str | None = msgspec.field(name="InitiatingUserAzureActiveDirectoryObjectId", default=None)


_CONTEXT = msgspec.json.Decoder(_Context)
_EVENT = msgspec.json.Decoder(_Event)


def read_dataverse(body: bytes, own_tag: str) -> Message:
    """Read a RemoteExecutionContext.

    A change that plug-ins made because of a write of ours (its depth is above 1) is theirs, not ours.

    Args:
        body: JSON.
        own_tag: The `tag` of our own writes, which Dataverse hands on as a shared variable [D].

    Raises:
        GarbledSignalError: It is none.
    """
    context = _read(_CONTEXT, body)
    if context.message not in WRITTEN:
        raise GarbledSignalError
    own = context.depth == 1 and _is_tagged(context.shared or (), own_tag)
    return Message(System.DATAVERSE, context.table, context.organization.lower(), own)


def read_finance(body: bytes, own_users: Container[str]) -> Message:
    """Read a business event or data event.

    Args:
        body: JSON.
        own_users: Entra object ids of the users that we write as, lower case: Finance knows no tag.

    Raises:
        GarbledSignalError: It is none.
    """
    event = _read(_EVENT, body)
    name = event.name or event.table
    if not name:
        raise GarbledSignalError
    user = (event.user or event.event_user or "").strip("{}").lower()
    return Message(System.FINANCE, name, event.organization.lower(), user in own_users)


def _is_tagged(variables: Iterable[_Variable], own_tag: str) -> bool:
    return any(each.key == "tag" and each.value == own_tag for each in variables)


def _read(decoder: "msgspec.json.Decoder[Any]", body: bytes) -> Any:
    try:
        return decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise GarbledSignalError from None
