"""`python -m runner demo|up|down|users`: what `make demo`, `make up`, `make down` and `make users` call."""

import argparse
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import httpx
from rich.console import Console

from runner.airflow import read_passwords
from runner.demo import demo, in_step_mark
from runner.errors import RunnerError
from runner.layout import ROOT, Layout, free_port
from runner.processes import remembered
from runner.stack import bring_up, running, shut_down

FOLDER = ROOT / "build" / "demo"
_LOG_WIDTH = 120
REPORT = ROOT / "build" / "demo-report.json"


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what was asked; give the exit code, 1 with one sentence on trouble."""
    options = _parser().parse_args(arguments)
    console = Console(highlight=False, soft_wrap=True)
    if not console.is_terminal:
        console.width = _LOG_WIDTH
    try:
        if options.command == "demo":
            return _demo(console, fresh=options.fresh)
        if options.command == "up":
            return _up(console, options.port)
        return _users(console) if options.command == "users" else _down(console)
    except (RunnerError, httpx.HTTPError) as error:
        said = str(error) if isinstance(error, RunnerError) else f"A request failed: {error}"
        Console(stderr=True, highlight=False, soft_wrap=True).print(said, style="red", markup=False)
        return 1
    except KeyboardInterrupt:
        console.print("Stopped; nothing of it runs on.")
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="runner", description="Sandbox and Airflow on this machine.")
    commands = parser.add_subparsers(dest="command", required=True)
    demo_options = commands.add_parser("demo", help="run every map end to end and compare both systems")
    demo_options.add_argument("--fresh", action="store_true", help="begin with empty data")
    up_options = commands.add_parser("up", help="leave sandbox and Airflow running")
    up_options.add_argument("--port", type=int, default=8080, help="port of Airflow's UI (default 8080)")
    commands.add_parser("down", help="stop what `up` started")
    commands.add_parser("users", help="list Airflow's users, one of each role, with their passwords")
    return parser


def _demo(console: Console, *, fresh: bool) -> int:
    started = time.monotonic()
    layout = Layout.in_folder(FOLDER)
    if fresh:
        _empty(layout)
    with running(layout, free_port(), console.print) as stack:
        passed = demo(stack, console, REPORT, _setup_seconds(), started)
    return 0 if passed else 1


def _up(console: Console, port: int) -> int:
    layout = Layout.in_folder(FOLDER)
    in_step_mark(layout).unlink(missing_ok=True)
    stack = bring_up(layout, port, console.print)
    console.print(
        f"""
Airflow            {stack.airflow.address}   user admin, password {stack.airflow.passwords["admin"]}
Table maps         {stack.airflow.console}
Dataverse          {stack.sandbox.dataverse}/api/data/v9.2/
Finance            {stack.sandbox.finance}/data/
Sandbox's control  {stack.sandbox.control}/sandbox/stats
Logs               {layout.logs}
Unpause reference_data, then setup_and_configuration, to let them run. 'make users' lists users with fewer
rights than admin; 'make down' stops all.""",
        markup=False,
    )
    return 0


def _users(console: Console) -> int:
    for user, password in read_passwords(Layout.in_folder(FOLDER)).items():
        console.print(f"{user:<8} {password}", markup=False)
    return 0


def _down(console: Console) -> int:
    layout = Layout.in_folder(FOLDER)
    processes = remembered(layout.processes)
    shut_down(processes, layout)
    console.print("Stopped." if processes else "Nothing was running.")
    return 0


def _empty(layout: Layout) -> None:
    if remembered(layout.processes):
        raise RunnerError("Sandbox and Airflow are running on this data: stop them with 'make down' first.")
    shutil.rmtree(layout.folder, ignore_errors=True)


def _setup_seconds() -> int:
    """What `make setup` took when it last did something; 0 where something else made the environment."""
    file = Path(sys.prefix) / "setup-seconds"
    return int(file.read_text()) if file.exists() else 0


if __name__ == "__main__":
    sys.exit(main())
