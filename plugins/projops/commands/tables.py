"""Tables for people in a terminal, and for `grep` behind a pipe."""

import os
import sys
import unicodedata
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table

_WIDE = 10_000
_KEPT = "\n\t"


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
        table.add_row(*map(visible, row))
    console().print(table)


def visible(text: str) -> str:
    """Write control characters out by their code: a terminal would obey what a row of either system holds."""
    return "".join(f"\\x{ord(each):02x}" if _is_control(each) else each for each in text)


def _is_control(character: str) -> bool:
    return unicodedata.category(character) == "Cc" and character not in _KEPT


def console() -> Console:
    """Give where tables and trees go: nothing in texts is markup, and behind a pipe no line is broken."""
    bounded = sys.stdout.isatty() or "COLUMNS" in os.environ
    return Console(width=None if bounded else _WIDE, markup=False, emoji=False)
