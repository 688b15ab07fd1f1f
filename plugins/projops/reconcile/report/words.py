"""The words in which people read of a reconciliation: in its report, and in the console."""

from collections.abc import Mapping

from projops.reconcile.model import Kind, Scope, Verdict

STATES: Mapping[Verdict, str] = {
    Verdict.DRIFT: "Drift",
    Verdict.PENDING: "Pending",
    Verdict.PARKED: "Parked",
    Verdict.DEAD_LETTER: "Dead letter",
    Verdict.AWAITING_APPROVAL: "Awaiting approval",
    Verdict.KEPT: "Kept",
}
KINDS: Mapping[Kind, str] = {
    Kind.MISSING: "the whole row is missing at the target",
    Kind.EXTRA: "the row is at the target alone",
    Kind.CHANGED: "the row differs",
    Kind.REJECTED: "the source row breaks a rule, so nothing is expected of the target",
}


def scope_words(scope: Scope) -> str:
    """Say what was compared."""
    maps = "all maps" if scope.maps is None else f"the maps {', '.join(scope.maps)}"
    companies = "all companies" if scope.companies is None else f"the companies {', '.join(scope.companies)}"
    days = [
        f"{word} {day}" for word, day in (("from", scope.since), ("until", scope.until)) if day is not None
    ]
    return f"{maps}, {companies}, {' '.join(days) or 'all days'}"
