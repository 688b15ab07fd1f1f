"""Literals of a filter or a key, as the Python values that a column is compared with."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any
from uuid import UUID

from odata_query import ast

from sandbox.odata.errors import TypeMismatchError
from sandbox.odata.grammar import EnumLiteral, Node
from sandbox.schema.model import Column, ColumnType, DateTimeBehavior

Value = str | int | bool | Decimal | datetime | date | None

_INT64 = 2**63
_MAX_DIGITS = 60
_MAX_TEXT = 8_000  # characters; SQLite refuses LIKE patterns above 50,000 bytes


class Kind(StrEnum):
    """What can be compared with what; the value is the EDM type named in messages."""

    TEXT = "Edm.String"
    GUID = "Edm.Guid"
    INTEGER = "Edm.Int32"
    DECIMAL = "Edm.Decimal"
    BOOLEAN = "Edm.Boolean"
    INSTANT = "Edm.DateTimeOffset"
    DATE = "Edm.Date"
    ENUM = "Edm.Enum"


NUMBERS = frozenset({Kind.INTEGER, Kind.DECIMAL})

_KINDS = {
    ColumnType.STRING: Kind.TEXT,
    ColumnType.MEMO: Kind.TEXT,
    ColumnType.MULTI_OPTION: Kind.TEXT,
    ColumnType.GUID: Kind.GUID,
    ColumnType.LOOKUP: Kind.GUID,
    ColumnType.INTEGER: Kind.INTEGER,
    ColumnType.BIGINT: Kind.INTEGER,
    ColumnType.OPTION: Kind.INTEGER,
    ColumnType.DECIMAL: Kind.DECIMAL,
    ColumnType.MONEY: Kind.DECIMAL,
    ColumnType.DOUBLE: Kind.DECIMAL,
    ColumnType.BOOLEAN: Kind.BOOLEAN,
    ColumnType.DATETIME: Kind.INSTANT,
    ColumnType.DATE: Kind.DATE,
    ColumnType.ENUM: Kind.ENUM,
}

_LITERAL_TYPES: dict[type[Node], str] = {
    ast.String: Kind.TEXT,
    ast.GUID: Kind.GUID,
    ast.Integer: Kind.INTEGER,
    ast.Float: Kind.DECIMAL,
    ast.Boolean: Kind.BOOLEAN,
    ast.DateTime: Kind.INSTANT,
    ast.Date: Kind.DATE,
    ast.Time: "Edm.TimeOfDay",
    ast.Duration: "Edm.Duration",
    ast.Geography: "Edm.Geography",
    ast.List: "Collection",
}


def kind_of(column: Column) -> Kind:
    """What a column is compared as."""
    return _KINDS[column.type]


def is_literal(node: Node) -> bool:
    """Whether a node is a literal, negative numbers and lists included."""
    return isinstance(node, ast._Literal) or _negated(node) is not None


def literal_type(node: Node) -> str:
    """The EDM type of a literal, for messages."""
    if isinstance(node, EnumLiteral):
        return node.type_name
    return _LITERAL_TYPES.get(type(node), "Edm.Decimal")


def literal_value(node: Node, kind: Kind, column: Column | None = None, lenient: bool = False) -> Value:
    """The value of a literal where one of `kind` is wanted.

    Args:
        node: A literal; null gives None.
        kind: What it is compared with.
        column: The column that it is compared with: its enum members and DateTimeBehavior.
        lenient: Whether quoted text is taken for GUIDs, numbers, dates and booleans too, as the
            values of Dataverse query functions and quoted GUIDs are.

    Raises:
        TypeMismatchError: The literal is of another type, or out of range.
    """
    if isinstance(node, ast.Null):
        return None
    if lenient and isinstance(node, ast.String) and kind is not Kind.TEXT:
        return _convert(_from_text, kind, node, node.val, kind, column)
    if kind is Kind.ENUM:
        return _enum_member(node, column)
    reader = _READERS.get((type(node), kind))
    if reader is None and (inner := _negated(node)) is not None and kind in NUMBERS:
        return _convert(_NUMBERS[kind], kind, inner, "-" + inner.val)
    if reader is None:
        found = literal_type(node)
        raise TypeMismatchError(f"A literal of type '{found}' was found where '{kind}' is expected.")
    return _convert(reader, kind, node, node.val, column)


def _convert(reader: Callable[..., Value], kind: Kind, node: Node, *arguments: Any) -> Value:
    try:
        return reader(*arguments)
    except (ValueError, OverflowError, InvalidOperation):
        raise TypeMismatchError(f"Unrecognized '{kind}' literal '{node.val}'.") from None


def _negated(node: Node) -> Node | None:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return node.operand if isinstance(node.operand, ast.Integer | ast.Float) else None
    return None


def _enum_member(node: Node, column: Column | None) -> str:
    """Enums compare with enum literals of their own type only (protocol 2.1)."""
    if column is None or not isinstance(node, EnumLiteral):
        raise TypeMismatchError.operands(column.enum or "" if column else "", literal_type(node), "Equal")
    if node.type_name.rpartition(".")[2] != column.enum:
        raise TypeMismatchError.operands(column.enum or "", node.type_name, "Equal")
    if node.member not in {option.label for option in column.options}:
        raise TypeMismatchError(f"The string '{node.member}' is not a valid enumeration type constant.")
    return node.member


def _text(text: str, _column: Column | None = None) -> str:
    if "\x00" in text or len(text) > _MAX_TEXT:
        raise ValueError(text)
    return text


def _decimal(text: str, _column: Column | None = None) -> Decimal:
    value = Decimal(text)
    if not value.is_finite() or max(abs(value.adjusted()), len(value.as_tuple().digits)) > _MAX_DIGITS:
        raise ValueError(text)
    return value


def _integer(text: str, _column: Column | None = None) -> int | Decimal:
    """A whole number that fits 64 bits as int, any other as Decimal."""
    value = _decimal(text)
    return int(value) if value == value.to_integral_value() and -_INT64 <= value < _INT64 else value


def _guid(text: str, _column: Column | None = None) -> str:
    return str(UUID(text))


def _boolean(text: str, _column: Column | None = None) -> bool:
    return {"true": True, "false": False, "1": True, "0": False}[text.lower()]


def _instant(text: str, _column: Column | None = None) -> datetime:
    value = datetime.fromisoformat(text)
    return (value.replace(tzinfo=UTC) if value.tzinfo is None else value).astimezone(UTC)


def _instant_of_day(text: str, column: Column | None = None) -> datetime:
    """A day where an instant is wanted: Finance keeps date-only values at 12:00 UTC, others begin at 0:00."""
    noon = column is not None and column.behavior is DateTimeBehavior.DATE_ONLY
    return datetime.combine(date.fromisoformat(text), time(12 if noon else 0), UTC)


def _day(text: str, _column: Column | None = None) -> date:
    return date.fromisoformat(text)


def _from_text(text: str, kind: Kind, column: Column | None) -> Value:
    if kind is Kind.INSTANT and len(text) == len("2026-10-31"):
        return _instant_of_day(text, column)
    if kind is Kind.BOOLEAN and text.lower() not in {"true", "false", "1", "0"}:
        raise ValueError(text)
    return _TEXT_READERS[kind](text)


_NUMBERS: dict[Kind, Callable[[str], Value]] = {Kind.INTEGER: _integer, Kind.DECIMAL: _decimal}

_TEXT_READERS: dict[Kind, Callable[[str], Value]] = {
    Kind.TEXT: _text,
    Kind.GUID: _guid,
    Kind.INTEGER: _integer,
    Kind.DECIMAL: _decimal,
    Kind.BOOLEAN: _boolean,
    Kind.INSTANT: _instant,
    Kind.DATE: _day,
    Kind.ENUM: _text,
}

_READERS: dict[tuple[type[Node], Kind], Callable[..., Value]] = {
    (ast.String, Kind.TEXT): _text,
    (ast.GUID, Kind.GUID): _guid,
    (ast.Integer, Kind.INTEGER): _integer,
    (ast.Float, Kind.INTEGER): _integer,
    (ast.Integer, Kind.DECIMAL): _decimal,
    (ast.Float, Kind.DECIMAL): _decimal,
    (ast.Boolean, Kind.BOOLEAN): _boolean,
    (ast.DateTime, Kind.INSTANT): _instant,
    (ast.Date, Kind.INSTANT): _instant_of_day,
    (ast.Date, Kind.DATE): _day,
}
