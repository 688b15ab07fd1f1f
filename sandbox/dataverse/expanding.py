"""$expand: related rows beneath the rows of an answer, a query a navigation property."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import sqlalchemy as sa

from sandbox.dataverse.entities import NAMESPACE, PROFILE, Collection, Entities, Entity, Link
from sandbox.dataverse.errors import bad_request
from sandbox.dataverse.rendering import Row, Shape, shape_of
from sandbox.odata.filter import compile_filter
from sandbox.odata.options import ExpandItem, compile_orderby, parse_count, parse_expand, parse_select
from sandbox.schema.model import Column

_CHUNK = 500
_MAX_DEPTH = 10
_OPTIONS = frozenset({"$select", "$filter", "$orderby", "$top", "$expand"})


@dataclass(frozen=True)
class Expander:
    """Fetches related rows.

    Attributes:
        entities: All tables.
        connection: Where to read.
        root: Service root, for links.
    """

    entities: Entities
    connection: sa.Connection
    root: str

    def expand(self, entity: Entity, rows: list[Row], text: str, depth: int = 1) -> None:
        """Add to each row what `$expand` names; rows hold the lookups of `needed_lookups`.

        Raises:
            ApiError: When a name is no navigation property.
            ODataError: When an option cannot be read.
        """
        if depth > _MAX_DEPTH and text:
            raise bad_request(f"$expand may be nested {_MAX_DEPTH} levels deep.")
        for item in parse_expand(text):
            if unknown := set(item.options) - _OPTIONS:
                raise bad_request(f"The query option '{min(unknown)}' is not supported inside $expand.")
            if link := entity.links.get(item.name):
                self._single(rows, link, item, depth)
            elif collection := entity.collections.get(item.name):
                self._many(entity, rows, collection, item, depth)
            else:
                raise _no_navigation(entity, item.name)

    def _single(self, rows: list[Row], link: Link, item: ExpandItem, depth: int) -> None:
        lookup = f"_{link.column}_value"
        target = self.entities.by_name.get(link.target)
        found: dict[str, Row] = {}
        if target is not None:
            wanted = {row[lookup] for row in rows if row[lookup]}
            found = {
                row_id: row
                for row_id, row in self._related(target, target.primary_id, wanted, item.options, depth)
            }
        for row in rows:
            row[link.name] = found.get(row[lookup])

    def _many(
        self, entity: Entity, rows: list[Row], collection: Collection, item: ExpandItem, depth: int
    ) -> None:
        target = self.entities.by_name[collection.table]
        children: dict[str, list[Row]] = {row[entity.primary_id]: [] for row in rows}
        for owner, child in self._related(target, collection.column, children, item.options, depth):
            children[owner].append(child)
        top = parse_count(item.options.get("$top"), "$top")
        query = "&".join(f"{name}={value}" for name, value in item.options.items() if name != "$top")
        for row in rows:
            row_id = row[entity.primary_id]
            row[item.name] = children[row_id][:top]
            address = f"{self.root}{entity.table.entity_set}({row_id})/{item.name}"
            row[f"{item.name}@odata.nextLink"] = address + (f"?{query}" if query else "")

    def _related(
        self, target: Entity, by: str, values: Iterable[str], options: Mapping[str, str], depth: int
    ) -> list[tuple[str, Row]]:
        """Return rows of `target` whose column `by` is among `values`, each with that column's value."""
        nested = options.get("$expand", "")
        shape = shape_of(target, parse_select(options.get("$select", "")))
        full = with_lookups(shape, nested)
        query = sa.select(target.sql.c[by], *full.selected()).order_by(*self._order(target, options))
        if "$filter" in options:
            query = query.where(compile_filter(options["$filter"], self.entities.scope(target), PROFILE))
        related: list[tuple[str, Row]] = []
        pending = iter(values)
        while chunk := list(islice(pending, _CHUNK)):
            found = self.connection.execute(query.where(target.sql.c[by].in_(chunk))).all()
            rows = full.render(row[1:] for row in found)
            related += [(owner[0], row) for owner, row in zip(found, rows, strict=True)]
        self.expand(target, [row for _, row in related], nested, depth + 1)
        for _, row in related:
            drop_lookups(row, shape, full)
        return related

    def _order(self, target: Entity, options: Mapping[str, str]) -> list[sa.ColumnElement[Any]]:
        order = compile_orderby(options.get("$orderby", ""), self.entities.scope(target), PROFILE)
        return [*order, target.id_column]


def with_lookups(shape: Shape, expand: str) -> Shape:
    """Return the shape with the lookups that `$expand` follows, selected or not."""
    entity = shape.entity
    links = (entity.links.get(item.name) for item in parse_expand(expand))
    extra = {f"_{link.column}_value": entity.table.columns[link.column] for link in links if link}
    return Shape(entity, {**shape.properties, **extra}) if extra else shape


def drop_lookups(row: Row, shape: Shape, full: Shape) -> None:
    """Remove from a row what was fetched only for `$expand`."""
    if full is not shape:
        for name in extra_names(shape.properties, full.properties):
            del row[name]


def extra_names(wanted: Mapping[str, Column], fetched: Mapping[str, Column]) -> Sequence[str]:
    """Return the properties that were fetched but not asked for."""
    return [name for name in fetched if name not in wanted]


def _no_navigation(entity: Entity, name: str) -> Exception:
    return bad_request(
        f"Could not find a property named '{name}' on type '{NAMESPACE}.{entity.table.name}'. "
        "$expand takes navigation properties."
    )
