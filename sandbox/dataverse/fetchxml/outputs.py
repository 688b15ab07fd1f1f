"""What a query selects, and under which names it is answered [D, "Select columns using FetchXml"]."""

from collections.abc import Iterator
from dataclasses import dataclass

from sandbox.dataverse.annotating import CURRENCY
from sandbox.dataverse.comparisons import Place
from sandbox.dataverse.entities import wire_name
from sandbox.dataverse.errors import bad_request
from sandbox.dataverse.fetchxml import document, errors
from sandbox.dataverse.fetchxml.cookie import Mark
from sandbox.dataverse.fetchxml.source import Source, column
from sandbox.odata.scope import Term
from sandbox.schema.model import ColumnType


@dataclass(frozen=True, slots=True)
class Output:
    """A column of the answer.

    Attributes:
        name: In the answer: `_x_value` for lookups of the table itself, `alias.column` for a linked table.
        attribute: What was asked for.
        term: The column.
        renamed: Whether the name is not the column's own.
    """

    name: str
    attribute: document.Attribute
    term: Term
    renamed: bool


def read_outputs(fetch: document.Fetch, source: Source) -> list[Output]:
    """Return the columns of plain rows, the primary id among them unless equal rows are to be one.

    Money brings the row's currency along, as in lists.

    Raises:
        ApiError: When a column is unknown, or a name is given twice.
    """
    outputs: dict[str, Output] = {}
    for output in (*_own(fetch, source.base), *_linked(source)):
        known = outputs.setdefault(output.name, output)
        if known.term.sql is not output.term.sql:
            raise bad_request(f"The alias '{output.name[:50]}' is not unique.", errors.INVALID_ALIAS)
    return list(outputs.values())


def read_marks(fetch: document.Fetch, source: Source, outputs: list[Output]) -> list[Mark]:
    """Return what orders plain rows: the orders, then primary ids unless equal rows are to be one.

    Raises:
        ApiError: When an order names what there is not.
    """
    marks = [_mark(order, source.base, "", source, outputs) for order in fetch.entity.orders]
    for alias, link in source.links.items():
        place = source.places[alias]
        marks += [_mark(order, place, f"{alias}.", source, outputs) for order in link.node.orders]
    for alias, place in () if fetch.distinct else source.places.items():
        own = place is source.base
        if own or not source.single:
            primary = place.entity.primary_id
            marks.append(Mark(primary if own else f"{alias}.{primary}", column(place, primary), False))
    unique: dict[str, Mark] = {}
    for mark in marks:
        unique.setdefault(mark.name, mark)
    return list(unique.values())


def _mark(order: document.Order, place: Place, prefix: str, source: Source, outputs: list[Output]) -> Mark:
    if not order.attribute:
        for output in outputs:
            if output.attribute.alias == order.alias:
                return Mark(f".{order.alias}", output.term, order.descending)
        raise bad_request(f"There is no alias '{order.alias[:50]}' to order by.", errors.UNKNOWN_ALIAS)
    if order.entityname:
        place, prefix = source.place(order.entityname), f"{order.entityname}."
    return Mark(f"{prefix}{order.attribute}", column(place, order.attribute), order.descending)


def _own(fetch: document.Fetch, base: Place) -> Iterator[Output]:
    """Columns of the table itself: all of them where none is named."""
    entity = base.entity
    asked = fetch.entity.attributes
    if fetch.entity.every or not asked:
        for known in entity.properties.values():
            yield _output(document.Attribute(known.name), base)
    for attribute in asked:
        yield (output := _output(attribute, base))
        money = output.term.column is not None and output.term.column.type is ColumnType.MONEY
        if money and CURRENCY in entity.properties and not fetch.distinct:
            yield _output(document.Attribute(entity.properties[CURRENCY].name), base)
    if not fetch.distinct:
        yield _output(document.Attribute(entity.primary_id), base)


def _linked(source: Source) -> Iterator[Output]:
    for alias, link in source.links.items():
        place = source.places[alias]
        asked = link.node.attributes
        if link.node.every:
            asked = tuple(document.Attribute(known.name) for known in place.entity.properties.values())
        for attribute in asked:
            term = column(place, attribute.name)
            yield Output(attribute.alias or f"{alias}.{attribute.name}", attribute, term, True)


def _output(attribute: document.Attribute, place: Place) -> Output:
    term = column(place, attribute.name)
    own = wire_name(term.column) if term.column else attribute.name
    return Output(attribute.alias or own, attribute, term, bool(attribute.alias))
