"""$filter over metadata, which is not in the database: evaluated row by row in Python."""

from collections.abc import Callable, Mapping
from typing import Any

from odata_query import ast

from sandbox.odata.errors import UnsupportedError
from sandbox.odata.grammar import EnumLiteral, Node, parse_filter
from sandbox.odata.literals import is_literal

_COMPARISONS: Mapping[type[Node], Callable[[Any, Any], bool]] = {
    ast.Eq: lambda left, right: left == right,
    ast.NotEq: lambda left, right: left != right,
    ast.In: lambda left, right: left in right,
}
_TEXT_TESTS: Mapping[str, Callable[[str, str], bool]] = {
    "contains": lambda text, part: part in text,
    "startswith": str.startswith,
    "endswith": str.endswith,
}


def matches(item: Mapping[str, Any], text: str) -> bool:
    """Say whether a definition fits a filter such as `LogicalName eq 'account'`.

    Raises:
        ODataError: When the filter cannot be read, or asks for more than eq, ne, in, and, or, not,
            contains, startswith and endswith.
    """
    return _holds(parse_filter(text), item)


def _holds(node: Node, item: Mapping[str, Any]) -> bool:
    match node:
        case ast.BoolOp(op=ast.And()):
            return _holds(node.left, item) and _holds(node.right, item)
        case ast.BoolOp(op=ast.Or()):
            return _holds(node.left, item) or _holds(node.right, item)
        case ast.UnaryOp(op=ast.Not()):
            return not _holds(node.operand, item)
        case ast.Compare() if type(node.comparator) in _COMPARISONS:
            return _COMPARISONS[type(node.comparator)](_value(node.left, item), _value(node.right, item))
        case ast.Call() if node.func.name in _TEXT_TESTS:
            text, part = (_value(argument, item) for argument in node.args)
            return isinstance(text, str) and _TEXT_TESTS[node.func.name](text, str(part))
        case ast.Identifier():
            return _value(node, item) is True
    raise UnsupportedError(
        "Metadata is filtered with eq, ne, in, and, or, not, contains, startswith, endswith."
    )


def _value(node: Node, item: Mapping[str, Any]) -> Any:
    if isinstance(node, EnumLiteral):
        return node.member
    if isinstance(node, ast.List):
        return [_value(part, item) for part in node.val]
    if isinstance(node, ast.Attribute):
        owner = _value(node.owner, item)
        return owner.get(node.attr) if isinstance(owner, Mapping) else None
    if isinstance(node, ast.Identifier):
        if node.name not in item:
            raise UnsupportedError(f"Could not find a property named '{node.name}' on the metadata type.")
        return item[node.name]
    if isinstance(node, ast.Null):
        return None
    if not is_literal(node):
        raise UnsupportedError("A metadata filter compares a property with a literal.")
    return node.val.lower() == "true" if isinstance(node, ast.Boolean) else _number_or_text(node)


def _number_or_text(node: Node) -> Any:
    return int(node.val) if isinstance(node, ast.Integer) else node.val
