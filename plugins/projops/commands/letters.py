"""`projops dead-letters`: rows that could not be moved, and what people do about them."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from projops.commands.moving import cli_request, move
from projops.commands.output import (
    AsJson,
    ShowValues,
    actor,
    fail,
    looked_up,
    open_engine,
    print_facts,
    print_json,
    print_rows,
    shown,
)
from projops.engine import Engine
from projops.fates import fates
from projops.load.documented_errors import DOCUMENTED
from projops.payload import payload_values
from projops.replay import Decided, Selection, approve, dismiss, replay
from projops.state import dead_letters, decisions

app = typer.Typer(help="Rows that could not be moved.", no_args_is_help=True)

Numbers = Annotated[list[int] | None, typer.Argument(help="Numbers, from `list`.")]
OfMap = Annotated[str | None, typer.Option("--map", help="Those of this map.")]
OfError = Annotated[str | None, typer.Option("--error", help="Those of this error or rule, such as E6.")]
Everything = Annotated[bool, typer.Option("--all", help="All of them.")]
RunNow = Annotated[bool, typer.Option("--run", help="Run their legs at once, and say what became of each.")]

_LISTED = ("id", "map", "leg", "key", "status", "rule", "message", "remedy")


@app.command("list")
def list_letters(
    map_id: Annotated[str | None, typer.Argument(help="Only this map.")] = None,
    error: OfError = None,
    as_json: AsJson = False,
) -> None:
    """List rows that are open, parked or awaiting approval."""
    with open_engine() as engine, engine.state.begin() as connection:
        rows = decisions.chosen(connection, map_id=map_id, rule=error)
    explained = [_explained(_told(row, values=False)) for row in reversed(rows)]
    listed = explained if as_json else [{name: row[name] for name in _LISTED} for row in explained]
    of_map, for_error = f" of {map_id}" if map_id else "", f" for {error}" if error else ""
    print_rows(listed, as_json, f"No row{of_map} is set aside{for_error}.")


@app.command("show")
def show_letter(
    number: Annotated[int, typer.Argument(help="Number, from `list`.")],
    values: ShowValues = False,
    as_json: AsJson = False,
) -> None:
    """Show one dead letter whole."""
    row = looked_up("dead letter", dead_letters.get, number, values)
    if row is None:
        fail(f"There is no dead letter {number}.")
    print_facts(_explained(_told(row, values)), as_json)


@app.command("replay")
def replay_letters(
    numbers: Numbers = None,
    map_id: OfMap = None,
    error: OfError = None,
    everything: Everything = False,
    run: RunNow = False,
    as_json: AsJson = False,
) -> None:
    """Let the next run read these rows again by key and take them through all stages."""
    wanted = Selection(tuple(numbers or ()), map_id, error, everything)
    with open_engine() as engine:
        _carry_on(engine, replay(engine.state, wanted, actor()), run, as_json)


@app.command("approve")
def approve_letters(
    numbers: Numbers = None,
    map_id: OfMap = None,
    error: OfError = None,
    everything: Everything = False,
    run: RunNow = False,
    as_json: AsJson = False,
) -> None:
    """Let the next run delete rows at the target that are still gone at the source."""
    wanted = Selection(tuple(numbers or ()), map_id, error, everything)
    with open_engine() as engine:
        _carry_on(engine, approve(engine.state, wanted, actor()), run, as_json)


@app.command("dismiss")
def dismiss_letters(
    reason: Annotated[str, typer.Option(help="Why nobody will mend it; kept with the entry.")],
    numbers: Numbers = None,
    map_id: OfMap = None,
    error: OfError = None,
    everything: Everything = False,
    as_json: AsJson = False,
) -> None:
    """Close entries that nobody will mend; their rows come again when they change, or with a full run.

    A delete that is dismissed is not done, and nobody is asked about it again.
    """
    wanted = Selection(tuple(numbers or ()), map_id, error, everything)
    with open_engine() as engine:
        done = dismiss(engine.state, wanted, reason, actor())
    if as_json:
        print_json({"dismissed": done.marked})
        return
    typer.echo(f"{len(done.marked)} dismissed: {', '.join(map(str, done.marked)) or 'there were none'}.")


def _carry_on(engine: Engine, done: Decided, run: bool, as_json: bool) -> None:
    """Say what a decision has marked; with `--run`, run the legs and say what became of each."""
    if run and done.marked:
        _run(engine, done, as_json)
        return
    if as_json:
        print_json({"marked": done.marked, "maps": done.maps, "left": done.left})
        return
    if not (done.marked or done.left):
        typer.echo("No live dead letter fits, so that nothing goes; `projops dead-letters list` shows all.")
        return
    how = f"; now: projops sync {' '.join(done.maps)}" if done.marked else ""
    typer.echo(f"{len(done.marked)} go with the next run{how}")
    _say_left(done)


def _run(engine: Engine, done: Decided, as_json: bool) -> None:
    move(engine, cli_request(done.maps), lambda ref: (ref.map, ref.leg) in done.legs)
    found = fates(engine.state, done.marked, done.at)
    rows: Sequence[dict[str, Any]] = [
        {"id": each.number, "map": each.map, "key": each.key, "status": each.status, "because": each.sentence}
        for each in found
    ]
    if as_json:
        print_json({"became": rows, "left": done.left})
    else:
        print_rows(rows, as_json, "")
        _say_left(done)
    still = [each.number for each in found if each.is_open]
    if still:
        fail(f"{len(still)} of {len(found)} did not go: {', '.join(map(str, still))}.")


def _say_left(done: Decided) -> None:
    for sentence in done.stays:
        typer.echo(sentence)


def _told(row: Mapping[str, Any], values: bool) -> dict[str, Any]:
    """Give a dead letter, the values of its row only to those who ask for them."""
    payload = payload_values(row["payload"]) if values else row["payload"]
    return {**row, "value": shown(row["value"], values), "payload": shown(payload, values)}


def _explained(row: Mapping[str, Any]) -> dict[str, Any]:
    """Give a dead letter with what its error means and what to do, where that is documented."""
    documented = DOCUMENTED.get(row["rule"])
    meaning, remedy = (documented.meaning, documented.remedy) if documented is not None else ("", "")
    if row["status"] == dead_letters.AWAITING:
        remedy = _approval(row)
    return {**row, "meaning": meaning, "remedy": remedy}


def _approval(row: Mapping[str, Any]) -> str:
    if row["approved_at"] is not None:
        return f"Nothing: {row['approved_by']} has approved it, and it goes with the next run."
    return f"`projops dead-letters approve {row['id']}`, or dismiss it."
