# ruff: noqa: F811, F821 - sly overloads rule functions by name and puts `_` and `before` into class bodies
"""The $filter grammar: odata-query's lexer and parser, widened to what both systems really send.

Added to odata-query 0.10: enum literals (`Ns.NoYes'Yes'`), bracketed lists and double-quoted strings
(`PropertyValues=["a","b"]`), functions with three and more named arguments, parameter aliases (`@p1`),
`divby`, `has`, `in` with one item, `not(...)` without a blank, and identifiers that begin like a keyword
(`allocation`, `nullable`).
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

from odata_query import ast, exceptions
from odata_query.grammar import ODataLexer, ODataParser

from sandbox.odata.errors import ODataError, ODataSyntaxError, UnsupportedError

Node: TypeAlias = Any  # a node of odata-query, whose own types say too little

_Rule = Callable[..., Callable[[Callable[..., Any]], Callable[..., Any]]]
_LONGEST_REMEMBERED = 2_000  # characters; syntax trees of long lists of keys would fill the memory


@dataclass(frozen=True)
class EnumLiteral(ast._Literal):
    """An enum literal: `Microsoft.Dynamics.DataEntities.NoYes'Yes'`."""

    type_name: str
    member: str


@dataclass(frozen=True)
class Alias(ast._Node):
    """A parameter alias `@p1`, whose value is another query option."""

    name: str


@dataclass(frozen=True)
class DivBy(ast._BinOpToken):
    """Division that keeps fractions whatever its operands."""


@dataclass(frozen=True)
class Has(ast._Comparator):
    """The flag test of enums."""


class FilterLexer(ODataLexer):
    """odata-query's lexer with the tokens that it lacks; keywords end at a word boundary."""

    _: _Rule  # type: ignore[assignment]
    before: Any
    tokens = ODataLexer.tokens | {"ENUM", "ALIAS", "JSON_STRING", "DIVBY", "HAS"}
    literals = ODataLexer.literals | {"[", "]"}

    ENUM = before("DURATION", r"(?:[_a-z]\w*\.)+\w+'(?:[^']|'')*'")
    ALIAS = before("DURATION", r"@[_a-z]\w*")
    JSON_STRING = before("DURATION", r'"(?:[^"\\]|\\.)*"')
    DIVBY = before("DIV", r"\s+divby\s+")
    HAS = before("IN", r"\s+has\s+")

    @_(r"(?:true|false)(?![\w.])")
    def BOOLEAN(self, token: Node) -> Node:
        """True or false."""
        token.value = ast.Boolean(token.value)
        return token

    @_(r"null(?![\w.])")
    def NULL(self, token: Node) -> Node:
        """The null literal."""
        token.value = ast.Null()
        return token

    @_(r"not(?=[\s(])\s*")
    def NOT(self, token: Node) -> Node:
        """Negation, with or without a blank before its parenthesis."""
        token.value = ast.Not()
        return token

    @_(r"any(?=\s*\()")
    def ANY(self, token: Node) -> Node:
        """The lambda operator any."""
        token.value = ast.Any()
        return token

    @_(r"all(?=\s*\()")
    def ALL(self, token: Node) -> Node:
        """The lambda operator all."""
        token.value = ast.All()
        return token


class _InheritedRules:
    """Lets a sly parser keep the rules of its base, which sly alone would drop."""

    @classmethod
    def _build(cls, definitions: list[tuple[str, Any]]) -> None:
        inherited = [item for item in vars(ODataParser).items() if item[0] != "list_named_param"]
        super()._build([*inherited, *definitions])  # type: ignore[misc]


