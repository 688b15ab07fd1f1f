"""What a query function is called with: who asks and when, the property, its values."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeAlias

import sqlalchemy as sa
from odata_query import ast

from sandbox.odata.errors import ODataError, TypeMismatchError
from sandbox.odata.grammar import Node
from sandbox.odata.literals import Kind, Value, literal_value
from sandbox.odata.scope import Profile, QueryCall, Scope, Term, property_term
from sandbox.schema.model import Column, Table

Condition: TypeAlias = sa.ColumnElement[bool]

_MOMENTS = frozenset({Kind.INSTANT, Kind.DATE})
_MOST = 100_000  # greatest X of LastXDays and the like


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and when.

    Attributes:
        now: The sandbox's present, UTC, whole seconds; the user's time zone is UTC [?].
        user_id: GUID of the application user.
        business_unit_id: GUID of its business unit.
    """

    now: datetime
    user_id: str
    business_unit_id: str


@dataclass(frozen=True, slots=True)
class Call:
    """A call that names a property which is there.

    Attributes:
        name: The function, without its namespace.
        term: The property.
        scope: The table that is filtered.
        profile: The system's rules.
        caller: Who asks, and when.
        arguments: As they were given.
    """

    name: str
    term: Term
    scope: Scope
    profile: Profile
    caller: Caller
    arguments: QueryCall

    def values(self) -> list[Value]:
        """Return PropertyValues or PropertyValue as values of the property, quoted or not.

        Raises:
            TypeMismatchError: When one cannot be of the property's type.
        """
        given = self.arguments.arguments
        node = given.get("PropertyValues", given.get("PropertyValue", ast.List([])))
        nodes: Sequence[Node] = node.val if isinstance(node, ast.List) else [node]
        return [literal_value(each, self.term.kind, self.term.column, lenient=True) for each in nodes]

    def some(self, count: int) -> list[Value]:
        """Return exactly `count` values.

        Raises:
            ODataError: When more or fewer were given.
        """
        values = self.values()
        if len(values) != count:
            raise ODataError(f"The function '{self.name}' needs {count} value(s), and {len(values)} came.")
        return values

    def number(self, parameter: str = "PropertyValue") -> int:
        """Return a parameter that is a positive whole number, quoted or not.

        Raises:
            ODataError: When it is missing, or is none.
        """
        node = self.arguments.arguments.get(parameter)
        value = None if node is None else literal_value(node, Kind.INTEGER, lenient=True)
        if not isinstance(value, int) or not 0 < value <= _MOST:
            raise ODataError(
                f"The function '{self.name}' needs a whole number above zero as its '{parameter}'."
            )
        return value

    def moment(self) -> Term:
        """Return the property, which must be a date or a time stamp.

        Raises:
            TypeMismatchError: When it is of another type.
        """
        if self.term.kind not in _MOMENTS:
            raise TypeMismatchError(
                f"The function '{self.name}' takes dates and time stamps, not '{self.term.kind}'."
            )
        return self.term


Function: TypeAlias = Callable[[Call], Condition]


def read_call(name: str, call: QueryCall, caller: Caller) -> Call:
    """Find the property that a call names; a lookup is named as a property or by its logical name.

    Raises:
        ODataError: When 'PropertyName' is missing.
        UnknownPropertyError: When the table has no such property.
    """
    named = call.arguments.get("PropertyName")
    if not isinstance(named, ast.String):
        raise ODataError(f"The function '{call.name}' needs the parameter 'PropertyName'.")
    lenient = replace(call.profile, column_of=_property_or_column(call.profile))
    term = property_term(call.scope, tuple(named.val.split("/")), lenient)
    return Call(name, term, call.scope, call.profile, caller, call)


def _property_or_column(profile: Profile) -> Callable[[Table, str], Column | None]:
    return lambda table, name: profile.column_of(table, name) or table.columns.get(name)
