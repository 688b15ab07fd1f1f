"""The parts of a RemoteExecutionContext, as .NET's DataContractJsonSerializer writes them [D].

Types stand in `__type`, time stamps are `/Date(ms)/`, slashes are escaped. Dataverse's webhooks and Finance's
data events have this form.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sandbox.odata.wire import dumps

_CONTRACTS = "http://schemas.microsoft.com/xrm/2011/Contracts"
Json = dict[str, Any]


def escaped(context: Json) -> bytes:
    """Write a context as JSON."""
    # Slashes stand in texts only, hence this is JSON still, and the same.
    return dumps(context).replace(b"/", b"\\/")


def pair(key: str, value: Any) -> Json:
    """Write an entry of a collection of parameters, attributes or images."""
    return {"key": key, "value": value}


def typed(name: str, value: Json) -> Json:
    """Write a value with its type: Entity, EntityReference, OptionSetValue, Money."""
    return {"__type": f"{name}:{_CONTRACTS}", **value}


def reference(table: str, row_id: str) -> Json:
    """Write an EntityReference, without its type."""
    return {"Id": row_id, "KeyAttributes": [], "LogicalName": table, "Name": None, "RowVersion": None}


def entity(table: str, row_id: str, attributes: Sequence[Json]) -> Json:
    """Write an Entity, without its type; `attributes` are pairs."""
    return {
        "Attributes": list(attributes),
        "EntityState": None,
        "FormattedValues": [],
        "Id": row_id,
        "KeyAttributes": [],
        "LogicalName": table,
        "RelatedEntities": [],
        "RowVersion": None,
    }


def date(text: str) -> str:
    """Write a stored date or time stamp; one without a zone is UTC."""
    instant = datetime.fromisoformat(text)
    return f"/Date({milliseconds(instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant)})/"


def milliseconds(instant: datetime) -> int:
    """Count milliseconds since 1970 of an aware instant."""
    return int(instant.timestamp() * 1000)
