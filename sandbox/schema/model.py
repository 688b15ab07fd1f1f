"""The shape of a Dataverse table and of a Finance entity set, as frozen values.

Both systems are described in one vocabulary, so that the store can create tables for either;
where they differ on the wire (option numbers against enum symbols, lookups against plain keys),
the column says which it is and the API modules render it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class ColumnType(StrEnum):
    """What a column holds, independent of the database underneath."""

    STRING = "string"
    MEMO = "memo"
    GUID = "guid"
    INTEGER = "integer"
    BIGINT = "bigint"
    DECIMAL = "decimal"
    MONEY = "money"
    DOUBLE = "double"
    BOOLEAN = "boolean"
    DATETIME = "datetime"
    DATE = "date"
    OPTION = "option"  # Dataverse option set: an integer with labels
    MULTI_OPTION = "multi_option"
    LOOKUP = "lookup"  # Dataverse: the GUID of a row in `target`
    ENUM = "enum"  # Finance: a symbol of `enum`


class DateTimeBehavior(StrEnum):
    """How Dataverse understands a date and time column."""

    USER_LOCAL = "UserLocal"
    DATE_ONLY = "DateOnly"
    TIME_ZONE_INDEPENDENT = "TimeZoneIndependent"


@dataclass(frozen=True, slots=True)
class Option:
    """One member of an option set (value and label) or of a Finance enum (value and symbol)."""

    value: int
    label: str


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table or a property of an entity set.

    Attributes:
        name: Logical name (Dataverse, lower case) or property name (Finance, Pascal case).
        type: What it holds.
        label: Display name, or None.
        required: Whether a create without it is refused.
        read_only: Whether the system alone writes it (createdon, versionnumber, ...).
        write_only: Whether nobody can read it (secrets of service endpoints).
        max_length: Longest text in characters, for text columns.
        minimum: Least value, for numbers.
        maximum: Greatest value, for numbers.
        scale: Digits after the point, for decimal and money.
        options: Members of an option set.
        target: Logical name of the table that a lookup points to.
        targets: All tables of a polymorphic lookup (customerid: account and contact), else just
            `target`.
        relationships: Public schema names of the relationships to `targets`, in their order; empty
            where none is public.
        behavior: DateTimeBehavior of a Dataverse date and time column; in Finance DateOnly for a
            date (its time is always 12:00 UTC on the wire) and UserLocal for a point in time.
        enum: Name of the Finance enum.
        default: What a create without the column stores, or None for null (Dataverse) or the
            null convention of the type (Finance).
        nullable: Whether Finance metadata calls the property nullable; values are never null.
        source: "proposed" or "documented" where the schema says so.
    """

    name: str
    type: ColumnType
    label: str | None = None
    required: bool = False
    read_only: bool = False
    write_only: bool = False
    max_length: int | None = None
    minimum: str | None = None
    maximum: str | None = None
    scale: int | None = None
    options: tuple[Option, ...] = ()
    target: str | None = None
    targets: tuple[str, ...] = ()
    relationships: tuple[str, ...] = ()
    behavior: DateTimeBehavior | None = None
    enum: str | None = None
    source: str | None = None
    default: int | bool | None = None
    nullable: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A Dataverse table or a Finance entity set.

    Attributes:
        system: "dataverse" or "finance".
        name: Logical name of the table (Dataverse) or entity set name (Finance).
        entity_set: Name in URLs.
        entity_type: Type name used in `@odata.type` and metadata.
        label: Display name; for Finance also the entity name that data management uses.
        primary_id: Dataverse GUID column; for Finance None (rows are found by `keys[0]`).
        primary_name: Column shown as the row's name, or None.
        columns: By name, in documented order, system columns last.
        keys: Alternate keys (Dataverse) or the one entity key (Finance).
        company_column: The column that names the company where a Finance set is company-specific
            (dataAreaId, but for two export sets), else None.
        change_tracking: Whether Dataverse change tracking is enabled.
        schema_name: Dataverse's name with its capitals (Account); the logical name where none is public.
        object_type_code: Dataverse's public number of the table, None where none is public.
        lookups_indexed: Whether the database finds rows by their lookups to this table quickly.
    """

    system: str
    name: str
    entity_set: str
    entity_type: str
    label: str
    primary_id: str | None
    primary_name: str | None
    columns: Mapping[str, Column] = field(default_factory=dict)
    keys: tuple[tuple[str, ...], ...] = ()
    company_column: str | None = None
    change_tracking: bool = True
    schema_name: str = ""
    object_type_code: int | None = None
    lookups_indexed: bool = True

    def qualifiers(self, key: tuple[str, ...]) -> tuple[str, ...]:
        """Return the columns that longer alternate keys add to this one.

        Such a key is unique among the rows without a qualifier only: several companies may use the
        account number that one account without a company has.
        """
        longer = (other for other in self.keys if set(key) < set(other))
        return tuple(dict.fromkeys(name for other in longer for name in other if name not in key))
