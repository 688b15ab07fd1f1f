"""`projops maps profile`: what could be expected of a map's rows, as they are now."""

from pathlib import Path
from typing import Annotated

import typer

from projops.commands import completion
from projops.commands.output import AsJson, fail, open_engine, print_json
from projops.commands.progress import progress_shown
from projops.engine import Engine
from projops.mapping.model import Direction, TableMap
from projops.validate.implied import expectations_of
from projops.validate.profile.document import as_plain, as_yaml
from projops.validate.profile.proposals import Proposal, proposals
from projops.validate.profile.reading import profile as look_at
from projops.validate.written import read_expectations

Rows = Annotated[
    int, typer.Option(min=0, help="Rows of each leg to look at, the first that come; 0 for all.")
]
OneLeg = Annotated[Direction | None, typer.Option(help="Only this leg.")]
File = Annotated[Path | None, typer.Option(help="A new file to write the proposals to.")]


def profile(
    map_id: Annotated[str, typer.Argument(help="Map id.", autocompletion=completion.maps)],
    leg: OneLeg = None,
    rows: Rows = 10_000,
    write: File = None,
    as_json: AsJson = False,
) -> None:
    """Propose expectations from real rows, in the form of include/expectations, for a person to judge."""
    if write is not None and write.exists():
        fail(f"{write} is there already. Name a new file, and take over from it what you want.")
    with open_engine() as engine:
        table_map = engine.map(map_id)
        found = {}
        with progress_shown(as_json) as say:
            for each in (each for each in table_map.legs if leg in (None, each)):
                say(f"{map_id} {each}")
                found[each] = _of_leg(engine, table_map, each, rows)
    if not found:
        fail(f"Map {map_id} has no leg {leg}. `projops maps show {map_id}` shows its legs.")
    if as_json:
        print_json([as_plain(direction, each) for direction, several in found.items() for each in several])
        return
    text = as_yaml(map_id, found)
    if write is None:
        typer.echo(text, nl=False)
        return
    write.write_text(text, encoding="utf-8")
    typer.echo(
        f"Wrote {sum(map(len, found.values()))} proposals to {write}. "
        "Each is a warning until you say otherwise."
    )


def _of_leg(engine: Engine, table_map: TableMap, direction: Direction, rows: int) -> tuple[Proposal, ...]:
    leg = table_map.legs[direction]
    written = read_expectations(engine.settings.expectations, table_map, leg)
    known = expectations_of(table_map, leg, engine.loaded.value_maps, written)
    return proposals(table_map, leg, look_at(engine, table_map, leg, rows), known)
