"""The pages of Data Docs: self-contained HTML without scripts, values in and text out.

Great Expectations' own pages fetch styles and scripts from other hosts and are bare without them; these keep
its words for each expectation and its result, and look like the report of a reconciliation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from jinja2 import Environment

from projops.mapping.model import Direction
from projops.pages import environment
from projops.validate.counts import Count, Tally
from projops.validate.docs.results import in_words
from projops.validate.docs.summary import Summary
from projops.validate.expectations import RowExpectation, Severity


@dataclass(frozen=True, slots=True)
class Line:
    """One expectation of a batch, and what came of it."""

    expectation: RowExpectation
    count: Count

    @property
    def columns(self) -> str:
        """The columns that it looks at."""
        return ", ".join(self.expectation.column_names)

    @property
    def words(self) -> str:
        """What must hold, and of which rows."""
        where = self.expectation.where
        return f"{in_words(self.expectation)}{f' Only where {where}.' if where else ''}"

    @property
    def fate(self) -> str:
        """What became of the rows that break it."""
        return "went on" if self.expectation.severity is Severity.WARNING else "set aside"

    @property
    def style(self) -> str:
        """Class of the cell that says so."""
        return "warn" if self.expectation.severity is Severity.WARNING else "bad"

    @property
    def share(self) -> str:
        """Share of the rows judged that break it."""
        return f"{self.count.broken / self.count.rows:.1%}"


def batch_page(summary: Summary, tally: Tally) -> str:
    """Write the page of a batch: each expectation, those that rows break first.

    Args:
        summary: What came of it in a line.
        tally: What came of each expectation.
    """
    lines = [Line(each, count) for each, count in zip(tally.expectations, tally.counts, strict=True)]
    lines.sort(key=lambda line: (line.expectation.field, line.expectation.rule))
    broken = [line for line in lines if line.count.broken]
    good = [line for line in lines if not line.count.broken]
    return _render("batch.html.j2", summary=summary, broken=broken, good=good)


def leg_page(summaries: Sequence[Summary]) -> str:
    """Write the page of a leg: its batches, the newest first; there is at least one."""
    newest_first = sorted(summaries, key=lambda each: each.batch, reverse=True)
    good = sum(not each.rejected for each in summaries)
    return _render("leg.html.j2", newest=newest_first[0], summaries=newest_first, good=good)


def site_page(legs: Sequence[tuple[str, str]]) -> str:
    """Write the first page: all legs that have pages, as pairs of map id and direction."""
    return _render("site.html.j2", legs=sorted(legs))


def verdict(summary: Summary) -> str:
    """Say in a sentence what came of a batch."""
    if summary.stopped:
        return "Stopped: too many rows break a rule, so nothing of this batch was loaded."
    if summary.rejected:
        rows = "1 row was" if summary.rejected == 1 else f"{summary.rejected:,} rows were"
        return f"{rows} set aside as dead letters; the others went on."
    return "No row was set aside." if not summary.warned else "No row was set aside; there are warnings."


def _state(summary: Summary) -> str:
    if summary.stopped:
        return "stopped"
    return "rows set aside" if summary.rejected else "warnings" if summary.warned else "good"


def _style(summary: Summary) -> str:
    return {"good": "good", "warnings": "warn"}.get(_state(summary), "bad")


def _route(leg: str) -> str:
    direction = Direction(leg)
    return f"{direction.source.value.capitalize()} to {direction.target.value.capitalize()}"


def _minute(at: str) -> str:
    return f"{datetime.fromisoformat(at):%Y-%m-%d %H:%M}"


def _render(template: str, **values: object) -> str:
    return _environment().get_template(template).render(values)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    made = environment("projops.validate", "docs")
    made.filters.update(minute=_minute, route=_route, verdict=verdict, state=_state, style=_style)
    return made
