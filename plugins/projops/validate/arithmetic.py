"""Whether an amount is the product, or the sum, of other values: exact in decimals, on whole columns.

Amounts are rounded to their currency's digits, which no row says: a product may be off by half a unit
of the last digit that the amount has, so that 133.33 is 100 x 1.33333 and 133.34 is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Context, Decimal, localcontext
from functools import reduce
from operator import add, mul
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd  # type: ignore[import-untyped]

# Digits enough for the product of five columns of 38 digits: nothing is ever rounded.
_EXACT = Context(prec=200)


def products(factors: Sequence[pd.Series], amount: pd.Series) -> pd.Series:
    """Say of each row whether the amount is the product of the factors, rounded to its own digits.

    Args:
        factors: Columns of decimals or whole numbers without nulls.
        amount: Column of decimals without nulls.

    Returns:
        A column of truth values.
    """
    with localcontext(_EXACT):
        product = reduce(mul, factors)
        right = (product == amount).astype(bool)
        rounded = ~right  # few: most amounts are the product to the last digit
        if rounded.any():
            pairs = zip(product[rounded], amount[rounded], strict=True)
            right[rounded] = [is_rounded(Decimal(exact), shown) for exact, shown in pairs]
    return right


def sums(parts: Sequence[pd.Series], total: pd.Series) -> pd.Series:
    """Say of each row whether the total is the sum of the parts: columns of decimals without nulls."""
    with localcontext(_EXACT):
        return (reduce(add, parts) == total).astype(bool)


def is_rounded(exact: Decimal, amount: Decimal) -> bool:
    """Say whether an amount is an exact value rounded to the digits that the amount has, at most to ones."""
    with localcontext(_EXACT):
        exponent = amount.normalize().as_tuple().exponent
        unit = Decimal(1).scaleb(min(exponent, 0)) if isinstance(exponent, int) else Decimal(0)
        return abs(exact - amount) * 2 <= unit
