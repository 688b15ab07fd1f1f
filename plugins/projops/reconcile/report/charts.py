"""The charts of a report, as SVG to stand inside of a page.

Text stays text and takes the colour of the page, so that a chart can be read in light and dark; the colours
of the marks are told apart on either. What a chart shows stands in a table of the page too.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from io import StringIO
from itertools import groupby
from typing import Any

from markupsafe import Markup
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from projops.reconcile.model import LegResult
from projops.state.quality import Trend
from projops.state.reconciliations import Reconciliation

_INK = "#010203"  # stands for the colour of the page's text until the chart is written
_MATCHED, _EXPLAINED, _DRIFT = "#2f8f7f", "#c58a17", "#d1453d"
_RULES = ("#3f7fc1", "#c58a17", "#2f8f7f", "#a05fb4", "#d1453d", "#8a8f98")
_MAIN_RULES = len(_RULES) - 1
_LEAST_WIDTH = 1.5  # per cent; one row of a million must be seen
_WIDTH = 8.0  # inches
_DAYS_LABELLED = 8
_UNSAID = dict.fromkeys(("Date", "Creator", "Format", "Type"))
_GROUP_ID = re.compile(r'<g id="[^"]*"')  # nothing refers to them, and each chart has the same
_STYLE: Any = {  # its type lists every setting that there is
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": _INK,
    "axes.labelcolor": _INK,
    "axes.edgecolor": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "hatch.linewidth": 1.5,
    "text.parse_math": False,  # names may hold a $
}


@rc_context(_STYLE)
def rows_by_map(legs: Sequence[LegResult]) -> Markup:
    """Draw for each map which share of its rows is equal, explained and drift, with the numbers beside it."""
    counts = list(_by_map(legs))
    figure, axes = _figure(0.6 + 0.3 * len(counts))
    for place, (_, *rows) in enumerate(counts):
        _bar(axes, place, rows)
        said = "{:,} equal, {:,} explained, {:,} drift".format(*rows)
        axes.text(102, place, said, va="center", weight="bold" if rows[2] else "normal")
    axes.set(xlim=(0, 100), ylim=(len(counts) - 0.5, -0.5), xticks=[])
    axes.set_yticks(range(len(counts)), [name for name, *_ in counts])
    figure.subplots_adjust(left=0.29, right=0.58, top=0.97, bottom=0.03)
    return _svg(figure, "maps")


@rc_context(_STYLE)
def drift_over_time(history: Sequence[Reconciliation]) -> Markup:
    """Draw how many rows were drift and how many were explained in each reconciliation."""
    figure, axes = _figure(2.6)
    places = range(len(history))
    axes.plot(
        places,
        [past.explained for past in history],
        "s--",
        clip_on=False,
        color=_EXPLAINED,
        label="explained",
    )
    axes.plot(places, [past.drift for past in history], "o-", clip_on=False, color=_DRIFT, label="drift")
    _label_days(axes, [past.started_at.date() for past in history])
    _finish(axes, "rows", columns=2)
    return _svg(figure, "time")


@rc_context(_STYLE)
def rejected_by_rule(rules: Sequence[Trend]) -> Markup:
    """Draw how many rows broke which rule on each day; beyond the five main rules they count as others."""
    days = sorted({each.day for each in rules})
    figure, axes = _figure(3.0)
    below = [0] * len(days)
    for (rule, counted), color in zip(_series(rules).items(), _RULES, strict=False):
        rows = [counted[day] for day in days]
        axes.bar(range(len(days)), rows, width=0.6, bottom=below, color=color, label=rule)
        below = [lower + more for lower, more in zip(below, rows, strict=True)]
    _label_days(axes, days)
    _finish(axes, "rows set aside", columns=3)
    return _svg(figure, "rules")


def _by_map(legs: Sequence[LegResult]) -> Iterator[tuple[str, int, int, int]]:
    for name, found in groupby(legs, key=lambda found: found.leg.map):
        of_map = list(found)
        yield (
            name,
            sum(leg.matched for leg in of_map),
            sum(leg.explained for leg in of_map),
            sum(leg.drift for leg in of_map),
        )


def _series(rules: Sequence[Trend]) -> Mapping[str, Counter[date]]:
    """Give the rows a day of each of the main rules, the most frequent first, and of all others."""
    total: Counter[str] = Counter()
    for each in rules:
        total[each.rule] += each.rows
    main = [rule for rule, _ in total.most_common(_MAIN_RULES)]
    series: dict[str, Counter[date]] = {rule: Counter() for rule in main}
    for each in rules:
        series.setdefault(each.rule if each.rule in main else "others", Counter())[each.day] += each.rows
    return series


def _bar(axes: Axes, place: int, rows: Sequence[int]) -> None:
    """Draw the shares of a map, a part that is too small to see a little wider."""
    whole = sum(rows)
    if not whole:
        return
    widths = [max(100 * count / whole, _LEAST_WIDTH) if count else 0.0 for count in rows]
    left = 0.0
    for width, color, hatch in zip(widths, (_MATCHED, _EXPLAINED, _DRIFT), (None, "..", "//"), strict=True):
        share = 100 * width / sum(widths)
        axes.barh(place, share, left=left, height=0.62, color=color, hatch=hatch, edgecolor="white", lw=0)
        left += share


def _figure(height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(_WIDTH, height))
    figure.patch.set_visible(False)
    axes = figure.add_subplot()
    axes.patch.set_visible(False)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _label_days(axes: Axes, days: Sequence[date]) -> None:
    """Name some of the days below a chart whose places they are."""
    step = max(1, len(days) // _DAYS_LABELLED)
    axes.set_xticks(range(0, len(days), step), [f"{day:%d %b}" for day in days[::step]])
    axes.set_xlim(-0.6, max(len(days), 2) - 0.4)


def _finish(axes: Axes, measure: str, columns: int) -> None:
    axes.set_ylim(bottom=0)
    axes.set_ylabel(measure)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5, integer=True, min_n_ticks=1))
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=columns, frameon=False)
    axes.figure.subplots_adjust(left=0.09, right=0.99, top=0.82, bottom=0.13)


def _svg(figure: Figure, name: str) -> Markup:
    """Write a figure as an `svg` element; ids follow from its name, so that two on a page do not meet."""
    written = StringIO()
    with rc_context({"svg.hashsalt": name}):
        FigureCanvasSVG(figure).print_svg(written, metadata=_UNSAID)  # type: ignore[no-untyped-call]
    _, _, drawn = written.getvalue().partition("<svg ")
    element = f'<svg aria-hidden="true" {_GROUP_ID.sub("<g", drawn)}'.replace(_INK, "currentColor")
    return Markup(element)  # matplotlib escapes the texts in it  # nosec B704
