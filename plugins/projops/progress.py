"""How far long work is: stages tell of the rows that they have done, and whoever wants to know listens."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Listener = Callable[[str, int], None]
_listener: ContextVar[Listener | None] = ContextVar("projops_progress", default=None)


def done(stage: str, rows: int) -> None:
    """Tell of rows that a stage has done with; nobody may be listening.

    Args:
        stage: What was done: extract, validate, transform, load, read, compare.
        rows: How many rows more.
    """
    listener = _listener.get()
    if listener is not None:
        listener(stage, rows)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Have a function told of all rows that are done inside of the block, also by what it awaits."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)
