"""Reading the rows of a leg to look at: its source, page by page, with lookup paths and the leg's filter."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

from projops import progress
from projops.engine import Engine
from projops.extract.frames import matching
from projops.extract.keys import pages_at
from projops.mapping.model import Leg, TableMap
from projops.mapping.paths import source_columns
from projops.validate.profile.facts import ColumnFacts, gather


def profile(engine: Engine, table_map: TableMap, leg: Leg, rows: int) -> dict[str, ColumnFacts]:
    """Look at the rows that a leg would move.

    Args:
        engine: The engine; nothing is written.
        table_map: The map.
        leg: The leg.
        rows: Rows to look at, the first that the system gives; 0 for all.

    Returns:
        What is seen in each column, in the map's order.

    Raises:
        ConfigurationError: A connection is missing.
        SystemUnavailableError: A system cannot be reached.
    """
    return asyncio.run(_profile(engine, table_map, leg, rows))


async def _profile(engine: Engine, table_map: TableMap, leg: Leg, rows: int) -> dict[str, ColumnFacts]:
    facts: dict[str, ColumnFacts] = {}
    columns = list(source_columns(table_map, leg))
    left = rows or None
    async with (
        engine.systems() as systems,
        aclosing(pages_at(systems, table_map, leg.direction.source, columns)) as pages,
    ):
        async for page in pages:
            wanted = page.filter(matching(leg.extract.where, page)).slice(0, left)
            gather(facts, wanted.select(columns))
            progress.done("read", wanted.num_rows)
            if left is not None:
                left -= wanted.num_rows
                if left <= 0:
                    break
    return facts
