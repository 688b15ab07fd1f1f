"""What a filter may name: the columns of a table, and the tables that its paths lead to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import sqlalchemy as sa

from sandbox.odata.errors import ODataError, UnknownPropertyError
from sandbox.odata.literals import Kind, Value, kind_of
from sandbox.schema.model import Column, ColumnType, Table

MAX_STEPS = 10  # of a path [?]


class Wildcards(Enum):
    """Which characters of a text literal stand for others."""

    LIKE = "like"
    STAR = "star"


@dataclass(frozen=True, slots=True)
class Profile:
    """What differs between the two systems in a filter.

    Attributes:
        namespace: Namespace of types in messages.
        wildcards: Wildcards of text literals.
        column_of: Finds the column that a property name means; None where there is none.
        blank: What null means where the system keeps none (Finance: "", 0, ...); None where null is null.
        membership: Whether `in` is taken.
        arithmetic: Whether add, sub, mul, div, divby and mod are taken.
        query_function: Answers functions with a namespace (`Microsoft.Dynamics.CRM.*`); None where the
            system has none.
        quoted_guids: Whether a GUID may stand in quotes.
        max_conditions: Conditions that one filter may have (Dataverse: 500 [D]).
    """

    namespace: str
    wildcards: Wildcards
    column_of: Callable[[Table, str], Column | None]
    blank: Callable[[Column], Value] | None = None
    membership: bool = True
    arithmetic: bool = False
    query_function: "Callable[[QueryCall], sa.ColumnElement[bool]] | None" = None
    quoted_guids: bool = False
    max_conditions: int = 500


@dataclass(frozen=True, slots=True)
class Scope:
    """Where the names of an expression are looked up.

    Attributes:
        table: The schema table.
        sql: Its rows: a table or an alias of one.
        navigate: Leads along a navigation property, given this scope and the property's name; None
            where the table has no such property.
        variables: Scopes of lambda variables by name.
    """

    table: Table
    sql: sa.FromClause
    navigate: "Callable[[Scope, str], Navigation | None] | None" = None
    variables: "Mapping[str, Scope]" = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Navigation:
    """The way from one scope to another.

    Attributes:
        target: The other table, under an alias of its own.
        on: How its rows belong to the row that one comes from.
        collection: Whether many rows may belong to it.
    """

    target: Scope
    on: sa.ColumnElement[bool]
    collection: bool = False


@dataclass(frozen=True, slots=True)
class Term:
    """A value inside a filter: its SQL, what it is compared as, and the column that it came from."""

    sql: sa.ColumnElement[Any]
    kind: Kind
    column: Column | None = None


@dataclass(frozen=True, slots=True)
class QueryCall:
    """A function with a namespace, called where a condition stands.

    Attributes:
        name: With its namespace.
        arguments: Literals by parameter, aliases resolved.
        scope: The table that is filtered.
        profile: The system's rules.
    """

    name: str
    arguments: Mapping[str, Any]
    scope: Scope
    profile: Profile


def dataverse_column(table: Table, name: str) -> Column | None:
    """The column behind a Dataverse property that can be read: lookups are `_name_value`."""
    if name.startswith("_") and name.endswith("_value"):
        column = table.columns.get(name[1 : -len("_value")])
        return column if column is not None and column.type is ColumnType.LOOKUP else None
    column = table.columns.get(name)
    hidden = column is not None and (column.type is ColumnType.LOOKUP or column.write_only)
    return None if hidden else column


def finance_column(table: Table, name: str) -> Column | None:
    """The column behind a Finance property: its own name."""
    return table.columns.get(name)


def property_term(scope: Scope, path: tuple[str, ...], profile: Profile) -> Term:
    """The value at the end of a path of property names.

    Each navigation becomes a scalar subquery, so that a missing parent gives null as in OData; SQLite's
    parser does not take very many of them inside of each other.

    Raises:
        UnknownPropertyError: A name that its table does not have.
        ODataError: A path through a collection without a lambda, or a very long one.
    """
    if len(path) > MAX_STEPS:
        raise ODataError(f"The path '{'/'.join(path)[:200]}' is longer than {MAX_STEPS} steps.")
    name, rest = path[0], path[1:]
    if name in scope.variables and rest:
        return property_term(scope.variables[name], rest, profile)
    if rest:
        step = navigation(scope, name, profile)
        if step.collection:
            raise ODataError(f"The collection '{name}' can only be used with any or all.")
        term = property_term(step.target, rest, profile)
        value = sa.select(term.sql).where(step.on).correlate_except(step.target.sql).scalar_subquery()
        return Term(value, term.kind, term.column)
    column = profile.column_of(scope.table, name)
    if column is None:
        raise UnknownPropertyError(name, f"{profile.namespace}.{scope.table.entity_type}")
    return Term(scope.sql.c[column.name], kind_of(column), column)


def navigation(scope: Scope, name: str, profile: Profile) -> Navigation:
    """The way along a navigation property.

    Raises:
        UnknownPropertyError: The table has no navigation property of that name.
    """
    step = scope.navigate(scope, name) if scope.navigate is not None else None
    if step is None:
        raise UnknownPropertyError(name, f"{profile.namespace}.{scope.table.entity_type}")
    return step
