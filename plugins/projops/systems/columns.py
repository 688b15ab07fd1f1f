"""From the catalog's tables and columns to what the wire needs to know of them."""

import json
from collections.abc import Iterable, Sequence
from datetime import date, datetime

import pyarrow as pa

from projops.mapping import catalog
from projops.mapping.catalog import ColumnType, Table
from projops.systems.dataverse import EntitySet
from projops.systems.properties import Property, form_of


def entity_set(table: Table) -> EntitySet:
    """Give a Dataverse table as `systems.dataverse` needs it."""
    return EntitySet(table.entity_set, table.name, str(table.primary_id))


def properties(table: Table, names: Iterable[str]) -> tuple[Property, ...]:
    """Give columns of a table as the wire needs them."""
    return tuple(_property(table, name) for name in names)


def key_values(text: str, columns: Sequence[Property]) -> list[object]:
    """Read a canonical key text back into values of the key's columns.

    Texts come back folded, which both systems take for the same key.
    """
    return [_typed(column.type, value) for column, value in zip(columns, json.loads(text), strict=True)]


def _typed(kind: pa.DataType, value: object) -> object:
    if isinstance(value, str) and pa.types.is_date(kind):
        return date.fromisoformat(value)
    if isinstance(value, str) and pa.types.is_timestamp(kind):
        return datetime.fromisoformat(value)
    return value


def _property(table: Table, name: str) -> Property:
    column = table.columns[name]
    navigation = target_set = ""
    if column.type is ColumnType.LOOKUP and column.targets:
        target = next((each for each in column.targets if each in catalog.dataverse_tables()), None)
        target_set = catalog.dataverse_tables()[target].entity_set if target else ""
        # A polymorphic lookup is set through one navigation property for each table that it may lead to.
        navigation = f"{name}_{target}" if len(column.targets) > 1 else name
    return Property(
        name=name,
        type=catalog.arrow_type(column),
        form=form_of(column.type.value),
        enum=column.enum or "",
        navigation=navigation,
        target_set=target_set,
    )
