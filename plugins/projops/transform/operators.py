"""The registry of mapping operators: by name, whole columns in and out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import pyarrow as pa

from projops.mapping.model import Step
from projops.mapping.operators import function_name
from projops.transform.choices import constant, default, python, value_map, when
from projops.transform.context import Ends, Rows
from projops.transform.dates import to_date
from projops.transform.numbers import round_half_up
from projops.transform.outcome import Outcome
from projops.transform.texts import concat, currency, truncate, unit

Operator = Callable[[pa.Array, Step, Rows, Ends], Outcome]

OPERATORS: Mapping[str, Operator] = MappingProxyType(
    {
        "value_map": value_map,
        "default": default,
        "constant": constant,
        "truncate": truncate,
        "round": round_half_up,
        "date": to_date,
        "concat": concat,
        "unit": unit,
        "currency": currency,
        "when": when,
        "python": python,
    }
)


def rule_id(step: Step) -> str:
    """The id under which an operator sets rows aside: its name, `python:<function>` for functions."""
    return f"python:{function_name(step)}" if step.operator == "python" else step.operator
