"""The books of both systems, read side by side into one DuckDB database.

Only the columns that the rules ask for are read, page by page, so that memory stays the same whatever the
books hold: DuckDB keeps them in a file and sorts and joins there.
"""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa

from projops.engine import Engine, Systems
from projops.mapping import catalog
from projops.mapping.model import System
from projops.mapping.paths import period_paths
from projops.reconcile.accounting.books import (
    ACTUAL,
    BOOKS,
    CLEARING,
    ENTRIES,
    EXPENSES,
    OWNER,
    OWNER_CODE,
    Book,
)
from projops.reconcile.compare.totals import days
from projops.reconcile.model import Scope
from projops.systems import quoting
from projops.systems.columns import entity_set, properties
from projops.systems.decoding import table_of
from projops.transform.outcome import one_array

ACTUALS = "actuals"  # the map
_MEMORY = "256MB"
_THREADS = 2


def open_books(folder: Path) -> duckdb.DuckDBPyConnection:
    """Open an empty database.

    Args:
        folder: Local folder for it and for what it sets aside while it sorts; the caller removes it.
    """
    return duckdb.connect(
        str(folder / "books.duckdb"),
        config={"memory_limit": _MEMORY, "threads": _THREADS, "temp_directory": str(folder / "sorting")},
    )


async def read_books(
    engine: Engine, systems: Systems, scope: Scope, books: duckdb.DuckDBPyConnection
) -> None:
    """Read what both systems have booked, into the tables of `BOOKS`, `entry` and `actual`.

    Of the ledger only what the scope asks for is read: the entries of its days, and on clearing accounts,
    whose balance has no beginning, all up to its end. The rest is read whole, since one chain may reach
    from month to month.

    Args:
        engine: Knows the maps, and in which zone a company's days begin.
        systems: Open sessions.
        scope: Companies, and days of the ledger.
        books: Database to fill.
    """
    for book in BOOKS:
        await _keep(systems, books, book, _asked(book, scope))
    await _keep_actuals(engine, systems, scope, books)


async def _keep(systems: Systems, books: duckdb.DuckDBPyConnection, book: Book, where: str | None) -> None:
    """Read one entity set into a table of its own."""
    wanted = properties(book.table, (book.company, *book.columns.values()))
    columns = ", ".join(f'"{field}" AS {name}' for name, field in book.columns.items())
    # Only names of ours and of the catalog stand in these statements; values come as columns.
    select = f'SELECT lower("{book.company}") AS company, {columns} FROM page'  # nosec B608
    _run(books, f"CREATE TABLE {book.name} AS {select}", table_of([], System.FINANCE, wanted))
    async for page in systems.finance.pages(book.entity, wanted, where, book.table.keys[0]):
        _run(books, f"INSERT INTO {book.name} {select}", pa.Table.from_batches([page.batch]))


async def _keep_actuals(
    engine: Engine, systems: Systems, scope: Scope, books: duckdb.DuckDBPyConnection
) -> None:
    """Read the actuals of Dataverse, each with its company and the day that says its period."""
    table_map = engine.map(ACTUALS)
    table = catalog.table(System.DATAVERSE, table_map.dataverse)
    codes = await _company_codes(systems)
    dates = period_paths(table_map, System.DATAVERSE)
    wanted = properties(table, (OWNER, *ACTUAL.values(), *dates))
    columns = ", ".join(f'"{column}" AS {name}' for name, column in ACTUAL.items())
    select = f'SELECT "{OWNER_CODE}" AS company, _id AS id, day, {columns} FROM page'  # nosec B608

    def dated(rows: pa.Table) -> pa.Table:
        owners = one_array(rows[OWNER]).dictionary_encode()
        names = pa.array([codes.get(each) for each in owners.dictionary.to_pylist()], pa.string())
        rows = rows.append_column(OWNER_CODE, names.take(owners.indices))
        return rows.append_column("day", days(table_map, System.DATAVERSE, rows, engine.loaded.companies))

    _run(books, f"CREATE TABLE actual AS {select}", dated(table_of([], System.DATAVERSE, wanted)))
    asked = None if scope.companies is None else [[guid] for guid in codes if codes[guid] in scope.companies]
    if asked == []:  # Dataverse knows none of these companies
        return
    where = asked and quoting.key_filter(System.DATAVERSE, properties(table, [OWNER]), asked)
    async for page in systems.dataverse.rows(entity_set(table), wanted, where or None):
        _run(books, f"INSERT INTO actual {select}", dated(pa.Table.from_batches([page.batch])))


async def _company_codes(systems: Systems) -> dict[str, str]:
    """Give the code of each company of Dataverse, in lower case, by GUID."""
    table = catalog.table(System.DATAVERSE, "cdm_company")
    codes: dict[str, str] = {}
    async for page in systems.dataverse.rows(entity_set(table), properties(table, ["cdm_companycode"])):
        pairs = zip(page.batch["_id"].to_pylist(), page.batch["cdm_companycode"].to_pylist(), strict=True)
        codes |= {guid: code.lower() for guid, code in pairs if code}
    return codes


def _run(books: duckdb.DuckDBPyConnection, statement: str, page: pa.Table) -> None:
    """Run a statement on rows, which it knows as `page`."""
    books.register("page", page)
    books.execute(statement)
    books.unregister("page")


def _asked(book: Book, scope: Scope) -> str | None:
    """Write the filter of what a scope asks for of a book; None for all."""
    if book is EXPENSES:  # booked where it was paid, which may be another company than its project's
        return None
    parts = [f"({quoting.any_of(book.company, scope.companies)})"] if scope.companies else []
    if book is ENTRIES:
        parts += _days_asked(scope)
    return " and ".join(parts) or None


def _days_asked(scope: Scope) -> Iterator[str]:
    """Write what a scope asks of the days of ledger entries."""
    day, kind = ENTRIES.columns["day"], ENTRIES.columns["posting_type"]
    if scope.until is not None:
        yield f"{day} le {quoting.finance_date_text(scope.until)}"
    if scope.since is not None:
        enum = str(ENTRIES.table.columns[kind].enum)
        clearing = quoting.any_of(kind, [quoting.EnumSymbol(enum, symbol) for symbol in CLEARING.values()])
        yield f"({day} ge {quoting.finance_date_text(scope.since)} or {clearing})"
