"""Navigation properties: what leads from a row to those that it refers to, and back.

They follow from the references that Finance checks. Names are not public for these sets [?]; ours follow
the form that is seen on live systems: a single row under its entity type (`SalesOrderHeaderV2`), many
under their entity set (`SalesOrderLines`). Where a set refers to itself, the column and `Child` tell the
ways apart.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from sandbox.finance.catalog import Catalog
from sandbox.finance.references import REFERENCES, Reference
from sandbox.schema.model import Table
from sandbox.store import fold
from sandbox.store.tables import REC_ID


@dataclass(frozen=True, slots=True)
class NavigationProperty:
    """One way from an entity to another.

    Attributes:
        name: Property name.
        partner: Name of the way back.
        target: Entity set that it leads to.
        pairs: Columns that agree, ours and theirs; companies too.
        collection: Whether it leads to many rows.
        only_if: A column and its value that the referring row must have; of ours where `collection` is
            false, else of theirs.
    """

    name: str
    partner: str
    target: str
    pairs: tuple[tuple[str, str], ...]
    collection: bool = False
    only_if: tuple[str, str] | None = None


def navigation_properties(sets: Mapping[str, Table], table: Table) -> dict[str, NavigationProperty]:
    """The navigation properties of an entity set by name."""
    return {way.name: way for way in _ways(sets, table.name)}


def rows_of(
    connection: sa.Connection,
    catalog: Catalog,
    source: Table,
    way: NavigationProperty,
    origins: Sequence[int],
) -> Iterator[tuple[int, Mapping[Any, Any]]]:
    """Give the rows that a navigation property leads to, each with the record id of where it starts.

    Args:
        connection: Of the read transaction.
        catalog: The entity sets.
        source: The set that it starts from.
        way: The property.
        origins: Record ids of rows of that set.
    """
    target = catalog.sql(catalog.sets[way.target]).alias("target")
    origin = catalog.sql(source).alias("origin")
    query = (
        sa.select(origin.c[REC_ID].label("origin_recid"), *target.c)
        .join_from(origin, target, _agree(origin, target, way))
        .where(origin.c[REC_ID].in_(origins))
        .order_by(target.c[REC_ID])
    )
    for row in connection.execute(query).mappings():
        yield row["origin_recid"], row


def reached_from(
    catalog: Catalog, source: Table, way: NavigationProperty, origin: Mapping[Any, Any]
) -> sa.ColumnElement[bool]:
    """That a row of the target is one to which the property of this row leads."""
    target = catalog.sql(catalog.sets[way.target])
    start = catalog.sql(source).alias("origin")
    starts = start.c[REC_ID] == origin[REC_ID]
    return sa.exists(sa.select(sa.literal(1)).where(starts, _agree(start, target, way)).correlate(target))


def _agree(origin: sa.FromClause, target: sa.FromClause, way: NavigationProperty) -> sa.ColumnElement[bool]:
    conditions = [fold(target.c[theirs]) == fold(origin.c[ours]) for ours, theirs in way.pairs]
    named, child = way.pairs[0], target if way.collection else origin
    column = child.c[named[1] if way.collection else named[0]]
    conditions.append(column != "")
    if way.only_if is not None:
        conditions.append(child.c[way.only_if[0]] == way.only_if[1])
    return sa.and_(*conditions)


def _ways(sets: Mapping[str, Table], name: str) -> Iterator[NavigationProperty]:
    for reference in REFERENCES:
        if name not in {reference.child, reference.parent}:
            continue
        ours, theirs = _names(sets, reference)
        pairs = _pairs(sets, reference)
        if reference.child == name:
            yield NavigationProperty(ours, theirs, reference.parent, pairs, only_if=reference.only_if)
        if reference.parent == name:
            back = tuple((there, here) for here, there in pairs)
            yield NavigationProperty(theirs, ours, reference.child, back, True, reference.only_if)


def _names(sets: Mapping[str, Table], reference: Reference) -> tuple[str, str]:
    """What the child calls its parent, and what the parent calls its children."""
    if reference.child == reference.parent:
        return reference.column.removesuffix("Id"), f"Child{reference.child}"
    return sets[reference.parent].entity_type, reference.child


def _pairs(sets: Mapping[str, Table], reference: Reference) -> tuple[tuple[str, str], ...]:
    own, other = sets[reference.child].company_column, sets[reference.parent].company_column
    companies = [] if own is None or other is None else [(own, other)]
    return ((reference.column, reference.parent_column), *reference.also.items(), *companies)
