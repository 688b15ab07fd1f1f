"""Accounting: what must hold of the books of both systems, read side by side and judged by rules.

books, reading -> one database -> underway (what the engine has yet to move) -> rules, clearing
"""

from projops.reconcile.accounting.check import check, check_books

__all__ = ["check", "check_books"]
