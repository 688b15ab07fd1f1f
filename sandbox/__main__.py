"""`python -m sandbox serve`: Dataverse and Finance on your laptop."""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from sandbox.auth import Credentials
from sandbox.clock import parse_instant
from sandbox.seeding import SeedRefusedError
from sandbox.server import PortTakenError, Settings, serve
from sandbox.store import OtherVersionError
from sandbox.write_log import LOG_LENGTH


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until told to stop; return the exit code (1 with one sentence on stderr on trouble)."""
    options = _parser().parse_args(arguments)
    try:
        with tempfile.TemporaryDirectory(prefix="sandbox-") as folder:
            serve(_settings(options, Path(folder)))
    except (PortTakenError, SeedRefusedError, OtherVersionError) as refused:
        sys.stderr.write(f"{refused}\n")
        return 1
    except SQLAlchemyError as broken:
        reason = str(getattr(broken, "orig", None) or broken).splitlines()[0]
        sys.stderr.write(f"The database {options.database} cannot be used: {reason}\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sandbox", description="Dataverse and Finance on your laptop.")
    commands = parser.add_subparsers(dest="command", required=True)
    serving = commands.add_parser(
        "serve",
        help="serve both systems over http and https",
        description="Serve both systems until SIGTERM. Prints one line of JSON with the addresses when "
        "ready. Port 0 takes a free port.",
    )
    _add_ports(serving)
    serving.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
    serving.add_argument(
        "--database",
        metavar="URL",
        help="SQLAlchemy URL: sqlite:///file.db or "
        "postgresql+psycopg://... (default: a SQLite file that is gone afterwards)",
    )
    serving.add_argument("--seed", default="empty", help="demo, empty (default empty)")
    serving.add_argument(
        "--clock", type=parse_instant, metavar="ISO", help="time at the start (default: now)"
    )
    serving.add_argument(
        "--default-company", metavar="CODE", help="Finance's company for requests without cross-company"
    )
    serving.add_argument(
        "--tls-dir", type=Path, metavar="FOLDER", help="where the self-signed certificate is kept"
    )
    serving.add_argument(
        "--client-id", default=Credentials.client_id, help="application that may ask for tokens"
    )
    serving.add_argument("--client-secret", default=Credentials.client_secret, help="its secret")
    serving.add_argument("--token", action="append", help="bearer token that is always accepted (repeatable)")
    serving.add_argument(
        "--write-log",
        type=_number,
        default=LOG_LENGTH,
        metavar="ROWS",
        help=f"rows that /sandbox/stats keeps of the log of writes (default {LOG_LENGTH:,})",
    )
    return parser


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"{text} is no number of rows: give 0 or more")
    return int(text)


def _add_ports(serving: argparse.ArgumentParser) -> None:
    port: dict[str, Any] = {"type": int, "metavar": "PORT"}
    serving.add_argument("--dataverse-port", default=8801, help="Dataverse over http (default 8801)", **port)
    serving.add_argument("--finance-port", default=8802, help="Finance over http (default 8802)", **port)
    serving.add_argument(
        "--dataverse-tls-port", default=0, help="Dataverse over https (default: free)", **port
    )
    serving.add_argument("--finance-tls-port", default=0, help="Finance over https (default: free)", **port)
    serving.add_argument(
        "--control-port", default=0, help="control plane, loopback only (default: free)", **port
    )


def _settings(options: argparse.Namespace, folder: Path) -> Settings:
    tokens = tuple(options.token) if options.token else Credentials.static_tokens
    return Settings(
        database=options.database or f"sqlite:///{folder / 'sandbox.db'}",
        tls_folder=options.tls_dir or folder,
        ports={
            "dataverse": options.dataverse_port,
            "finance": options.finance_port,
            "dataverse_tls": options.dataverse_tls_port,
            "finance_tls": options.finance_tls_port,
            "control": options.control_port,
        },
        host=options.host,
        seed=options.seed,
        clock=options.clock,
        default_company=options.default_company,
        credentials=Credentials(options.client_id, options.client_secret, tokens),
        write_log=options.write_log,
    )


if __name__ == "__main__":
    sys.exit(main())
