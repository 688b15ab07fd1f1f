"""`$expand`: the rows that a page's rows refer to, one level deep, with a $select inside [D odata]."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from sandbox.finance.catalog import PROFILE, Catalog
from sandbox.finance.errors import FinanceError
from sandbox.finance.navigation import NavigationProperty, navigation_properties, rows_of
from sandbox.finance.request import DataRequest
from sandbox.finance.rows import Row, View
from sandbox.odata.errors import UnknownPropertyError
from sandbox.odata.options import ExpandItem, parse_expand, parse_select
from sandbox.schema.model import Table
from sandbox.store.tables import REC_ID

_TOO_DEEP = "The request includes a $expand path which is too deep. The maximum depth allowed is 1."


@dataclass(frozen=True, slots=True)
class Expansion:
    """One navigation property of $expand.

    Attributes:
        way: The property.
        view: How the rows at its end are shown.
        select: The $select inside, None without one.
    """

    way: NavigationProperty
    view: View
    select: str | None = None

    @property
    def context(self) -> str:
        """What the context URL says of it: `Lines`, or `Lines(ItemNumber,Quantity)` [L]."""
        return self.way.name if self.select is None else f"{self.way.name}({','.join(self.view.columns)})"


def expansions(catalog: Catalog, table: Table, request: DataRequest) -> tuple[Expansion, ...]:
    """What `$expand` of a request asks for; `*` means every navigation property.

    Raises:
        FinanceError: It goes deeper than one level, or has another option inside than $select.
        UnknownPropertyError: The entity has no such navigation property, or $select no such property.
    """
    ways = navigation_properties(catalog.sets, table)
    found: list[Expansion] = []
    for item in parse_expand(request.options.get("$expand", "")):
        if "/" in item.name or "$expand" in item.options:
            raise FinanceError(400, _TOO_DEEP)
        names = tuple(ways) if item.name == "*" else (item.name,)
        found += [_expansion(catalog, table, ways.get(name), item, request) for name in names]
    return tuple(found)


def expand(
    connection: sa.Connection,
    catalog: Catalog,
    table: Table,
    wanted: Sequence[Expansion],
    rows: Sequence[Row],
) -> list[dict[str, Any]]:
    """For each row, the navigation properties with what they lead to: a list, or one row or null."""
    ends: list[dict[str, Any]] = [
        {item.way.name: [] if item.way.collection else None for item in wanted} for _ in rows
    ]
    place = {row[REC_ID]: number for number, row in enumerate(rows)}
    for item in wanted:
        for origin, row in rows_of(connection, catalog, table, item.way, tuple(place)):
            rendered = item.view.render(row)
            if item.way.collection:
                ends[place[origin]][item.way.name].append(rendered)
            else:
                ends[place[origin]][item.way.name] = rendered
    return ends


def select_columns(
    table: Table, select: str | None, ways: Mapping[str, NavigationProperty]
) -> tuple[str, ...]:
    """The columns of $select, all without one or for `*`; navigation properties may be named too.

    Raises:
        UnknownPropertyError: A name that the entity does not have.
    """
    names = parse_select(select or "*")
    if "*" in names:
        return tuple(table.columns)
    for name in names:
        if name not in table.columns and name not in ways:
            raise UnknownPropertyError(name, f"{PROFILE.namespace}.{table.entity_type}")
    return tuple(dict.fromkeys(name for name in names if name in table.columns))


def _expansion(
    catalog: Catalog, table: Table, way: NavigationProperty | None, item: ExpandItem, request: DataRequest
) -> Expansion:
    if way is None:
        raise UnknownPropertyError(item.name, f"{PROFILE.namespace}.{table.entity_type}")
    refused = next((name for name in item.options if name != "$select"), None)
    if refused is not None:
        raise FinanceError(400, f"The query option '{refused}' is not supported inside of $expand.")
    target = catalog.sets[way.target]
    ways = navigation_properties(catalog.sets, target)
    select = item.options.get("$select")
    columns = select_columns(target, select, ways)
    return Expansion(way, View(request.root, target, columns, request.representation, tuple(ways)), select)
