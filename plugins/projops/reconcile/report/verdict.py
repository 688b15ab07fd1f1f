"""The verdict of a reconciliation, in sentences: what the page begins with, and what a run fails with."""

from collections.abc import Iterator
from dataclasses import dataclass

from projops.counting import rows
from projops.run import JsonValue

_NAMED = 10


@dataclass(frozen=True, slots=True)
class Numbers(JsonValue):
    """What a reconciliation came to; small enough for XCom and for an asset's event.

    Attributes:
        reconciliation: Its number.
        expected: Rows that the targets should have.
        matched: Rows that are equal.
        explained: Differing rows that something explains.
        drift: Differing rows that nothing explains.
        threshold: Rows of drift that are tolerated.
        broken_invariants: What should hold of the books and does not.
        books_checked: Whether the books were checked, or were not asked for.
        not_compared: Maps that were asked for and could not be compared.
    """

    reconciliation: int
    expected: int
    matched: int
    explained: int
    drift: int
    threshold: int
    broken_invariants: int
    books_checked: bool = True
    not_compared: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether both sides are proved to be equal, as far as was asked."""
        return not any(shortcomings(self))


def shortcomings(numbers: Numbers) -> Iterator[str]:
    """Say in one sentence each why a reconciliation fails; nothing if it passes."""
    if numbers.drift > numbers.threshold:
        allowed = f" ({rows(numbers.threshold)} would be tolerated)" if numbers.threshold else ""
        yield f"Drift of {rows(numbers.drift)}: both systems differ there, and nothing explains it{allowed}."
    if numbers.broken_invariants:
        yield (
            f"{numbers.broken_invariants} of the things that must hold of the books "
            f"{'does' if numbers.broken_invariants == 1 else 'do'} not."
        )
    if not numbers.books_checked:
        yield "The books could not be checked; the log of that task says why."
    if numbers.not_compared:
        names = ", ".join(numbers.not_compared[:_NAMED])
        more = len(numbers.not_compared) - _NAMED
        yield f"Not compared: {names}{f' and {more} more' if more > 0 else ''}."


def summary(numbers: Numbers) -> tuple[str, ...]:
    """Say what a reconciliation came to, in a sentence or a few."""
    bad = tuple(shortcomings(numbers))
    if bad:
        return bad
    if numbers.drift:
        tolerated = f"which is tolerated (up to {numbers.threshold:,})"
        return (f"Nearly in step: drift of {rows(numbers.drift)}, {tolerated}.",)
    explained = f", and {rows(numbers.explained)} differ for a known reason" if numbers.explained else ""
    return (f"In step: {rows(numbers.matched)} of {numbers.expected:,} are equal{explained}.",)