class FilterParser(_InheritedRules, ODataParser):
    """odata-query's parser with the rules that it lacks."""

    _: _Rule  # type: ignore[assignment]
    tokens = FilterLexer.tokens
    precedence = (  # type: ignore[assignment]
        ("left", "OR"),
        ("left", "AND"),
        ("left", "EQ", "NE"),
        ("left", "GT", "GE", "LT", "LE", "HAS"),
        ("left", "ADD", "SUB"),
        ("left", "MUL", "DIV", "DIVBY", "MOD"),
        ("right", "NOT", "UMINUS"),
        ("left", "IN"),
    )

    @_("ENUM")
    def primitive_literal(self, parts: Node) -> Node:
        """An enum literal."""
        type_name, _, member = parts[0].partition("'")
        return EnumLiteral(type_name, member[:-1].replace("''", "'"))

    @_("JSON_STRING")  # type: ignore[no-redef]
    def primitive_literal(self, parts: Node) -> Node:
        """A double-quoted string, as in PropertyValues lists."""
        try:
            return ast.String(json.loads(parts[0], strict=False))
        except ValueError:  # an escape that JSON does not know
            raise ODataError(f"Invalid JSON: the string {parts[0]} cannot be read.") from None

    @_("ALIAS")
    def common_expr(self, parts: Node) -> Node:
        """A parameter alias."""
        return Alias(parts[0])

    @_("common_expr DIVBY common_expr")  # type: ignore[no-redef]
    def common_expr(self, parts: Node) -> Node:
        """Division that keeps fractions."""
        return ast.BinOp(DivBy(), parts[0], parts[2])

    @_("common_expr HAS common_expr")  # type: ignore[no-redef]
    def common_expr(self, parts: Node) -> Node:
        """The flag test of enums."""
        return ast.Compare(Has(), parts[0], parts[2])

    @_('common_expr IN "(" BWS common_expr BWS ")"')  # type: ignore[no-redef]
    def common_expr(self, parts: Node) -> Node:
        """Membership in a list of one, which odata-query takes for a parenthesis."""
        return ast.Compare(parts[1], parts[0], ast.List([parts[4]]))

    @_('"[" BWS "]"')
    def bracket_list(self, parts: Node) -> Node:
        """An empty list."""
        return ast.List([])

    @_('"[" BWS common_expr BWS "]"')  # type: ignore[no-redef]
    def bracket_list(self, parts: Node) -> Node:
        """A list of one."""
        return ast.List([parts.common_expr])

    @_('"[" BWS list_items BWS "]"')  # type: ignore[no-redef]
    def bracket_list(self, parts: Node) -> Node:
        """A list of several."""
        return ast.List(parts.list_items)

    @_("bracket_list")  # type: ignore[no-redef]
    def common_expr(self, parts: Node) -> Node:
        """A bracketed list where a value may stand."""
        return parts[0]

    @_('named_param BWS "," BWS named_param')
    def list_named_param(self, parts: Node) -> list[Node]:
        """The first two named arguments."""
        return [parts[0], parts[4]]

    @_('list_named_param BWS "," BWS named_param')  # type: ignore[no-redef]
    def list_named_param(self, parts: Node) -> list[Node]:
        """Each further named argument."""
        return [*parts.list_named_param, parts.named_param]


def parse_filter(text: str) -> Node:
    """The syntax tree of a $filter expression.

    Args:
        text: The expression, URL-decoded.

    Raises:
        ODataSyntaxError: The text is not a filter expression.
        UnsupportedError: It calls a function that OData does not know.
    """
    return _remembered(text) if len(text) <= _LONGEST_REMEMBERED else _parse(text)


def _parse(text: str) -> Node:
    try:
        return FilterParser().parse(iter(tokenize(text.strip())))
    except exceptions.ParsingException as error:
        position = error.token.index if error.token is not None else len(text)
        raise ODataSyntaxError.at(position, text) from None
    except exceptions.UnknownFunctionException as error:
        raise UnsupportedError(
            f"An unknown function with name '{error.function_name}' was found. "
            "This may also be a function call on a navigation property which is not supported."
        ) from None
    except exceptions.ArgumentCountException as error:
        raise UnsupportedError(str(error)) from None


_remembered = lru_cache(maxsize=2048)(_parse)


def tokenize(text: str) -> list[Any]:
    """All tokens of an OData text, read before any is used, so that a lone quote is named as such.

    Raises:
        ODataSyntaxError: A character that begins no token, or a literal that never ends.
    """
    try:
        return list(FilterLexer().tokenize(text))
    except exceptions.TokenizingException as error:
        token = error.token
        if token.value[:1] in {"'", '"'}:
            raise ODataSyntaxError.unterminated(text) from None
        place = f"at position {token.index} in '{text}'"
        message = f"Syntax error: character '{token.value[:1]}' is not valid {place}."
        raise ODataSyntaxError(message, token.index, text) from None


def alias_texts(query: Mapping[str, str]) -> dict[str, str]:
    """The query options that give values to parameter aliases, by `@name`."""
    return {name: value for name, value in query.items() if name.startswith("@")}
