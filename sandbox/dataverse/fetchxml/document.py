"""FetchXML as a frozen query: elements and attributes read, nothing looked up yet [D, FetchXML reference]."""

from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from sandbox.dataverse.errors import ApiError, bad_request
from sandbox.dataverse.fetchxml import errors
from sandbox.safe_xml import UnsafeXmlError, parse_xml

PAGE_SIZE = 5_000
MOST_LINKS = 15  # [D join-tables]
MOST_CONDITIONS = 500  # conditions and link-entities [D filter-rows]

_LONGEST = 64 * 1024  # characters, as a request of a $batch may have [D use-web-api]
_DEEPEST = 40
_TRUTHS = {"true": True, "1": True, "false": False, "0": False}
_TABLE_NODES = ("filter", "order", "link-entity", "attribute", "all-attributes", "no-attrs")
_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Attribute:
    """An `<attribute>`: a column, or what is computed of one."""

    name: str
    alias: str = ""
    aggregate: str = ""
    groupby: bool = False
    dategrouping: str = ""
    distinct: bool = False


@dataclass(frozen=True, slots=True)
class Order:
    """An `<order>`, by a column or, in aggregate queries, an alias."""

    attribute: str
    alias: str
    entityname: str
    descending: bool


@dataclass(frozen=True, slots=True)
class Condition:
    """A `<condition>`: values of `value` or of `<value>` elements, or the column of `valueof`."""

    attribute: str
    operator: str
    values: tuple[str, ...] = ()
    valueof: str = ""
    entityname: str = ""


@dataclass(frozen=True, slots=True)
class Filter:
    """A `<filter>`: its conditions, filters and links, all of which or any of which must hold."""

    any_of: bool
    conditions: tuple[Condition, ...]
    filters: tuple["Filter", ...]
    links: tuple["Link", ...]


@dataclass(frozen=True, slots=True)
class Node:
    """What an `<entity>` and a `<link-entity>` have in common."""

    name: str
    attributes: tuple[Attribute, ...]
    every: bool
    orders: tuple[Order, ...]
    filters: tuple[Filter, ...]
    links: tuple["Link", ...]


@dataclass(frozen=True, slots=True)
class Link:
    """A `<link-entity>`: `node`'s column `column` is equal to the column `to` of what it stands in."""

    node: Node
    column: str
    to: str
    alias: str
    kind: str


@dataclass(frozen=True, slots=True)
class Fetch:
    """A `<fetch>`.

    Attributes:
        entity: The table with all that stands beneath.
        top: Most rows, None where pages are asked for.
        count: Rows of a page.
        page: Number of the page, from 1.
        cookie: The paging cookie, decoded, "" for none.
        counted: Whether the number of all rows is asked for.
        distinct: Whether equal rows are one.
        aggregate: Whether rows are grouped.
        limit: Most rows that are aggregated, None for the usual limit.
    """

    entity: Node
    top: int | None
    count: int
    page: int
    cookie: str
    counted: bool
    distinct: bool
    aggregate: bool
    limit: int | None


def read_fetch(text: str) -> Fetch:
    """Read FetchXML.

    Raises:
        ApiError: When it is no XML, declares a document type, is too long, too deep, or of another form.
    """
    if len(text) > _LONGEST:
        raise errors.malformed(f"It is longer than {_LONGEST} characters.")
    try:
        root = parse_xml(text.encode(), _DEEPEST)
    except (UnsafeXmlError, UnicodeEncodeError) as problem:
        raise errors.malformed(str(problem)) from None
    if root.tag != "fetch":
        raise errors.malformed(f"The root must be <fetch>, not <{root.tag}>.")
    entities = [element for element in root if element.tag == "entity"]
    if len(entities) != 1:
        raise bad_request(f"<fetch> needs one <entity>, and has {len(entities)}.", errors.MISSING_ELEMENT)
    _check_size(entities[0])
    top = _number(root, "top")
    paged = any(root.get(name) for name in ("page", "count", "paging-cookie"))
    if top is not None and paged:
        raise bad_request(f"The Top.Count = {top} can't be specified with pagingInfo")
    return Fetch(
        entity=_node(entities[0]),
        top=top,
        count=min(_number(root, "count") or PAGE_SIZE, PAGE_SIZE),
        page=_number(root, "page") or 1,
        cookie=root.get("paging-cookie", ""),
        counted=_truth(root, "returntotalrecordcount"),
        distinct=_truth(root, "distinct"),
        aggregate=_truth(root, "aggregate"),
        limit=_number(root, "aggregatelimit"),
    )


