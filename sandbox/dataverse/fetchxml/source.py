"""The tables of a query, joined, and the conditions on them [D, "Join tables using FetchXml"]."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import sqlalchemy as sa

from sandbox.dataverse.api import Api
from sandbox.dataverse.comparisons import Condition, Place, compared
from sandbox.dataverse.entities import Entity
from sandbox.dataverse.errors import bad_request
from sandbox.dataverse.fetchxml import document, errors
from sandbox.dataverse.fetchxml.operators import COMPARISONS, asked
from sandbox.dataverse.queryfunctions import Caller
from sandbox.dataverse.reading import caller_of, filter_profile
from sandbox.odata.scope import Profile, Term

_JOINS = frozenset({"inner", "outer", "natural"})
_TESTS = frozenset({"exists", "in", "any", "not any", "all", "not all"})


@dataclass(frozen=True)
class Source:
    """Where the rows of a query come from.

    Attributes:
        places: Tables by alias, the entity's own first, under its name.
        links: The link of each joined table by alias.
        rows: The tables joined.
        where: What holds of them.
    """

    places: Mapping[str, Place]
    links: Mapping[str, document.Link]
    rows: sa.FromClause
    where: Condition

    @property
    def base(self) -> Place:
        """The table of the entity."""
        return next(iter(self.places.values()))

    @property
    def single(self) -> bool:
        """Whether no row of the entity can come twice: links lead to primary ids only."""
        return all(link.column == self.places[alias].entity.primary_id for alias, link in self.links.items())

    def place(self, name: str) -> Place:
        """Return a joined table by its alias or, where there is none, by its name."""
        return _find(self.places, name)


def read_source(api: Api, entity: document.Node) -> Source:
    """Join the tables of a query.

    Raises:
        ApiError: When a table, column, alias, operator or kind of link is unknown.
        ODataError: When a value does not fit its column.
    """
    joining = _Joining(api, filter_profile(api), caller_of(api))
    base = Place(joining.entity(entity.name), joining.entity(entity.name).sql)
    joining.places[entity.name] = base
    rows = joining.joined(base.sql, entity, base)
    where = sa.and_(sa.true(), *joining.conditions(entity, base))
    return Source(joining.places, joining.links, rows, where)


def column(place: Place, name: str) -> Term:
    """Return a column of a table.

    Raises:
        ApiError: When the table has no such column.
    """
    term = place.term(name)
    if term is None:
        raise errors.unknown_column(place.entity.table, name)
    return term


def _find(places: Mapping[str, Place], name: str) -> Place:
    named = [place for place in places.values() if place.entity.table.name == name]
    if name not in places and not named:
        raise bad_request(f"LinkEntity with name or alias {name[:50]} was not found.", errors.UNKNOWN_ALIAS)
    return places[name] if name in places else named[0]


@dataclass
class _Joining:
    """Joins tables one after the other, each under an alias of its own."""

    api: Api
    profile: Profile
    caller: Caller
    places: dict[str, Place] = field(default_factory=dict)
    links: dict[str, document.Link] = field(default_factory=dict)
    count: int = 0

    def entity(self, name: str) -> Entity:
        """The table of a name."""
        found = self.api.entities.by_name.get(name)
        if found is None:
            raise errors.unknown_table(name)
        return found

    def joined(self, rows: sa.FromClause, node: document.Node, parent: Place) -> sa.FromClause:
        """Join what is linked to a table; conditions of a link are part of its join."""
        for link in node.links:
            if link.kind in _TESTS:
                continue
            if link.kind not in _JOINS:
                raise _unknown_join(link)
            alias, place = self._linked(link)
            self.links[alias] = link
            on = sa.and_(self._on(link, place, parent), *self.conditions(link.node, place))
            rows = rows.join(place.sql, on, isouter=link.kind == "outer")
            rows = self.joined(rows, link.node, place)
        return rows

    def conditions(self, node: document.Node, place: Place) -> list[Condition]:
        """What the filters of a table, and the links that only test, ask for."""
        tests = [self._tested(link, place) for link in node.links if link.kind in _TESTS]
        return [*(self._filtered(each, place) for each in node.filters), *tests]

    def _filtered(self, node: document.Filter, place: Place) -> Condition:
        parts = [self._condition(each, place) for each in node.conditions]
        parts += [self._filtered(each, place) for each in node.filters]
        for link in node.links:
            if link.kind not in _TESTS:
                raise _unknown_join(link)
            parts.append(self._tested(link, place))
        if not parts:
            return sa.true()
        return sa.or_(*parts) if node.any_of else sa.and_(*parts)

    def _condition(self, node: document.Condition, own: Place) -> Condition:
        place = _find(self.places, node.entityname) if node.entityname else own
        term = column(place, node.attribute)
        if node.valueof:
            return self._columns(node, term, place)
        scope = replace(self.api.entities.scope(place.entity), sql=place.sql)
        return asked(node.operator, node.values, term, scope, self.profile, self.caller)

    def _columns(self, node: document.Condition, term: Term, own: Place) -> Condition:
        """Compare two columns: `valueof` is one of the same table, or `alias.column`."""
        alias, _, name = node.valueof.rpartition(".")
        other = column(_find(self.places, alias) if alias else own, name)
        if node.operator not in COMPARISONS:
            raise bad_request(
                f"The condition operator '{node.operator[:50]}' cannot compare two columns.",
                errors.UNKNOWN_OPERATOR,
            )
        return compared(COMPARISONS[node.operator], term, other)

    def _tested(self, link: document.Link, parent: Place) -> Condition:
        """Ask for rows of another table without joining them; `all` means none of them fit [D]."""
        if link.node.attributes or link.node.every:
            raise bad_request(f"A link of type '{link.kind}' returns no columns.", errors.INVALID_NODE)
        places, links = dict(self.places), dict(self.links)
        _, place = self._linked(link)
        rows = self.joined(place.sql, link.node, place)
        conditions = self.conditions(link.node, place)
        inside = [each.sql for alias, each in self.places.items() if alias not in places]
        query = sa.select(sa.literal(1)).select_from(rows).where(self._on(link, place, parent))
        query = query.correlate_except(*inside)
        self.places, self.links = places, links
        found = sa.exists(query.where(*conditions))
        if link.kind == "all":
            return sa.and_(sa.exists(query), sa.not_(found))
        return sa.not_(found) if link.kind == "not any" else found

    def _linked(self, link: document.Link) -> tuple[str, Place]:
        self.count += 1
        alias = link.alias or f"{link.node.name}{self.count}"
        if alias in self.places:
            raise bad_request(f"The alias '{alias[:50]}' is not unique.", errors.INVALID_ALIAS)
        entity = self.entity(link.node.name)
        place = Place(entity, entity.sql.alias())
        self.places[alias] = place
        return alias, place

    def _on(self, link: document.Link, place: Place, parent: Place) -> Condition:
        return compared("__eq__", column(place, link.column), column(parent, link.to))


def _unknown_join(link: document.Link) -> Exception:
    return bad_request(f"Invalid link-type '{link.kind[:50]}' here.", errors.UNKNOWN_JOIN)
