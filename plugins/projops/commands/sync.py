"""`projops sync` and `projops status`: move what changed, and say where each leg stands."""

import sys
import uuid
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

import typer

from projops.commands.output import AsJson, open_engine, print_rows
from projops.due import areas
from projops.engine import Engine
from projops.mapping.model import Direction
from projops.pipeline import detect, extract, load, transform, validate
from projops.run import LegOutcome, LegRef, RunRequest
from projops.state.overview import leg_overview


def sync(
    map_ids: Annotated[list[str], typer.Argument(help="Map ids; `maps list` shows them.")],
    leg: Annotated[Direction | None, typer.Option(help="Only this leg.")] = None,
    company: Annotated[list[str] | None, typer.Option(help="Only these companies; watermarks stay.")] = None,
    full: Annotated[bool, typer.Option("--full", help="Read everything and move the differences.")] = False,
    as_json: AsJson = False,
) -> None:
    """Move what changed, now."""
    with open_engine() as engine:
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


def status(as_json: AsJson = False) -> None:
    """Show each leg: watermark, last batch, rows set aside."""
    with open_engine() as engine, engine.state.begin() as connection:
        rows = leg_overview(connection)
    print_rows(rows, as_json, "Nothing has run yet.")


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
    print_rows([outcome.as_json() for outcome in outcomes], as_json, "Nothing to move: all legs are in step.")
