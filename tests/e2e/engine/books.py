"""The books of both systems changed behind everybody's back, row by row in the sandbox's database."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Engine as Database
from sqlalchemy import text

from sandbox.store.engine import open_engine

NOWHERE = "none"  # a company that there is not: what is moved there is gone from the books

ENTRIES = "finance_generaljournalaccountentries"
LINES = "finance_projectintegrationjournallines"
STAGED = "finance_projactualsimports"
STATES = "finance_projactualsimportstates"
PROPOSALS = "finance_projectinvoiceproposalsv2"
PROPOSAL_LINES = "finance_projectinvoiceproposallines"
INVOICES = "finance_projectcustomerinvoices"
ACTUALS = "dataverse_msdyn_actual"


@dataclass(frozen=True)
class Cell:
    """Cells of a table that are overwritten.

    Attributes:
        table: Table of the sandbox.
        column: Column.
        where: Which rows, as SQL; in it, columns are quoted.
        value: What is put there.
    """

    table: str
    column: str
    where: str
    value: str | None


@contextmanager
def overwritten(url: str, *cells: Cell) -> Iterator[None]:
    """Overwrite cells while the block lasts; at its end they hold again what they held."""
    database = open_engine(url)
    before = [_overwrite(database, cell) for cell in cells]
    assert all(before), "a planting that meets no row"
    try:
        yield
    finally:
        with database.begin() as connection:
            for cell, rows in zip(cells, before, strict=True):
                put = text(
                    f'UPDATE {cell.table} SET "{cell.column}" = :old WHERE {_ID[cell.table[:3]]} = :id'
                )
                for row_id, old in rows.items():
                    connection.execute(put, {"old": old, "id": row_id})
        database.dispose()


_ID = {"fin": "recid", "dat": "msdyn_actualid"}


def _overwrite(database: Database, cell: Cell) -> dict[str, str | None]:
    own = _ID[cell.table[:3]]
    with database.begin() as connection:
        found = connection.execute(
            text(f'SELECT {own}, "{cell.column}" FROM {cell.table} WHERE {cell.where}')
        ).all()
        change = text(f'UPDATE {cell.table} SET "{cell.column}" = :value WHERE {own} = :id')
        for row_id, _ in found:
            connection.execute(change, {"value": cell.value, "id": row_id})
    return dict(found)
