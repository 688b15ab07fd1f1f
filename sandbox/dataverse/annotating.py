"""Annotations beside the properties of an answer: which a Prefer header asks for, and what they say.

Formatted values are what a form shows to a user of the United States whose zone is UTC (protocol 1.3).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

import orjson
import sqlalchemy as sa

from sandbox.dataverse.entities import NAMESPACE, Entities, Entity
from sandbox.dataverse.rendering import Row, Shape
from sandbox.schema.model import Column, ColumnType, DateTimeBehavior

FORMATTED = "OData.Community.Display.V1.FormattedValue"
ATTRIBUTE_NAME = "OData.Community.Display.V1.AttributeName"
LOOKUP_TABLE = f"{NAMESPACE}.lookuplogicalname"
NAVIGATION = f"{NAMESPACE}.associatednavigationproperty"
TOTAL_COUNT = f"{NAMESPACE}.totalrecordcount"
LIMIT_EXCEEDED = f"{NAMESPACE}.totalrecordcountlimitexceeded"
METADATA_VERSION = f"{NAMESPACE}.globalmetadataversion"
MORE_RECORDS = f"{NAMESPACE}.morerecords"
PAGING_COOKIE = f"{NAMESPACE}.fetchxmlpagingcookie"

CURRENCY = "_transactioncurrencyid_value"
_BASE_SYMBOL = "$"  # amounts of rows without a currency are shown in the organization's [?]
_CENTS = 2
_CHUNK = 5_000  # names asked for in one statement
_EXACT = Context(prec=400)


def wants(pattern: str, annotation: str) -> bool:
    """Say whether `odata.include-annotations` asks for an annotation.

    The pattern is a list of names, `*` or `prefix.*`, each of which a hyphen excludes; the most specific that
    fits decides, an exclusion where two are alike [D OData JSON format 4.0, 8.1.3].
    """
    decided = (-1, False, False)
    for part in (each.strip() for each in pattern.split(",")):
        name = part.removeprefix("-")
        excluded = part.startswith("-")
        prefix = name[:-1] if name.endswith("*") else None
        if name == annotation or (prefix is not None and annotation.startswith(prefix)):
            specific = len(annotation) + 1 if prefix is None else len(prefix)
            decided = max(decided, (specific, excluded, not excluded))
    return decided[2]


@dataclass(frozen=True)
class Annotator:
    """Adds the annotations that a Prefer header asks for.

    Attributes:
        pattern: What `odata.include-annotations` says.
        entities: All tables, for the names of rows.
        connection: Where to read them.
    """

    pattern: str
    entities: Entities
    connection: sa.Connection

    def annotate(self, shape: Shape, rows: list[Row]) -> list[Row]:
        """Return the rows with their annotations, each before its property."""
        labels = self.labels(shape.properties, rows)
        return [self.annotated(shape.entity, shape.properties, row, labels) for row in rows]

    def labels(self, properties: Mapping[str, Column], rows: list[Row]) -> Mapping[str, str]:
        """Return the texts of all lookups of the rows by GUID, and the symbols of their currencies.

        Beside them the table of each row that a lookup to several tables leads to.
        """
        formatted = wants(self.pattern, FORMATTED)
        leading = wants(self.pattern, LOOKUP_TABLE) or wants(self.pattern, NAVIGATION)
        labels: dict[str, str] = {}
        for name, column in properties.items():
            if column.type is not ColumnType.LOOKUP or not (formatted or (leading and _several(column))):
                continue
            found = {row[name] for row in rows if row.get(name)}
            labels |= self._names(column, found)
            if name == CURRENCY and formatted:
                symbols = self._texts("transactioncurrency", "currencysymbol", found)
                labels |= {f"symbol {row_id}": text for row_id, text in symbols.items() if text is not None}
        return labels

    def annotated(
        self, entity: Entity, properties: Mapping[str, Column], row: Row, labels: Mapping[str, str]
    ) -> Row:
        """Return one row with its annotations; what is no property stays as it is."""
        formatted = wants(self.pattern, FORMATTED)
        symbol = labels.get(f"symbol {row.get(CURRENCY)}", _BASE_SYMBOL)
        full: Row = {}
        for name, value in row.items():
            column = properties.get(name)
            if column is not None and value is not None:
                if formatted and (text := formatted_value(column, value, labels, symbol)) is not None:
                    full[f"{name}@{FORMATTED}"] = text
                if column.type is ColumnType.LOOKUP:
                    target = labels.get(f"table {value}", target_of(column, self.entities))
                    full |= self._lookup(entity, name, column, target)
            full[name] = value
        return full

    def _lookup(self, entity: Entity, name: str, column: Column, target: str) -> Row:
        leading = {link.target: link.name for link in entity.links.values() if link.column == column.name}
        navigation = leading.get(target, next(iter(leading.values()), column.name))
        said = {NAVIGATION: navigation, LOOKUP_TABLE: target}
        return {f"{name}@{each}": text for each, text in said.items() if wants(self.pattern, each)}

    def _names(self, column: Column, row_ids: set[str]) -> dict[str, str]:
        """Return the names of the rows that a lookup leads to, and their tables where it has several."""
        labels: dict[str, str] = {}
        left = set(row_ids)
        for table in (target for target in column.targets if target in self.entities.by_name):
            name = self.entities.by_name[table].table.primary_name
            if not (name or _several(column)):
                continue
            texts = self._texts(table, name, left)
            left -= texts.keys()
            labels |= {row_id: text for row_id, text in texts.items() if text is not None}
            if _several(column):
                labels |= {f"table {row_id}": table for row_id in texts}
        return labels

    def _texts(self, table: str, column: str | None, row_ids: set[str]) -> dict[str, str | None]:
        """Return a column of some rows by GUID, None throughout where there is no such column."""
        entity = self.entities.by_name[table]
        text = sa.null() if column is None else entity.sql.c[column]
        texts: dict[str, str | None] = {}
        wanted = sorted(row_ids)
        for start in range(0, len(wanted), _CHUNK):
            some = entity.id_column.in_(wanted[start : start + _CHUNK])
            texts |= {
                row_id: value
                for row_id, value in self.connection.execute(sa.select(entity.id_column, text).where(some))
            }
        return texts


def _several(column: Column) -> bool:
    return len(column.targets) > 1


def with_attribute_names(row: Row, named: Mapping[str, str]) -> Row:
    """Return a row with the names of the columns that its aliases stand for, each before its property [D]."""
    full: Row = {}
    for name, value in row.items():
        if name in named:
            full[f"{name}@{ATTRIBUTE_NAME}"] = named[name]
        full[name] = value
    return full


def target_of(column: Column, entities: Entities) -> str:
    """Return the table that a lookup leads to: the first that is here where it may be one of several."""
    known: Iterable[str] = (target for target in column.targets if target in entities.by_name)
    return next(iter(known), column.targets[0] if column.targets else "")


def formatted_value(
    column: Column, value: Any, labels: Mapping[str, str], symbol: str = _BASE_SYMBOL
) -> str | None:
    """Return the text that a form would show; None for types that are shown as they are.

    Args:
        column: What the value is of.
        value: As it goes on the wire.
        labels: Texts of lookups by GUID.
        symbol: Currency of the row.
    """
    if column.type is ColumnType.LOOKUP:
        return labels.get(value)
    if column.type is ColumnType.MONEY:
        return money(exact(value), symbol)
    form = _FORMS.get(column.type)
    return form(column, value) if form else None


def money(amount: Decimal, symbol: str = _BASE_SYMBOL) -> str:
    """Return an amount as a form shows it: `$1,234.50`, negative in parentheses `($1,234.50)`."""
    text = f"{symbol}{_number(abs(amount), _CENTS)}"
    return f"({text})" if amount < 0 else text


def exact(value: Any) -> Decimal:
    """Return a number of an answer as a decimal, whether it is rendered already or not."""
    text = bytes(orjson.dumps(value)).decode() if isinstance(value, orjson.Fragment) else str(value)
    return Decimal(text)


def _number(value: Decimal, scale: int) -> str:
    return f"{value.quantize(Decimal(1).scaleb(-scale), ROUND_HALF_UP, _EXACT):,}"


def _decimal(column: Column, value: Any) -> str:
    return _number(exact(value), _CENTS if column.scale is None else column.scale)


def _whole(_column: Column, value: int) -> str:
    return f"{value:,}"


def _yes_or_no(_column: Column, value: bool) -> str:
    return "Yes" if value else "No"


def _options(column: Column, value: str) -> str:
    return "; ".join(_option(column, int(each)) or each for each in value.split(",") if each)


def _option(column: Column, value: int) -> str | None:
    return {option.value: option.label for option in column.options}.get(value)


def _moment(column: Column, value: str) -> str:
    day = f"{int(value[5:7])}/{int(value[8:10])}/{int(value[:4])}"
    if column.type is ColumnType.DATE or column.behavior is DateTimeBehavior.DATE_ONLY:
        return day
    hour, minute = int(value[11:13]), value[14:16]
    return f"{day} {hour % 12 or 12}:{minute} {'AM' if hour < 12 else 'PM'}"


_FORMS: Mapping[ColumnType, Callable[[Column, Any], str | None]] = {
    ColumnType.OPTION: _option,
    ColumnType.MULTI_OPTION: _options,
    ColumnType.BOOLEAN: _yes_or_no,
    ColumnType.INTEGER: _whole,
    ColumnType.BIGINT: _whole,
    ColumnType.DECIMAL: _decimal,
    ColumnType.DOUBLE: _decimal,
    ColumnType.DATETIME: _moment,
    ColumnType.DATE: _moment,
}
