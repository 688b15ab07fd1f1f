"""`projops clean`: remove what is older than its period, now."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from projops import retention
from projops.commands.output import AsJson, actor, open_engine, print_rows


def clean(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove closed dead letters, conflicts, staged files and the like that are older than their period."""
    now = datetime.now(UTC)
    with open_engine() as engine:
        numbers = retention.preview(engine, now) if dry_run else retention.clean(engine, now, actor())
    rows = [{"what": name, "number": number, "gone": not dry_run} for name, number in numbers.items()]
    print_rows(rows, as_json, "All is kept.")
