"""`projops conflicts`: shared columns that both sides changed, who won, and what the loser held."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from projops.commands import completion
from projops.commands.output import (
    AsJson,
    ShowValues,
    actor,
    fail,
    looked_up,
    open_engine,
    print_facts,
    print_rows,
    shown,
)
from projops.state import conflicts
from projops.state.audit import record_action

_MOST_LISTED = 1000
app = typer.Typer(help="Shared columns that both sides changed.", no_args_is_help=True)


@app.command("list")
def list_conflicts(
    map_id: Annotated[
        str | None, typer.Argument(help="Only this map.", autocompletion=completion.maps)
    ] = None,
    values: ShowValues = False,
    as_json: AsJson = False,
) -> None:
    """List conflicts, newest first: a line for each column."""
    with open_engine() as engine, engine.state.begin() as connection:
        rows = conflicts.listed(connection, map_id, _MOST_LISTED + 1)
        if values and rows:
            record_action(connection, actor(), "reveal", f"conflicts of {map_id or 'all maps'}")
    lines = [line for row in rows[:_MOST_LISTED] for line in _lines(row, values)]
    print_rows(lines, as_json, f"No column{f' of {map_id}' if map_id else ''} was in conflict.")
    if len(rows) > _MOST_LISTED:
        typer.echo(f"These are the newest {_MOST_LISTED}; name a map to see further ones of it.", err=True)


@app.command("show")
def show_conflict(
    number: Annotated[int, typer.Argument(help="Number, from `list`.", autocompletion=completion.conflicts)],
    values: ShowValues = False,
    as_json: AsJson = False,
) -> None:
    """Show one conflict, and how to have it the other way."""
    row = looked_up("conflict", conflicts.get, number, values)
    if row is None:
        fail(f"There is no conflict {number}; `projops conflicts list` shows those that were kept.")
    facts = {name: row[name] for name in ("id", "map", "leg", "key", "winner", "batch", "seen_at")}
    sides = conflicts.sides(row)
    held = {f"{system.value} held": _shown(side, values) for system, side in sides.items()}
    print_facts(facts | held | {"to undo": conflicts.remedy(row)}, as_json)


def _lines(row: Mapping[str, Any], values: bool) -> list[dict[str, Any]]:
    """Give a line for each column; both sides' values bear the name that it has on the written side."""
    facts = {name: row[name] for name in ("id", "map", "key")}
    sides = conflicts.sides(row)
    return [
        {
            **facts,
            "column": column,
            **{system.value: shown(side[column], values) for system, side in sides.items()},
            "winner": row["winner"],
            "batch": row["batch"],
            "seen_at": row["seen_at"],
        }
        for column in row["source_values"]
    ]


def _shown(side: Mapping[str, Any], values: bool) -> dict[str, Any]:
    return {column: shown(value, values) for column, value in side.items()}
