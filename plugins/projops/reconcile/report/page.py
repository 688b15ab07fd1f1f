"""The page of a report: one self-contained HTML text, without scripts and without anything from elsewhere."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import lru_cache

from jinja2 import Environment
from markupsafe import Markup

from projops.pages import environment
from projops.pages.wording import visible
from projops.reconcile.model import Invariant, Verdict
from projops.reconcile.report.charts import drift_over_time, rejected_by_rule, rows_by_map
from projops.reconcile.report.model import Report
from projops.reconcile.report.sums import sums_of
from projops.reconcile.report.verdict import summary
from projops.reconcile.report.words import KINDS, STATES, scope_words
from projops.state.quality import Trend

_HIDDEN = "hidden"
_HOLDS = "What holds"
_MEANINGS = {
    "Drift": "A difference that nothing explains: somebody edited the target by hand, a change was missed, "
    "or a backup was put back. `projops reconcile --repair` sends the rows again.",
    "Pending": "The source changed, and no run has moved that change yet. It goes by itself.",
    "Parked": "The row waits for another row that it refers to, and goes by itself once that is there.",
    "Dead letter": "The row was refused or breaks a rule; a person must mend the cause and replay it "
    "(`projops dead-letters list`).",
    "Awaiting approval": "Many rows were deleted at once, so a person must allow it "
    "(`projops dead-letters approve`).",
    "Kept": "Different on purpose: the mapping passes no deletes on, or a person dismissed the row.",
    "Period": "The month of the accounting date (or of the document date where there is none).",
}


def render(report: Report, *, values: bool) -> str:
    """Write a report as a page of HTML.

    Args:
        report: What to tell.
        values: Whether to show what the rows hold, which may be personal data; keys are always shown.
    """
    numbers = report.numbers
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            report=report,
            run=report.reconciliation,
            numbers=numbers,
            values=values,
            value=visible if values else _hidden,
            headline="in step" if numbers.passed else "not in step",
            passed=numbers.passed,
            sentences=summary(numbers),
            differing=numbers.drift + numbers.explained,
            scope=scope_words(report.reconciliation.scope),
            verdicts=list(Verdict),
            charts=_charts(report),
            sums=sums_of(report.legs),
            rules=_rules(report.rules),
            books=_books(report.invariants),
            holds=_HOLDS,
            meanings=_MEANINGS,
        )
    )


@lru_cache(maxsize=1)
def _environment() -> Environment:
    made = environment("projops.reconcile.report", ".")
    made.filters.update(_FILTERS)
    return made


def _charts(report: Report) -> Mapping[str, Markup | None]:
    """Draw the charts that there is something to draw for."""
    return {
        "rows_by_map": rows_by_map(report.legs) if report.legs else None,
        "drift_over_time": drift_over_time(report.history),
        "rejected_by_rule": rejected_by_rule(report.rules) if report.rules else None,
    }


def _books(found: Sequence[Invariant]) -> Mapping[str, Sequence[Invariant]]:
    """Part what was found of the books: what is wrong, what waits, what holds."""
    return {
        "What does not hold, and what to do": [each for each in found if not each.holds],
        "What waits for its turn": [each for each in found if each.holds and each.pending],
        _HOLDS: [each for each in found if each.holds and not each.pending],
    }


def _rules(rules: Sequence[Trend]) -> list[tuple[str, int, date]]:
    """Give each rule with its rows and its last day, the most frequent first."""
    rows: Counter[str] = Counter()
    last: dict[str, date] = {}
    for each in rules:
        rows[each.rule] += each.rows
        last[each.rule] = max(each.day, last.get(each.rule, each.day))
    return [(rule, number, last[rule]) for rule, number in rows.most_common()]


def _hidden(_text: str | None) -> str:
    return _HIDDEN


_FILTERS: Mapping[str, Callable[..., str]] = {
    "kind": lambda kind: KINDS[kind],
    "state": lambda verdict: STATES[verdict],
}
