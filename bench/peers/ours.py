"""Our whole extract stage, as a task runs it: state, session, change tracking, lookups, keys, staging."""

from dataclasses import replace
from pathlib import Path

from bench.peers.client import TOKEN, Place, run
from projops.engine import Engine
from projops.mapping.model import Direction, System
from projops.pipeline import extract
from projops.run import LegRef, RunRequest
from projops.settings import Settings
from projops.systems.connection import Connection

MAPPINGS = Path(__file__).parent / "mappings"
LEG = LegRef("actuals", Direction.DATAVERSE_TO_FINANCE.value)
_NO_LIMITS = {"limits": {"requests": 10**9, "execution_seconds": 10**9}}


def connection(place: Place, system: System) -> Connection:
    """Give the connection to a system; Finance is asked nothing here."""
    return Connection(
        f"{system}_default",
        system,
        place.url,
        static_token=TOKEN,
        ca_file=place.ca_file,
        options=_NO_LIMITS,
    )


def read(place: Place) -> None:
    """Extract everything, with a new state on SQLite."""
    folder = Path(place.folder)
    settings = replace(
        Settings(),
        mappings=MAPPINGS,
        state_url=f"sqlite:///{folder / 'state.db'}",
        staging=str(place.written),
    )
    with Engine.open(settings, lambda system: connection(place, system)) as engine:
        extract(engine, LEG, RunRequest("bench", "run", mode="full"))


if __name__ == "__main__":
    run(read)
