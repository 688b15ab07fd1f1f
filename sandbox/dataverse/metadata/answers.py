"""What clients ask (protocol 1.8): service document, definitions and what is below them, `$metadata`."""

from dataclasses import dataclass
from typing import Any

from sandbox.dataverse.api import Api
from sandbox.dataverse.entities import NAMESPACE
from sandbox.dataverse.errors import ApiError, method_not_allowed, resource_not_found
from sandbox.dataverse.metadata.catalog import catalog
from sandbox.dataverse.metadata.csdl import metadata_document
from sandbox.dataverse.metadata.model import TYPES, Definition
from sandbox.dataverse.metadata.query import filtered, shaped
from sandbox.dataverse.wire import Request, Response, json_response
from sandbox.odata.keys import Segment, parse_key
from sandbox.odata.options import parse_select

_DOCUMENT = "$metadata"
_COUNT = "$count"
_NOT_FOUND = "0x80060888"
_NAMES = ("LogicalName", "SchemaName", "Name")

METADATA_SETS = frozenset(
    {"EntityDefinitions", "RelationshipDefinitions", "GlobalOptionSetDefinitions", _DOCUMENT}
)


def service_document(api: Api, request: Request) -> Response:
    """`GET /`: the entity sets.

    Raises:
        ApiError: 405 for another verb.
    """
    if request.method != "GET":
        raise method_not_allowed(request.method, "the service root")
    names = sorted({*api.entities.by_set, *METADATA_SETS} - {_DOCUMENT})
    sets = [{"name": name, "kind": "EntitySet", "url": name} for name in names]
    return json_response(200, {"@odata.context": f"{request.root}$metadata", "value": sets})


def answer_metadata(api: Api, request: Request, segments: tuple[Segment, ...]) -> Response:
    """`$metadata`, and the sets of definitions with what stands below them; never paged.

    Raises:
        ApiError: 404 for an unknown table or part, 405 for another verb: tables are not made here.
        ODataError: When an option cannot be read.
    """
    if request.method != "GET":
        raise method_not_allowed(request.method, request.path)
    if segments[0].name == _DOCUMENT:
        if len(segments) > 1:
            raise resource_not_found(segments[1].name)
        annotations = request.options.get("annotations", "").lower() == "true"
        body = metadata_document(api.entities, annotations=annotations)
        return Response(200, body, {"Content-Type": "application/xml"})
    counting = segments[-1].name == _COUNT
    place = _walk(api, segments[:-1] if counting else segments)
    if counting and not isinstance(place.found, tuple):
        raise resource_not_found(_COUNT)
    return _answer(request, place, _context(request.root, segments))


@dataclass(frozen=True)
class _Place:
    """Where a path has led: definitions, one of them, or the value of a property.

    Attributes:
        found: What is there.
        cast: Whether the last segment named the definitions' own type.
    """

    found: Any
    cast: bool = False


def _walk(api: Api, segments: tuple[Segment, ...]) -> _Place:
    first, *rest = segments
    place = _picked(_Place(catalog(api.entities).sets[first.name]), first)
    for segment in rest:
        place = _picked(_step(place, segment), segment)
    return place


def _step(place: _Place, segment: Segment) -> _Place:
    found, name = place.found, segment.name
    if name.startswith(f"{NAMESPACE}."):
        return _cast(found, name.removeprefix(f"{NAMESPACE}."))
    if isinstance(found, Definition):
        if name in found.below:
            return _Place(found.below[name])
        if name in found.properties:
            return _Place(found.properties[name])
    elif isinstance(found, dict) and name in found:
        return _Place(found[name])
    raise resource_not_found(name)


def _cast(found: Any, kind: str) -> _Place:
    if kind not in TYPES:
        raise resource_not_found(f"{NAMESPACE}.{kind}")
    if isinstance(found, Definition) and kind in {found.kind, found.base}:
        return _Place(found, kind == found.kind)
    if isinstance(found, tuple):
        some = tuple(item for item in found if kind in {item.kind, item.base})
        return _Place(some, all(kind == item.kind for item in some))
    raise resource_not_found(f"{NAMESPACE}.{kind}")


def _picked(place: _Place, segment: Segment) -> _Place:
    if segment.key is None:
        return place
    wanted = _literal(segment.key)
    if not isinstance(place.found, tuple):
        raise resource_not_found(segment.name)
    for item in place.found:
        named = {item.properties.get(name) for name in _NAMES} | {item.properties["MetadataId"]}
        if wanted in named:
            return _Place(item, place.cast or item.kind == item.base)
    if segment.name == "EntityDefinitions":
        raise ApiError(404, _NOT_FOUND, f"Could not find an entity with name {wanted}.")
    raise ApiError(404, _NOT_FOUND, f"Could not find '{wanted}' of {segment.name}.")


def _literal(key: str) -> str:
    """Return the text of a key with one part: `LogicalName='account'` or a GUID."""
    named = parse_key(key)
    return str(getattr(named[0].literal, "val", "")) if len(named) == 1 else ""


def _answer(request: Request, place: _Place, context: str) -> Response:
    found, options = place.found, request.options
    if isinstance(found, Definition):
        one = shaped(found, options, cast=place.cast)
        return json_response(200, {"@odata.context": f"{context}{_chosen(options)}/$entity", **one})
    if isinstance(found, tuple):
        return _listing(request, place, context)
    if found is None:
        return Response(204)
    value = found if isinstance(found, dict) else {"value": found}
    return json_response(200, {"@odata.context": context, **value})


def _listing(request: Request, place: _Place, context: str) -> Response:
    options = request.options
    kept = filtered(place.found, options, cast=place.cast)
    if request.path.endswith(f"/{_COUNT}"):
        return Response(200, str(len(kept)).encode(), {"Content-Type": "text/plain"})
    counted = {"@odata.count": len(kept)} if options.get("$count", "").lower() == "true" else {}
    value = [shaped(item, options, cast=place.cast) for item in kept]
    return json_response(200, {"@odata.context": f"{context}{_chosen(options)}", **counted, "value": value})


def _context(root: str, segments: tuple[Segment, ...]) -> str:
    """Return a context URL: `$metadata#EntityDefinitions('account')/Attributes`, without the last key."""
    *owners, last = segments
    names = [
        owner.name if owner.key is None else f"{owner.name}('{_literal(owner.key)}')" for owner in owners
    ]
    return f"{root}{_DOCUMENT}#{'/'.join([*names, last.name])}"


def _chosen(options: dict[str, str]) -> str:
    """Return the columns of a context URL: `(LogicalName,SchemaName)`."""
    select = parse_select(options.get("$select", ""))
    return f"({','.join(select)})" if select else ""
