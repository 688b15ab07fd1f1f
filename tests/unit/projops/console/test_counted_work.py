"""What a page asks of the state is counted: it does not grow with what the state holds.

How long pages take is measured by `python -m bench console`, on the same pages.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import event

from bench.console_pages import Page, pages_of
from bench.console_state import Size, fill, known
from projops.console.app import app
from projops.console.kept_engine import kept_engine
from projops.mapping.reader import load_maps
from projops.settings import PROJECT_ROOT
from projops.state import StateStore
from projops.state.tables import metadata
from tests.unit.projops.console.clients import Client

FEW = Size(letters=100, runs=40, crosswalk=200, nights=3, differences=60, others=60)
MANY = Size(letters=10_000, runs=400, crosswalk=5_000, nights=3, differences=3_000, others=600)
MOST_ROWS = 1_500
# What grows without end is read through an index: a page that walked all of it would be slow one day.
GROWING = ("dead_letter", "crosswalk", "difference", "conflict")
# Somebody who knows a piece of a key looks for it in all keys: on a full crosswalk that is still fast.
MAY_WALK = {("/trace by q", "SCAN crosswalk")}
MAPS = load_maps(PROJECT_ROOT / "include" / "mappings").maps
PAGES = list(pages_of(app, known(MAPS, FEW)))


@dataclass
class Work:
    """What was asked of the state."""

    statements: list[tuple[str, Any]] = field(default_factory=list)
    rows: int = 0

    def row(self, _cursor: object, row: tuple[Any, ...]) -> tuple[Any, ...]:
        self.rows += 1
        return row


@contextmanager
def counted() -> Iterator[Work]:
    """Count statements, and rows that SQLite hands over."""
    work, engine = Work(), kept_engine().state.engine

    def before(connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        connection.connection.driver_connection.row_factory = work.row
        work.statements.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", before)
    yield work
    event.remove(engine, "before_cursor_execute", before)


def walks(state: StateStore, work: Work) -> set[str]:
    """Name the growing tables that SQLite reads from their first row to their last."""
    found = set()
    with state.begin() as connection:
        for statement, parameters in work.statements:
            if statement.lstrip().upper().startswith(("SELECT", "WITH")):
                plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
                found |= {detail for *_, detail in plan if _walks(detail)}
    return found


def _walks(detail: str) -> bool:
    first, _, rest = detail.partition(" ")
    return first == "SCAN" and rest.split()[0] in GROWING and "INDEX" not in rest


def work_of(client_of: Client, pages: list[Page]) -> dict[str, Work]:
    client, found = client_of("admin"), {}
    for page in pages:
        with counted() as work:
            answer = client.get(page.address)
        assert answer.status_code == 200, (page, answer.text)
        found[page.name] = work
    return found


def test_every_page_asks_the_same_of_a_state_a_hundred_times_as_full(
    client_of: Client, state: StateStore
) -> None:
    fill(state, MAPS, FEW)
    few = work_of(client_of, PAGES)
    with state.begin() as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(table.delete())
    fill(state, MAPS, MANY)
    many = work_of(client_of, PAGES)
    assert {name: len(work.statements) for name, work in many.items()} == {
        name: len(work.statements) for name, work in few.items()
    }
    assert {name: work.rows for name, work in many.items() if work.rows > MOST_ROWS} == {}
    walked = {(name, table) for name, work in many.items() for table in walks(state, work)}
    assert walked - MAY_WALK == set()
