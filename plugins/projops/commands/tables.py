"""Tables for people in a terminal, and for `grep` behind a pipe."""

import os
import sys
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table

_WIDE = 10_000


def print_table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table; nothing is cut off: a terminal's narrow columns break, a pipe gets a line a row.

    Args:
        heads: Names of the columns.
        rows: Texts as they are. They come from both systems: what looks like markup is none.
    """
    table = Table()
    for head in heads:
        table.add_column(head, overflow="fold")
    for row in rows:
        table.add_row(*row)
    bounded = sys.stdout.isatty() or "COLUMNS" in os.environ
    Console(width=None if bounded else _WIDE, markup=False, emoji=False).print(table)
