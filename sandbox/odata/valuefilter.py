"""$filter over values in memory, which are in no database: what the systems say about themselves."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from odata_query import ast

from sandbox.odata.errors import UnknownPropertyError, UnsupportedError
from sandbox.odata.grammar import EnumLiteral, Node, parse_filter
from sandbox.odata.literals import is_literal

Functions = Mapping[str, Callable[..., Any]]

NO_FUNCTIONS: Functions = MappingProxyType({})
TEXT_FUNCTIONS: Functions = MappingProxyType(
    {
        "contains": lambda text, part: part in (text or ""),
        "startswith": lambda text, part: (text or "").startswith(part),
        "endswith": lambda text, part: (text or "").endswith(part),
        "tolower": lambda text: (text or "").lower(),
        "toupper": lambda text: (text or "").upper(),
    }
)
_COMPARISONS: Mapping[type[Node], Callable[[Any, Any], bool]] = {
    ast.Eq: lambda left, right: left == right,
    ast.NotEq: lambda left, right: left != right,
    ast.Lt: lambda left, right: left < right,
    ast.LtE: lambda left, right: left <= right,
    ast.Gt: lambda left, right: left > right,
    ast.GtE: lambda left, right: left >= right,
    ast.In: lambda left, right: left in right,
}
_EQUALITIES = (ast.Eq, ast.NotEq, ast.In)


class UnknownFunctionError(UnsupportedError):
    """A function that is not among those of the filter.

    Attributes:
        name: The function.
    """

    def __init__(self, name: str) -> None:
        """Name the function."""
        super().__init__(f"The function '{name}' is not supported here.")
        self.name = name


def matches(item: Mapping[str, Any], text: str, functions: Functions = NO_FUNCTIONS, kind: str = "") -> bool:
    """Say whether a value fits a filter such as `LogicalName eq 'account'`.

    Comparisons of properties, paths into complex values (`IsCustomizable/Value`), literals, enum
    literals and lists, with and, or, not and the functions given.

    Args:
        item: Property values by name.
        text: The filter.
        functions: What may be called, by name.
        kind: Name of the value's type, for messages.

    Raises:
        ODataError: When the filter cannot be read, or asks for something else.
    """
    return _Reader(item, functions, kind).holds(parse_filter(text))


class _Reader:
    """Evaluates a filter on one value."""

    def __init__(self, item: Mapping[str, Any], functions: Functions, kind: str) -> None:
        self.item = item
        self.functions = functions
        self.kind = kind

    def holds(self, node: Node) -> bool:
        match node:
            case ast.BoolOp(op=ast.And()):
                return self.holds(node.left) and self.holds(node.right)
            case ast.BoolOp(op=ast.Or()):
                return self.holds(node.left) or self.holds(node.right)
            case ast.UnaryOp(op=ast.Not()):
                return not self.holds(node.operand)
            case ast.Compare() if type(node.comparator) in _COMPARISONS:
                return self._compare(node)
            case ast.Call() | ast.Identifier() | ast.Attribute():
                return self._value(node) is True
        raise UnsupportedError("A filter here compares properties with literals, by and, or and not.")

    def _compare(self, node: Node) -> bool:
        left, right = self._value(node.left), self._value(node.right)
        if not isinstance(node.comparator, _EQUALITIES) and (left is None or right is None):
            return False
        try:
            return _COMPARISONS[type(node.comparator)](left, right)
        except TypeError:
            raise UnsupportedError("The operands of a comparison have types that do not fit.") from None

    def _value(self, node: Node) -> Any:
        match node:
            case EnumLiteral():
                return node.member
            case ast.List():
                return [self._value(part) for part in node.val]
            case ast.Attribute():
                owner = self._value(node.owner)
                return owner.get(node.attr) if isinstance(owner, Mapping) else None
            case ast.Identifier():
                return self._property(node.name)
            case ast.Call():
                return self._call(node)
        return _constant(node)

    def _property(self, name: str) -> Any:
        if name not in self.item:
            raise UnknownPropertyError(name, self.kind)
        return self.item[name]

    def _call(self, node: Node) -> Any:
        function = self.functions.get(node.func.name)
        if function is None:
            raise UnknownFunctionError(node.func.name)
        try:
            return function(*(self._value(argument) for argument in node.args))
        except (AttributeError, TypeError):
            raise UnsupportedError(f"The arguments of '{node.func.name}' do not fit.") from None


def _constant(node: Node) -> Any:
    match node:
        case ast.Null():
            return None
        case ast.Boolean():
            return node.val.lower() == "true"
        case ast.Integer():
            return int(node.val)
    if not is_literal(node):
        raise UnsupportedError("A filter here compares properties with literals, by and, or and not.")
    return node.val
