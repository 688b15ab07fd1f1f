"""Long lists in statements: a database binds only so many parameters at once."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

Value = TypeVar("Value")
_SLICE = 500  # bound parameters a statement


def slices(values: Iterable[Value]) -> Iterator[list[Value]]:
    """Give values in their order, as many at a time as a statement takes."""
    iterator = iter(values)
    while part := list(islice(iterator, _SLICE)):
        yield part
