"""The service document and `$metadata` of `/data`, and the metadata service at `/Metadata` (protocol 2.1)."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.finance.catalog import Catalog
from sandbox.finance.errors import FinanceError, RoutingError, UnknownResourceError, not_allowed
from sandbox.finance.metadata.csdl import csdl
from sandbox.finance.metadata.entities import data_entity, public_entity, public_enumeration
from sandbox.finance.metadata.labels import label_text
from sandbox.finance.metadata.types import enums
from sandbox.finance.request import DataRequest, DataResponse
from sandbox.odata.errors import UnknownPropertyError
from sandbox.odata.keys import Segment, parse_key
from sandbox.odata.options import parse_count, parse_select
from sandbox.odata.valuefilter import TEXT_FUNCTIONS, matches
from sandbox.odata.wire import dumps
from sandbox.schema.model import Table

_NAMESPACE = "Microsoft.Dynamics.Metadata"
_LABELS = "Labels"
_KEY_NEEDED = "The label id and language must be provided as part of the key segment"
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})*", re.IGNORECASE)

Element = Mapping[str, Any]


def service_document(catalog: Catalog, request: DataRequest) -> DataResponse:
    """`GET /data`: the entity sets."""
    return _service(f"{request.root}/data/$metadata", sorted(catalog.sets))


def metadata_document(catalog: Catalog) -> DataResponse:
    """`GET /data/$metadata`: CSDL 4.0."""
    return DataResponse(200, csdl(catalog.sets), media_type="application/xml")


@dataclass(frozen=True, slots=True)
class _Kind:
    """A set of the metadata service.

    Attributes:
        elements: Gives its elements.
        names: Properties by which one of them is found, whatever the case.
    """

    elements: Callable[[Mapping[str, Table]], Iterable[Element]]
    names: tuple[str, ...] = ("Name",)


_KINDS: Mapping[str, _Kind] = {
    # Names inside of Finance are mostly ours [?], so the public name finds an entity too.
    "DataEntities": _Kind(lambda sets: map(data_entity, sets.values()), ("Name", "PublicEntityName")),
    "PublicEntities": _Kind(lambda sets: (public_entity(sets, table) for table in sets.values())),
    "PublicEnumerations": _Kind(
        lambda sets: (public_enumeration(name, options) for name, options in enums(sets.values()).items())
    ),
}


def answer_metadata(catalog: Catalog, request: DataRequest) -> DataResponse:
    """A request to `/Metadata`: entities, enumerations, or one label.

    Raises:
        FinanceError: A property that the elements do not have.
        ODataError: An option that cannot be read.
        RoutingError: Nothing is there, another verb, or labels without their whole key.
    """
    if request.method != "GET":
        raise not_allowed(request.method)
    segments = request.segments
    if not segments:
        return _service(f"{request.root}/metadata/$metadata", [*_KINDS, _LABELS])
    first = segments[0]
    if len(segments) == 1 and first.name == _LABELS:
        return _label(catalog, request, first)
    kind = _KINDS.get(first.name)
    if kind is None:
        raise UnknownResourceError(request.url)
    elements = kind.elements(catalog.sets)
    if [segment.name for segment in segments[1:]] == ["$count"] and first.key is None:
        return DataResponse(
            200, str(len(_filtered(elements, request, first.name))).encode(), media_type="text/plain"
        )
    if len(segments) > 1:
        raise UnknownResourceError(request.url)
    context = f"{request.root}/metadata/$metadata#{first.name}"
    if first.key is None:
        return _listing(_filtered(elements, request, first.name), request, context)
    found = _find(elements, kind, first)
    if found is None:
        raise UnknownResourceError(request.url)
    one = _selected(found, parse_select(request.options.get("$select", "")), first.name)
    return DataResponse(200, dumps({"@odata.context": f"{context}/$entity", **one}))


def _service(context: str, names: Iterable[str]) -> DataResponse:
    value = [{"name": name, "kind": "EntitySet", "url": name} for name in names]
    return DataResponse(200, dumps({"@odata.context": context, "value": value}))


def _listing(elements: list[Element], request: DataRequest, context: str) -> DataResponse:
    options = request.options
    start = parse_count(options.get("$skip"), "$skip") or 0
    top = parse_count(options.get("$top"), "$top")
    counted = {"@odata.count": len(elements)} if options.get("$count", "").lower() == "true" else {}
    select = parse_select(options.get("$select", ""))
    page = elements[start:] if top is None else elements[start : start + top]
    value = [_selected(element, select, context.rpartition("#")[2]) for element in page]
    chosen = f"({','.join(select)})" if select else ""
    return DataResponse(200, dumps({"@odata.context": context + chosen, **counted, "value": value}))


def _filtered(elements: Iterable[Element], request: DataRequest, kind: str) -> list[Element]:
    text = request.options.get("$filter")
    if text is None:
        return list(elements)
    name = f"{_NAMESPACE}.{kind}"
    return [element for element in elements if matches(element, text, TEXT_FUNCTIONS, name)]


def _selected(element: Element, select: tuple[str, ...], kind: str) -> Element:
    if unknown := [name for name in select if name not in element]:
        raise FinanceError(400, str(UnknownPropertyError(unknown[0], f"{_NAMESPACE}.{kind}")))
    return {name: element[name] for name in select} if select else element


def _find(elements: Iterable[Element], kind: _Kind, segment: Segment) -> Element | None:
    wanted = _key(segment).get("", "").lower()
    for element in elements:
        if wanted in {str(element[name]).lower() for name in kind.names}:
            return element
    return None


def _key(segment: Segment) -> dict[str, str]:
    """Return the parts of a key by name, the one of `X('name')` and `X(Name='name')` under "" too."""
    parts = parse_key(segment.key or "")
    found = {part.name or "": str(getattr(part.literal, "val", "")) for part in parts}
    return found | ({"": next(iter(found.values()))} if len(found) == 1 else {})


def _label(catalog: Catalog, request: DataRequest, segment: Segment) -> DataResponse:
    """`Labels(Id='…',Language='en-US')`, never a list (501 [L]); the text is English in any language [?]."""
    if segment.key is None:
        raise RoutingError(501, _KEY_NEEDED)
    key = _key(segment)
    if key.keys() != {"Id", "Language"}:
        raise FinanceError(400, _KEY_NEEDED)
    text = label_text(catalog.sets, key["Id"])
    if text is None or not _LANGUAGE.fullmatch(key["Language"]):
        raise UnknownResourceError(request.url)
    context = f"{request.root}/metadata/$metadata#Labels/$entity"
    return DataResponse(200, dumps({"@odata.context": context, **key, "Value": text}))
