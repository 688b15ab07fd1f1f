"""`projops pause` and `projops resume`: hold maps still for as long as one likes, and let them catch up."""

from typing import Annotated

import typer

from projops import pausing
from projops.commands import completion
from projops.commands.output import AsJson, actor, open_engine, print_json
from projops.pausing import Changed

Maps = Annotated[
    list[str] | None, typer.Argument(help="Map ids; `maps list` shows them.", autocompletion=completion.maps)
]
Area = Annotated[str | None, typer.Option(help="All maps of this area.", autocompletion=completion.areas)]


def pause(
    reason: Annotated[str, typer.Option(help="Why; kept with the pause and in the audit trail.")],
    map_ids: Maps = None,
    area: Area = None,
    now: Annotated[
        bool, typer.Option("--now", help="End a batch that is under way too, at its next chunk.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Let nothing of these maps be read or written, in any run, until they are resumed."""
    with open_engine() as engine:
        done = pausing.pause(engine, map_ids or [], area, actor(), reason, at_once=now)
    _show(done, as_json, "paused", "ends at its next chunk" if now else "finishes its batch")


def resume(
    map_ids: Maps = None,
    area: Area = None,
    reason: Annotated[str, typer.Option(help="Why; kept in the audit trail.")] = "",
    as_json: AsJson = False,
) -> None:
    """Let these maps run again; the next run brings everything that changed meanwhile."""
    with open_engine() as engine:
        done = pausing.resume(engine, map_ids or [], area, actor(), reason)
    _show(done, as_json, "resumed")


def _show(done: Changed, as_json: bool, verb: str, then: str = "") -> None:
    if as_json:
        print_json({verb: done.maps, "left": done.left, "writers": done.writers})
        return
    if done.maps:
        typer.echo(f"{verb.capitalize()}: {', '.join(done.maps)}.")
    for name, why in done.left.items():
        typer.echo(f"{name} stays as it is. {why}")
    for name, writer in done.writers.items():
        typer.echo(f"{name} is being written by {writer}, which {then}; then it is still.")
