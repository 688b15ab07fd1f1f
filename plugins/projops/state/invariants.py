"""What reconciliations found of the books: what holds, and each thing that breaks it, or waits."""

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import Connection, delete, insert, select

from projops.reconcile.model import Invariant
from projops.state.tables import invariant as invariants

_LONGEST_SUBJECT = 500


def replace_all(connection: Connection, number: int, found: Sequence[Invariant]) -> None:
    """Keep what a reconciliation found of the books, in place of what an earlier try has kept.

    Args:
        connection: Open transaction.
        number: The reconciliation.
        found: What `reconcile.accounting.check` gave.
    """
    connection.execute(delete(invariants).where(invariants.c.reconciliation == number))
    if found:
        rows = [asdict(each) | {"subject": each.subject[:_LONGEST_SUBJECT]} for each in found]
        connection.execute(insert(invariants), [{"reconciliation": number, **row} for row in rows])


def of(connection: Connection, number: int) -> list[Invariant]:
    """Give what a reconciliation found of the books, as it found it."""
    columns = [invariants.c[name] for name in Invariant.__slots__]
    mine = select(*columns).where(invariants.c.reconciliation == number).order_by(invariants.c.id)
    return [Invariant(**row) for row in connection.execute(mine).mappings()]
