"""Many rows of one company as one data package that Finance imports, where that is worth it and safe.

An import upserts, and a package names the same columns in all its rows. So only legs may pack for
which writing a whole row is right whatever Finance holds: nothing shared with the other leg, nothing
that is Finance's own once it is there, nothing that must not be created. What an import refuses, or
says nothing of, is no outcome yet: such a row goes, or is looked at, as any other, and is told in the
same words.
"""

import logging
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from projops.errors import ProtocolError, StopError, UnknownOutcomeError
from projops.load.decide import Action, Kind, Policy, Row
from projops.load.target import Outcome, Result
from projops.mapping.catalog import Table
from projops.mapping.model import Leg, System, TableMap, WriteMode
from projops.mapping.paths import key_paths, table_of
from projops.state.in_flight import Mark
from projops.systems.columns import properties
from projops.systems.error_keys import Key
from projops.systems.imports import Import, Imports
from projops.systems.package_writing import DataFile, cell, is_left_out, write_package
from projops.systems.packages import ExecutionStatus, Packages
from projops.systems.properties import Property

_log = logging.getLogger(__name__)
COMPANY = "dataAreaId"  # no data file holds it: a package is of one company
_WRITTEN = (Kind.CREATE, Kind.UPDATE)
_UNCLEAR = Outcome(Result.LOOK_AGAIN, message="Finance does not tell what its import made of the row.")


@dataclass(frozen=True, slots=True)
class Parcel:
    """Rows that travel as one data package.

    Attributes:
        execution: Execution id of the import, for people too: it names the map.
        company: Company of all of them; "" for entities without.
        columns: What each of them names.
        places: Where they stand among the actions that they were taken from.
        actions: The actions.
    """

    execution: str
    company: str
    columns: tuple[str, ...]
    places: Sequence[int]
    actions: Sequence[Action]


@dataclass(frozen=True, slots=True)
class Packing:
    """Packs rows of one leg, and has Finance import them.

    Attributes:
        imports: Of the environment that is written.
        table_map: The map.
        leg: A leg that `may_pack`.
        least: Rows from which a package is worth it.
    """

    imports: Imports
    table_map: TableMap
    leg: Leg
    least: int

    @property
    def table(self) -> Table:
        """The entity set that is written."""
        return table_of(self.table_map, System.FINANCE)

    def parcels(self, actions: Sequence[Action]) -> list[Parcel]:
        """Take out what goes in packages: of one company and with the same columns, in their order."""
        going = [(place, action.row) for place, action in enumerate(actions) if action.kind in _WRITTEN]
        if len(going) < self.least:
            return []
        columns = self._columns(going[0][1])
        groups: dict[tuple[str, tuple[str, ...]], list[int]] = {}
        for place, row in going:
            company = str(row.identity.get(COMPANY, ""))
            groups.setdefault((company.casefold(), _said(row, columns)), []).append(place)
        return [
            Parcel(self._execution(), company, said, places, [actions[place] for place in places])
            for (company, said), places in groups.items()
            if len(places) >= self.least
        ]

    async def send(self, parcel: Parcel) -> dict[int, Outcome]:
        """Have Finance import a parcel, and wait until it has ended.

        Returns:
            Outcomes by place: written, or to be looked at again. A row without an outcome was not
            written: Finance refuses it, or takes on no import now.

        Raises:
            SystemUnavailableError: Finance is away, or the import does not end.
        """
        order = self._order(parcel)
        try:
            reason = await self._ask(order, parcel)
        except UnknownOutcomeError:
            if not await self.imports.is_known(parcel.execution):
                return dict.fromkeys(parcel.places, _UNCLEAR)
            reason = ""
        if reason:
            _log.warning(
                "Finance takes on no import of %s now, its rows go one by one: %s", order.entity, reason
            )
            return {}
        status = await self.imports.packages.ended(parcel.execution)
        try:
            refused = await self._refused(order, parcel, status)
            written = await self.imports.written(order)
        except ProtocolError:
            return dict.fromkeys(parcel.places, _UNCLEAR)
        rest = [place for place, key in self._keys(parcel) if key not in refused]
        return dict.fromkeys(rest, Outcome(Result.WRITTEN) if written == len(rest) else _UNCLEAR)

    async def _ask(self, order: Import, parcel: Parcel) -> str:
        """Ask for the import of a parcel; give why there is none, "" where Finance takes it on."""
        try:
            address = await self.imports.upload(f"{parcel.execution}.zip", self._package(parcel))
        except StopError as problem:  # the right to import is missing, or its files are kept elsewhere
            return str(problem)
        return await self.imports.start(order, address)

    async def _refused(self, order: Import, parcel: Parcel, status: ExecutionStatus) -> frozenset[Key]:
        if status is ExecutionStatus.SUCCEEDED:
            return frozenset()
        found = await self.imports.refused(order, self._key(), len(parcel.places))
        return frozenset(_folded(key) for key in found)

    def _order(self, parcel: Parcel) -> Import:
        return Import(self._group(), parcel.execution, self.table.label, parcel.company)

    def _group(self) -> str:
        return f"projops-import-{self.table_map.map}"

    def _execution(self) -> str:
        return f"{self._group()}-{uuid.uuid4()}"

    def _package(self, parcel: Parcel) -> bytes:
        rows = (_texts(action.row, parcel.columns) for action in parcel.actions)
        return write_package(DataFile(self._group(), self.table.label, parcel.columns, rows))

    def _columns(self, row: Row) -> tuple[Property, ...]:
        """Give the columns of which all rows of the leg may say something, keys first."""
        names = dict.fromkeys(name for name in (*self._key(), *row.payload) if name != COMPANY)
        return properties(self.table, names)

    def _key(self) -> list[str]:
        return [name for name in key_paths(self.table_map, System.FINANCE) if name != COMPANY]

    def _keys(self, parcel: Parcel) -> Iterable[tuple[int, Key]]:
        key = self._key()
        texts = (_texts(action.row, key) for action in parcel.actions)
        return zip(parcel.places, map(_folded, texts), strict=True)