def _check_size(entity: Element) -> None:
    links = sum(1 for _ in entity.iter("link-entity"))
    if links > MOST_LINKS:
        raise bad_request("Number of link entities in query exceeded maximum limit.", errors.TOO_MANY_LINKS)
    if links + sum(1 for _ in entity.iter("condition")) > MOST_CONDITIONS:
        raise bad_request("Number of conditions in query exceeded maximum limit.", errors.TOO_MANY_CONDITIONS)


def _node(element: Element) -> Node:
    for child in element:
        if child.tag not in _TABLE_NODES:
            raise _invalid_node(child, _TABLE_NODES)
    return Node(
        name=_required(element, "name"),
        attributes=tuple(_attribute(child) for child in element.iterfind("attribute")),
        every=element.find("all-attributes") is not None,
        orders=tuple(_order(child) for child in element.iterfind("order")),
        filters=tuple(_filter(child) for child in element.iterfind("filter")),
        links=tuple(_link(child) for child in element.iterfind("link-entity")),
    )


def _attribute(element: Element) -> Attribute:
    return Attribute(
        name=_required(element, "name"),
        alias=element.get("alias", ""),
        aggregate=element.get("aggregate", ""),
        groupby=_truth(element, "groupby"),
        dategrouping=element.get("dategrouping", ""),
        distinct=_truth(element, "distinct"),
    )


def _order(element: Element) -> Order:
    attribute, alias = element.get("attribute", ""), element.get("alias", "")
    if not attribute and not alias:
        raise bad_request("<order> needs an attribute or an alias.", errors.MISSING_PART)
    return Order(attribute, alias, element.get("entityname", ""), _truth(element, "descending"))


def _filter(element: Element) -> Filter:
    kind = element.get("type", "and")
    if kind not in {"and", "or"}:
        raise bad_request(f"Invalid filter type '{kind}': use and, or.", errors.UNKNOWN_FILTER)
    for child in element:
        if child.tag not in {"condition", "filter", "link-entity"}:
            raise _invalid_node(child, ("condition", "filter", "link-entity"))
    return Filter(
        any_of=kind == "or",
        conditions=tuple(_condition(child) for child in element.iterfind("condition")),
        filters=tuple(_filter(child) for child in element.iterfind("filter")),
        links=tuple(_link(child) for child in element.iterfind("link-entity")),
    )


def _condition(element: Element) -> Condition:
    return Condition(
        attribute=_required(element, "attribute"),
        operator=_required(element, "operator"),
        values=tuple(_values(element)),
        valueof=element.get("valueof", ""),
        entityname=element.get("entityname", ""),
    )


def _values(element: Element) -> Iterator[str]:
    if (value := element.get("value")) is not None:
        yield value
    for child in element:
        if child.tag != "value":
            raise _invalid_node(child, ("value",))
        yield (child.text or "").strip()


def _link(element: Element) -> Link:
    return Link(
        node=_node(element),
        column=_required(element, "from"),
        to=_required(element, "to"),
        alias=element.get("alias", ""),
        kind=element.get("link-type") or "inner",
    )


def _required(element: Element, name: str) -> str:
    value = element.get(name, "")
    if not value:
        raise bad_request(f"Required attribute '{name}' is missing in <{element.tag}>.", errors.MISSING_PART)
    return value


def _truth(element: Element, name: str) -> bool:
    text = element.get(name, "false")
    if text.lower() not in _TRUTHS:
        raise _invalid_value(name, text)
    return _TRUTHS[text.lower()]


def _number(element: Element, name: str) -> int | None:
    """A number above zero; `page=""` and the like are as if they were not there."""
    text = element.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS):
        raise _invalid_value(name, text)
    if int(text) == 0:
        raise bad_request(f"The value of '{name}' must be greater than zero.", errors.NOT_ABOVE_ZERO)
    return int(text)


def _invalid_value(name: str, text: str) -> ApiError:
    return bad_request(f"Invalid value '{text[:50]}' for the attribute '{name}'.", errors.INVALID_VALUE)


def _invalid_node(element: Element, valid: tuple[str, ...]) -> ApiError:
    """A child where it must not stand [C]."""
    return bad_request(
        f"Invalid Child Node, valid nodes are {', '.join(valid)}. NodeName = {element.tag[:50]}",
        errors.INVALID_NODE,
    )
