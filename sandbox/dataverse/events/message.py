"""What a webhook is sent: a RemoteExecutionContext.

A message of more than 256 KB loses its parameters, images and parent, and says so in a header [D].
"""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sandbox.dataverse.entities import Entity
from sandbox.dataverse.events.call import Call
from sandbox.dataverse.events.steps import Image, Stage, Step
from sandbox.execution_context import Json, date, entity, escaped, milliseconds, pair, reference, typed
from sandbox.schema.model import Column, ColumnType
from sandbox.store.tables import VERSION

LARGEST = 256 * 1024
NO_OPERATION = str(uuid.UUID(int=0))
_HEAVY = ("ParentContext", "InputParameters", "PreEntityImages", "PostEntityImages")
_MAIN_OPERATION = 30


@dataclass(frozen=True, slots=True)
class Event:
    """One row that is being written, as steps are told of it.

    Attributes:
        message: Create, Update or Delete.
        entity: The table.
        row_id: GUID.
        values: What is set, by logical name; of a delete nothing.
        before: The row before; empty for a create.
        after: The row after; empty for a delete, and before the write.
        depth: How deep in what follows from other writes.
        call: The operation that it belongs to.
        at: When, aware, UTC.
        organization_id: The environment's id.
        user_id: On whose behalf.
        business_unit_id: Of that user.
    """

    message: str
    entity: Entity
    row_id: str
    values: Mapping[str, Any]
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    depth: int
    call: Call
    at: datetime
    organization_id: str
    user_id: str
    business_unit_id: str


@dataclass(frozen=True, slots=True)
class Message:
    """The body of a webhook's request, and what its headers say.

    Attributes:
        body: JSON text.
        exceeded: Whether it was larger than 256 KB and has lost its heavy parts.
    """

    body: str
    exceeded: bool


def write_message(event: Event, step: Step, operation_id: str) -> Message:
    """Write the execution context that a step is sent.

    Args:
        event: What happens to the row.
        step: Whom it is for.
        operation_id: GUID of the system job; all zeros for a synchronous step.
    """
    context = _context(event, step, operation_id)
    body = escaped(context)
    if len(body) <= LARGEST:
        return Message(body.decode(), exceeded=False)
    light = {name: value for name, value in context.items() if name not in _HEAVY}
    return Message(escaped(light).decode(), exceeded=True)


def _context(event: Event, step: Step, operation_id: str) -> Json:
    written = _plain_context(event, step, operation_id)
    # Asynchronous steps see the operation that caused them as their parent, before the platform's own values.
    parent = {**written, "Stage": _MAIN_OPERATION, "InputParameters": _parameters(event, event.values)}
    post = [_image(event, image, event.after) for image in step.images if image.after and event.after]
    if step.asynchronous and event.after:
        post.append(_image(event, _primary_name(event), event.after))
    pre = [_image(event, image, event.before) for image in step.images if image.before and event.before]
    return {
        **written,
        "ParentContext": parent if step.asynchronous else None,
        "PostEntityImages": post,
        "PreEntityImages": pre,
    }


def _plain_context(event: Event, step: Step, operation_id: str) -> Json:
    call = event.call
    created = event.message == "Create" and step.stage == Stage.POST_OPERATION
    return {
        "BusinessUnitId": event.business_unit_id,
        "CorrelationId": call.correlation_id,
        "Depth": event.depth,
        "InitiatingUserId": call.initiating_user_id or event.user_id,
        "InputParameters": _parameters(event, _with_platform_values(event)),
        "IsExecutingOffline": False,
        "IsInTransaction": not step.asynchronous,
        "IsOfflinePlayback": False,
        "IsolationMode": 1,
        "MessageName": event.message,
        "Mode": int(step.asynchronous),
        "OperationCreatedOn": f"/Date({milliseconds(event.at)}+0000)/",
        "OperationId": operation_id,
        "OrganizationId": event.organization_id,
        "OrganizationName": "sandbox",
        "OutputParameters": [pair("id", event.row_id)] if created else [],
        "OwningExtension": reference("sdkmessageprocessingstep", step.step_id),
        "ParentContext": None,
        "PostEntityImages": [],
        "PreEntityImages": [],
        "PrimaryEntityId": event.row_id,
        "PrimaryEntityName": event.entity.table.name,
        "RequestId": None,
        "SecondaryEntityName": "none",
        "SharedVariables": [] if call.tag is None else [pair("tag", call.tag)],
        "Stage": step.stage,
        "UserId": event.user_id,
    }


def _with_platform_values(event: Event) -> Mapping[str, Any]:
    """Add what the platform sets itself: after the write, everything of a new row that has a value."""
    if not event.after:
        return event.values
    if event.message == "Create":
        return {name: value for name, value in event.after.items() if value is not None}
    own = {name: event.after[name] for name in ("modifiedon", "modifiedby") if name in event.after}
    return {**event.values, **own}


def _parameters(event: Event, values: Mapping[str, Any]) -> list[Json]:
    if event.message == "Delete":
        return [pair("Target", typed("EntityReference", reference(event.entity.table.name, event.row_id)))]
    named = {**values, event.entity.primary_id: event.row_id}
    return [pair("Target", typed("Entity", _entity(event, named)))]


def _image(event: Event, image: Image, row: Mapping[str, Any]) -> Json:
    chosen = {
        name: value
        for name, value in row.items()
        if value is not None and (not image.columns or name in image.columns)
    }
    return pair(image.alias, _entity(event, {**chosen, event.entity.primary_id: event.row_id}))


def _primary_name(event: Event) -> Image:
    """Return the image that every asynchronous step has by itself: the row's name [D]."""
    name = event.entity.table.primary_name or event.entity.primary_id
    return Image("AsynchronousStepPrimaryName", before=False, after=True, columns=frozenset({name}))


def _entity(event: Event, values: Mapping[str, Any]) -> Json:
    columns = event.entity.table.columns
    attributes = [
        pair(name, _value(columns[name], value))
        for name, value in values.items()
        if name in columns and name != VERSION and not columns[name].write_only
    ]
    return entity(event.entity.table.name, event.row_id, attributes)


def _value(column: Column, value: Any) -> Any:
    write = _WRITTEN.get(column.type)
    return value if write is None or value is None else write(column, value)


_WRITTEN: Mapping[ColumnType, Callable[[Column, Any], Any]] = {
    ColumnType.LOOKUP: lambda column, row_id: typed(
        "EntityReference", reference(column.target or "", row_id)
    ),
    ColumnType.OPTION: lambda _, number: typed("OptionSetValue", {"Value": number}),
    ColumnType.MULTI_OPTION: lambda _, numbers: [
        typed("OptionSetValue", {"Value": int(number)}) for number in numbers.split(",")
    ],
    ColumnType.MONEY: lambda _, amount: typed("Money", {"Value": amount}),
    ColumnType.DATETIME: lambda _, text: date(text),
    ColumnType.DATE: lambda _, text: date(text),
}