def packing_of(imports: Imports, table_map: TableMap, leg: Leg, least: int) -> Packing | None:
    """Give what packs the rows of a leg; None where it must not, or `least` is 0.

    Args:
        imports: Of the environment that is written.
        table_map: The map.
        leg: The leg.
        least: Rows from which a package is worth it; 0 for never.
    """
    return Packing(imports, table_map, leg, least) if least and may_pack(table_map, leg) else None


def may_pack(table_map: TableMap, leg: Leg) -> bool:
    """Say whether whole rows of a leg may be upserted in any order, whatever Finance holds."""
    if leg.direction.target is not System.FINANCE or leg.write is not WriteMode.UPSERT:
        return False
    policy, table = Policy.of(table_map, leg), table_of(table_map, System.FINANCE)
    key = key_paths(table_map, System.FINANCE)
    of_company = table.company_column is None or (table.company_column == COMPANY and COMPANY in key)
    return of_company and table_map.gate is None and not policy.shared and not policy.create_only


async def await_imports(packages: Packages, marks: Iterable[Mark]) -> None:
    """Wait for imports of writers that fell silent: what they have yet to write is older than ours.

    Args:
        packages: Of the environment that is written.
        marks: What other writers have left of the leg that is about to write.

    Raises:
        SystemUnavailableError: One does not end; nothing has been written.
    """
    for execution in dict.fromkeys(mark.execution for mark in marks if mark.execution is not None):
        if await packages.status(execution) is not None:
            await packages.ended(execution)


def _values(row: Row) -> Mapping[str, object]:
    return {**row.payload, **row.identity}


def _said(row: Row, columns: Iterable[Property]) -> tuple[str, ...]:
    """Name what a row says: a null enum is not said, and stays as it is at the target."""
    values = _values(row)
    return tuple(each.name for each in columns if not is_left_out(each, values[each.name]))


def _texts(row: Row, columns: Sequence[str]) -> tuple[str, ...]:
    values = _values(row)
    return tuple(cell(values[name]) for name in columns)


def _folded(key: Key) -> Key:
    """Fold a key as Finance compares texts: it may answer in another case."""
    return tuple(text.casefold() for text in key)
