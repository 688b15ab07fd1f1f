"""In which form of OData JSON an answer goes out: how much metadata, and numbers as text or not."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from sandbox.finance.catalog import NAMESPACE
from sandbox.finance.errors import RoutingError
from sandbox.schema.model import Column, ColumnType

_LEVEL = re.compile(r"\bodata\.metadata\s*=\s*\"?(\w+)", re.IGNORECASE)
_TEXT_NUMBERS = re.compile(r"\bieee754compatible\s*=\s*\"?true\b", re.IGNORECASE)
_JSON = re.compile(r"\s*(?:json|application/json)\s*(?:;.*)?", re.IGNORECASE)

# What a JSON value does not say by itself is said beside it; Int32 and Double need nothing [L].
_NAMED_TYPES: Mapping[ColumnType, str] = {
    ColumnType.DATETIME: "#DateTimeOffset",
    ColumnType.DATE: "#DateTimeOffset",
    ColumnType.DECIMAL: "#Decimal",
    ColumnType.MONEY: "#Decimal",
    ColumnType.BIGINT: "#Int64",
    ColumnType.GUID: "#Guid",
}
_TEXT_TYPES = frozenset({ColumnType.DECIMAL, ColumnType.MONEY, ColumnType.BIGINT})


class Metadata(StrEnum):
    """How much an answer says about itself."""

    NONE = "none"
    MINIMAL = "minimal"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Representation:
    """What the client asked for.

    Attributes:
        metadata: `odata.metadata` of the Accept header.
        text_numbers: `IEEE754Compatible=true`: decimals and 64-bit integers go out as text [D OData 4.0].
    """

    metadata: Metadata = Metadata.MINIMAL
    text_numbers: bool = False

    @property
    def media_type(self) -> str:
        """The Content-Type of an answer, as seen live [L]."""
        numbers = "; IEEE754Compatible=true" if self.text_numbers else ""
        return f"application/json; odata.metadata={self.metadata}{numbers}; charset=utf-8"

    def value(self, column: Column, value: object) -> object:
        """A property as it goes out."""
        if self.text_numbers and column.type in _TEXT_TYPES:
            return format(value, "f") if isinstance(value, Decimal) else str(value)
        return value


def read_representation(accept: str, format_option: str | None) -> Representation:
    """Read what a request asks for; `$format` wins over the Accept header.

    Raises:
        RoutingError: `$format` names something else than JSON (415).
    """
    wanted = accept if format_option is None else format_option
    if format_option is not None and not _JSON.fullmatch(format_option):
        raise RoutingError(415, f"The format '{format_option}' is not supported: this service answers JSON.")
    level = _LEVEL.search(wanted)
    known = level is not None and level[1].lower() in set(Metadata)
    metadata = Metadata(level[1].lower()) if level is not None and known else Metadata.MINIMAL
    return Representation(metadata, bool(_TEXT_NUMBERS.search(wanted)))


def type_annotation(column: Column) -> str | None:
    """`X@odata.type` of a property in full metadata, None where its JSON says it all [L]."""
    if column.type is ColumnType.ENUM:
        return f"#{NAMESPACE}.{column.enum}"
    return _NAMED_TYPES.get(column.type)
