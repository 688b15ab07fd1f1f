"""`projops audit`: who did what, when and why."""

from typing import Annotated

import typer

from projops.commands.output import AsJson, open_engine, print_rows
from projops.state.audit import actions

Actor = Annotated[str, typer.Option(help="Only what this person did.")]
Action = Annotated[str, typer.Option(help="Only this verb, such as dismiss.")]
Subject = Annotated[str, typer.Option(help="Only what was done to a map or row with this text in its name.")]
Limit = Annotated[int, typer.Option(min=1, max=10_000, help="Most lines.")]


def audit(
    actor: Actor = "", action: Action = "", subject: Subject = "", limit: Limit = 100, as_json: AsJson = False
) -> None:
    """Say who did what, the newest first: on the command line, and on the console's pages."""
    with open_engine() as engine, engine.state.reading() as connection:
        found = actions(connection, limit, actor=actor, action=action, subject=subject)
    print_rows(found, as_json, "Nobody has done such a thing.")
