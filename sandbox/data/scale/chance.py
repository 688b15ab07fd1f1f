"""Random choices that come out alike on every machine and with every version of Python."""

from collections.abc import Sequence
from random import Random
from typing import TypeVar

_T = TypeVar("_T")


class Chance:
    """Draws from a seeded generator, of which `random()` alone is promised to stay the same."""

    def __init__(self, seed: int) -> None:
        """Begin with `seed`."""
        self._random = Random(seed).random

    def number(self, below: int) -> int:
        """Return a number from 0 to below `below`, each as likely as the others."""
        return int(self._random() * below)

    def low(self, below: int) -> int:
        """Return a number from 0 to below `below`: half of them lie in its first eighth."""
        drawn = self._random()
        return int(drawn * drawn * drawn * below)

    def happens(self, percent: int) -> bool:
        """Say yes in so many of a hundred cases."""
        return self._random() * 100 < percent

    def pick(self, values: Sequence[_T]) -> _T:
        """Return one of the values, each as likely as the others."""
        return values[self.number(len(values))]

    def favourite(self, values: Sequence[_T]) -> _T:
        """Return one of the values, mostly one of the first."""
        return values[self.low(len(values))]


def zipf_shares(total: int, count: int) -> list[int]:
    """Split `total` among `count` by Zipf's law: the second gets half of what the first gets, and so on.

    Returns:
        Whole numbers, the largest first, whose sum is `total`.
    """
    whole = sum(1 / rank for rank in range(1, count + 1))
    shares = [int(total / rank / whole) for rank in range(1, count + 1)]
    left = total - sum(shares)
    return [share + (place < left) for place, share in enumerate(shares)]
