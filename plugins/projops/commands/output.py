"""What all commands share: opening the engine, printing, who acts, and failing in one sentence."""

import getpass
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any, NoReturn

import typer
from sqlalchemy import Connection  # noqa: TID253  no DAG file leads here

from projops.commands.exit_codes import FAILED
from projops.commands.tables import print_table, visible
from projops.engine import Engine
from projops.state.audit import record_action

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
ShowValues = Annotated[bool, typer.Option("--values", help="Show what rows hold; the audit trail notes it.")]
_HIDDEN = "hidden; --values shows it"


@contextmanager
def open_engine() -> Iterator[Engine]:
    """Open the engine on the connections of the environment."""
    with Engine.from_environment() as engine:
        yield engine


def actor() -> str:
    """Give who acts, for the audit trail: `PROJOPS_ACTOR`, or the user of the operating system."""
    return os.environ.get("PROJOPS_ACTOR") or getpass.getuser()


def shown(value: Any, values: bool) -> Any:
    """Give what a row holds only to those who ask for it: it may be personal data."""
    return value if values or value is None else _HIDDEN


def looked_up(
    what: str, get: Callable[[Connection, int], dict[str, Any] | None], number: int, values: bool
) -> dict[str, Any] | None:
    """Read one thing by its number; that its values are shown is noted in the audit trail.

    Args:
        what: What it is, for the audit trail: "conflict".
        get: Reads it.
        number: Its number.
        values: Whether its values are to be shown.
    """
    with open_engine() as engine, engine.state.begin() as connection:
        row = get(connection, number)
        if values and row is not None:
            record_action(connection, actor(), "reveal", f"{what} {number}")
    return row


def print_rows(rows: Sequence[dict[str, Any]], as_json: bool, nothing: str) -> None:
    """Print rows as a table, or as JSON.

    Args:
        rows: Rows of the same columns.
        as_json: Whether to print a JSON list.
        nothing: What to say where there are none.
    """
    if as_json:
        print_json(rows)
        return
    if not rows:
        typer.echo(nothing)
        return
    texts = (["" if value is None else str(value) for value in row.values()] for row in rows)
    print_table(list(rows[0]), texts)


def print_facts(facts: dict[str, Any], as_json: bool) -> None:
    """Print one thing whole, a fact a line, or as JSON (a list of one, as lists are)."""
    rows = [facts] if as_json else [{"fact": name, "value": value} for name, value in facts.items()]
    print_rows(rows, as_json, "")


def print_json(value: Any) -> None:
    """Print a value as JSON."""
    typer.echo(json.dumps(value, default=str, ensure_ascii=False))


def fail(sentence: str) -> NoReturn:
    """End with a sentence on stderr and the exit code of a failure."""
    typer.echo(visible(sentence), err=True)
    raise SystemExit(FAILED)
