"""Whether an amount is the product, or the sum, of other values: exact in decimals.

Amounts are rounded to their currency's digits, which no row says: a product may be off by half a unit
of the last digit that the amount has, so that 133.33 is 100 x 1.33333 and 133.34 is not.
"""

from decimal import Decimal
from functools import reduce
from operator import mul


def is_product(*values: Decimal) -> bool:
    """Say whether the last value is the product of the others, but for the rounding of its last digit."""
    *factors, amount = values
    exponent = amount.normalize().as_tuple().exponent
    unit = Decimal(1).scaleb(min(exponent, 0)) if isinstance(exponent, int) else Decimal(0)
    return abs(reduce(mul, factors) - amount) * 2 <= unit


def is_sum(*values: Decimal) -> bool:
    """Say whether the last value is the sum of the others."""
    *parts, total = values
    return sum(parts) == total
