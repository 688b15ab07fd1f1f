"""`projops dead-letters`: rows that could not be moved, and what people do about them."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from projops import replay
from projops.commands.output import AsJson, fail, open_engine, print_facts, print_json, print_rows
from projops.load.documented_errors import DOCUMENTED
from projops.state import dead_letters

app = typer.Typer(help="Rows that could not be moved.", no_args_is_help=True)


@app.command("list")
def list_letters(
    map_id: Annotated[str | None, typer.Argument(help="Only this map.")] = None, as_json: AsJson = False
) -> None:
    """List rows that are open, parked or awaiting approval."""
    with open_engine() as engine, engine.state.begin() as connection:
        rows = dead_letters.live(connection, map_id)
    names = ("id", "map", "leg", "key", "status", "rule", "message", "remedy")
    explained = [_explained(row) for row in rows]
    shown = explained if as_json else [{name: row[name] for name in names} for row in explained]
    print_rows(shown, as_json, "No row is set aside.")


@app.command("show")
def show_letter(
    number: Annotated[int, typer.Argument(help="Number, from `list`.")], as_json: AsJson = False
) -> None:
    """Show one dead letter whole."""
    with open_engine() as engine, engine.state.begin() as connection:
        row = dead_letters.get(connection, number)
    if row is None:
        fail(f"There is no dead letter {number}.")
    print_facts(_explained(row), as_json)


@app.command("replay")
def replay_letters(
    numbers: Annotated[list[int] | None, typer.Argument(help="Numbers, from `list`.")] = None,
    map_id: Annotated[str | None, typer.Option("--map", help="Those of this map.")] = None,
    error: Annotated[str | None, typer.Option(help="Those of this error or rule, such as E6.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
    as_json: AsJson = False,
) -> None:
    """Let the next run read these rows again by key and take them through all stages."""
    if not (numbers or map_id or error or everything):
        fail("Say which: numbers, --map, --error or --all.")
    with open_engine() as engine:
        done = replay.replay(engine.state, numbers or None, map_id=map_id, error=error)
    if as_json:
        print_json({"marked": done.marked, "maps": done.maps, "left": done.left})
        return
    how = f"; now: projops sync {' '.join(done.maps)}" if done.marked else ""
    typer.echo(f"{len(done.marked)} go with the next run{how}")
    for number, reason in done.left.items():
        typer.echo(f"{number} stays. {reason}")


@app.command("dismiss")
def dismiss_letter(
    number: Annotated[int, typer.Argument(help="Number, from `list`.")],
    reason: Annotated[str, typer.Option(help="Why nobody will mend it; kept with the entry.")],
) -> None:
    """Close an entry that nobody will mend; its row comes again when it changes, or with a full run."""
    with open_engine() as engine:
        replay.dismiss(engine.state, number, reason)
    typer.echo(f"Dead letter {number} is dismissed.")


def _explained(row: Mapping[str, Any]) -> dict[str, Any]:
    """Give a dead letter with what its error means and what to do, where that is documented."""
    documented = DOCUMENTED.get(row["rule"])
    meaning, remedy = (documented.meaning, documented.remedy) if documented is not None else ("", "")
    return {**row, "meaning": meaning, "remedy": remedy}
