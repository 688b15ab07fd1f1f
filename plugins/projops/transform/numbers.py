"""Operators on numbers: round."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from projops.mapping.model import Step
from projops.transform.context import Ends, Rows
from projops.transform.outcome import Outcome


def round_half_up(values: pa.Array, step: Step, rows: Rows, ends: Ends) -> Outcome:
    """Round exact decimals to so many digits after the point, halves away from zero.

    0.125 becomes 0.13 and -0.125 becomes -0.13: so does Finance's own decRound [?].
    """
    del rows, ends
    if pa.types.is_integer(values.type):
        return Outcome(values)
    return Outcome(pc.round(values, ndigits=step.argument, round_mode="half_towards_infinity"))
