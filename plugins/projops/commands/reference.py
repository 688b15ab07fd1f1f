"""`projops docs`: docs/cli.md, from the commands themselves."""

from pathlib import Path
from typing import Annotated

import typer
from typer.cli import get_docs_for_click
from typer.main import get_command

from projops.commands.exit_codes import MEANINGS
from projops.settings import PROJECT_ROOT

EPILOG = "Exit codes: " + " ".join(f"{code}: {meaning}" for code, meaning in MEANINGS.items())
_BEFORE = """# Command line

Written by `projops docs` from the commands themselves.

`bin/projops` needs no running Airflow. It takes connections from `AIRFLOW_CONN_DATAVERSE_DEFAULT`,
`AIRFLOW_CONN_FINANCE_DEFAULT` and `AIRFLOW_CONN_PROJOPS_STATE`, as Airflow does. Who acts is
`PROJOPS_ACTOR`, or the user of the operating system. Long work shows on a terminal how far it is (on
stderr); tables go to stdout, behind a pipe a line a row; what only reads answers with `--json` in JSON.

| exit code | meaning |
|---|---|
{codes}

| on the console | on the command line |
|---|---|
| Run now | `projops sync MAP` |
| Initial sync | `projops sync MAP --full` |
| Pause, resume | `projops pause MAP --reason WHY`, `projops resume MAP` |
| Stop | `projops pause MAP --reason WHY --now` |
| Plan of the next run | `projops plan MAP` |
| Replay, approve, dismiss dead letters | `projops dead-letters replay`, `approve`, `dismiss` |
| Reconcile, repair | `projops reconcile MAP`, with `--repair` |
| Trace | `projops trace any KEY` |
| Alerts | `projops alerts list` |
| Audit | `projops audit` |

**Completion** of commands, options, maps, areas and numbers: put `bin` on the `PATH`, then run
`projops --install-completion` in bash, zsh, fish or PowerShell, and open a new shell.

"""


def docs(
    path: Annotated[Path, typer.Argument(help="File to write.", show_default="docs/cli.md")] = PROJECT_ROOT
    / "docs"
    / "cli.md",
) -> None:
    """Write docs/cli.md."""
    from projops.cli import app  # which has this command

    path.write_text(reference(app), encoding="utf-8")
    typer.echo(f"Wrote {path}.")


def reference(app: typer.Typer) -> str:
    """Give the text of docs/cli.md."""
    command = get_command(app)
    context = typer.Context(command, info_name="projops")
    told = get_docs_for_click(obj=command, ctx=context, name="projops", title=" ")
    codes = "\n".join(f"| {code} | {meaning} |" for code, meaning in MEANINGS.items())
    return _BEFORE.format(codes=codes) + told.strip().removeprefix("#").strip() + "\n"
