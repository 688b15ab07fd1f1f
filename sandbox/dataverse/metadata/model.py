"""A definition: what one table, column, key, option set or relationship says about itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeAlias, Union

Below: TypeAlias = Union["Definition", tuple["Definition", ...], None]
_COLUMNS = """BigInt Boolean DateTime Decimal Double EntityName File Image Integer Lookup ManagedProperty Memo
Money MultiSelectPicklist Picklist State Status String UniqueIdentifier""".split()
TYPES = frozenset(
    {f"{name}AttributeMetadata" for name in ("", "Enum", *_COLUMNS)}
    | {f"{name}RelationshipMetadata" for name in ("OneToMany", "ManyToMany")}
    | {"RelationshipMetadataBase", "EntityMetadata", "EntityKeyMetadata"}
    | {"OptionSetMetadataBase", "OptionSetMetadata", "BooleanOptionSetMetadata"}
)
"""Types that a path may name, whether or not anything here has them [D]."""
_NOTHING: Mapping[str, Below] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Definition:
    """One metadata entity.

    Attributes:
        kind: Its type: `StringAttributeMetadata`.
        base: The type of the collections that it stands in: `AttributeMetadata`.
        properties: Values by name, complex ones as dictionaries.
        shared: Names of the properties that `base` declares; the others need a cast.
        below: What its navigation properties lead to, by name.
    """

    kind: str
    base: str
    properties: Mapping[str, Any]
    shared: frozenset[str]
    below: Mapping[str, Below] = field(default_factory=lambda: _NOTHING)
