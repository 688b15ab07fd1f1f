"""A few rows changed by hand, as a user of either system would, and what must move because of them."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from projops.mapping.model import Direction, System
from projops.mapping.reader import load_maps
from runner.errors import RunnerError
from runner.expected import Side, belongs
from runner.rows import Rows
from runner.wire import Row, Wire

LegName = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Change:
    """A text of one row that somebody edits.

    Attributes:
        map: Map of the row.
        direction: From the system in which it is edited.
        column: Column that is edited.
        text: What is written, before the time of day.
    """

    map: str
    direction: Direction
    column: str
    text: str

    @property
    def leg(self) -> LegName:
        """The leg that must move the row."""
        return self.map, self.direction.value


CHANGES = (
    Change("projects", Direction.DATAVERSE_TO_FINANCE, "msdyn_description", "Reviewed"),
    Change("project_tasks", Direction.DATAVERSE_TO_FINANCE, "msdyn_subject", "Kick-off"),
    Change("contract_headers", Direction.DATAVERSE_TO_FINANCE, "name", "Framework agreement"),
    Change("vendors", Direction.FINANCE_TO_DATAVERSE, "VendorOrganizationName", "Vendor"),
)


def make_changes(mappings: Path, wire: Wire, stamp: str) -> Counter[LegName]:
    """Edit one row for each of `CHANGES`; say how many rows each leg must move.

    Args:
        mappings: Folder of the mapping files.
        wire: Signed-in clients.
        stamp: Text that makes the new values differ from those of an earlier run.
    """
    for change in CHANGES:
        edit(change, mappings, wire, stamp)
    return Counter(change.leg for change in CHANGES)


def edit(change: Change, mappings: Path, wire: Wire, stamp: str) -> None:
    """Edit one row; arguments as for `make_changes`."""
    loaded = load_maps(mappings)
    side = Side(loaded.maps[change.map], change.direction.source, Rows(wire), loaded)
    row = min(rows_that_move(side, change.direction), key=side.key)
    change_row(wire, side.system, place_of(side, row), {change.column: f"{change.text} {stamp}"})


def change_row(wire: Wire, system: System, place: str, values: Row) -> None:
    """Change some columns of a row of either system, named by set and key."""
    if system is System.FINANCE:
        wire.change_finance(place, values)
    else:
        entity_set, _, row_id = place.removesuffix(")").partition("(")
        wire.change_dataverse(entity_set, row_id, values)


def rows_that_move(side: Side, direction: Direction) -> list[Row]:
    """Give the rows that a leg moves.

    Raises:
        RunnerError: There is none.
    """
    found = [row for row in side.rows.of(side.table) if belongs(side, direction, row)]
    if not found:
        raise RunnerError(f"{side.table.entity_set} has no row to change; begin anew with: make demo FRESH=1")
    return found


def place_of(side: Side, row: Row) -> str:
    """Name a row by set and key, as its system does."""
    table = side.table
    key = row[str(table.primary_id)] if side.system is System.DATAVERSE else _predicate(table.keys[0], row)
    return f"{table.entity_set}({key})"


def _predicate(key: tuple[str, ...], row: Row) -> str:
    return ",".join(
        f"{name}='{quote(str(row[name]).replace(chr(39), chr(39) * 2), safe='')}'" for name in key
    )
