"""What the month-end gate is judged by, read: rows of the period, dead letters, books, legs."""

import asyncio
import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from projops.engine import Engine
from projops.errors import ProjOpsError
from projops.mapping.catalog import Behavior, Table
from projops.mapping.companies import zone_of
from projops.mapping.keys import has_parts
from projops.mapping.model import System, TableMap
from projops.mapping.paths import company_path, key_paths, period_paths, table_of
from projops.payload import payload_values
from projops.reconcile.accounting import check_books
from projops.reconcile.model import Scope
from projops.reconcile.month_end.model import Evidence, Gate, Held, Period
from projops.reconcile.month_end.obstacles import judge, read_before
from projops.reconcile.reconciliation import begin, finish, reconcile_map
from projops.run import LegRef
from projops.standing import LegStatus, standings
from projops.state import dead_letters, differences

STATUS = "status"  # under which these reconciliations stand in the state, in the place of a DAG


def gates(engine: Engine, period: Period, company: str | None, now: datetime) -> Iterator[Gate]:
    """Say of companies whether a period can be closed, one by one.

    The rows of the period are compared afresh, which is kept as a reconciliation of that scope. Nothing is
    written to either system, and no watermark moves.

    Args:
        engine: The engine.
        period: The month.
        company: Company code, or None for all.
        now: The present, aware.

    Raises:
        ConfigurationError: There is no such company.
        ProjOpsError: A system cannot be read.
    """
    for code in [company.lower()] if company is not None else asyncio.run(_companies(engine)):
        zone = zone_of(engine.loaded.companies, code)
        yield judge(code, period, _evidence(engine, code, period, now, zone), now, zone)


async def _companies(engine: Engine) -> Sequence[str]:
    async with engine.systems() as systems:
        return await systems.companies()


def _evidence(engine: Engine, company: str, period: Period, now: datetime, zone: str) -> Evidence:
    maps = tuple(name for name, each in engine.maps.items() if each.enabled and each.period)
    scope = Scope(maps, (company,), period.first, period.last)
    number = begin(engine, STATUS, uuid.uuid4().hex, scope)
    not_compared = _compare(engine, number, scope)
    books = check_books(engine, number, scope)
    finish(engine, number)
    with engine.state.begin() as connection:
        findings = [each.finding for each in differences.found(connection, number)]
    return Evidence(
        findings=findings,
        held=list(_held(engine)),
        books=books,
        standings=_enabled(engine),
        not_compared=not_compared,
        areas={name: each.area for name, each in engine.maps.items()},
        unread_since=read_before(period, zone, now),
    )


def _compare(engine: Engine, number: int, scope: Scope) -> dict[str, str]:
    """Compare the maps of a scope; give those that could not be, or are broken, with the reason."""
    problems = {each.map: str(each.findings[0].as_error()) for each in engine.loaded.broken}
    for name in scope.maps or ():
        try:
            reconcile_map(engine, number, name, scope)
        except ProjOpsError as problem:
            problems[name] = str(problem)
    return problems


def _enabled(engine: Engine) -> list[LegStatus]:
    return [each for each in standings(engine) if each.map in engine.maps and engine.maps[each.map].enabled]


def _held(engine: Engine) -> Iterator[Held]:
    """Give the dead letters of our own stages, each with what can be told of its company and period.

    Those of Finance's jobs are left out: the books themselves tell of them.
    """
    with engine.state.begin() as connection:
        for letter in dead_letters.live_rows(connection):
            table_map = engine.maps.get(letter.map)
            company = None if table_map is None else company_of(table_map, letter.key)
            zone = zone_of(engine.loaded.companies, company)
            day = None if table_map is None else day_of(table_map, payload_values(letter.payload), zone)
            yield Held(
                id=letter.id,
                leg=LegRef(letter.map, letter.leg),
                status=letter.status,
                key=letter.key,
                source_id=letter.source_id,
                company=company,
                period=None if day is None else f"{day:%Y-%m}",
            )


def company_of(table_map: TableMap, key: str | None) -> str | None:
    """Tell a row's company by its key text, in lower case; None where no key tells it."""
    path = company_path(table_map, System.FINANCE)
    names = key_paths(table_map, System.FINANCE)
    if path is None or key is None or not has_parts(key, len(names)):
        return None
    part = json.loads(key)[names.index(path)]
    return None if part is None else str(part)


def day_of(table_map: TableMap, payload: Mapping[str, str], zone: str) -> date | None:
    """Tell the day that says a row's period by its payload, which may be the source's or the target's.

    Args:
        table_map: The map.
        payload: Values as texts, by column.
        zone: The company's time zone (IANA), for moments.

    Returns:
        None where the map's rows belong to no period, or the payload does not have the day, or not as
        one: it may be what the row was set aside for.
    """
    for system in System:
        table = table_of(table_map, system)
        for name in period_paths(table_map, system):
            if name in payload:
                return _day(table, name, payload[name], zone)
    return None


def _day(table: Table, name: str, text: str, zone: str) -> date | None:
    try:
        if table.columns[name].behavior is Behavior.USER_LOCAL:
            return datetime.fromisoformat(text).astimezone(ZoneInfo(zone)).date()
        return date.fromisoformat(text[:10])
    except (ValueError, OverflowError):  # the first and the last day of all have none beside them
        return None
