"""Long lists in statements: in slices, as a database binds only so many parameters, or as one array."""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import ARRAY, Column, ColumnElement, Connection, Text, any_, column, func, literal, select

Value = TypeVar("Value")
_SLICE = 500  # bound parameters a statement


def slices(values: Iterable[Value]) -> Iterator[list[Value]]:
    """Give values in their order, as many at a time as a statement takes."""
    iterator = iter(values)
    while part := list(islice(iterator, _SLICE)):
        yield part


def among(connection: Connection, texts: Column[Any], wanted: Sequence[str]) -> ColumnElement[bool]:
    """Give the condition that a column holds one of many texts: one parameter, however many they are.

    The statement around it is compiled once, whatever it is asked for. Texts hold no NUL, which
    neither database keeps.
    """
    if connection.dialect.name == "postgresql":
        return texts == any_(literal(list(wanted), ARRAY(Text)))
    listed = func.json_each(json.dumps(list(wanted))).table_valued("value")
    return texts.in_(select(column("value")).select_from(listed))
