"""One property of one row, as JSON or as bare text (protocol 1.4)."""

from dataclasses import replace

import sqlalchemy as sa

from sandbox.dataverse.api import Api
from sandbox.dataverse.entities import Entity
from sandbox.dataverse.errors import record_not_found
from sandbox.dataverse.reading import Reading
from sandbox.dataverse.wire import Request, Response, json_response
from sandbox.odata.wire import dumps


def plain_property(
    api: Api, connection: sa.Connection, request: Request, place: tuple[Entity, str, str], *, raw: bool
) -> Response:
    """`GET accounts(id)/name`: one column of one row, 204 where it is null; with `/$value` as bare text.

    Raises:
        ApiError: 404 when the row does not exist.
    """
    entity, row_id, name = place
    rows = Reading(api, connection, replace(request, query="", headers={}), entity).rows_of(row_id, name)
    if not rows:
        raise record_not_found(entity.table, row_id)
    value = rows[0][name]
    if value is None:
        return Response(204)
    if raw:
        text = value.encode() if isinstance(value, str) else dumps(value)
        return Response(200, text, {"Content-Type": "text/plain; charset=utf-8"})
    context = f"{request.root}$metadata#{entity.table.entity_set}({row_id})/{name}"
    return json_response(200, {"@odata.context": context, "value": value})
