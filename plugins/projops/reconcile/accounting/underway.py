"""What the engine has yet to move of the books: told from its state, so that a delay is no breach.

An actual that Finance does not have is underway as long as no run has sent it; a voucher that Dataverse
does not have, as long as its staging row is not as it was last in step. What was moved and is not there
is a breach.
"""

from collections.abc import Iterator, Mapping, Sequence

import duckdb

from projops.engine import Engine, Systems
from projops.extract import reread
from projops.extract.frames import matching, with_identity, with_paths
from projops.extract.sources import own_columns
from projops.mapping.keys import key_text
from projops.mapping.model import Direction, System, TableMap
from projops.mapping.paths import key_paths, table_of
from projops.reconcile.accounting.reading import ACTUALS
from projops.state import crosswalk, dead_letters
from projops.state.dead_letters import Stopped
from projops.transform.rows import transform_table

_FORTH, _BACK = Direction.DATAVERSE_TO_FINANCE, Direction.FINANCE_TO_DATAVERSE
_ROWS_AT_ONCE = 500
_TO_COME = "no run has moved it yet; let the map actuals run."


async def mark_underway(engine: Engine, systems: Systems, books: duckdb.DuckDBPyConnection) -> None:
    """Fill the tables `to_send` and `to_return` with what is underway, and why."""
    for ids in _chunks(books, "SELECT DISTINCT id FROM missing"):
        reasons = _unsent(engine, [guid for (guid,) in ids])
        _keep(books, "to_send", [(guid, reason) for guid, reason in reasons.items()])
    for places in _chunks(books, "SELECT DISTINCT company, actual FROM unreturned"):
        await _mark_returning(engine, systems, books, places)


async def _mark_returning(
    engine: Engine, systems: Systems, books: duckdb.DuckDBPyConnection, places: Sequence[tuple[str, ...]]
) -> None:
    table_map = engine.map(ACTUALS)
    keys = {_key(table_map, company, actual): (company, actual) for company, actual in places}
    hashes = await _hashes(engine, systems, table_map, list(keys))
    with engine.state.begin() as connection:
        stopped = dead_letters.stopped(connection, ACTUALS, _BACK.value, list(keys))
        given_up = dead_letters.given_up(connection, ACTUALS, _BACK.value, list(keys))
        moved = crosswalk.by_keys(connection, ACTUALS, keys)
    underway = {key: _held(letter) for key, letter in stopped.items()}
    for key in keys.keys() - underway.keys():
        before = moved[key].payload_hash(_BACK) if key in moved else None
        if key in hashes and hashes[key] != before:
            underway[key] = _to_come(given_up.get(key))
    _keep(books, "to_return", [(*keys[key], reason) for key, reason in underway.items()])


def _unsent(engine: Engine, ids: Sequence[str]) -> dict[str, str]:
    """Of actuals that Finance does not have, give those that no run has sent, each with the reason."""
    with engine.state.begin() as connection:
        stopped = dead_letters.stopped(connection, ACTUALS, _FORTH.value, ids)
        given_up = dead_letters.given_up(connection, ACTUALS, _FORTH.value, ids)
        pairs = crosswalk.by_ids(connection, ACTUALS, ids)
    sent = {pair.dataverse_id for pair in pairs if pair.payload_hash(_FORTH) not in (None, crosswalk.UNKNOWN)}
    return {
        guid: _held(stopped[guid]) if guid in stopped else _to_come(given_up.get(guid))
        for guid in ids
        if guid in stopped or guid not in sent
    }


async def _hashes(
    engine: Engine, systems: Systems, table_map: TableMap, keys: Sequence[str]
) -> Mapping[str, str]:
    """Give the payload hashes of staging rows, as the next load would compare them, by key."""
    leg = table_map.legs[_BACK]
    names = key_paths(table_map, System.FINANCE)
    columns = own_columns(table_map, leg)
    read = reread.from_finance(systems.finance, table_of(table_map, System.FINANCE), columns, names)
    rows = with_identity(table_map, leg, await read(keys))
    frame = await with_paths(table_map, leg, systems.lookups(), rows)
    frame = frame.filter(matching(leg.extract.where, frame))
    loaded = engine.loaded
    target, _ = transform_table(table_map, leg, frame, loaded.value_maps, loaded.companies, loaded.maps)
    return dict(zip(target["_key"].to_pylist(), target["_hash"].to_pylist(), strict=True))


def _key(table_map: TableMap, company: str, actual: str) -> str:
    """Write the key of an actual in the map's order; its parts are the company and the import id."""
    stripe = table_of(table_map, System.FINANCE).company_column
    return key_text([company if part.finance == stripe else actual for part in table_map.key])


def _held(letter: Stopped) -> str:
    return (
        f"dead letter {letter.id} of rule {letter.rule} holds it; `projops dead-letters show {letter.id}` "
        "says what to do."
    )


def _to_come(dismissed: int | None) -> str:
    if dismissed is None:
        return _TO_COME
    return (
        f"dead letter {dismissed} was dismissed, so no run moves it as it is: change the actual, or settle "
        "it in both systems by hand."
    )


def _chunks(books: duckdb.DuckDBPyConnection, query: str) -> Iterator[list[tuple[str, ...]]]:
    cursor = books.cursor().execute(query)
    while rows := cursor.fetchmany(_ROWS_AT_ONCE):
        yield rows


def _keep(books: duckdb.DuckDBPyConnection, table: str, rows: Sequence[tuple[str, ...]]) -> None:
    if rows:
        marks = ", ".join("?" for _ in rows[0])
        books.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)  # tables of ours  # nosec B608
