"""Functions that a `python` operator may name: whole columns in, one whole column out.

Lint reads their names while DAG files are parsed, so pyarrow is imported where it is used.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

    from projops.transform.outcome import Outcome

MappingFunction = Callable[..., "pa.Array | Outcome"]
_FUNCTIONS: dict[str, MappingFunction] = {}


def mapping_function(function: MappingFunction) -> MappingFunction:
    """Register a function under its own name.

    It takes the value column (if the field has a `from` or an operator before it), then the columns
    that `columns:` names, all of one length, and returns a column of that length. A row that it
    cannot answer gets null; to set rows aside, it returns an Outcome instead.
    """
    _FUNCTIONS[function.__name__] = function
    return function


def function_names() -> tuple[str, ...]:
    """Names of all registered functions, sorted."""
    return tuple(sorted(_FUNCTIONS))


def function(name: str) -> MappingFunction:
    """The function of that name.

    Raises:
        KeyError: None is registered under it.
    """
    return _FUNCTIONS[name]


@mapping_function
def outline_level(wbs_ids: pa.Array) -> pa.Array:
    """How deep a task stands in its project's tree: 1 for `2`, 3 for `2.1.4` (PROPOSED)."""
    import pyarrow.compute as pc

    return pc.add(pc.count_substring(wbs_ids, pattern="."), 1).cast("int64")
