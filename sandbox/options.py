"""The command line: what can be said, what is assumed, and how it is explained."""

import argparse
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from sandbox import __version__
from sandbox.auth import Credentials
from sandbox.clock import parse_instant
from sandbox.seeding import KNOWN
from sandbox.server import Settings
from sandbox.write_log import LOG_LENGTH

_HIGHEST_PORT = 65_535
_PORTS = (
    ("dataverse", 8801, "Dataverse over http"),
    ("finance", 8802, "Finance over http"),
    ("dataverse-tls", 0, "Dataverse over https"),
    ("finance-tls", 0, "Finance over https"),
    ("control", 0, "control plane, on loopback whatever --host says"),
)
_EXAMPLES = """examples:
  python -m sandbox serve --seed demo
      a consulting firm of three companies, gone when it stops
  python -m sandbox serve --seed scale:100000 --database sqlite:///many.db
      100,000 actuals with all that they refer to; they stay, and the next start finds them
  python -m sandbox serve --database postgresql+psycopg://me@localhost/sandbox --clock 2026-10-05T08:00:00Z
      on Postgres, beginning at a time of your choice
  curl -H 'Authorization: Bearer sandbox-token' 'http://127.0.0.1:8801/api/data/v9.2/accounts?$top=3'
      ask it something
"""


def read_options(arguments: Sequence[str] | None, folder: Path) -> Settings:
    """Read the command line; what it does not say is kept in `folder`, or has the default.

    Ends the process with a sentence and exit code 2 where it makes no sense, and with 0 after help.
    """
    options = _parser().parse_args(arguments)
    defaults = Credentials()
    return Settings(
        database=options.database or f"sqlite:///{folder / 'sandbox.db'}",
        tls_folder=options.tls_dir or folder,
        ports={name: getattr(options, f"{name}_port") for name in _listeners()},
        host=options.host,
        seed=options.seed,
        clock=options.clock,
        default_company=options.default_company,
        credentials=Credentials(
            options.client_id,
            options.client_secret,
            tuple(options.token or defaults.static_tokens),
            options.client_certificate,
        ),
        write_log=options.write_log,
    )


def _listeners() -> list[str]:
    """Return the listeners as settings name them."""
    return [name.replace("-", "_") for name, *_ in _PORTS]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sandbox", description="Dataverse and Finance on your laptop.")
    parser.add_argument("--version", action="version", version=f"sandbox {__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    serving = commands.add_parser(
        "serve",
        help="serve both systems over http and https",
        description="Serve both systems until SIGTERM. Prints one line of JSON with addresses when ready.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_listeners(serving)
    _add_rows(serving)
    _add_access(serving)
    return parser


def _add_listeners(serving: argparse.ArgumentParser) -> None:
    group = serving.add_argument_group("where it listens")
    for name, port, what in _PORTS:
        text = f"{what} (default {port or '0: a free port'})"
        group.add_argument(f"--{name}-port", type=_port, default=port, metavar="PORT", help=text)
    group.add_argument(
        "--host", default="127.0.0.1", help="address that both systems listen on (default 127.0.0.1)"
    )
    group.add_argument(
        "--tls-dir",
        type=Path,
        metavar="FOLDER",
        help="where the certificate that it signs for itself is kept (default: gone afterwards)",
    )


def _add_rows(serving: argparse.ArgumentParser) -> None:
    group = serving.add_argument_group("what it holds")
    group.add_argument(
        "--database",
        metavar="URL",
        help="sqlite:///file.db or postgresql+psycopg://user:password@host/name "
        "(default: a SQLite file that is gone afterwards)",
    )
    group.add_argument(
        "--seed",
        default="empty",
        help=f"what a new database is filled with: {', '.join(KNOWN)}, where N is a number of actuals "
        "(default empty)",
    )
    group.add_argument(
        "--clock",
        type=_instant,
        metavar="ISO",
        help="the time at the start, as in 2026-10-05T08:00:00Z; it goes on from there (default: now)",
    )
    group.add_argument(
        "--default-company",
        metavar="CODE",
        help="Finance's company for requests without cross-company (default: the first legal entity)",
    )
    group.add_argument(
        "--write-log",
        type=_number,
        default=LOG_LENGTH,
        metavar="ROWS",
        help=f"rows that /sandbox/stats keeps of the log of writes (default {LOG_LENGTH:,})",
    )


def _add_access(serving: argparse.ArgumentParser) -> None:
    group, known = serving.add_argument_group("who may ask"), Credentials()
    group.add_argument(
        "--client-id",
        metavar="ID",
        default=known.client_id,
        help=f"application that may ask for tokens (default {known.client_id})",
    )
    group.add_argument(
        "--client-secret",
        metavar="TEXT",
        default=known.client_secret,
        help=f"its secret (default {known.client_secret})",
    )
    group.add_argument(
        "--client-certificate",
        type=Path,
        metavar="FILE",
        help="its certificate, PEM with an RSA key, for clients that sign assertions (default: none)",
    )
    group.add_argument(
        "--token",
        action="append",
        metavar="TEXT",
        help="bearer token that is always accepted, may be given several times "
        f"(default {' and '.join(known.static_tokens)})",
    )


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 6 and int(text) <= _HIGHEST_PORT):
        raise argparse.ArgumentTypeError(f"{text!r} is no port: give a number from 0 to {_HIGHEST_PORT}")
    return int(text)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of rows: give 0 or more")
    return int(text)


def _instant(text: str) -> datetime:
    try:
        return parse_instant(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no time: give one as in 2026-10-05T08:00:00Z"
        ) from None
