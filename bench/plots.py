"""Plots of what the suites have kept, as SVG for README and docs: peers, growth of cost, memory."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib import ticker
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.extract import OURS

_OURS, _FLOOR, _PEER, _INEXACT = "#0b6e4f", "#7a8793", "#3569b1", "#b9c7dd"
_STAGES = ("#0b6e4f", "#3569b1", "#c2571a", "#8a4fa3", "#7a8793")
_THOUSANDS = ticker.StrMethodFormatter("{x:,.0f}")
_STYLE: Any = {
    "font.size": 9,
    "svg.hashsalt": "bench",  # the same figures give the same file
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.facecolor": "white",  # readable on a dark page too
}
_GRID: Mapping[str, Any] = {"color": "#e3e6ea", "linewidth": 0.6}


def draw(extract: Mapping[str, Any], growth: Mapping[str, Any], folder: Path) -> None:
    """Draw `bench-extract.svg`, `bench-growth.svg` and `bench-memory.svg`.

    Args:
        extract: What suite extract has kept.
        growth: What suite growth has kept.
        folder: Where they go.
    """
    with mpl.rc_context(_STYLE):
        _save(_peers(extract["medians"]), folder / "bench-extract.svg")
        wire = [{**each, "stage": "extract, over the wire"} for each in _ours(extract["medians"])]
        grown = [*wire, *(each for each in growth["grown"] if each["stage"] != "extract")]
        _save(_lines(grown, "cpu_seconds", "CPU-seconds", logarithmic=True), folder / "bench-growth.svg")
        _save(
            _lines(grown, "peak_mb", "largest resident set, MB", logarithmic=False),
            folder / "bench-memory.svg",
        )


def _peers(medians: Sequence[Mapping[str, Any]]) -> Figure:
    figure = Figure(figsize=(8.6, 3.0), layout="constrained")
    speed, cost = figure.subplots(1, 2, sharey=True)
    most = max(each["rows"] for each in medians)
    shown = [each for each in medians if not _is_ours(each) or each["rows"] == most][::-1]
    names = [_name(each) for each in shown]
    colours = [_colour(each) for each in shown]
    _bars(speed, names, [each["rows"] / each["seconds"] for each in shown], colours, "rows a second")
    costs = [each["cpu_seconds"] * 1e6 / each["rows"] for each in shown]
    _bars(cost, names, costs, colours, "CPU-seconds a million rows")
    return figure


def _bars(
    axes: Axes, names: Sequence[str], values: Sequence[float], colours: Sequence[str], what: str
) -> None:
    bars = axes.barh(names, values, color=colours, height=0.65)
    axes.bar_label(bars, [f"{value:,.0f}" if value >= 100 else f"{value:.1f}" for value in values], padding=3)
    axes.set_xlim(0, max(values) * 1.22)
    axes.set_title(what, fontsize=9, loc="left")
    axes.xaxis.set_major_locator(ticker.MaxNLocator(4))
    axes.xaxis.set_major_formatter(_THOUSANDS)
    axes.grid(axis="x", **_GRID)
    axes.set_axisbelow(True)


def _name(median: Mapping[str, Any]) -> str:
    return str(median["client"]).replace("`", "") + ("" if median["exact"] else " (inexact)")


def _colour(median: Mapping[str, Any]) -> str:
    if median["client"].startswith("ours"):
        return _OURS
    if median["client"].startswith("bare"):
        return _FLOOR
    return _PEER if median["exact"] else _INEXACT


def _lines(grown: Sequence[Mapping[str, Any]], what: str, unit: str, *, logarithmic: bool) -> Figure:
    figure = Figure(figsize=(6.2, 3.2), layout="constrained")
    axes = figure.subplots()
    for colour, (stage, points) in zip(_STAGES, _by_stage(grown, what), strict=False):
        axes.plot(*zip(*points, strict=True), marker="o", markersize=4, color=colour, label=stage)
    axes.set_xscale("log")
    if logarithmic:
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(ticker.FormatStrFormatter("%g"))
    else:
        axes.set_ylim(bottom=0)
    axes.xaxis.set_major_formatter(_THOUSANDS)
    axes.set_xlabel("rows")
    axes.set_title(unit, fontsize=9, loc="left")
    axes.grid(**_GRID)
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def _by_stage(grown: Sequence[Mapping[str, Any]], what: str) -> Iterator[tuple[str, list[tuple[int, float]]]]:
    for stage in dict.fromkeys(each["stage"] for each in grown):
        yield stage, sorted((each["rows"], each[what]) for each in grown if each["stage"] == stage)


def _ours(medians: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [each for each in medians if _is_ours(each)]


def _is_ours(median: Mapping[str, Any]) -> bool:
    return bool(median["client"] == OURS.name)


def _save(figure: Figure, file: Path) -> None:
    figure.savefig(file, metadata={"Date": None})
