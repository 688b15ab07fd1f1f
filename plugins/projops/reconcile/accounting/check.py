"""Whether the books of both systems agree: every rule, for every company."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from projops.due import check_companies
from projops.engine import Engine, Systems
from projops.reconcile.accounting.clearing import clearing
from projops.reconcile.accounting.reading import ACTUALS, open_books, read_books
from projops.reconcile.accounting.rules import RULES, VIEWS, Rule, scoping
from projops.reconcile.accounting.underway import mark_underway
from projops.reconcile.model import Invariant, Scope
from projops.state import invariants

MOST_NAMED = 20  # things of one rule and company that break it, and as many that wait
_NAMED = """
SELECT company, subject, message, pending, alike, place FROM (
  SELECT *, count(*) OVER alikes AS alike, row_number() OVER (alikes ORDER BY subject, message) AS place
  FROM ({query}) WINDOW alikes AS (PARTITION BY company, pending)
) WHERE place <= {most} ORDER BY company, pending, place
"""


def check_books(engine: Engine, reconciliation: int, scope: Scope) -> tuple[Invariant, ...]:
    """Check what must hold of the books, and keep the answer in place of an earlier try's.

    Args:
        engine: Open engine.
        reconciliation: Number that `begin` gave.
        scope: Companies and days.

    Raises:
        ConfigurationError: There is no such company.
        ProjOpsError: A system cannot be read.
    """
    with engine.state.begin() as connection:
        invariants.replace_all(connection, reconciliation, ())  # if this try fails, they were not checked
    found = asyncio.run(_check(engine, scope))
    with engine.state.begin() as connection:
        invariants.replace_all(connection, reconciliation, found)
    return found


async def check(engine: Engine, systems: Systems, scope: Scope) -> tuple[Invariant, ...]:
    """Check the books of both systems.

    Nothing is written to either, and no watermark moves. What is merely underway, as the state knows,
    and what waits for people in Finance holds, and is named as pending. Where something breaks a rule, all is
    read a second time, so that nothing is told that was but half written when it was read.

    Args:
        engine: State, maps and companies.
        systems: Open sessions.
        scope: Companies and days; its maps are of no matter here. Balances of clearing accounts are those
            of the last day, everything else is of the days in between.

    Returns:
        For each rule and company: the things that break it, at most `MOST_NAMED`, or one line that it
        holds; then the things that wait, at most as many.

    Raises:
        ConfigurationError: There is no such company.
    """
    companies = await _companies(engine, systems, scope)
    found = await _look(engine, systems, scope, companies)
    if all(each.holds for each in found):
        return found
    return confirmed(found, await _look(engine, systems, scope, companies))


async def _check(engine: Engine, scope: Scope) -> tuple[Invariant, ...]:
    async with engine.systems() as systems:
        return await check(engine, systems, scope)


def confirmed(first: Sequence[Invariant], second: Sequence[Invariant]) -> tuple[Invariant, ...]:
    """Give the second of two looks at the books; what breaks a rule only there may be but half written.

    Books are read one after the other while people and jobs work on them, so that one may show what another
    did not show yet: a breach is told that is there both times, and the same.
    """
    seen = set(first)
    return tuple(each if each.holds or each in seen else _not_sure(each) for each in second)


def _not_sure(breach: Invariant) -> Invariant:
    message = f"{breach.message} It came up while the books were read; the next check tells whether it stays."
    return replace(breach, holds=True, pending=True, message=message)


async def _look(
    engine: Engine, systems: Systems, scope: Scope, companies: Sequence[str]
) -> tuple[Invariant, ...]:
    """Read the books, and judge them by every rule."""
    with TemporaryDirectory(prefix="projops-books-") as folder, open_books(Path(folder)) as books:
        books.execute(scoping(scope))
        await read_books(engine, systems, scope, books)
        books.execute(VIEWS)
        await mark_underway(engine, systems, books)
        found = [each for rule in RULES for each in _judged(books, rule, companies)]
        return (*clearing(books, companies), *found)


async def _companies(engine: Engine, systems: Systems, scope: Scope) -> Sequence[str]:
    """Give the companies whose books are checked: those asked for, or all that the actuals are synced of."""
    await check_companies(systems, scope.companies)
    chosen = [set(codes) for codes in (scope.companies, engine.map(ACTUALS).companies) if codes is not None]
    return [code for code in await systems.companies() if all(code in codes for codes in chosen)]


def _judged(books: duckdb.DuckDBPyConnection, rule: Rule, companies: Sequence[str]) -> Iterator[Invariant]:
    """Give what became of one rule, company by company: what breaks it before what waits."""
    found: dict[str, list[Invariant]] = {company: [] for company in companies}
    rows = books.execute(_NAMED.format(query=rule.query, most=MOST_NAMED)).fetchall()
    for company, subject, message, pending, alike, place in rows:
        more = f" (And {alike - place} more like it.)" if place == MOST_NAMED and alike > place else ""
        if company in found:
            found[company].append(
                Invariant(rule.name, company, pending, pending, subject, f"{message}{more}")
            )
    for company, things in found.items():
        if all(thing.holds for thing in things):
            yield Invariant(rule.name, company, True, False, "", rule.claim)
        yield from things
