"""What a reconciliation is asked and what it finds, as frozen values.

read both sides -> compare -> `RowDifference` -> judge -> `Finding` -> state, report, repair
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from projops.run import LegRef


class Kind(StrEnum):
    """How a row differs."""

    MISSING = "missing"  # at the target
    EXTRA = "extra"  # at the target alone
    CHANGED = "changed"
    REJECTED = "rejected"  # its source breaks a rule, so nothing can be expected of the target


class Verdict(StrEnum):
    """What a difference is: drift is what nothing explains."""

    DRIFT = "drift"
    PENDING = "pending"  # a change that no run has moved yet
    PARKED = "parked"
    DEAD_LETTER = "dead_letter"
    AWAITING_APPROVAL = "awaiting_approval"
    KEPT = "kept"  # by what the mapping or a person said: deletes ignored, rows that left, dismissed ones


@dataclass(frozen=True, slots=True)
class Scope:
    """What to reconcile.

    Attributes:
        maps: Map ids, or None for all that are enabled.
        companies: Company codes in lower case, or None for all; rows of global maps always count.
        since: First day, or None. Only maps with a `period` are cut to days; the others are whole.
        until: Last day, inclusive, or None.
    """

    maps: tuple[str, ...] | None = None
    companies: tuple[str, ...] | None = None
    since: date | None = None
    until: date | None = None

    def covers(self, other: "Scope") -> bool:
        """Say whether what another one looks at of a map is looked at by this one too."""
        companies = self.companies is None or (
            other.companies is not None and set(other.companies) <= set(self.companies)
        )
        since = self.since is None or (other.since is not None and other.since >= self.since)
        until = self.until is None or (other.until is not None and other.until <= self.until)
        return companies and since and until


@dataclass(frozen=True, slots=True)
class ColumnDifference:
    """One column of one row: what the mapping makes of the source, and what the target holds.

    Attributes:
        column: Target column or lookup path, as the mapping names it.
        expected: Value after the mapping, in the target's type; money is Decimal, days are `date`.
        found: Value that the target holds, in the same normal form.
    """

    column: str
    expected: Any
    found: Any


@dataclass(frozen=True, slots=True)
class RowDifference:
    """A row that the target does not hold as the mapping says.

    Attributes:
        leg: The leg.
        key: Integration key text, or None where the source row has no whole key.
        kind: Missing, extra, changed or rejected.
        source_id: Identity at the source (GUID, or for Finance the key text); None of an extra row.
        target_id: Likewise at the target; None of a missing row.
        source_hash: Payload hash that the load would compare with the crosswalk's; None of an extra row.
        columns: The columns that differ; none of a missing or extra row.
        company: Company code in lower case, or None of a global map.
        period: Accounting period "2026-10", or None where the map has none.
        reason: Of a rejected row, the rule that it breaks in one sentence; else "".
    """

    leg: LegRef
    key: str | None
    kind: Kind
    source_id: str | None
    target_id: str | None
    source_hash: str | None
    columns: tuple[ColumnDifference, ...] = ()
    company: str | None = None
    period: str | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """A difference, judged.

    Attributes:
        difference: The difference.
        verdict: What it is.
        cause: Likely cause, a short id (`edited_at_target`, `time_zone`, ...).
        explanation: One sentence for people: what it probably is, and what to do.
    """

    difference: RowDifference
    verdict: Verdict
    cause: str
    explanation: str


@dataclass(frozen=True, slots=True)
class Total:
    """Rows and sums of a leg in one company and period, on both sides.

    Attributes:
        company: Code in lower case; "" of a global map.
        period: "2026-10"; "" where the map has none.
        expected_rows: Rows that the target should have.
        found_rows: Rows that it has.
        expected_sums: Sum of each money column by target column, exact.
        found_sums: Likewise of what the target holds.
    """

    company: str
    period: str
    expected_rows: int
    found_rows: int
    expected_sums: Mapping[str, Decimal] = field(default_factory=dict)
    found_sums: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LegResult:
    """What the reconciliation of one leg came to.

    Attributes:
        leg: The leg.
        mapping_version: Version of the mapping.
        batch: Batch that moved the leg last, or None.
        expected_rows: Rows that the target should have.
        found_rows: Rows that it has, as far as the leg is concerned.
        matched: Rows that are equal.
        verdicts: Differing rows by what they are.
        totals: Rows and sums by company and period.
        seconds: Reading and comparing.
    """

    leg: LegRef
    mapping_version: str
    batch: int | None
    expected_rows: int
    found_rows: int
    matched: int
    verdicts: Mapping[Verdict, int]
    totals: tuple[Total, ...] = ()
    seconds: float = 0.0

    @property
    def drift(self) -> int:
        """Differing rows that nothing explains."""
        return self.verdicts.get(Verdict.DRIFT, 0)

    @property
    def explained(self) -> int:
        """Differing rows that something explains."""
        return sum(self.verdicts.values()) - self.drift


@dataclass(frozen=True, slots=True)
class Invariant:
    """What must hold of the books of a company, or one thing for which it does not hold, or not yet.

    Attributes:
        name: Id of the invariant (`clearing_expense`, `vouchers_returned`, ...).
        company: Company code in lower case.
        holds: Whether it does; also while a thing merely waits for its turn.
        pending: Whether this is a thing that waits: nothing is wrong with it, and a period cannot be
            closed before it is done.
        subject: The thing (a voucher, an actual, an invoice proposal); "" of the invariant as a whole.
        message: One sentence: what is the matter, and what to do.
    """

    name: str
    company: str
    holds: bool
    pending: bool
    subject: str
    message: str
