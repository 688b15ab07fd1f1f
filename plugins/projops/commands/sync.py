"""`projops sync`: move what changed, now."""

from collections.abc import Sequence
from typing import Annotated

import typer

from projops.commands import completion
from projops.commands.moving import cli_request, move
from projops.commands.output import AsJson, fail, open_engine, print_rows
from projops.commands.planning import plan
from projops.mapping.model import Direction
from projops.run import LegOutcome


def sync(
    map_ids: Annotated[
        list[str], typer.Argument(help="Map ids; `maps list` shows them.", autocompletion=completion.maps)
    ],
    leg: Annotated[Direction | None, typer.Option(help="Only this leg.")] = None,
    company: Annotated[list[str] | None, typer.Option(help="Only these companies; watermarks stay.")] = None,
    full: Annotated[bool, typer.Option("--full", help="Read everything and move the differences.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing: the same as `plan`.")] = False,
    as_json: AsJson = False,
) -> None:
    """Move what changed, now."""
    if dry_run:
        if company:
            fail("A dry run is for all companies: leave --company out.")
        plan(map_ids, leg, full=full, as_json=as_json)
        return
    with open_engine() as engine:
        request = cli_request(map_ids, company, "full" if full else "incremental")
        outcomes = move(engine, request, lambda ref: leg is None or ref.direction is leg, quiet=as_json)
    _show_outcomes(outcomes, as_json)


def _show_outcomes(outcomes: Sequence[LegOutcome], as_json: bool) -> None:
    print_rows([outcome.as_json() for outcome in outcomes], as_json, "Nothing to move: all legs are in step.")
