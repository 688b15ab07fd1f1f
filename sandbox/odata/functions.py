"""Functions in a filter: the three text functions, and Dataverse's `Microsoft.Dynamics.CRM.*`.

Those that ask for the time or the user are not here: they belong to whoever knows the clock.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from odata_query import ast

from sandbox.odata.errors import ODataError, UnsupportedError
from sandbox.odata.grammar import Node
from sandbox.odata.literals import Kind, Value, literal_value
from sandbox.odata.operands import comparable, equality, literal_term, text_parts
from sandbox.odata.patterns import Run, matches
from sandbox.odata.scope import Profile, Scope, Term, property_term
from sandbox.store import fold, folded

Condition = sa.ColumnElement[bool]

_NAMESPACE = ("Microsoft", "Dynamics", "CRM")


def text_condition(name: str, term: Term, text: Value, profile: Profile) -> Condition:
    """contains, startswith or endswith: without case, with the wildcards of the system [D filter-rows]."""
    if text is None:
        return sa.false()
    parts = text_parts(str(text), profile)
    before = () if name == "startswith" else (Run(),)
    after = () if name == "endswith" else (Run(),)
    return matches(term.sql, (*before, *parts, *after))


def query_function(node: Node, scope: Scope, profile: Profile) -> Condition:
    """A Dataverse query function: `Microsoft.Dynamics.CRM.In(PropertyName='c',PropertyValues=['a'])` [D].

    Raises:
        UnsupportedError: No such function here.
        ODataError: An argument is missing, or of the wrong number.
    """
    function = _FUNCTIONS.get(node.func.name)
    if not profile.query_functions or node.func.namespace != _NAMESPACE or function is None:
        raise UnsupportedError(f"An unknown function with name '{node.func.full_name()}' was found.")
    arguments = {item.name.name: item.param for item in node.args if isinstance(item, ast.NamedParam)}
    name = arguments.get("PropertyName")
    if not isinstance(name, ast.String):
        raise ODataError(f"The function '{node.func.full_name()}' needs the parameter 'PropertyName'.")
    term = property_term(scope, tuple(name.val.split("/")), profile)
    return function(term, _values(arguments, term), profile)


def _values(arguments: dict[str, Node], term: Term) -> list[Value]:
    """PropertyValues or PropertyValue as values of the property's kind; they are quoted whatever the kind."""
    given = arguments.get("PropertyValues", arguments.get("PropertyValue", ast.List([])))
    nodes: Sequence[Node] = given.val if isinstance(given, ast.List) else [given]
    return [literal_value(node, term.kind, term.column, lenient=True) for node in nodes]


def _need(values: list[Value], count: int) -> None:
    if len(values) != count:
        raise ODataError(f"The function needs {count} value(s) in 'PropertyValues', and {len(values)} came.")


def _in(term: Term, values: list[Value], profile: Profile) -> Condition:
    if term.kind is Kind.TEXT:
        plain, patterned = _by_wildcards(values, profile)
        # One look into a list for each row, not one comparison for each value.
        listed = fold(term.sql).in_([folded(text) for text in plain])
        return sa.or_(listed, *(equality(term, value, profile) for value in patterned))
    return sa.or_(sa.false(), *(equality(term, value, profile) for value in values))


def _by_wildcards(values: list[Value], profile: Profile) -> tuple[list[str], list[Value]]:
    """Texts without a wildcard, and all other values."""
    plain = [
        value for value in values if isinstance(value, str) and text_parts(value, profile) in ((value,), ())
    ]
    return plain, [value for value in values if value not in plain]


def _not_in(term: Term, values: list[Value], profile: Profile) -> Condition:
    return sa.and_(term.sql.is_not(None), sa.not_(_in(term, values, profile)))


def _between(term: Term, values: list[Value], _profile: Profile) -> Condition:
    _need(values, 2)
    low, high = (comparable(term, literal_term(term, value), "Between") for value in values)
    return sa.and_(low[0] >= low[1], high[0] <= high[1])


def _not_between(term: Term, values: list[Value], profile: Profile) -> Condition:
    return sa.not_(_between(term, values, profile))


def _text_function(name: str, negated: bool) -> "Callable[[Term, list[Value], Profile], Condition]":
    def condition(term: Term, values: list[Value], profile: Profile) -> Condition:
        _need(values, 1)
        found = text_condition(name, term, values[0], profile)
        return sa.not_(found) if negated else found

    return condition


def _contain_values(term: Term, values: list[Value], _profile: Profile) -> Condition:
    """Whether a multi-select column, kept as `,1,2,` or `1,2`, holds one of the values."""
    listed = "," + term.sql + ","
    return sa.or_(sa.false(), *(listed.contains(f",{value},", autoescape=True) for value in values))


def _lack_values(term: Term, values: list[Value], profile: Profile) -> Condition:
    return sa.not_(_contain_values(term, values, profile))


def _day_bounds(term: Term, values: list[Value]) -> tuple[sa.ColumnElement[Any], sa.ColumnElement[Any]]:
    """Begin and end (exclusive) of the UTC day of the one value."""
    _need(values, 1)
    value = values[0]
    if not isinstance(value, date):
        raise ODataError("The function needs a date property.")
    if not isinstance(value, datetime):
        return sa.literal(value, term.sql.type), sa.literal(value + timedelta(days=1), term.sql.type)
    begin = datetime(value.year, value.month, value.day, tzinfo=UTC)
    return sa.literal(begin, term.sql.type), sa.literal(begin + timedelta(days=1), term.sql.type)


def _on(term: Term, values: list[Value], _profile: Profile) -> Condition:
    begin, end = _day_bounds(term, values)
    return sa.and_(term.sql >= begin, term.sql < end)


def _on_or_after(term: Term, values: list[Value], _profile: Profile) -> Condition:
    return term.sql >= _day_bounds(term, values)[0]


def _on_or_before(term: Term, values: list[Value], _profile: Profile) -> Condition:
    return term.sql < _day_bounds(term, values)[1]


_FUNCTIONS: dict[str, Callable[[Term, list[Value], Profile], Condition]] = {
    "In": _in,
    "NotIn": _not_in,
    "Between": _between,
    "NotBetween": _not_between,
    "BeginsWith": _text_function("startswith", False),
    "DoesNotBeginWith": _text_function("startswith", True),
    "EndsWith": _text_function("endswith", False),
    "DoesNotEndWith": _text_function("endswith", True),
    "ContainValues": _contain_values,
    "DoesNotContainValues": _lack_values,
    "On": _on,
    "OnOrAfter": _on_or_after,
    "OnOrBefore": _on_or_before,
}
