"""The command line: what the DAGs do, without Airflow."""

import sys
from collections.abc import Sequence

import typer

from projops.commands import alerting, conflicts, letters, signals
from projops.commands.auditing import audit
from projops.commands.digesting import digest
from projops.commands.output import fail
from projops.commands.pausing import pause, resume
from projops.commands.planning import plan
from projops.commands.quality import quality
from projops.commands.reconciling import reconcile
from projops.commands.reference import EPILOG, docs
from projops.commands.restoring import restore
from projops.commands.retention import clean
from projops.commands.status import status
from projops.commands.sync import sync
from projops.commands.tracing import trace
from projops.errors import ConfigurationError, ProjOpsError
from projops.mapping.cli import app as maps_app

app = typer.Typer(
    help="Keeps Dataverse and Dynamics 365 Finance in step.",
    epilog=EPILOG,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(maps_app, name="maps")
app.add_typer(letters.app, name="dead-letters")
app.add_typer(conflicts.app, name="conflicts")
app.add_typer(alerting.app, name="alerts")
app.add_typer(signals.app, name="signals")
app.command()(sync)
app.command()(plan)
app.command()(status)
app.command()(digest)
app.command()(trace)
app.command()(quality)
app.command()(reconcile)
app.command()(pause)
app.command()(resume)
app.command()(restore)
app.command()(clean)
app.command()(audit)
app.command()(docs)


def main() -> None:
    """Run the command line; an error of ours is one sentence, never a traceback."""
    try:
        _require_text(sys.argv)
        app(prog_name="projops")
    except ProjOpsError as error:
        fail(str(error))


def _require_text(arguments: Sequence[str]) -> None:
    """Refuse bytes that are no UTF-8: Python makes halves of characters of them, which nothing can write."""
    for place, each in enumerate(arguments):
        if any("\ud800" <= character <= "\udfff" for character in each):
            raise ConfigurationError(f"Argument {place} is no text in UTF-8.", remedy="Write it in UTF-8.")
