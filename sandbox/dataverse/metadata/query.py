"""$select, $expand and $filter on definitions (protocol 1.8); metadata is never paged."""

from collections.abc import Iterable, Mapping
from typing import Any

from sandbox.dataverse.entities import NAMESPACE
from sandbox.dataverse.errors import bad_request
from sandbox.dataverse.metadata.model import Definition
from sandbox.odata.options import ExpandItem, parse_expand, parse_select
from sandbox.odata.valuefilter import UnknownFunctionError, matches

_OPTIONS = frozenset({"$select", "$expand", "$filter", "$count"})
_FUNCTION_REFUSED = "0x8006088a"
_ALWAYS = "MetadataId"


def filtered(
    items: Iterable[Definition], options: Mapping[str, str], *, cast: bool
) -> tuple[Definition, ...]:
    """Return the definitions that `$filter` names.

    Args:
        items: A collection.
        options: Query options.
        cast: Whether the path names the collection's own type, so that all properties can be compared.

    Raises:
        ApiError: 400 for a function, which metadata takes none of [L] (some report 501), and for an option
            that it does not take, such as `$top` and `$orderby` [L].
        ODataError: When the filter cannot be read.
    """
    if refused := sorted(name for name in options if name.startswith("$") and name not in _OPTIONS):
        raise bad_request(f"The query parameter {refused[0]} is not supported")
    if "$filter" not in options:
        return tuple(items)
    return tuple(item for item in items if _fits(item, options["$filter"], cast=cast))


def _fits(item: Definition, text: str, *, cast: bool) -> bool:
    kind = f"{NAMESPACE}.{item.kind if cast else item.base}"
    try:
        return matches(_declared(item, cast=cast), text, kind=kind)
    except UnknownFunctionError as error:
        message = f'The "{error.name}" function isn\'t supported for Metadata Entities.'
        raise bad_request(message, _FUNCTION_REFUSED) from None


def _declared(item: Definition, *, cast: bool) -> Mapping[str, Any]:
    """Return the properties of the declared type: a collection without a cast knows the base type's."""
    if cast:
        return item.properties
    return {name: value for name, value in item.properties.items() if name in item.shared}


def shaped(item: Definition, options: Mapping[str, str], *, cast: bool) -> dict[str, Any]:
    """Return a definition as JSON with what `$select` and `$expand` name.

    Args:
        item: The definition.
        options: Query options.
        cast: Whether the path names the definition's own type.

    Raises:
        ApiError: When a name is no property or navigation property.
        ODataError: When an option cannot be read.
    """
    typed = {} if cast or item.kind == item.base else {"@odata.type": f"#{NAMESPACE}.{item.kind}"}
    chosen = _selected(item, parse_select(options.get("$select", "")), cast=cast)
    parts = parse_expand(options.get("$expand", ""))
    expanded = {part.name: _expanded(item, part, cast=cast) for part in parts}
    return {**typed, **chosen, **expanded}


def _selected(item: Definition, select: tuple[str, ...], *, cast: bool) -> dict[str, Any]:
    if not select:
        return dict(item.properties)
    known = item.properties if cast else item.shared
    if unknown := [name for name in select if name not in known]:
        kind = item.kind if cast else item.base
        raise bad_request(f"Could not find a property named '{unknown[0]}' on type '{NAMESPACE}.{kind}'.")
    return {name: item.properties[name] for name in dict.fromkeys((*select, _ALWAYS))}


def _expanded(item: Definition, part: ExpandItem, *, cast: bool) -> Any:
    declared = item.kind if cast else item.base
    if part.name not in item.below or declared != item.kind:
        raise bad_request(
            f"Could not find a property named '{part.name}' on type '{NAMESPACE}.{declared}'. "
            "$expand takes navigation properties."
        )
    found = item.below[part.name]
    if isinstance(found, tuple):
        return [shaped(each, part.options, cast=False) for each in filtered(found, part.options, cast=False)]
    return None if found is None else shaped(found, part.options, cast=True)
