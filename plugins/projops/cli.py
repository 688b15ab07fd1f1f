"""The command line: what the DAGs do, without Airflow."""

import json
import sys
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.table import Table

from projops import replay
from projops.due import areas
from projops.engine import Engine
from projops.errors import ProjOpsError
from projops.load.documented_errors import DOCUMENTED
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
        rows = dead_letters.live(connection, map_id)
    names = ("id", "map", "leg", "key", "status", "rule", "message", "remedy")
    explained = [_explained(row) for row in rows]
    shown = explained if as_json else [{name: row[name] for name in names} for row in explained]
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
    facts = _explained(row)
    _print(
        [facts] if as_json else [{"fact": name, "value": value} for name, value in facts.items()], as_json, ""
    )


@letters_app.command("replay")
def replay_letters(
    numbers: Annotated[list[int] | None, typer.Argument(help="Numbers, from `list`.")] = None,
    map_id: Annotated[str | None, typer.Option("--map", help="Those of this map.")] = None,
    error: Annotated[str | None, typer.Option(help="Those of this error or rule, such as E6.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
    as_json: AsJson = False,
) -> None:
    """Let the next run read these rows again by key and take them through all stages."""
    if not (numbers or map_id or error or everything):
        _fail("Say which: numbers, --map, --error or --all.")
    with _engine() as engine:
        done = replay.replay(engine.state, numbers or None, map_id=map_id, error=error)
    if as_json:
        _print_json({"marked": done.marked, "maps": done.maps, "left": done.left})
        return
    how = f"; now: projops sync {' '.join(done.maps)}" if done.marked else ""
    typer.echo(f"{len(done.marked)} go with the next run{how}")
    for number, reason in done.left.items():
        typer.echo(f"{number} stays. {reason}")


@letters_app.command("dismiss")
def dismiss_letter(
    number: Annotated[int, typer.Argument(help="Number, from `list`.")],
    reason: Annotated[str, typer.Option(help="Why nobody will mend it; kept with the entry.")],
) -> None:
    """Close an entry that nobody will mend; its row comes again when it changes, or with a full run."""
    with _engine() as engine:
        replay.dismiss(engine.state, number, reason)
    typer.echo(f"Dead letter {number} is dismissed.")


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


def _explained(row: Mapping[str, Any]) -> dict[str, Any]:
    """Give a dead letter with what its error means and what to do, where that is documented."""
    documented = DOCUMENTED.get(row["rule"])
    meaning, remedy = (documented.meaning, documented.remedy) if documented is not None else ("", "")
    return {**row, "meaning": meaning, "remedy": remedy}


def _print_json(value: Any) -> None:
    typer.echo(json.dumps(value, default=str, ensure_ascii=False))


def _print(rows: Sequence[dict[str, Any]], as_json: bool, nothing: str) -> None:
    if as_json:
        _print_json(rows)
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
