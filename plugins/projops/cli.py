"""The command line: what the DAGs do, without Airflow."""

import json
import sys
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.table import Table

from projops.due import areas
from projops.engine import Engine
from projops.errors import ProjOpsError
from projops.mapping.cli import app as maps_app
from projops.mapping.model import Direction
from projops.pipeline import detect, extract, load, transform, validate
from projops.run import LegOutcome, LegRef, RunRequest
from projops.state import dead_letters
from projops.state.overview import leg_overview

app = typer.Typer(
    help="Keeps Dataverse and Dynamics 365 Finance in step.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
letters_app = typer.Typer(help="Rows that could not be moved.", no_args_is_help=True)
app.add_typer(maps_app, name="maps")
app.add_typer(letters_app, name="dead-letters")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


@app.command()
def sync(
    map_ids: Annotated[list[str], typer.Argument(help="Map ids; `maps list` shows them.")],
    leg: Annotated[Direction | None, typer.Option(help="Only this leg.")] = None,
    company: Annotated[list[str] | None, typer.Option(help="Only these companies; watermarks stay.")] = None,
    full: Annotated[bool, typer.Option("--full", help="Read everything and move the differences.")] = False,
    as_json: AsJson = False,
) -> None:
    """Move what changed, now."""
    with _engine() as engine:
        request = RunRequest(
            dag_id="cli",
            run_id=uuid.uuid4().hex,
            maps=tuple(map_ids),
            companies=tuple(company) if company else None,
            mode="full" if full else "incremental",
            manual=True,
        )
        outcomes = [
            _move(engine, ref, request)
            for area in areas(engine)
            for ref in _due(engine, area, request)
            if leg is None or ref.direction is leg
        ]
    _show_outcomes(outcomes, as_json)


@app.command()
def status(as_json: AsJson = False) -> None:
    """Show each leg: watermark, last batch, rows set aside."""
    with _engine() as engine, engine.state.begin() as connection:
        rows = leg_overview(connection)
    _print(rows, as_json, "Nothing has run yet.")


@letters_app.command("list")
def list_letters(
    map_id: Annotated[str | None, typer.Argument(help="Only this map.")] = None, as_json: AsJson = False
) -> None:
    """List rows that are open, parked or awaiting approval."""
    with _engine() as engine, engine.state.begin() as connection:
        rows = [dict(row) for row in dead_letters.live(connection, map_id)]
    shown = (
        rows
        if as_json
        else [
            {name: row[name] for name in ("id", "map", "leg", "key", "status", "rule", "message")}
            for row in rows
        ]
    )
    _print(shown, as_json, "No row is set aside.")


@letters_app.command("show")
def show_letter(
    number: Annotated[int, typer.Argument(help="Number, from `list`.")], as_json: AsJson = False
) -> None:
    """Show one dead letter whole."""
    with _engine() as engine, engine.state.begin() as connection:
        row = dead_letters.get(connection, number)
    if row is None:
        _fail(f"There is no dead letter {number}.")
    _print(
        [{"fact": name, "value": value} for name, value in row.items()] if not as_json else [dict(row)],
        as_json,
        "",
    )


def main() -> None:
    """Run the command line; an error of ours is one sentence, never a traceback."""
    try:
        app(prog_name="projops")
    except ProjOpsError as error:
        _fail(str(error))


@contextmanager
def _engine() -> Iterator[Engine]:
    with Engine.from_environment() as engine:
        yield engine


def _due(engine: Engine, area: str, request: RunRequest) -> list[LegRef]:
    """Find what is due in an area, of the maps asked for."""
    here = tuple(name for name in request.maps or () if engine.map(name).area == area)
    return detect(engine, area, replace(request, maps=here)) if here else []


def _move(engine: Engine, ref: LegRef, request: RunRequest) -> LegOutcome:
    if sys.stderr.isatty():
        print(f"{ref} …", file=sys.stderr)  # noqa: T201  progress, not output
    staged = extract(engine, ref, request)
    return load(engine, transform(engine, validate(engine, staged)))


def _show_outcomes(outcomes: Sequence[LegOutcome], as_json: bool) -> None:
    _print([outcome.as_json() for outcome in outcomes], as_json, "Nothing to move: all legs are in step.")


def _print(rows: Sequence[dict[str, Any]], as_json: bool, nothing: str) -> None:
    if as_json:
        typer.echo(json.dumps(rows, default=str, ensure_ascii=False))
        return
    if not rows:
        Console().print(nothing)
        return
    table = Table(*rows[0])
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row.values()))
    Console().print(table)


def _fail(sentence: str) -> NoReturn:
    typer.echo(sentence, err=True)
    raise SystemExit(1)
