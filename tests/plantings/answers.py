"""What `projops reconcile` answers: run as a process of its own, its Parquet files read back as cells."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from projops.mapping.model import Direction, TableMap
from runner.environment import base_environment
from runner.layout import ROOT
from tests.e2e.engine.world import World
from tests.plantings.book import Cell, column_name

# The command line's own: in step; drift is left.
_IN_STEP, _DRIFT = _ANSWERS = (0, 3)
_OF_ROW = ("kind", "verdict", "cause", "explanation")


@dataclass(frozen=True)
class Reported:
    """What was said of a cell.

    Attributes:
        direction: The leg that reported it.
        kind: missing, extra, changed or rejected.
        column: Target column, or None.
        expected: Exact text of what the mapping makes of the source; None for null.
        found: Likewise of what the target holds.
        verdict: What it is.
        cause: Likely cause.
        explanation: For people.
    """

    direction: Direction
    kind: str
    column: str | None
    expected: str | None
    found: str | None
    verdict: str
    cause: str
    explanation: str


@dataclass(frozen=True)
class Answer:
    """A reconciliation's answer.

    Attributes:
        cells: What was said of each; more than once is one time too many.
        repair: What a repair said.
    """

    cells: Mapping[Cell, Sequence[Reported]]
    repair: Sequence[str]


def reconcile(world: World, maps: Mapping[str, TableMap], *options: str) -> Answer:
    """Reconcile maps by the command line, all differences with their values.

    Raises:
        AssertionError: The command failed.
    """
    command = [sys.executable, "-m", "projops", "reconcile", *maps, "--json", "--all", "--values", *options]
    done = subprocess.run(command, env=_environment(world), capture_output=True, text=True, check=False)
    assert done.returncode in _ANSWERS, done.stderr[-4000:]
    said = json.loads(done.stdout)
    assert (done.returncode == _IN_STEP) == (said["drift"] == 0), f"{said['drift']}, {done.returncode}"
    return Answer(_cells(said["differences"], maps), said["repair"])


def _environment(world: World) -> dict[str, str]:
    settings = {
        "PYTHONPATH": f"{ROOT / 'plugins'}{os.pathsep}{ROOT}",
        "PROJOPS_STATE_URL": world.settings.state_url,
        "PROJOPS_STAGING": world.settings.staging,
        "PROJOPS_MAPPINGS": str(world.settings.mappings),
    }
    for system, address in (("dataverse", world.sandbox.dataverse), ("finance", world.sandbox.finance)):
        connection = {"conn_type": system, "host": address, "extra": {"token": world.token}}
        settings[f"AIRFLOW_CONN_{system.upper()}_DEFAULT"] = json.dumps(connection)
    return base_environment() | settings


def _cells(
    differences: Sequence[Mapping[str, Any]], maps: Mapping[str, TableMap]
) -> Mapping[Cell, Sequence[Reported]]:
    found: dict[Cell, list[Reported]] = {}
    for row in differences:
        direction, table_map = Direction(row["leg"]), maps[row["map"]]
        for column in row["columns"] or [dict.fromkeys(("column", "expected", "found"))]:
            reported = Reported(direction, **column, **{name: row[name] for name in _OF_ROW})
            name = column["column"]
            place = direction.value if name is None else column_name(table_map, direction, name)
            found.setdefault(Cell(row["map"], _key(row["key"]), place), []).append(reported)
    return found


def _key(text: str | None) -> str:
    return "" if text is None else json.dumps(json.loads(text), ensure_ascii=False, separators=(",", ":"))
