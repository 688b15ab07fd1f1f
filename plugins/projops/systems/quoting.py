"""How values stand in URLs: literals, key predicates and filters. The one place that quotes.

Both systems take OData V4 literals [D]. Where they differ is in what they do with a text inside
`eq`: Dataverse reads %, _ and [ as LIKE wildcards [D], Finance reads * as one.
"""

import re
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from projops.errors import RowRejectedError
from projops.mapping.model import System
from projops.systems.properties import Form, Property

# Sub-delimiters that OData itself uses in a URL; everything else is percent-encoded.
_SAFE = "'(),=:$@;!"
_ENUM_NAMESPACE = "Microsoft.Dynamics.DataEntities"
_DATAVERSE_WILDCARDS = re.compile(r"[%_\[]")


@dataclass(frozen=True, slots=True)
class EnumSymbol:
    """A symbol of a Finance enum.

    Attributes:
        enum: Name without namespace, such as NoYes.
        symbol: Such as Yes.
    """

    enum: str
    symbol: str


def literal(value: object) -> str:
    """Write a value as an OData literal, not yet percent-encoded.

    Text is quoted with doubled apostrophes, dates as ISO days, time stamps as UTC, enum symbols
    with their full type name.

    Raises:
        TypeError: The type has no literal (floats among them: they are not exact).
    """
    for kind, write in _LITERALS:
        if isinstance(value, kind):
            return write(value)
    raise TypeError(f"A value of type {type(value).__name__} has no OData literal.")


def decimal_text(value: Decimal) -> str:
    """Write a decimal exactly, without exponent and without superfluous zeros."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def instant_text(value: datetime) -> str:
    """Write an aware time stamp as UTC, to the second, with a fraction only where it has one."""
    if value.tzinfo is None:
        raise TypeError("A time stamp without zone has no OData literal.")
    moment = value.astimezone(UTC).replace(tzinfo=None)
    return moment.isoformat(timespec="microseconds" if moment.microsecond else "seconds") + "Z"


def finance_date_text(value: date) -> str:
    """Write a date-only value as Finance does: at noon UTC, so that no zone moves the day [L]."""
    return f"{value.isoformat()}T12:00:00Z"


def property_literal(system: System, column: Property, value: object) -> str:
    """Write the value of a column as a literal of its own type, not yet percent-encoded.

    Args:
        system: Decides how dates are written.
        column: Says whether a text is a GUID, a lookup or an enum symbol.
        value: As `Array.to_pylist` gives it.

    Raises:
        RowRejectedError: The text of a GUID column is no GUID.
        TypeError: The type has no literal.
    """
    if value is None:
        return "null"
    if column.form in (Form.GUID, Form.LOOKUP) and "." not in column.name:
        return literal(_guid(column, value))
    if column.form is Form.ENUM:
        return literal(EnumSymbol(column.enum, str(value)))
    if system is System.FINANCE and isinstance(value, date) and not isinstance(value, datetime):
        return finance_date_text(value)
    return literal(value)


def encode(text: str) -> str:
    """Percent-encode a piece of a URL (a literal, a filter, a key predicate) as UTF-8."""
    return quote(text, safe=_SAFE)


def key_predicate(system: System, columns: Sequence[Property], values: Sequence[object]) -> str:
    """Write a key as it stands in a URL, percent-encoded: `(dataAreaId='usmf',ProjectId='A%2F1')`.

    Raises:
        RowRejectedError: A key part is empty or of the wrong form.
    """
    for column, value in zip(columns, values, strict=True):
        if value is None:
            raise RowRejectedError(
                f"Key field {column.name} is empty.", remedy="Fill it in at the source.", field=column.name
            )
    parts = (
        f"{column.wire_name}={property_literal(system, column, value)}"
        for column, value in zip(columns, values, strict=True)
    )
    return encode(f"({','.join(parts)})")


def key_filter(system: System, columns: Sequence[Property], rows: Iterable[Sequence[object]]) -> str:
    """Write a filter that finds rows by key, not yet encoded: `(a eq 'x' and b eq 2) or (...)`.

    Dataverse wildcards in texts are taken literally. Finance has no way to do that for `*`, so that
    its answer may hold more rows than asked for: the caller compares keys.
    """
    return " or ".join(
        "("
        + " and ".join(
            f"{column.filter_path} eq {property_literal(system, column, _literally(system, column, value))}"
            for column, value in zip(columns, row, strict=True)
        )
        + ")"
        for row in rows
    )


def any_of(column: str, values: Iterable[object]) -> str:
    """Write a filter for one column that has any of these values: `a eq 'x' or a eq 'y'`."""
    return " or ".join(f"{column} eq {literal(value)}" for value in values)


def guid_in(column: str, ids: Iterable[str]) -> str:
    """Write Dataverse's query function for a list of GUIDs [D], not yet encoded."""
    values = ",".join(f'"{uuid.UUID(each)}"' for each in ids)
    return f"Microsoft.Dynamics.CRM.In(PropertyName='{column}',PropertyValues=[{values}])"


def query(**options: str | None) -> str:
    """Write system query options, encoded: `query(select="a,b")` gives `?$select=a,b`.

    Options whose value is None or empty are left out.
    """
    pairs = [f"${name}={encode(value)}" for name, value in options.items() if value]
    return "?" + "&".join(pairs) if pairs else ""


# In this order: a bool is an int, a datetime is a date.
_LITERALS: tuple[tuple[type, Callable[[Any], str]], ...] = (
    (type(None), lambda _: "null"),
    (bool, lambda value: "true" if value else "false"),
    (str, lambda value: "'" + value.replace("'", "''") + "'"),
    (int, str),
    (uuid.UUID, str),
    (Decimal, decimal_text),
    (datetime, instant_text),
    (date, date.isoformat),
    (EnumSymbol, lambda value: f"{_ENUM_NAMESPACE}.{value.enum}{literal(value.symbol)}"),
)


def _guid(column: Property, value: object) -> uuid.UUID:
    try:
        return uuid.UUID(str(value))
    except ValueError:
        raise RowRejectedError(
            f"Field {column.name} is no GUID.", remedy="Correct it at the source.", field=column.name
        ) from None


def _literally(system: System, column: Property, value: object) -> object:
    if system is System.DATAVERSE and isinstance(value, str) and column.form is Form.PLAIN:
        return _DATAVERSE_WILDCARDS.sub(lambda found: f"[{found.group()}]", value)
    return value
