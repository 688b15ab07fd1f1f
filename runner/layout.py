"""Where things lie and which ports they take."""

import os
import secrets
import socket
from dataclasses import dataclass
from pathlib import Path

from runner.errors import RunnerError

ROOT = Path(__file__).resolve().parent.parent
USUAL_SANDBOX_PORTS = (8801, 8802)


@dataclass(frozen=True, slots=True)
class Layout:
    """The folder of a run, kept from one to the next.

    Attributes:
        folder: Holds all that a run writes.
        sandbox_database: SQLAlchemy URL of the sandbox's store.
        state_url: SQLAlchemy URL of the engine's state.
        dags: Folder of DAG files.
        mappings: Folder of mapping files.
    """

    folder: Path
    sandbox_database: str
    state_url: str
    dags: Path = ROOT / "dags"
    mappings: Path = ROOT / "include" / "mappings"

    @classmethod
    def in_folder(cls, folder: Path) -> "Layout":
        """Lay all of it out in one folder, on SQLite."""
        return cls(folder, f"sqlite:///{folder / 'sandbox.db'}", f"sqlite:///{folder / 'state.db'}")

    @property
    def airflow_home(self) -> Path:
        """Airflow's own folder."""
        return self.folder / "airflow"

    @property
    def logs(self) -> Path:
        """What the processes print."""
        return self.folder / "logs"

    @property
    def processes(self) -> Path:
        """The list of running processes."""
        return self.folder / "processes.json"

    def kept(self, name: str, fresh: str) -> str:
        """Read a value that this folder keeps, or keep a fresh one; its owner alone can read it."""
        file = self.folder / "kept" / name
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as stream:
                stream.write(fresh)
        return file.read_text()


def new_token() -> str:
    """Make up a secret."""
    return secrets.token_urlsafe(32)


def free_port() -> int:
    """Find a port of this machine that no one listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port


def sandbox_ports() -> tuple[int, int]:
    """Ports for Dataverse and Finance: the usual ones, or others where those are taken."""
    dataverse, finance = (port if is_free(port) else free_port() for port in USUAL_SANDBOX_PORTS)
    return dataverse, finance


def is_free(port: int) -> bool:
    """Whether no one listens on a port of this machine."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def require_free(port: int, what: str, remedy: str) -> None:
    """See that a port is free.

    Raises:
        RunnerError: It is taken; names what wanted it.
    """
    if not is_free(port):
        raise RunnerError(f"Port {port}, which {what} needs, is taken. {remedy}")
