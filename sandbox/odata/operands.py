"""The two sides of a comparison, brought to a form in which the database compares them."""

from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from odata_query import ast

from sandbox.odata.errors import TypeMismatchError
from sandbox.odata.grammar import Node
from sandbox.odata.literals import NUMBERS, Kind, Value, literal_type, literal_value
from sandbox.odata.patterns import Part, Run, like_parts, matches, star_parts
from sandbox.odata.scope import Profile, Term, Wildcards
from sandbox.odata.sql import exact_decimal, sort_key
from sandbox.store.types import ExactDecimal


def matching_value(node: Node, term: Term, profile: Profile, operator: str) -> Value:
    """The value of a literal that a term is compared with; None for null where the system keeps null.

    Raises:
        TypeMismatchError: The literal's type does not fit the term.
    """
    if isinstance(node, ast.Null):
        return profile.blank(term.column) if profile.blank and term.column else None
    quoted_guid = profile.quoted_guids and term.kind is Kind.GUID
    try:
        return literal_value(node, term.kind, term.column, lenient=quoted_guid)
    except TypeMismatchError as error:
        if str(error).startswith("A literal of type"):
            raise TypeMismatchError.operands(term.kind, literal_type(node), operator) from None
        raise


def equality(term: Term, value: Value, profile: Profile) -> sa.ColumnElement[bool]:
    """Whether a term equals a value: text by wildcard and without case, all else as it is."""
    if isinstance(value, str) and term.kind is Kind.TEXT:
        return matches(term.sql, text_parts(value, profile))
    one, other = comparable(term, literal_term(term, value), "Equal")
    return one == other


def text_condition(name: str, term: Term, text: Value, profile: Profile) -> sa.ColumnElement[bool]:
    """contains, startswith or endswith: without case, with the wildcards of the system [D filter-rows]."""
    if text is None:
        return sa.false()
    parts = text_parts(str(text), profile)
    before = () if name == "startswith" else (Run(),)
    after = () if name == "endswith" else (Run(),)
    return matches(term.sql, (*before, *parts, *after))


def literal_term(term: Term, value: Value) -> Term:
    """A value as the other side of a term; one that no integer column can hold compares as a decimal."""
    if term.kind is Kind.INTEGER and isinstance(value, Decimal):
        return Term(sa.literal(value, ExactDecimal()), Kind.DECIMAL)
    return Term(sa.literal(value, term.sql.type), term.kind)


def text_parts(text: str, profile: Profile) -> tuple[Part, ...]:
    """A text literal taken apart at the wildcards of the system."""
    return like_parts(text) if profile.wildcards is Wildcards.LIKE else star_parts(text)


def comparable(left: Term, right: Term, operator: str) -> tuple[sa.ColumnElement[Any], sa.ColumnElement[Any]]:
    """The SQL of two terms of one kind, in a form that compares by value and without case.

    Raises:
        TypeMismatchError: The terms are of different kinds.
    """
    if left.kind in NUMBERS and right.kind in NUMBERS and left.kind is not right.kind:
        return _decimal(left), _decimal(right)
    if left.kind is not right.kind:
        raise TypeMismatchError.operands(left.kind, right.kind, operator)
    if left.kind is Kind.TEXT:
        return sort_key(left.sql), sort_key(right.sql)
    return left.sql, right.sql


def _decimal(term: Term) -> sa.ColumnElement[Any]:
    return exact_decimal(term.sql) if term.kind is Kind.INTEGER else term.sql
