"""Rows of an aggregate query: grouped and computed [D, "Aggregate data using FetchXml"].

The sum of nothing is 0, and the average of whole numbers is one, as in the documentation's examples [D].
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from sandbox.dataverse import aggregates
from sandbox.dataverse.comparisons import Place
from sandbox.dataverse.errors import ApiError, bad_request
from sandbox.dataverse.fetchxml import document, errors
from sandbox.dataverse.fetchxml.source import Source, column
from sandbox.dataverse.reading import Reading
from sandbox.dataverse.rendering import Row
from sandbox.odata.literals import Kind
from sandbox.odata.scope import Term
from sandbox.schema.model import Column, ColumnType

_METHODS = {"avg": "average", "countcolumn": "count", "max": "max", "min": "min", "sum": "sum"}
_PARTS = frozenset({"day", "week", "month", "quarter", "year", "fiscal-period", "fiscal-year"})
_MONTHS_OF_QUARTER = 3


@dataclass(frozen=True, slots=True)
class Result:
    """A column of the answer: what it is of, and how it is computed, "" for a key."""

    attribute: document.Attribute
    term: Term
    method: str

    @property
    def column(self) -> Column | None:
        """What the values are shown as."""
        alias, part = self.attribute.alias, self.attribute.dategrouping
        if self.attribute.groupby:
            text = part.startswith("fiscal")
            kind = ColumnType.STRING if text else ColumnType.INTEGER
            return Column(alias, kind) if part else self.term.column
        source = None if self.method == "rows" else self.term.column
        if self.method == "average" and self.term.kind is Kind.INTEGER:
            return source
        return aggregates.result_column(self.method, alias, source)


def read_results(source: Source, entity: document.Node) -> list[Result]:
    """Return what an aggregate query computes.

    Raises:
        ApiError: When an attribute has no alias, is neither key nor aggregate, or is unknown.
        ODataError: When a column cannot be aggregated so.
    """
    nodes = [
        (entity, source.base),
        *((link.node, source.places[alias]) for alias, link in source.links.items()),
    ]
    results = [_result(attribute, place) for node, place in nodes for attribute in node.attributes]
    names = [result.attribute.alias for result in results]
    if not results:
        raise bad_request("An aggregate query needs an attribute.", errors.MISSING_ELEMENT)
    if len(set(names)) < len(names):
        raise bad_request("The aliases of an aggregate query must be unique.", errors.INVALID_ALIAS)
    return results


def grouped_rows(
    reading: Reading, fetch: document.Fetch, source: Source, results: Sequence[Result]
) -> list[Row]:
    """Return a row for each group, in order; nulls are left out.

    Raises:
        ApiError: When there are more rows to aggregate than may be, or an order is by no alias.
    """
    keys = [result for result in results if result.attribute.groupby]
    computed = [result for result in results if not result.attribute.groupby]
    base = source.base
    primary = base.sql.c[base.entity.primary_id]
    query = sa.select(*(result.term.sql for result in (*keys, *computed))).select_from(source.rows)
    found = aggregates.fetch(reading.connection, query.where(source.where).order_by(primary))
    if fetch.limit is not None and len(found) > fetch.limit:
        raise aggregates.too_many_rows()
    parted = [_parted(row, keys) for row in found]
    rows = [
        _row(
            results, dict(zip([key.attribute.alias for key in keys], values, strict=True)), computed, members
        )
        for values, members in aggregates.grouped(parted, len(keys))
    ]
    for alias, descending in reversed(_orders(fetch, source, results)):
        rows.sort(key=lambda row: aggregates.sort_key(row[alias]), reverse=descending)
    return [{name: value for name, value in row.items() if value is not None} for row in rows]


def _result(attribute: document.Attribute, place: Place) -> Result:
    if not attribute.alias:
        raise bad_request(f"The attribute '{attribute.name}' needs an alias.", errors.NO_ALIAS)
    term = column(place, attribute.name)
    if attribute.groupby:
        return Result(attribute, _grouping(attribute, term), "")
    if attribute.aggregate == "count":
        return Result(attribute, term, "rows")
    method = _METHODS.get(attribute.aggregate)
    if method is None:
        raise bad_request(
            f"The attribute '{attribute.name}' needs groupby, or the aggregate avg, count, countcolumn, "
            f"max, min or sum, not '{attribute.aggregate[:50]}'.",
            errors.INVALID_AGGREGATE,
        )
    method = "countdistinct" if method == "count" and attribute.distinct else method
    aggregates.check_method(method, term, attribute.name)
    return Result(attribute, term, method)


def _grouping(attribute: document.Attribute, term: Term) -> Term:
    part = attribute.dategrouping
    if part and (part not in _PARTS or term.kind not in {Kind.INSTANT, Kind.DATE}):
        raise bad_request(
            f"The dategrouping '{part[:50]}' does not fit the attribute '{attribute.name}'.",
            errors.INVALID_AGGREGATE,
        )
    return term


def _parted(row: tuple[Any, ...], keys: Sequence[Result]) -> tuple[Any, ...]:
    parts = (_part(key.attribute.dategrouping, value) for key, value in zip(keys, row, strict=False))
    return (*parts, *row[len(keys) :])


def _part(part: str, value: Any) -> Any:
    """A part of a date or a time stamp, which stand here as their texts; weeks begin on Sunday [D]."""
    if not part or value is None:
        return value
    day = date.fromisoformat(value[:10])
    quarter = (day.month - 1) // _MONTHS_OF_QUARTER + 1
    before = day.replace(month=1, day=1).isoweekday() % 7
    parts: Mapping[str, int | str] = {
        "day": day.day,
        "week": (day.timetuple().tm_yday + before - 1) // 7 + 1,
        "month": day.month,
        "quarter": quarter,
        "year": day.year,
        "fiscal-period": f"Quarter {quarter} FY{day.year}",
        "fiscal-year": f"FY{day.year}",
    }
    return parts[part]


def _row(
    results: Sequence[Result], keys: Mapping[str, Any], computed: Sequence[Result], members: Sequence[Any]
) -> Row:
    columns = {
        result.attribute.alias: [member[place] for member in members] for place, result in enumerate(computed)
    }
    return {
        alias: keys[alias] if result.attribute.groupby else _value(result, columns[alias])
        for result in results
        for alias in (result.attribute.alias,)
    }


def _value(result: Result, values: Sequence[Any]) -> Any:
    if result.method == "rows":
        return len(values)
    value = aggregates.aggregated(result.method, values)
    if result.method == "sum" and value is None:
        return 0
    if result.method == "average" and result.term.kind is Kind.INTEGER and isinstance(value, Decimal):
        return int(value)
    return value


def _orders(fetch: document.Fetch, source: Source, results: Sequence[Result]) -> list[tuple[str, bool]]:
    orders = [*fetch.entity.orders, *(order for link in source.links.values() for order in link.node.orders)]
    aliases = {result.attribute.alias for result in results}
    for order in orders:
        if order.attribute:
            raise bad_request(
                "Attribute can not be specified if an aggregate operation is requested.",
                errors.COLUMN_WITH_AGGREGATE,
            )
        if order.alias not in aliases:
            raise _no_alias(order)
    return [(order.alias, order.descending) for order in orders]


def _no_alias(order: document.Order) -> ApiError:
    return bad_request(f"There is no alias '{order.alias[:50]}' to order by.", errors.UNKNOWN_ALIAS)
