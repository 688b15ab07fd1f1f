"""Text compared without regard to case, for all of Unicode and alike on both databases.

Both systems compare strings case-insensitively. Neither NOCASE (ASCII only) nor Postgres's
nondeterministic collations (no LIKE) will do, so both sides of a comparison go through one
function: `fold`, which is str.lower on SQLite and lower() on Postgres.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction


class fold(GenericFunction[str]):
    """SQL function that removes case: `fold(column) == fold("Text")`."""

    type = sa.Text()
    inherit_cache = True


@compiles(fold, "sqlite")
def _fold_sqlite(element: fold, compiler: SQLCompiler, **kw: Any) -> str:
    return f"sandbox_fold({compiler.process(element.clauses, **kw)})"


@compiles(fold, "postgresql")
def _fold_postgresql(element: fold, compiler: SQLCompiler, **kw: Any) -> str:
    return f"lower({compiler.process(element.clauses, **kw)})"


def folded(text: str | None) -> str | None:
    """Remove case in Python, as `fold` does in SQL."""
    return None if text is None else text.lower()
