"""One table of all promises: from what the suites have kept in `results/`, into the README."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from bench.extract import medians_table
from bench.plots import draw
from bench.promises import Promise, read_document, read_promises
from bench.report import insert, on_machine, publish
from bench.suites import RESULTS, SUITES
from projops.settings import PROJECT_ROOT

_PICTURES = """\
![Rows a second and processor time, beside peers](docs/images/bench-extract.svg)
![What each stage costs, by the number of rows](docs/images/bench-growth.svg)
![Memory of each stage, by the number of rows](docs/images/bench-memory.svg)"""
_HEAD = ("| suite | what | asked | measured | kept |", "|---|---|---|---|---|")


def summarize(failed: Sequence[str], results: Path = RESULTS) -> int:
    """Print the table and put it into the README; give 1 where a promise is broken or was not measured.

    Args:
        failed: Suites that did not complete just now: what their files say is of an earlier run.
        results: Folder of the figures.
    """
    promises = read_promises(results, SUITES)
    lines = [*_HEAD, *_rows(promises, failed)]
    publish(results, "promises", "\n".join([*lines, "", *_measured(results, promises)]))
    _illustrate(results)
    kept = all(promise.kept for judged in promises.values() for promise in judged)
    return 0 if kept and not failed and all(_is_there(results, name) for name in SUITES) else 1


def _illustrate(results: Path) -> None:
    """Draw the plots, and put what peers cost into the project's README, once both suites have run."""
    extract, growth = (read_document(results, suite) for suite in ("extract", "growth"))
    if results == RESULTS and extract and growth:
        draw(extract, growth, PROJECT_ROOT / "docs" / "images")
        below = f"Measured {extract['measured_at'][:10]} {on_machine(extract['machine'])}."
        insert(PROJECT_ROOT / "README.md", "speed", f"{medians_table(extract)}\n\n{below}\n\n{_PICTURES}")


def _rows(promises: Mapping[str, Sequence[Promise]], failed: Sequence[str]) -> Iterator[str]:
    for suite, judged in promises.items():
        if suite in failed:
            yield f"| {suite} | {SUITES[suite].what} | | did not complete | **no** |"
            continue
        for each in judged:
            kept = "yes" if each.kept else "**no**"
            yield f"| {suite} | {each.what} | {each.asked} | {each.measured} | {kept} |"


def _measured(results: Path, promises: Mapping[str, Sequence[Promise]]) -> Iterator[str]:
    missing = [name for name in promises if not _is_there(results, name)]
    there = [read_document(results, name) for name in promises if name not in missing]
    if missing:
        yield f"Not measured: {', '.join(missing)}."
    if there:
        moments = sorted(str(each["measured_at"]) for each in there)
        machine = there[-1]["machine"]
        loads = [each["machine"]["load"] for each in there]
        yield (
            f"Measured from {moments[0][:16]} to {moments[-1][:16]} UTC {on_machine(machine)}; its load at "
            f"the end of a suite was {min(loads)} to {max(loads)}."
        )


def _is_there(results: Path, suite: str) -> bool:
    return (results / f"{suite}.json").exists()
