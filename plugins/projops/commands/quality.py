"""`projops quality`: which rules rows broke, day by day."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from projops.commands import completion
from projops.commands.output import AsJson, open_engine, print_rows
from projops.state.quality import trend

_MOST_DAYS = 36_500


def quality(
    map_id: Annotated[
        str | None, typer.Argument(help="Map id; all maps without it.", autocompletion=completion.maps)
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=_MOST_DAYS, help="Days to look back.")] = 30,
    as_json: AsJson = False,
) -> None:
    """Say how many rows broke which rule, by day (UTC): what was set aside, and what is only a warning."""
    since = datetime.now(UTC) - timedelta(days=days)
    with open_engine() as engine:
        if map_id is not None:
            engine.map(map_id)
        with engine.state.begin() as connection:
            found = trend(connection, map_id, since)
    rows = [
        {
            "day": each.day.isoformat(),
            "map": each.map,
            "leg": each.leg,
            "stage": each.stage,
            "rule": each.rule,
            "severity": each.severity,
            "rows": each.rows,
            "batches": each.batches,
        }
        for each in found
    ]
    print_rows(rows, as_json, f"No row broke a rule in the last {days} days.")
