"""$expand: related rows beneath the rows of an answer, a query a navigation property (protocol 1.3)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa

from sandbox.dataverse.annotating import Annotator
from sandbox.dataverse.entities import NAMESPACE, Collection, Entity, Link
from sandbox.dataverse.errors import bad_request
from sandbox.dataverse.rendering import ETAG, Row, Shape, shape_of
from sandbox.dataverse.skiptoken import Cookie, render_cookie
from sandbox.odata.filter import compile_filter
from sandbox.odata.options import ExpandItem, compile_orderby, parse_count, parse_expand, parse_select
from sandbox.odata.scope import Profile

_CHUNK = 500
_MOST_ITEMS = 15  # $expand options of a query, nested ones among them [D join-tables]
_MOST_ROWS = 5_000  # rows of one expanded collection [D join-tables]
_REFERENCE = "/$ref"
_OPTIONS = frozenset({"$select", "$filter", "$orderby", "$top", "$expand"})
_NOT_NESTED = frozenset({"$orderby", "$top"})


@dataclass(frozen=True)
class Expander:
    """Fetches related rows.

    Attributes:
        annotator: Annotates them; it knows the tables and where to read.
        root: Service root, for links.
        profile: Rules of their filters.
        aliases: Texts of parameter aliases.
        page_size: Rows of a page of an expanded collection, where the query has a nested $expand [D].
        nested: Whether any item of the query has an $expand of its own.
    """

    annotator: Annotator
    root: str
    profile: Profile
    aliases: Mapping[str, str]
    page_size: int | None = None
    nested: bool = False

    def expand(self, entity: Entity, rows: list[Row], text: str) -> None:
        """Add to each row what `$expand` names; rows hold the lookups of `with_lookups`.

        Raises:
            ApiError: When a name is no navigation property, an option is not allowed here, or there are
                too many.
            ODataError: When an option cannot be read.
        """
        items = count_items(text)
        if items:
            nested = any("$expand" in item.options for item in parse_expand(text))
            replace(self, nested=nested)._expand(entity, rows, text)

    def _expand(self, entity: Entity, rows: list[Row], text: str) -> None:
        for item in parse_expand(text):
            name = item.name.removesuffix(_REFERENCE)
            link, collection = entity.links.get(name), entity.collections.get(name)
            _check_options(item, single=link is not None, nested=self.nested)
            if link is not None and item.name != name:
                self._references(rows, link)
            elif link is not None:
                self._single(rows, link, item)
            elif collection is None:
                raise _no_navigation(entity, name)
            elif item.name != name:
                raise bad_request("Expand with $ref is only supported on lookup type navigation property.")
            else:
                self._many(entity, rows, collection, item)

    def _references(self, rows: list[Row], link: Link) -> None:
        target = self.annotator.entities.by_name.get(link.target)
        lookup = f"_{link.column}_value"
        for row in rows:
            place = target and row[lookup] and f"{self.root}{target.table.entity_set}({row[lookup]})"
            row[link.name] = {"@odata.id": place} if place else None

    def _single(self, rows: list[Row], link: Link, item: ExpandItem) -> None:
        lookup = f"_{link.column}_value"
        target = self.annotator.entities.by_name.get(link.target)
        found: dict[str, Row] = {}
        if target is not None:
            wanted = {row[lookup] for row in rows if row[lookup]}
            found = dict(self._related(target, target.primary_id, wanted, item.options))
        for row in found.values():
            del row[ETAG]
        for row in rows:
            row[link.name] = found.get(row[lookup])

    def _many(self, entity: Entity, rows: list[Row], collection: Collection, item: ExpandItem) -> None:
        target = self.annotator.entities.by_name[collection.table]
        children: dict[str, list[Row]] = {row[entity.primary_id]: [] for row in rows}
        for owner, child in self._related(target, collection.column, children, item.options):
            children[owner].append(child)
        for row in rows:
            mine = children[row[entity.primary_id]]
            row[item.name] = mine
            row[f"{item.name}@odata.nextLink"] = self._link(entity, row, item, target, mine)
            if self.nested:
                for child in mine:
                    del child[ETAG]

    def _link(self, entity: Entity, row: Row, item: ExpandItem, target: Entity, mine: list[Row]) -> str:
        """The collection's own address; where it is paged, of the rows behind those that are shown [D]."""
        options = {name: quote(value, safe="$(),'=;/:@") for name, value in item.options.items()}
        if self.nested and self.page_size and mine:
            last = {target.primary_id: mine[-1][target.primary_id]}
            options["$skiptoken"] = render_cookie(Cookie(2, last, first=mine[0][target.primary_id]))
        query = "&".join(f"{name}={value}" for name, value in options.items())
        address = f"{self.root}{entity.table.entity_set}({row[entity.primary_id]})/{item.name}"
        return address + (f"?{query}" if query else "")

    def _related(
        self, target: Entity, by: str, values: Iterable[str], options: Mapping[str, str]
    ) -> list[tuple[str, Row]]:
        """Return rows of `target` whose column `by` is among `values`, each with that column's value."""
        nested = options.get("$expand", "")
        shape = self._shape(target, by, options)
        full = with_lookups(shape, nested)
        wanted = sorted(values)
        related: list[tuple[str, Row]] = []
        for start in range(0, len(wanted), _CHUNK):
            query = self._query(target, by, wanted[start : start + _CHUNK], full, options)
            found = self.annotator.connection.execute(query).all()
            rows = full.render(row[1:] for row in found)
            related += [(owner[0], row) for owner, row in zip(found, rows, strict=True)]
        rows = self.annotator.annotate(shape, [row for _, row in related])
        if nested:
            self._expand(target, rows, nested)
        for row in rows:
            drop_lookups(row, shape, full)
        return [(owner, row) for (owner, _), row in zip(related, rows, strict=True)]

    def _shape(self, target: Entity, by: str, options: Mapping[str, str]) -> Shape:
        """The columns asked for, and in a plain collection the lookup that leads back [D join-tables]."""
        shape = shape_of(target, parse_select(options.get("$select", "")))
        if by == target.primary_id or self.nested:
            return shape
        return Shape(target, {**shape.properties, f"_{by}_value": target.table.columns[by]})

    def _query(
        self, target: Entity, by: str, values: list[str], full: Shape, options: Mapping[str, str]
    ) -> sa.Select[Any]:
        """Rows in order, no more for each value of `by` than a collection shows."""
        owner, scope = target.sql.c[by], self.annotator.entities.scope(target)
        order = compile_orderby(options.get("$orderby", ""), scope, self.profile)
        place = sa.func.row_number().over(partition_by=owner, order_by=[*order, target.id_column])
        chosen = sa.select(target.id_column.label("row_id"), place.label("place")).where(owner.in_(values))
        if "$filter" in options:
            chosen = chosen.where(compile_filter(options["$filter"], scope, self.profile, self.aliases))
        ranked = chosen.subquery()
        query = sa.select(owner, *full.selected()).join_from(
            target.sql, ranked, ranked.c.row_id == target.id_column
        )
        return query.where(ranked.c.place <= self._most(options)).order_by(owner, ranked.c.place)

    def _most(self, options: Mapping[str, str]) -> int:
        top = parse_count(options.get("$top"), "$top")
        page = self.page_size if self.nested else None
        return min(each for each in (top, page, _MOST_ROWS) if each is not None)


