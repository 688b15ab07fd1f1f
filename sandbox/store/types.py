"""SQL types that keep a value exactly, alike on SQLite and Postgres.

Time stamps, dates and GUIDs are kept as the text that goes on the wire, so that a page of rows
needs no conversion; decimals are NUMERIC on Postgres and text with a numeric collation on SQLite,
which has no exact number type.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeDecorator, TypeEngine

from sandbox.schema.model import ColumnType

DECIMAL_COLLATION = "EXACT_DECIMAL"


def instant_text(value: datetime) -> str:
    """Render an aware time stamp as it is kept: UTC, `2026-10-31T22:00:00Z`.

    A fraction of a second follows the Z (`...:00Z.5`): it never occurs in a row, only in a literal
    that rows are compared with, and in this place it sorts behind the whole second.
    """
    utc = value.astimezone(UTC)
    fraction = f".{utc.microsecond:06d}" if utc.microsecond else ""
    return utc.replace(microsecond=0, tzinfo=None).isoformat() + "Z" + fraction


def _text_of(value: Any) -> str | None:
    if value is None or type(value) is str:
        return value
    if isinstance(value, datetime):
        return instant_text(value)
    return value.isoformat() if isinstance(value, date) else str(value)


class CodeText(TypeDecorator[str]):
    """GUIDs, dates and time stamps as text in byte order; binds take the Python values too."""

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> TypeEngine[Any]:
        """Sort by bytes on Postgres whatever the database's own collation is."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(postgresql.TEXT(collation="C"))
        return dialect.type_descriptor(sa.Text())

    def bind_processor(self, dialect: sa.Dialect) -> Callable[[Any], Any]:
        """Render a datetime, a date, a UUID; ready text passes as it is."""
        return _text_of


class ExactDecimal(TypeDecorator[Decimal]):
    """A decimal of any length, exact to the last digit."""

    impl = sa.Numeric
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> TypeEngine[Any]:
        """NUMERIC on Postgres, text with a numeric collation on SQLite."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(sa.Text(collation=DECIMAL_COLLATION))
        return dialect.type_descriptor(sa.Numeric())

    def bind_processor(self, dialect: sa.Dialect) -> Callable[[Any], Any]:
        """Hand over text to SQLite and a Decimal to Postgres."""
        to_text = dialect.name == "sqlite"

        def process(value: Any) -> Any:
            if value is None:
                return None
            exact = value if isinstance(value, Decimal) else Decimal(str(value))
            return format(exact, "f") if to_text else exact

        return process

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> Callable[[Any], Any]:
        """Return Decimal from either database."""

        def process(value: Any) -> Any:
            return value if value is None or isinstance(value, Decimal) else Decimal(str(value))

        return process


_SQL_TYPES: dict[ColumnType, type[TypeEngine[Any]]] = {
    ColumnType.STRING: sa.Text,
    ColumnType.MEMO: sa.Text,
    ColumnType.GUID: CodeText,
    ColumnType.INTEGER: sa.BigInteger,
    ColumnType.BIGINT: sa.BigInteger,
    ColumnType.DECIMAL: ExactDecimal,
    ColumnType.MONEY: ExactDecimal,
    ColumnType.DOUBLE: ExactDecimal,
    ColumnType.BOOLEAN: sa.Boolean,
    ColumnType.DATETIME: CodeText,
    ColumnType.DATE: CodeText,
    ColumnType.OPTION: sa.BigInteger,
    ColumnType.MULTI_OPTION: sa.Text,
    ColumnType.LOOKUP: CodeText,
    ColumnType.ENUM: sa.Text,
}

TEXT_TYPES = frozenset({ColumnType.STRING, ColumnType.MEMO})
DECIMAL_TYPES = frozenset({ColumnType.DECIMAL, ColumnType.MONEY, ColumnType.DOUBLE})


def sql_type(kind: ColumnType) -> TypeEngine[Any]:
    """Return the SQL type that keeps values of `kind`."""
    return _SQL_TYPES[kind]()
