"""Duplicate detection, where a request asks for it: `MSCRM.SuppressDuplicateDetection: false` [D].

One rule is published, that of the documentation's own example: accounts of the same name [?].
"""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from sandbox.dataverse.entities import Entity
from sandbox.dataverse.errors import duplicate_detected
from sandbox.dataverse.wire import Request
from sandbox.store import fold

_HEADER = "mscrm.suppressduplicatedetection"
_RULES: Mapping[str, str] = {"account": "name"}


def refuse_duplicate(
    connection: sa.Connection, request: Request, entity: Entity, values: Mapping[str, Any], row_id: str | None
) -> None:
    """Ask the rules whether another row is the same as the one that is written.

    Args:
        connection: Of the write.
        request: Says whether rules are asked at all.
        entity: The table.
        values: What is written.
        row_id: Of the row that is changed, None for a new one.

    Raises:
        ApiError: 412 with 0x80040333 when there is one.
    """
    column = _RULES.get(entity.table.name)
    asked = request.headers.get(_HEADER, "").strip().lower() == "false"
    if column is None or not asked or not values.get(column):
        return
    same = fold(entity.sql.c[column]) == fold(sa.literal(values[column], sa.Text()))
    query = sa.select(entity.id_column).where(same, entity.id_column != (row_id or "")).limit(1)
    if connection.execute(query).scalar() is not None:
        raise duplicate_detected()
