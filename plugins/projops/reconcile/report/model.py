"""What the report of a reconciliation tells, as frozen values.

state -> `Report` -> charts, page
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from projops.reconcile.model import Invariant, LegResult
from projops.reconcile.report.verdict import Numbers
from projops.state.differences import Seen
from projops.state.quality import Trend
from projops.state.reconciliations import Reconciliation


@dataclass(frozen=True, slots=True)
class Report:
    """A reconciliation, told whole.

    Attributes:
        reconciliation: What was asked, when, and what it came to.
        legs: What was compared, by map and direction.
        titles: Title of each map that has a mapping file.
        not_compared: Maps that were asked for and could not be compared.
        seen: The first differing rows, drift before what is explained.
        invariants: What must hold of the books; none where only some maps were asked for.
        history: Reconciliations of the same scope, oldest first, this one last.
        repairs: What was repaired before the last comparison, a sentence each.
        rules: Rows that were set aside on their way by rule, in the days that are told; no warnings.
    """

    reconciliation: Reconciliation
    legs: tuple[LegResult, ...]
    titles: Mapping[str, str]
    not_compared: tuple[str, ...] = ()
    seen: tuple[Seen, ...] = ()
    invariants: tuple[Invariant, ...] = ()
    history: tuple[Reconciliation, ...] = ()
    repairs: tuple[str, ...] = ()
    rules: tuple[Trend, ...] = ()

    @property
    def numbers(self) -> Numbers:
        """What it came to."""
        return Numbers(
            reconciliation=self.reconciliation.id,
            expected=sum(leg.expected_rows for leg in self.legs),
            matched=sum(leg.matched for leg in self.legs),
            explained=sum(leg.explained for leg in self.legs),
            drift=sum(leg.drift for leg in self.legs),
            threshold=self.reconciliation.threshold,
            broken_invariants=len(self.broken),
            books_checked=bool(self.invariants) or self.reconciliation.scope.maps is not None,
            not_compared=self.not_compared,
        )

    @property
    def broken(self) -> Sequence[Invariant]:
        """What should hold of the books and does not."""
        return [each for each in self.invariants if not each.holds]
