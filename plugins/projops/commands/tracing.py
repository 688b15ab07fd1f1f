"""`projops trace`: where a row, or the number of a document, comes from, and what became of it."""

from functools import partial
from typing import Annotated

import typer

from projops.commands.exit_codes import USAGE
from projops.commands.output import AsJson, ShowValues, actor, open_engine, print_json, print_rows, shown
from projops.commands.trace_tree import print_tree
from projops.lineage.trace.document import as_document
from projops.lineage.trace.finding import MOST
from projops.lineage.trace.kinds import ANY, KINDS
from projops.lineage.trace.tracing import Candidates
from projops.lineage.trace.tracing import trace as trace_text
from projops.state.audit import record_action

What = Annotated[
    str,
    typer.Argument(
        metavar="MAP|KIND",
        help=f"A map, or what the number is of: {', '.join(KINDS)}; {ANY} looks everywhere.",
    ),
]
Key = Annotated[
    str,
    typer.Argument(
        metavar="KEY",
        help="A number; a key, its parts separated by / or a comma, or one part of it; a GUID. "
        "Where companies have the same number: USPM/NUMBER.",
    ),
]


def trace(what: What, key: Key, values: ShowValues = False, as_json: AsJson = False) -> None:
    """Say where a row or a document comes from, what moved it, and what became of it, in both systems."""
    with open_engine() as engine:
        found = trace_text(engine, what, key)
        if values and not isinstance(found, Candidates):
            with engine.state.begin() as connection:
                record_action(connection, actor(), "reveal", f"trace of {found.asked}")
    if isinstance(found, Candidates):
        _offer(found, as_json)
    elif as_json:
        print_json(as_document(found, partial(shown, values=values)))
    else:
        print_tree(found, values)


def _offer(candidates: Candidates, as_json: bool) -> None:
    """List what there is to choose from, and end with an exit code of its own."""
    rows = [{"of": of, "key": key, "what": what} for of, key, what in candidates.found[:MOST]]
    print_rows(rows, as_json, "")
    more = len(candidates.found) - MOST
    typer.echo(
        f"{candidates.asked} is several things{f' (these and {more} more)' if more > 0 else ''}; "
        "ask for one by its key: projops trace OF KEY.",
        err=True,
    )
    raise SystemExit(USAGE)
