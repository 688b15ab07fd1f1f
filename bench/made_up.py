"""Both systems made up: a source of so many rows, their crosswalk, and a target that takes them all."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

import pyarrow as pa

from projops.engine import Engine
from projops.extract.sources import own_columns
from projops.load.decide import Action, Row, TargetRow
from projops.load.target import Outcome, Result, Waiting
from projops.mapping import catalog
from projops.mapping.model import Direction, System
from projops.mapping.paths import source_column
from projops.state import crosswalk
from projops.state.crosswalk import Entry
from projops.systems.decoding import Page

MAP, LEG = "funding_sources", Direction.DATAVERSE_TO_FINANCE
PAGE = 5000
_PARENT = 10**12  # added to a row's number, gives that of its contract and of its customer
_COMPANY = 10**13


def guid(number: int) -> str:
    """Give the GUID that stands for a number."""
    text = f"{number:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def text(column: str, number: int) -> str:
    """Give the text that a row has in a column."""
    return f"{column[-8:]} {number}"


def made_up(kind: pa.DataType, name: str, numbers: Sequence[int]) -> pa.Array:
    """Make up a column that differs from row to row; types that need a meaning stay empty."""
    if pa.types.is_string(kind):
        return pa.array([text(name, number) for number in numbers], kind)
    if pa.types.is_boolean(kind):
        return pa.array([number % 2 == 0 for number in numbers], kind)
    return pa.nulls(len(numbers), kind)


class Source:
    """A table of so many rows, every hundredth of which the source has no longer."""

    def __init__(self, engine: Engine, rows: int) -> None:
        self.engine, self.rows = engine, rows

    async def changes(self, *_: object) -> AsyncIterator[Page]:
        """Give all rows that are there, page by page."""
        for start in range(0, self.rows, PAGE):
            numbers = [number for number in range(start, min(start + PAGE, self.rows)) if number % 100]
            yield Page(self._batch(numbers), delta_link="next")

    def _batch(self, numbers: Sequence[int]) -> pa.RecordBatch:
        table_map = self.engine.map(MAP)
        leg = table_map.legs[LEG]
        ids, versions = [guid(each) for each in numbers], ["1"] * len(numbers)
        columns = {"_id": pa.array(ids), "_version": pa.array(versions)}
        for name in own_columns(table_map, leg):
            column = source_column(table_map, leg, name)
            is_lookup = column.type is catalog.ColumnType.LOOKUP
            columns[name] = (
                pa.array(_parents(name, numbers))
                if is_lookup
                else made_up(catalog.arrow_type(column), name, numbers)
            )
        return pa.RecordBatch.from_pydict(columns)

    async def by_ids(self, table: object, columns: object, ids: Sequence[str]) -> tuple[None, Sequence[str]]:
        """Find none of the rows that did not come."""
        return None, ids

    async def parents(self, table: str, ids: Sequence[str], columns: Sequence[str]) -> pa.Table:
        """Give the rows that lookups lead to: as many as there are rows, but for the one company."""
        known = catalog.table(System.DATAVERSE, table).columns
        numbers = [int(each.replace("-", ""), 16) - _PARENT for each in ids]
        found = {"_id": pa.array(ids)} | {
            name: made_up(catalog.arrow_type(known[name]), name, numbers) for name in columns
        }
        if table == "cdm_company":
            found["cdm_companycode"] = pa.array(["USPM"] * len(ids))
        return pa.table(found)


def _parents(lookup: str, numbers: Sequence[int]) -> list[str]:
    if lookup == "msdyn_company":
        return [guid(_COMPANY)] * len(numbers)
    return [guid(_PARENT + number) for number in numbers]


class Taker:
    """A target that holds all rows and their parents, and writes whatever it is told."""

    async def resolve(self, _table: pa.Table) -> Sequence[Waiting]:
        """Find all parents."""
        return []

    async def read(self, rows: Sequence[Row]) -> Mapping[str, TargetRow]:
        """Refuse: of rows that the crosswalk knows none is read before it is written."""
        if rows:
            raise AssertionError(f"{len(rows)} rows were read")
        return {}

    async def write(self, actions: Sequence[Action]) -> list[Outcome]:
        """Say that all is written."""
        return [Outcome(Result.WRITTEN)] * len(actions)


def fill_crosswalk(engine: Engine, rows: int) -> None:
    """Let all rows and their parents have been in step before, the rows with other values."""
    _put(engine, "companies", [Entry('["uspm"]', guid(_COMPANY))])
    for start in range(0, rows, PAGE):
        numbers = range(start, min(start + PAGE, rows))
        _put(engine, "contract_headers", _pairs("ordernumber", numbers))
        _put(engine, "customers", _pairs("accountnumber", numbers))
        _put(engine, MAP, (Entry(_key(number), guid(number), "0" * 32) for number in numbers))


def _key(number: int) -> str:
    own, contract = text("msdyn_fundingsourceid", number), text("ordernumber", number)
    return f'["{own}","{contract}","uspm"]'


def _pairs(column: str, numbers: Iterable[int]) -> Iterable[Entry]:
    return (Entry(f'["{text(column, number)}","uspm"]', guid(_PARENT + number)) for number in numbers)


def _put(engine: Engine, map_id: str, entries: Iterable[Entry]) -> None:
    with engine.state.begin() as connection:
        crosswalk.put(connection, map_id, 1, list(entries))
