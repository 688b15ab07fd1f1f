"""A reconciliation to tell of, small enough to be counted by hand."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from projops.reconcile.model import (
    ColumnDifference,
    Finding,
    Invariant,
    Kind,
    LegResult,
    RowDifference,
    Scope,
    Total,
    Verdict,
)
from projops.reconcile.report.model import Report
from projops.run import LegRef
from projops.state.differences import Seen
from projops.state.quality import Trend
from projops.state.reconciliations import Reconciliation, Status

ACTUALS = LegRef("actuals", "dataverse_to_finance")
CUSTOMERS = LegRef("customers", "finance_to_dataverse")
AT = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
TOTALS = (
    Total("uspm", "2026-10", 3, 2, {"CostAmount": Decimal("1200.10")}, {"CostAmount": Decimal("1200.09")}),
    Total("gbpm", "2026-10", 1, 1, {"CostAmount": Decimal("7.125")}, {"CostAmount": Decimal("7.125")}),
)


def leg(
    ref: LegRef, matched: int, verdicts: Mapping[Verdict, int], totals: tuple[Total, ...] = ()
) -> LegResult:
    expected = matched + sum(verdicts.values())
    return LegResult(ref, "1.0.0.22", 17, expected, expected, matched, verdicts, totals)


def reconciliation(
    number: int = 7, at: datetime = AT, scope: Scope | None = None, **more: object
) -> Reconciliation:
    values: dict[str, object] = {
        "id": number,
        "dag_id": "nightly_reconciliation",
        "run_id": f"scheduled__{at.isoformat()}",
        "status": Status.DRIFT,
        "scope": scope or Scope(),
        "threshold": 0,
        "started_at": at,
        "finished_at": at + timedelta(minutes=3),
        "matched": 0,
        "drift": 0,
        "explained": 0,
        "broken_invariants": 0,
        "report": None,
    }
    return Reconciliation(**{**values, **more})  # type: ignore[arg-type]


def seen(
    ref: LegRef, key: str, verdict: Verdict, *columns: ColumnDifference, explanation: str = "Repair it."
) -> Seen:
    kind = Kind.CHANGED if columns else Kind.EXTRA
    row = RowDifference(ref, key, kind, "source", "target", "hash", columns)
    return Seen(Finding(row, verdict, "edited_at_target", explanation), AT)


def report(**more: object) -> Report:
    """Two maps: of six actuals one is drift and one parked; of six customers one is kept."""
    values: dict[str, object] = {
        "reconciliation": reconciliation(),
        "legs": (
            leg(ACTUALS, 4, {Verdict.DRIFT: 1, Verdict.PARKED: 1}, TOTALS),
            leg(CUSTOMERS, 5, {Verdict.KEPT: 1}),
        ),
        "titles": {"actuals": "Integration actuals", "customers": "Customers V3"},
        "seen": (
            seen(ACTUALS, '["a-1","uspm"]', Verdict.DRIFT, ColumnDifference("CostAmount", "10.00", "9.99")),
            seen(CUSTOMERS, '["c-2","uspm"]', Verdict.KEPT),
        ),
        "invariants": (
            Invariant("clearing_expense", "uspm", False, False, "130700", "It stands at 12.50."),
            Invariant("debits_equal_credits", "uspm", True, False, "", "Every voucher balances."),
            Invariant("vouchers_returned", "uspm", True, True, "V-9", "It comes with the next run."),
        ),
        "history": (
            reconciliation(6, AT - timedelta(days=1), explained=4),
            reconciliation(drift=1, explained=2),
        ),
        "rules": (Trend(date(2026, 11, 22), "actuals", ACTUALS.leg, "validate", "R501", "error", 3, 1),),
    }
    return Report(**{**values, **more})  # type: ignore[arg-type]
