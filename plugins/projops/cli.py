"""The command line: what the DAGs do, without Airflow."""

import typer

from projops.commands import conflicts, letters
from projops.commands.output import fail
from projops.commands.pausing import pause, resume
from projops.commands.planning import plan
from projops.commands.restoring import restore
from projops.commands.retention import clean
from projops.commands.status import status
from projops.commands.sync import sync
from projops.errors import ProjOpsError
from projops.mapping.cli import app as maps_app

app = typer.Typer(
    help="Keeps Dataverse and Dynamics 365 Finance in step.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(maps_app, name="maps")
app.add_typer(letters.app, name="dead-letters")
app.add_typer(conflicts.app, name="conflicts")
app.command()(sync)
app.command()(plan)
app.command()(status)
app.command()(pause)
app.command()(resume)
app.command()(restore)
app.command()(clean)


def main() -> None:
    """Run the command line; an error of ours is one sentence, never a traceback."""
    try:
        app(prog_name="projops")
    except ProjOpsError as error:
        fail(str(error))
