"""Rows that the state knows by what somebody has in hand of their keys."""

import json
import re
from collections.abc import Collection

from sqlalchemy import ColumnElement, Connection, and_, case, or_, select, tuple_

from projops.mapping.keys import fold
from projops.state.tables import crosswalk

_SEPARATORS = re.compile(r"[/,]")


def rows_bearing(
    connection: Connection, maps: Collection[str], text: str, limit: int
) -> list[tuple[str, str]]:
    """Give the rows, map and key text, whose key or GUID bears a text; whole parts of keys before pieces.

    Args:
        connection: Open connection.
        maps: Of these maps.
        text: A key as the state writes it, a part of one or a piece of that, parts with `/` or `,` between,
            or a GUID of Dataverse; not empty.
        limit: At most so many.
    """
    folded = fold(text.strip())
    row = (crosswalk.c.map, crosswalk.c.key)
    # Told apart, so that keys are looked through in their index alone, which is a fraction of the rows.
    by_id = select(*row).where(crosswalk.c.map.in_(maps), crosswalk.c.dataverse_id == folded.strip("{}"))
    is_row = or_(crosswalk.c.key == folded, tuple_(*row).in_(by_id))
    parts = [part.strip() for part in _SEPARATORS.split(folded) if part.strip()]
    # A piece is looked for in every key there is: once, where there are no parts to look for besides.
    apart = parts if parts != [folded] else []
    exact, bears = (
        or_(is_row, *(_holds_all(pieces, quote) for pieces in ([folded], apart) if pieces))
        for quote in ('"', "")
    )
    statement = (
        select(*row)
        .where(crosswalk.c.map.in_(maps), bears)
        .order_by(case((exact, 0), else_=1), *row)
        .limit(limit)
    )
    return [(map_id, key) for map_id, key in connection.execute(statement)]


def _inner(text: str) -> str:
    """Give a text as key texts hold it, without its quotes."""
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _holds_all(pieces: Collection[str], quote: str) -> ColumnElement[bool]:
    held = (f"{quote}{_inner(piece)}{quote}" for piece in pieces)
    return and_(*(crosswalk.c.key.contains(text, autoescape=True) for text in held))
