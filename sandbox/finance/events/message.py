"""What a data event says: the RemoteExecutionContext of the entity's virtual table [D, data-events].

Its names are those of virtual tables, as seen on a live system: `OnExternalUpdated` of
`mserp_custcustomerv3entity`, columns `mserp_dataareaid`, an id that holds the record id, no primary id, and
members of enums as options from 200,000,000 on [L].
"""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zlib import crc32

from sandbox.execution_context import Json, date, entity, escaped, milliseconds, pair, reference, typed
from sandbox.finance.catalog import inner_name
from sandbox.rules.hooks import Change, Verb
from sandbox.schema.model import Column, ColumnType, Table
from sandbox.store.tables import REC_ID

_PREFIX = "mserp_"
_FIRST_OPTION = 200_000_000
_MESSAGES = {
    Verb.CREATE: "OnExternalCreated",
    Verb.UPDATE: "OnExternalUpdated",
    Verb.DELETE: "OnExternalDeleted",
}
_NOBODY = str(uuid.UUID(int=0))


@dataclass(frozen=True, slots=True)
class Origin:
    """Where events come from.

    Attributes:
        environment_id: The id of the environment that Finance is linked with.
        user_id: GUID of who writes.
        at: When, aware, UTC.
    """

    environment_id: str
    user_id: str
    at: datetime


def virtual_table(table: Table) -> str:
    """Return the logical name of an entity's virtual table."""
    return f"{_PREFIX}{inner_name(table).lower()}"


def message_name(verb: Verb) -> str:
    """Return the message that tells of a write."""
    return _MESSAGES[verb]


def data_event(table: Table, change: Change, origin: Origin) -> str:
    """Write a data event of a row that was written: the whole record, of an update the one before too.

    Args:
        table: The entity set.
        change: The write; `before` or `values` holds the record id.
        origin: Who tells.
    """
    row = change.after
    name, row_id = virtual_table(table), _row_id(table, row)
    deleted = change.verb is Verb.DELETE
    target = (
        typed("EntityReference", reference(name, row_id))
        if deleted
        else typed("Entity", _record(table, row, row_id))
    )
    parameters = [pair("Target", target)]
    if change.before:
        before = typed("Entity", _record(table, change.before, row_id))
        parameters.append(pair("PreImage", before))
    return escaped(_context(name, change.verb, parameters, origin)).decode()


def _context(name: str, verb: Verb, parameters: list[Json], origin: Origin) -> Json:
    return {
        "BusinessUnitId": _NOBODY,
        "CorrelationId": str(uuid.uuid4()),
        "Depth": 1,
        "InitiatingUserAzureActiveDirectoryObjectId": origin.user_id,
        "InitiatingUserId": origin.user_id,
        "InputParameters": parameters,
        "IsExecutingOffline": False,
        "IsInTransaction": False,
        "IsOfflinePlayback": False,
        "IsolationMode": 1,
        "MessageName": _MESSAGES[verb],
        "Mode": 1,
        "OperationCreatedOn": f"/Date({milliseconds(origin.at)}+0000)/",
        "OperationId": str(uuid.uuid4()),
        "OrganizationId": origin.environment_id,
        "OrganizationName": "sandbox",
        "OutputParameters": [],
        "ParentContext": None,
        "PostEntityImages": [],
        "PreEntityImages": [],
        "PrimaryEntityId": _NOBODY,
        "PrimaryEntityName": name,
        "RequestId": None,
        "SecondaryEntityName": "none",
        "SharedVariables": [],
        "Stage": 40,
        "UserId": origin.user_id,
    }


def _record(table: Table, row: Mapping[str, Any], row_id: str) -> Json:
    attributes = [
        pair(f"{_PREFIX}{name.lower()}", _value(column, row[name]))
        for name, column in table.columns.items()
        # A date that says nothing is left out [D]; 1900-01-01 is how Finance keeps nothing.
        if name in row and not (column.type is ColumnType.DATETIME and row[name].startswith("1900-01-01"))
    ]
    return entity(virtual_table(table), row_id, attributes)


def _value(column: Column, value: Any) -> Any:
    write = _WRITTEN.get(column.type)
    return value if write is None else write(column, value)


def _option(column: Column, symbol: str) -> Json:
    numbers = {each.label: each.value for each in column.options}
    return typed("OptionSetValue", {"Value": _FIRST_OPTION + numbers.get(symbol, 0)})


_WRITTEN: Mapping[ColumnType, Callable[[Column, Any], Any]] = {
    ColumnType.ENUM: _option,
    ColumnType.DATETIME: lambda _, text: date(text),
}


def _row_id(table: Table, row: Mapping[str, Any]) -> str:
    """Return the id of a virtual table's row: the number of its entity [?], and its record id [L]."""
    number = crc32(inner_name(table).encode()) & 0xFFFF
    record = int(row[REC_ID]).to_bytes(8, "little")
    return str(uuid.UUID(bytes=number.to_bytes(4, "big") + bytes(4) + record))
