"""$filter as a SQL condition: a syntax tree in, SQLAlchemy Core out, every literal a bound parameter."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from odata_query import ast

from sandbox.odata.errors import ODataError, TypeMismatchError, UnsupportedError
from sandbox.odata.grammar import Alias, DivBy, Has, Node, parse_filter
from sandbox.odata.literals import NUMBERS, Kind, Value, is_literal, literal_type, literal_value
from sandbox.odata.operands import comparable, equality, literal_term, matching_value, text_condition
from sandbox.odata.scope import Profile, QueryCall, Scope, Term, navigation, property_term
from sandbox.odata.sql import arithmetic
from sandbox.store.types import ExactDecimal

Condition = sa.ColumnElement[bool]

# How deep conditions may stand in each other. SQLite's parser has a stack of 100 entries, of which a lambda
# and a step of a path take more than a parenthesis does.
MAX_DEPTH = 24
_LAMBDA_DEPTH = 4
_STEP_DEPTH = 2

_KIND_NAMES: dict[type[Node], str] = {
    ast.Eq: "Equal",
    ast.NotEq: "NotEqual",
    ast.Gt: "GreaterThan",
    ast.GtE: "GreaterThanOrEqual",
    ast.Lt: "LessThan",
    ast.LtE: "LessThanOrEqual",
}
_MIRRORED: dict[type[Node], type[Node]] = {ast.Gt: ast.Lt, ast.GtE: ast.LtE, ast.Lt: ast.Gt, ast.LtE: ast.GtE}
_OPERATIONS: dict[type[Node], str] = {
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.Div: "div",
    DivBy: "divby",
    ast.Mod: "mod",
}


def compile_filter(
    text: str, scope: Scope, profile: Profile, aliases: Mapping[str, str] | None = None
) -> Condition:
    """The SQL condition of a $filter expression.

    Args:
        text: The expression, URL-decoded.
        scope: The table that it filters.
        profile: The system's rules.
        aliases: Texts of parameter aliases by name (`{"@p1": "'x'"}`).

    Raises:
        ODataError: The expression is not OData, names what is not there, compares what cannot be
            compared, or asks for what the system refuses. Always the client's error.
    """
    root = parse_filter(text)
    compiler = _Compiler(profile, aliases or {})
    return compiler.condition(root, scope, 0)


@dataclass
class _Compiler:
    """One compilation: the rules, the aliases, and how many conditions there are so far."""

    profile: Profile
    aliases: Mapping[str, str]
    conditions: int = 0

    def condition(self, node: Node, scope: Scope, depth: int) -> Condition:
        """A node where true or false is wanted."""
        _check_depth(depth)
        if isinstance(node, ast.BoolOp):
            return self._all_of(node, scope, depth)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return sa.not_(self.condition(node.operand, scope, depth + 1))
        if isinstance(node, ast.CollectionLambda):
            return self._lambda(node, scope, depth)
        self._count()
        if isinstance(node, ast.Compare):
            return self._compare(node, scope, depth)
        term = self.term(node, scope, depth)
        if term.kind is not Kind.BOOLEAN:
            raise TypeMismatchError("The $filter expression must evaluate to a single boolean value.")
        return term.sql if isinstance(node, ast.Call) else term.sql.is_(sa.true())

    def term(self, node: Node, scope: Scope, depth: int) -> Term:
        """A node where a value is wanted, literals excepted."""
        _check_depth(depth)
        match node:
            case ast.Identifier(name=name, namespace=()) | ast.Identifier(name=name, namespace=("$it",)):
                return property_term(scope, (name,), self.profile)
            case ast.Attribute():
                path = _path(node)
                _check_depth(depth + _STEP_DEPTH * (len(path) - 1))
                return property_term(scope, path, self.profile)
            case ast.Call():
                return Term(self._call(node, scope, depth), Kind.BOOLEAN)
            case ast.BinOp():
                return self._arithmetic(node, scope, depth)
            case ast.UnaryOp(op=ast.USub()):
                zero = sa.literal(Decimal(0), ExactDecimal())
                operand = self._number(node.operand, scope, depth)
                return Term(arithmetic("sub", zero, operand), Kind.DECIMAL)
        raise UnsupportedError("A filter must compare a property; this expression is not supported.")

    def _all_of(self, node: Node, scope: Scope, depth: int) -> Condition:
        """A chain of one operator, which may be longer than Python's stack is deep."""
        operator, parts, rest = type(node.op), [], node
        while isinstance(rest, ast.BoolOp) and type(rest.op) is operator:
            parts.append(rest.right)
            rest = rest.left
        conditions = [self.condition(part, scope, depth + 1) for part in (rest, *reversed(parts))]
        return sa.and_(*conditions) if operator is ast.And else sa.or_(*conditions)

    def _count(self) -> None:
        self.conditions += 1
        if self.conditions > self.profile.max_conditions:
            limit = self.profile.max_conditions
            raise ODataError(f"Number of conditions in query exceeded maximum limit of {limit}.")

    def _compare(self, node: Node, scope: Scope, depth: int) -> Condition:
        comparator = type(node.comparator)
        left, right = self._resolved(node.left), self._resolved(node.right)
        if comparator in {ast.In, Has}:
            return self._member(node, left, right, scope, depth)
        if is_literal(left):
            if is_literal(right):
                raise UnsupportedError("A filter must compare a property; both operands are constants.")
            left, right, comparator = right, left, _MIRRORED.get(comparator, comparator)
        term = self.term(left, scope, depth + 1)
        if is_literal(right):
            return self._with_literal(comparator, term, right)
        return _with_term(comparator, term, self.term(right, scope, depth + 1))

    def _with_literal(self, comparator: type[Node], term: Term, node: Node) -> Condition:
        if term.kind is Kind.ENUM and comparator not in {ast.Eq, ast.NotEq}:
            raise UnsupportedError("Enumeration values can be compared with eq and ne only.")
        name = _KIND_NAMES[comparator]
        value = matching_value(node, term, self.profile, name)
        if value is None:
            return _with_null(comparator, term)
        if comparator is ast.Eq:
            return equality(term, value, self.profile)
        if comparator is ast.NotEq:
            return sa.not_(equality(term, value, self.profile))
        return _ordered(comparator, term, value)

    def _member(self, node: Node, left: Node, right: Node, scope: Scope, depth: int) -> Condition:
        if isinstance(node.comparator, Has) or not self.profile.membership:
            word = "has" if isinstance(node.comparator, Has) else "in"
            raise UnsupportedError(f"The operator '{word}' is not supported in filter expressions.")
        term = self.term(left, scope, depth + 1)
        for _ in right.val[1:]:
            self._count()
        values = [matching_value(self._resolved(item), term, self.profile, "Equal") for item in right.val]
        tests = [equality(term, value, self.profile) for value in values if value is not None]
        nulls = [term.sql.is_(None)] if None in values else []
        return sa.or_(sa.false(), *tests, *nulls)

    def _lambda(self, node: Node, scope: Scope, depth: int) -> Condition:
        path, outer = _path(node.owner), scope
        for name in path[:-1]:
            if name not in scope.variables:
                raise UnsupportedError(f"A collection behind '{name}' cannot be used with any or all.")
            scope = scope.variables[name]
        step = navigation(scope, path[-1], self.profile)
        if not step.collection:
            raise ODataError(f"Any and all need a collection, and '{path[-1]}' is a single value.")
        rows = sa.select(sa.literal(1)).where(step.on).correlate_except(step.target.sql)
        if node.lambda_ is None:
            return sa.exists(rows)
        variables = {**outer.variables, node.lambda_.identifier.name: step.target}
        inner = replace(step.target, variables=variables)
        condition = self.condition(node.lambda_.expression, inner, depth + _LAMBDA_DEPTH)
        if isinstance(node.operator, ast.Any):
            return sa.exists(rows.where(condition))
        return sa.not_(sa.exists(rows.where(sa.or_(sa.not_(condition), condition.is_(None)))))

    def _call(self, node: Node, scope: Scope, depth: int) -> Condition:
        if node.func.namespace:
            return self._query_function(node, scope)
        name = node.func.name.lower()
        if name not in {"contains", "startswith", "endswith"}:
            raise UnsupportedError(f"The function '{node.func.name}' is not supported in filter expressions.")
        term = self.term(self._resolved(node.args[0]), scope, depth + 1)
        text = self._resolved(node.args[1])
        if term.kind is not Kind.TEXT or not is_literal(text):
            raise UnsupportedError(f"The function '{name}' takes a text property and a text literal.")
        return text_condition(name, term, literal_value(text, Kind.TEXT), self.profile)

    def _query_function(self, node: Node, scope: Scope) -> Condition:
        name = node.func.full_name()
        if self.profile.query_function is None:
            raise UnsupportedError(f"An unknown function with name '{name}' was found.")
        named = (item for item in node.args if isinstance(item, ast.NamedParam))
        arguments = {item.name.name: self._resolved(item.param) for item in named}
        return self.profile.query_function(QueryCall(name, arguments, scope, self.profile))

    def _arithmetic(self, node: Node, scope: Scope, depth: int) -> Term:
        if not self.profile.arithmetic:
            raise UnsupportedError("Arithmetic is not supported in filter expressions.")
        left, right = (self._number(side, scope, depth) for side in (node.left, node.right))
        return Term(arithmetic(_OPERATIONS[type(node.op)], left, right), Kind.DECIMAL)

    def _number(self, node: Node, scope: Scope, depth: int) -> sa.ColumnElement[Any]:
        node = self._resolved(node)
        if is_literal(node):
            return sa.literal(literal_value(node, Kind.DECIMAL), ExactDecimal())
        term = self.term(node, scope, depth + 1)
        if term.kind not in NUMBERS:
            raise TypeMismatchError.operands(term.kind, Kind.DECIMAL, "Arithmetic")
        return term.sql

    def _resolved(self, node: Node) -> Node:
        """A node, or what a parameter alias stands for; an alias without a value is null [D OData 4.0]."""
        if not isinstance(node, Alias):
            return node
        text = self.aliases.get(node.name)
        value = ast.Null() if text is None else parse_filter(text)
        if not is_literal(value):
            raise UnsupportedError(f"The value of the parameter alias '{node.name}' must be a literal.")
        return value


