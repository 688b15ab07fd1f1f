"""What clients ask about tables: service document, EntityDefinitions and its parts (protocol 1.8)."""

from collections.abc import Iterable

from sandbox.dataverse.api import Api
from sandbox.dataverse.definitions import Definition, definition, metadata_id, parts
from sandbox.dataverse.entities import NAMESPACE, Entity
from sandbox.dataverse.errors import ApiError, bad_request, method_not_allowed, resource_not_found
from sandbox.dataverse.metafilter import matches
from sandbox.dataverse.wire import Request, Response, json_response
from sandbox.odata.keys import Segment, parse_key
from sandbox.odata.options import ExpandItem, parse_expand, parse_select

METADATA_SETS = frozenset({"EntityDefinitions"})
_ALWAYS = frozenset({"MetadataId"})


def service_document(api: Api, request: Request) -> Response:
    """`GET /`: the entity sets.

    Raises:
        ApiError: 405 for another verb.
    """
    if request.method != "GET":
        raise method_not_allowed(request.method, "the service root")
    sets = [{"name": name, "kind": "EntitySet", "url": name} for name in sorted(api.entities.by_set)]
    return json_response(200, {"@odata.context": f"{request.root}$metadata", "value": sets})


def answer_metadata(api: Api, request: Request, segments: tuple[Segment, ...]) -> Response:
    """`EntityDefinitions`, one of them by LogicalName or MetadataId, and its parts; never paged.

    Raises:
        ApiError: 404 for an unknown table or part.
        ODataError: When an option cannot be read.
    """
    if request.method != "GET":
        raise method_not_allowed(request.method, request.path)
    first, *rest = segments
    context = f"{request.root}$metadata#{request.path}"
    if first.key is None:
        found = [definition(entity) for entity in api.entities.by_name.values()]
        return _listing(found, request, context)
    entity = _entity(api, first.key)
    if not rest:
        full = _expanded(definition(entity), parse_expand(request.options.get("$expand", "")))
        chosen = _selected(full, parse_select(request.options.get("$select", "")))
        return json_response(200, {"@odata.context": f"{context}/$entity", **chosen})
    return _part(entity, rest, request, context)


def _entity(api: Api, key: str) -> Entity:
    value = _literal(key)
    for entity in api.entities.by_name.values():
        if value in {entity.table.name, metadata_id(entity.table.name)}:
            return entity
    raise ApiError(404, "0x80060888", f"Could not find an entity with name {value}.")


def _literal(key: str) -> str:
    """Return the text of a key with one part: `LogicalName='account'` or a GUID."""
    named = parse_key(key)
    return str(getattr(named[0].literal, "val", "")) if len(named) == 1 else ""


def _part(entity: Entity, rest: list[Segment], request: Request, context: str) -> Response:
    found = parts(entity).get(rest[0].name)
    if found is None:
        raise resource_not_found(rest[0].name)
    cast = rest[-1].name.removeprefix(f"{NAMESPACE}.") if "." in rest[-1].name else ""
    if cast:
        found = [item for item in found if item["@odata.type"] == f"#{NAMESPACE}.{cast}"]
    if rest[0].key is None:
        return _listing(found, request, context)
    wanted = _literal(rest[0].key)
    for item in found:
        if wanted in {item.get("LogicalName"), item.get("SchemaName"), item["MetadataId"]}:
            chosen = _selected(item, parse_select(request.options.get("$select", "")))
            return json_response(200, {"@odata.context": f"{context}/$entity", **chosen})
    raise ApiError(404, "0x80060888", f"Could not find '{wanted}' of {entity.table.name}.")


def _listing(found: Iterable[Definition], request: Request, context: str) -> Response:
    options = request.options
    if "$filter" in options:
        found = [item for item in found if matches(item, options["$filter"])]
    expand = parse_expand(options.get("$expand", ""))
    select = parse_select(options.get("$select", ""))
    value = [_selected(_expanded(item, expand), select, expand) for item in found]
    return json_response(200, {"@odata.context": context, "value": value})


def _selected(item: Definition, select: tuple[str, ...], expand: Iterable[ExpandItem] = ()) -> Definition:
    public = {name: value for name, value in item.items() if not name.startswith("_")}
    if not select:
        return public
    if unknown := [name for name in select if name not in public]:
        raise bad_request(
            f"Could not find a property named '{unknown[0]}' on type '{NAMESPACE}.EntityMetadata'."
        )
    kept = {*select, *_ALWAYS, *(part.name for part in expand), "@odata.type"}
    return {name: value for name, value in public.items() if name in kept}


def _expanded(item: Definition, expand: Iterable[ExpandItem]) -> Definition:
    full = dict(item)
    for part in expand:
        if part.name == "OptionSet" and "_options" in item:
            full[part.name] = item["_options"]
        elif "_entity" in item and part.name in (below := parts(item["_entity"])):
            select = parse_select(part.options.get("$select", ""))
            full[part.name] = [_selected(child, select) for child in below[part.name]]
        else:
            raise bad_request(f"Could not find a navigation property named '{part.name}' to expand.")
    return full
