"""Columns of joined tables and what they are compared with, for queries that name columns (SQL, FetchXML)."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from odata_query import ast

from sandbox.dataverse.entities import Entity
from sandbox.odata.literals import Kind, kind_of, literal_value
from sandbox.odata.operands import comparable, literal_term
from sandbox.odata.patterns import like_parts, matches
from sandbox.odata.scope import Term

Condition = sa.ColumnElement[bool]


@dataclass(frozen=True)
class Place:
    """A table of a query: which it is, and its rows."""

    entity: Entity
    sql: sa.FromClause

    def term(self, name: str) -> Term | None:
        """Return a column by its logical name, None where there is none that can be read."""
        column = self.entity.table.columns.get(name)
        if column is None or column.write_only:
            return None
        return Term(self.sql.c[column.name], kind_of(column), column)


def text_term(term: Term, text: str) -> Term:
    """Return the text of a query as the other side of a column.

    Raises:
        TypeMismatchError: When it cannot be of the column's type.
    """
    return literal_term(term, literal_value(ast.String(text), term.kind, term.column, lenient=True))


def compared(comparison: str, left: Term, right: Term) -> Condition:
    """Compare two values with an operator of Python's, `__eq__` and the like, by value and without case.

    Raises:
        TypeMismatchError: When they are of different kinds.
    """
    one, other = comparable(left, right, "Equal")
    condition: Condition = getattr(one, comparison)(other)
    return condition


def member(term: Term, values: Sequence[Term]) -> Condition:
    """Say whether a column has one of the values."""
    sides = [comparable(term, value, "Equal") for value in values]
    return sides[0][0].in_([other for _, other in sides]) if sides else sa.false()


def between(term: Term, low: Term, high: Term) -> Condition:
    """Say whether a column lies between two values, or is one of them."""
    return sa.and_(compared("__ge__", term, low), compared("__le__", term, high))


def like(term: Term, pattern: str) -> Condition | None:
    """Say whether a text column has the form of a pattern of LIKE, None where the column is no text."""
    return matches(term.sql, like_parts(pattern)) if term.kind is Kind.TEXT else None
