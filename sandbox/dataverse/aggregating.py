"""$apply: groups of rows and what is aggregated of them (protocol 1.3)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from sandbox.dataverse.aggregates import (
    aggregated,
    check_method,
    fetch,
    grouped,
    result_column,
    sort_key,
)
from sandbox.dataverse.entities import NAMESPACE
from sandbox.dataverse.errors import bad_request
from sandbox.dataverse.query_options import refuse_options
from sandbox.dataverse.reading import COUNT_LIMIT, Reading, page_response
from sandbox.dataverse.rendering import Row
from sandbox.dataverse.window import Window
from sandbox.dataverse.wire import Response
from sandbox.odata.apply import COUNT, Aggregate, Apply, parse_apply
from sandbox.odata.errors import TypeMismatchError, UnknownPropertyError
from sandbox.odata.literals import Kind
from sandbox.odata.options import OrderItem, parse_orderby
from sandbox.odata.scope import Scope, Term, property_term
from sandbox.schema.model import Column

_APART = ("$select", "$expand")
_MOMENTS = frozenset({Kind.INSTANT, Kind.DATE})


@dataclass(frozen=True, slots=True)
class _Group:
    """A property of `groupby`: its path, its value, and its name in the answer."""

    path: tuple[str, ...]
    term: Term
    name: str


def apply_page(reading: Reading) -> Response:
    """Answer `$apply`: a row for each group, no etag, nulls left out of the keys [D aggregate-data].

    `$filter` narrows the rows before they are grouped [?].

    Raises:
        ApiError: When more than 50,000 rows are aggregated, or an option does not go with $apply.
        ODataError: When it is no $apply.
    """
    options = reading.request.options
    refuse_options(options)
    for name in _APART:
        if name in options:
            raise bad_request(f"The query option '{name}' is not supported together with '$apply'.")
    apply = parse_apply(options["$apply"])
    scope = reading.api.entities.scope(reading.entity)
    groups = [_group(reading, scope, path) for path in apply.groups]
    terms = [_aggregated_term(reading, scope, each) for each in apply.aggregates]
    found = grouped(fetch(reading.connection, _query(reading, apply, groups, terms)), len(groups))
    order = _order(reading, parse_orderby(options.get("$orderby", "")), groups)
    for place, descending in reversed(order):
        found.sort(key=lambda group: sort_key(group[0][place]), reverse=descending)
    window = Window.of(reading.request)
    shown = found[window.offset : window.offset + window.size]
    more = window.paged and len(found) > window.offset + window.size
    rows = [_row(groups, apply.aggregates, key, members) for key, members in shown]
    body: dict[str, Any] = {"@odata.context": reading.context({})}
    if options.get("$count") == "true":
        body["@odata.count"] = min(len(found), COUNT_LIMIT)
    body["value"] = _annotated(reading, _columns(groups, apply.aggregates, terms), rows)
    if more:
        body["@odata.nextLink"] = reading.link({"$skiptoken": window.behind_offset()})
    return page_response(body, reading.request, len(rows))


def _query(
    reading: Reading, apply: Apply, groups: Sequence[_Group], terms: Sequence[Term | None]
) -> sa.Select[Any]:
    columns = [group.term.sql for group in groups] + [term.sql for term in terms if term is not None]
    query = reading.filtered(sa.select(*columns, reading.entity.id_column).order_by(reading.entity.id_column))
    return query.where(*(reading.condition(text) for text in apply.filters))


def _group(reading: Reading, scope: Scope, path: tuple[str, ...]) -> _Group:
    """Name a property of groupby; that of another table is `contact_fullname` [D aggregate-data]."""
    term = property_term(scope, path, reading.profile)
    if term.kind in _MOMENTS:
        raise TypeMismatchError(
            f"The property '{'/'.join(path)}' cannot be grouped by: groupby with date and time values is not "
            "supported."
        )
    entity = reading.entity
    for name in path[:-1]:
        entity = reading.api.entities.by_name[entity.links[name].target]
    return _Group(path, term, path[-1] if len(path) == 1 else f"{entity.table.name}_{path[-1]}")


def _aggregated_term(reading: Reading, scope: Scope, aggregate: Aggregate) -> Term | None:
    if aggregate.method == COUNT:
        return None
    term = property_term(scope, aggregate.path, reading.profile)
    check_method(aggregate.method, term, "/".join(aggregate.path))
    return term


def _order(reading: Reading, items: Sequence[OrderItem], groups: Sequence[_Group]) -> list[tuple[int, bool]]:
    """Places of the keys to order by; aggregates are no properties that one could name [D]."""
    places = {group.path: place for place, group in enumerate(groups)}
    order = []
    for item in items:
        if item.path not in places:
            if item.path[0] in reading.entity.properties:
                raise UnknownPropertyError(item.path[0], f"{NAMESPACE}.{reading.entity.table.name} (grouped)")
            raise bad_request("The query node SingleValueOpenPropertyAccess is not supported")
        order.append((places[item.path], item.descending))
    return order


def _row(
    groups: Sequence[_Group],
    aggregates: Sequence[Aggregate],
    key: tuple[Any, ...],
    members: list[tuple[Any, ...]],
) -> Row:
    """Keys of the table itself, results, keys of other tables: in this order [D aggregate-data]."""
    keys = {group.name: value for group, value in zip(groups, key, strict=True) if value is not None}
    foreign = {group.name for group in groups if len(group.path) > 1}
    row: Row = {name: value for name, value in keys.items() if name not in foreign}
    columns = iter(zip(*members, strict=True)) if members else iter(())
    for aggregate in aggregates:
        values = () if aggregate.method == COUNT else next(columns, ())
        row[aggregate.alias] = (
            len(members) if aggregate.method == COUNT else aggregated(aggregate.method, values)
        )
    return row | {name: value for name, value in keys.items() if name in foreign}


def _columns(
    groups: Sequence[_Group], aggregates: Sequence[Aggregate], terms: Sequence[Term | None]
) -> Mapping[str, Column]:
    columns = {group.name: group.term.column for group in groups if group.term.column is not None}
    for aggregate, term in zip(aggregates, terms, strict=True):
        columns[aggregate.alias] = result_column(
            aggregate.method, aggregate.alias, term.column if term else None
        )
    return columns


def _annotated(reading: Reading, columns: Mapping[str, Column], rows: list[Row]) -> list[Row]:
    if not reading.request.preferences.annotations:
        return rows
    labels = reading.annotator.labels(columns, rows)
    return [reading.annotator.annotated(reading.entity, columns, row, labels) for row in rows]