def _check_depth(depth: int) -> None:
    if depth > MAX_DEPTH:
        raise ODataError("The recursion limit of the filter expression has been exceeded.")


def _path(node: Node) -> tuple[str, ...]:
    if isinstance(node, ast.Attribute):
        return (*_path(node.owner), node.attr)
    if isinstance(node, ast.Identifier):
        return (".".join((*node.namespace, node.name)),)
    raise UnsupportedError(f"A literal of type '{literal_type(node)}' has no properties.")


def _with_null(comparator: type[Node], term: Term) -> Condition:
    if comparator is ast.Eq:
        return term.sql.is_(None)
    return term.sql.is_not(None) if comparator is ast.NotEq else sa.false()


def _with_term(comparator: type[Node], left: Term, right: Term) -> Condition:
    one, other = comparable(left, right, _KIND_NAMES[comparator])
    return _apply(comparator, one, other)


def _ordered(comparator: type[Node], term: Term, value: Value) -> Condition:
    one, other = comparable(term, literal_term(term, value), _KIND_NAMES[comparator])
    return _apply(comparator, one, other)


def _apply(comparator: type[Node], left: sa.ColumnElement[Any], right: sa.ColumnElement[Any]) -> Condition:
    match comparator:
        case ast.Eq:
            return left == right
        case ast.NotEq:
            return left != right
        case ast.Gt:
            return left > right
        case ast.GtE:
            return left >= right
        case ast.Lt:
            return left < right
    return left <= right
