"""How far long work is, shown on a terminal while it goes on: on stderr, for the answer goes to stdout."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, ProgressColumn, SpinnerColumn, Task, TextColumn, TimeElapsedColumn
from rich.text import Text

from projops.progress import listening

Say = Callable[[str], None]
"""Says what comes next, such as "customers dataverse_to_finance"."""


@contextmanager
def progress_shown(quiet: bool = False) -> Iterator[Say]:
    """Show on a terminal what is being done, at which stage, how many rows, and how many a second.

    Args:
        quiet: Whether to show nothing, as with `--json`.
    """
    if quiet or not sys.stderr.isatty():
        yield lambda _: None
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), _Rows(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        line = _Line(bars)
        with listening(line.done):
            yield line.begin


class _Line:
    """The line of the work that goes on: it begins anew with each stage."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._what = self._stage = ""
        self._task = bars.add_task("", total=None)

    def begin(self, what: str) -> None:
        self._what, self._stage = what, ""
        self._bars.reset(self._task, total=None, description=what)

    def done(self, stage: str, rows: int) -> None:
        if stage != self._stage:
            self._stage = stage
            self._bars.reset(self._task, total=None, description=f"{self._what}: {stage}".removeprefix(": "))
        self._bars.advance(self._task, rows)


class _Rows(ProgressColumn):
    def render(self, task: Task) -> Text:
        """Write how many rows are done, and how many a second."""
        if not task.completed:
            return Text("")
        rate = f", {task.speed:,.0f} a second" if task.speed else ""
        return Text(f"{task.completed:,.0f} rows{rate}")
