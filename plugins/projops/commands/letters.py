"""`projops dead-letters`: rows that could not be moved, and what people do about them."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Any

import typer

from projops.advice import advice_on
from projops.commands import completion
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
from projops.mapping.model import Direction
from projops.payload import payload_values
from projops.replay import Decided, Selection, approve, dismiss, replay
from projops.state import dead_letters, decisions

app = typer.Typer(help="Rows that could not be moved.", no_args_is_help=True)


class Status(StrEnum):
    """The statuses of what is still live."""

    OPEN = "open"
    PARKED = "parked"
    AWAITING_APPROVAL = dead_letters.AWAITING


Numbers = Annotated[
    list[int] | None, typer.Argument(help="Numbers, from `list`.", autocompletion=completion.letters)
]
OfMap = Annotated[
    str | None, typer.Option("--map", help="Those of this map.", autocompletion=completion.maps)
]
OfError = Annotated[str | None, typer.Option("--error", help="Those of this error or rule, such as E6.")]
OfLeg = Annotated[Direction | None, typer.Option("--leg", help="Those of this direction.")]
OfStatus = Annotated[Status | None, typer.Option("--status", help="Those in this status.")]
WithText = Annotated[str | None, typer.Option("--key", help="Those with this text in the key of their row.")]
Everything = Annotated[bool, typer.Option("--all", help="All of them.")]
RunNow = Annotated[bool, typer.Option("--run", help="Run their legs at once, and say what became of each.")]


_LISTED = ("id", "map", "leg", "key", "status", "rule", "message", "remedy")


@app.command("list")
def list_letters(
    map_id: Annotated[
        str | None, typer.Argument(help="Only this map.", autocompletion=completion.maps)
    ] = None,
    error: OfError = None,
    leg: OfLeg = None,
    status: OfStatus = None,
    key: WithText = None,
    as_json: AsJson = False,
) -> None:
    """List rows that are open, parked or awaiting approval."""
    wanted = Selection(map=map_id, error=error, leg=leg, status=status, text=key)
    with open_engine() as engine, engine.state.reading() as connection:
        rows = decisions.chosen(connection, wanted)
    explained = [_explained(_told(row, values=False)) for row in reversed(rows)]
    listed = explained if as_json else [{name: row[name] for name in _LISTED} for row in explained]
    of_map, for_error = f" of {map_id}" if map_id else "", f" for {error}" if error else ""
    print_rows(listed, as_json, f"No row{of_map} is set aside{for_error}.")


@app.command("show")
def show_letter(
    number: Annotated[int, typer.Argument(help="Number, from `list`.", autocompletion=completion.letters)],
    values: ShowValues = False,
    as_json: AsJson = False,
) -> None:
    """Show one dead letter whole."""
    row = looked_up("dead letter", dead_letters.get, number, values)
    if row is None:
        fail(f"There is no dead letter {number}.")
    print_facts(_explained(_told(row, values)), as_json)


@app.command("replay")
def replay_letters(  # noqa: PLR0913, PLR0917  each option is a parameter
    numbers: Numbers = None,
    map_id: OfMap = None,
    error: OfError = None,
    leg: OfLeg = None,
    status: OfStatus = None,
    key: WithText = None,
    everything: Everything = False,
    run: RunNow = False,
    as_json: AsJson = False,
) -> None:
    """Let the next run read these rows again by key and take them through all stages."""
    wanted = Selection(tuple(numbers or ()), map_id, error, everything, leg, status, text=key)
    with open_engine() as engine:
        _carry_on(engine, replay(engine.state, wanted, actor()), run, as_json)


@app.command("approve")
def approve_letters(  # noqa: PLR0913, PLR0917  each option is a parameter
    numbers: Numbers = None,
    map_id: OfMap = None,
    error: OfError = None,
    leg: OfLeg = None,
    status: OfStatus = None,
    key: WithText = None,
    everything: Everything = False,
    run: RunNow = False,
    as_json: AsJson = False,
) -> None:
    """Let the next run delete rows at the target that are still gone at the source."""
    wanted = Selection(tuple(numbers or ()), map_id, error, everything, leg, status, text=key)
    with open_engine() as engine:
        _carry_on(engine, approve(engine.state, wanted, actor()), run, as_json)


@app.command("dismiss")
def dismiss_letters(  # noqa: PLR0913, PLR0917  each option is a parameter
    reason: Annotated[str, typer.Option(help="Why nobody will mend it; kept with the entry.")],
    numbers: Numbers = None,
    map_id: OfMap = None,
    error: OfError = None,
    leg: OfLeg = None,
    status: OfStatus = None,
    key: WithText = None,
    everything: Everything = False,
    as_json: AsJson = False,
) -> None:
    """Close entries that nobody will mend; their rows come again when they change, or with a full run.

    A delete that is dismissed is not done, and nobody is asked about it again.
    """
    wanted = Selection(tuple(numbers or ()), map_id, error, everything, leg, status, text=key)
    with open_engine() as engine:
        done = dismiss(engine.state, wanted, reason, actor())
    if as_json:
        print_json({"dismissed": done.marked, "count": done.count})
        return
    more = f" and {done.count - len(done.marked)} more" if done.count > len(done.marked) else ""
    listed = ", ".join(map(str, done.marked)) or "there were none"
    typer.echo(f"{done.count} dismissed: {listed}{more}.")


def _carry_on(engine: Engine, done: Decided, run: bool, as_json: bool) -> None:
    """Say what a decision has marked; with `--run`, run the legs and say what became of each."""
    if run and done.count:
        _run(engine, done, as_json)
        return
    if as_json:
        print_json({"marked": done.marked, "count": done.count, "maps": done.maps, "left": done.left})
        return
    if not (done.count or done.staying):
        typer.echo("No live dead letter fits, so that nothing goes; `projops dead-letters list` shows all.")
        return
    how = f"; now: projops sync {' '.join(done.maps)}" if done.count else ""
    typer.echo(f"{done.count} go with the next run{how}")
    _say_left(done)


def _run(engine: Engine, done: Decided, as_json: bool) -> None:
    move(engine, cli_request(done.maps), lambda ref: (ref.map, ref.leg) in done.legs, quiet=as_json)
    found = fates(engine.state, done.at)
    rows: Sequence[dict[str, Any]] = [
        {"id": each.number, "map": each.map, "key": each.key, "status": each.status, "because": each.sentence}
        for each in found.first
    ]
    if as_json:
        print_json({"became": rows, "left": done.left})
    else:
        print_rows(rows, as_json, "")
        _say_left(done)
    still = [each.number for each in found.first if each.is_open]
    if still:
        more = f" and {found.still_live - len(still)} more" if found.still_live > len(still) else ""
        fail(f"{found.still_live} of {found.count} did not go: {', '.join(map(str, still))}{more}.")


def _say_left(done: Decided) -> None:
    for sentence in done.stays:
        typer.echo(sentence)


def _told(row: Mapping[str, Any], values: bool) -> dict[str, Any]:
    """Give a dead letter, the values of its row only to those who ask for them."""
    payload = payload_values(row["payload"]) if values else row["payload"]
    return {**row, "value": shown(row["value"], values), "payload": shown(payload, values)}


def _explained(row: Mapping[str, Any]) -> dict[str, Any]:
    """Give a dead letter with what it means and what to do."""
    advice = advice_on(row)
    return {**row, "meaning": advice.meaning, "remedy": advice.remedy}