def with_lookups(shape: Shape, expand: str) -> Shape:
    """Return the shape with the lookups that `$expand` follows, selected or not."""
    entity = shape.entity
    links = (entity.links.get(item.name.removesuffix(_REFERENCE)) for item in parse_expand(expand))
    extra = {f"_{link.column}_value": entity.table.columns[link.column] for link in links if link}
    return Shape(entity, {**shape.properties, **extra}) if extra else shape


def with_references(shape: Shape, expand: str) -> Shape:
    """Return the shape with the lookups that `$expand=x/$ref` shows beside the reference [D join-tables]."""
    references = [item.name for item in parse_expand(expand) if item.name.endswith(_REFERENCE)]
    return with_lookups(shape, ",".join(references)) if references else shape


def drop_lookups(row: Row, shape: Shape, full: Shape) -> None:
    """Remove from a row what was fetched only for `$expand`."""
    for name in full.properties.keys() - shape.properties.keys():
        del row[name]


def context_names(select: str, expand: str) -> str:
    """Return what a context URL says of the columns: `name,parentaccountid(name),primarycontactid/$ref()`."""
    names = [*parse_select(select)]
    for item in parse_expand(expand):
        if item.name.endswith(_REFERENCE):
            names += [item.name.removesuffix(_REFERENCE), f"{item.name}()"]
        else:
            inner = context_names(item.options.get("$select", ""), item.options.get("$expand", ""))
            names.append(f"{item.name}({inner})")
    return ",".join(names)


def count_items(text: str, before: int = 0) -> int:
    """Count the items of `$expand`, nested ones too, and go no deeper than there may be items.

    Raises:
        ApiError: When there are more than 15 [D join-tables]; the text is ours [?].
    """
    count = before
    for item in parse_expand(text):
        if count == _MOST_ITEMS:
            raise bad_request(
                f"The query has more than {_MOST_ITEMS} $expand options, and no more are allowed."
            )
        count = count_items(item.options.get("$expand", ""), count + 1)
    return count


def _check_options(item: ExpandItem, single: bool, nested: bool) -> None:
    if unknown := set(item.options) - _OPTIONS:
        raise bad_request(f"The query option '{min(unknown)}' is not supported inside $expand.")
    if (single or nested) and _NOT_NESTED & set(item.options):
        raise bad_request(
            "Only $select and $filter clause can be provided while doing $expand on many-to-one relationship "
            "or nested one-to-many relationship."
        )


def _no_navigation(entity: Entity, name: str) -> Exception:
    return bad_request(
        f"Could not find a property named '{name}' on type '{NAMESPACE}.{entity.table.name}'. "
        "$expand takes navigation properties."
    )
