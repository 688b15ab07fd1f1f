"""From Arrow rows to JSON bodies, exactly: decimals as the digits that they have.

Null means what each side means by it: Dataverse takes null; Finance takes "" for texts, 0 for
numbers, 1900-01-01T12:00:00Z for dates [L], a zero GUID, and a null enum is left out.
"""

import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Self

import orjson
import pyarrow as pa

from projops.errors import RowRejectedError
from projops.mapping.model import System
from projops.systems.properties import Form, Property
from projops.systems.quoting import decimal_text, finance_date_text, instant_text

FINANCE_NO_DATE = "1900-01-01T12:00:00Z"
_ZERO_GUID = str(uuid.UUID(int=0))

Writer = Callable[[dict[str, Any], Any], None]


@dataclass(frozen=True, slots=True)
class Bodies:
    """Writes the rows of one table as JSON objects; how a column is written is chosen once.

    Attributes:
        writers: How each column is written, by name.
    """

    writers: Mapping[str, Writer]

    @classmethod
    def of(cls, system: System, properties: Iterable[Property]) -> Self:
        """Choose how columns are written; a lookup needs `target_set` and holds GUIDs."""
        return cls({column.name: _writer(system, column) for column in properties})

    def body(self, values: Mapping[str, object]) -> bytes:
        """Write one row.

        Args:
            values: Of some of the columns, by name, in the order in which they are to stand.

        Raises:
            RowRejectedError: A lookup holds something that is no GUID.
        """
        content: dict[str, Any] = {}
        writers = self.writers
        for name, value in values.items():
            writers[name](content, value)
        return orjson.dumps(content, option=orjson.OPT_PASSTHROUGH_DATETIME)


def splice(body: bytes, names: Mapping[str, str]) -> bytes:
    """Put names (annotations, ids) in front of those of a JSON object, without reading it again."""
    front = orjson.dumps(names)
    return front[:-1] + (b"," + body[1:] if len(body) > 2 else b"}")


def _writer(system: System, column: Property) -> Writer:
    """Choose once a column how its values are written."""
    if system is System.DATAVERSE:
        return _lookup(column) if column.form is Form.LOOKUP else _or_null(column.name)
    return _finance(column)


def _or_null(name: str) -> Writer:
    def write(content: dict[str, Any], value: Any) -> None:
        content[name] = _json_value(value)

    return write


def _lookup(column: Property) -> Writer:
    """Bind by GUID; the navigation property's name is case-sensitive [D], null unbinds."""
    name = f"{column.navigation}@odata.bind"

    def write(content: dict[str, Any], value: Any) -> None:
        content[name] = None if value is None else f"/{column.target_set}({_guid(column, value)})"

    return write


def _finance(column: Property) -> Writer:
    absent = _finance_absent(column)

    def write(content: dict[str, Any], value: Any) -> None:
        if value is not None:
            content[column.name] = _finance_value(value)
        elif absent is not None:
            content[column.name] = absent

    return write


def _finance_absent(column: Property) -> object:
    """What Finance writes where there is nothing; None where the property is left out."""
    if column.form is Form.ENUM or pa.types.is_boolean(column.type):
        return None
    if column.form is Form.GUID:
        return _ZERO_GUID
    if pa.types.is_temporal(column.type):
        return FINANCE_NO_DATE
    return "" if column.type == pa.string() else 0


def _finance_value(value: object) -> object:
    if isinstance(value, date) and not isinstance(value, datetime):
        return finance_date_text(value)
    return _json_value(value)


def _json_value(value: object) -> object:
    if isinstance(value, Decimal):
        return orjson.Fragment(decimal_text(value))
    if isinstance(value, datetime):
        return instant_text(value)
    return value.isoformat() if isinstance(value, date) else value


def _guid(column: Property, value: object) -> str:
    try:
        return _guid_text(str(value))
    except ValueError:
        raise RowRejectedError(
            f"Field {column.name} refers to something that is no GUID.",
            remedy="Correct it at the source.",
            field=column.name,
        ) from None


@lru_cache(maxsize=10_000)  # many rows refer to few others
def _guid_text(text: str) -> str:
    """Write a GUID as both systems do; a text that is none raises ValueError."""
    return str(uuid.UUID(text))
