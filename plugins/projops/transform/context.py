"""What an operator may know of the rows that it works on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from projops.mapping.catalog import Column
from projops.mapping.companies import DEFAULT_ZONE, Company
from projops.mapping.keys import fold_column
from projops.mapping.model import Direction, Leg, System, TableMap
from projops.mapping.paths import company_path
from projops.mapping.value_maps import ValueMap
from projops.transform.outcome import one_array


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one frame and their surroundings.

    Attributes:
        table: Source frame.
        direction: Direction of the leg.
        zones: IANA time zone of each row's company, one string a row.
        value_maps: Value maps by name.
    """

    table: pa.Table
    direction: Direction
    zones: pa.Array
    value_maps: Mapping[str, ValueMap]

    def column(self, path: str) -> pa.Array:
        """A source column in one piece."""
        return one_array(self.table[path])

    @property
    def count(self) -> int:
        """Number of rows."""
        return int(self.table.num_rows)


@dataclass(frozen=True, slots=True)
class Ends:
    """Where a field's value comes from and goes to.

    Attributes:
        source: Catalog column that `from` names, or None.
        target: Catalog column that is written.
    """

    source: Column | None
    target: Column


def rows_of(
    table_map: TableMap,
    leg: Leg,
    table: pa.Table,
    value_maps: Mapping[str, ValueMap],
    companies: Mapping[str, Company],
) -> Rows:
    """The rows of a source frame with the time zone of each one's company (UTC unless said)."""
    return Rows(table, leg.direction, zones_of(table_map, leg.direction.source, table, companies), value_maps)


def zones_of(
    table_map: TableMap, system: System, table: pa.Table, companies: Mapping[str, Company]
) -> pa.Array:
    """The time zone of each row's company, UTC unless said; the rows are as one side names its columns."""
    path = company_path(table_map, system)
    if path is None:
        return pa.array([DEFAULT_ZONE] * table.num_rows, pa.string())
    known = {code: company.zone for code, company in companies.items()}
    encoded = fold_column(one_array(table[path])).dictionary_encode()
    names = [known.get(code, DEFAULT_ZONE) for code in encoded.dictionary.to_pylist()]
    return pa.array(names, pa.string()).take(encoded.indices).fill_null(DEFAULT_ZONE)
