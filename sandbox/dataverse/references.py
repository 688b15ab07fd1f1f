"""Rows named by GUID or by alternate key, in URLs, in `@odata.id` and in `@odata.bind`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import unquote
from uuid import UUID

from sandbox.dataverse.entities import Entities, Entity
from sandbox.dataverse.errors import (
    bad_request,
    not_a_key,
    resource_not_found,
)
from sandbox.odata.grammar import Node
from sandbox.odata.keys import KeyPart, parse_key, split_path
from sandbox.odata.literals import kind_of, literal_value
from sandbox.schema.model import Column, ColumnType
from sandbox.store import folded
from sandbox.store.types import instant_text

_TEXTS = re.compile(r"('(?:[^']|'')*')")
_ALIAS = re.compile(r"@\w+")
_GUIDS = frozenset({ColumnType.GUID, ColumnType.LOOKUP})


@dataclass(frozen=True, slots=True)
class Reference:
    """A row by its GUID, or by the columns of an alternate key.

    Attributes:
        table: Logical name.
        row_id: GUID, None where a key names the row.
        key: Column and stored value of each part of the key, in the order of the declared key.
    """

    table: str
    row_id: str | None = None
    key: tuple[tuple[str, Any], ...] = ()

    @property
    def identity(self) -> tuple[object, ...]:
        """What is equal for two references by the same key, whatever the case of its text."""
        if self.row_id is not None:
            return (self.table, self.row_id)
        return (self.table, *((name, comparable(value)) for name, value in self.key))


def read_reference(entity: Entity, predicate: str) -> Reference:
    """Read what stands between the parentheses of `accounts(...)`.

    Raises:
        ApiError: When it is no key of the table.
        ODataError: When it is no key predicate at all.
    """
    row_id = _guid(predicate)
    if row_id is not None:
        return Reference(entity.table.name, row_id)
    parts = parse_key(predicate)
    if len(parts) == 1 and parts[0].name in {None, entity.primary_id}:
        return _by_id(entity, parts[0].literal)
    values = {_key_column(entity, part).name: part.literal for part in parts}
    for key in entity.table.keys:
        if set(key) == set(values):
            named = ((name, _key_value(entity.table.columns[name], values[name])) for name in key)
            return Reference(entity.table.name, None, tuple(named))
    raise not_a_key(entity.table)


def resolve_aliases(predicate: str, options: Mapping[str, str]) -> str:
    """Put the query's parameter aliases into a key: `accounts(@p)?@p='x'` [D].

    Raises:
        ApiError: When the query does not say what an alias stands for.
    """

    def value(match: re.Match[str]) -> str:
        name = match.group()
        if name not in options:
            raise bad_request(f"The parameter alias '{name}' has no value in the query.")
        return options[name]

    bare = enumerate(_TEXTS.split(predicate))
    return "".join(part if number % 2 else _ALIAS.sub(value, part) for number, part in bare)


def read_link(
    entities: Entities, url: str, content_ids: Mapping[str, str], root: str
) -> tuple[str, Reference]:
    """Read the URL of a row: `/accounts(guid)`, `accounts(k='v')`, absolute, or `$1` of a changeset.

    Returns:
        Entity set and the row; the row's `table` is "" for a set that the sandbox has no table of.

    Raises:
        ApiError: When it is no URL of a row.
    """
    path = resource_path(url, root)
    if path.startswith("$"):
        path = resolve_content_id(path, content_ids)
    segments = split_path(path)
    if len(segments) != 1 or segments[0].key is None:
        raise bad_request(f"Invalid URI found: '{url[:200]}'. It must name one row, as /accounts(guid) does.")
    name, predicate = segments[0].name, segments[0].key
    entity = entities.by_set.get(name)
    if entity is not None:
        return name, read_reference(entity, predicate)
    row_id = _guid(predicate)
    if row_id is None:
        raise resource_not_found(name)
    return name, Reference("", row_id)


def resource_path(url: str, root: str) -> str:
    """Return what stands below the service root in an absolute or relative URL, decoded."""
    path = url.removeprefix(root)
    if "://" in path.partition("(")[0]:
        path = "/" + path.partition("://")[2].partition("/")[2]
    if path.startswith("/api/data/v"):
        path = path.removeprefix("/api/data/").partition("/")[2]
    return unquote(path).strip("/")


def resolve_content_id(path: str, content_ids: Mapping[str, str]) -> str:
    """Replace `$1` at the front of a path by the row that this part of the changeset made.

    Raises:
        ApiError: When no earlier part of the changeset has that content id (protocol 1.6).
    """
    name, slash, rest = path.removeprefix("$").partition("/")
    if name not in content_ids:
        raise bad_request(f"Content-ID Reference: '${name}' does not exist in the batch context.")
    return content_ids[name] + slash + rest


def comparable(value: object) -> object:
    """Return what is equal for values that a key does not tell apart: text without case."""
    return folded(value) if isinstance(value, str) else value


def _guid(text: str) -> str | None:
    try:
        return str(UUID(text.strip().strip("'"))) if len(text.strip()) >= len("0" * 32) else None
    except ValueError:
        return None


def _by_id(entity: Entity, literal: Node) -> Reference:
    row_id = _key_value(entity.table.columns[entity.primary_id], literal)
    return Reference(entity.table.name, str(row_id))


def _key_column(entity: Entity, part: KeyPart) -> Column:
    """Find the column of a key part; a lookup is `_x_value`, its bare name is tolerated."""
    name = part.name or ""
    column = entity.properties.get(name) or entity.table.columns.get(name)
    if column is None:
        raise not_a_key(entity.table)
    return column


def _key_value(column: Column, literal: Node) -> Any:
    """Return a key literal as the store keeps it: days and time stamps are text there.

    Raises:
        ApiError: When it is null, by which no row can be named.
    """
    value = literal_value(literal, kind_of(column), column, lenient=column.type in _GUIDS)
    if value is None:
        raise bad_request(
            f"The key property '{column.name}' has a null value. Key properties must not have null values."
        )
    if isinstance(value, datetime):
        return instant_text(value)
    return value.isoformat() if isinstance(value, date) else value
