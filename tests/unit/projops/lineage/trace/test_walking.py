import asyncio
from collections.abc import Iterable, Sequence
from typing import Any

from projops.lineage.trace.records import Entity, Link, Record, Towards
from projops.lineage.trace.walking import Bound, Walk, walk
from projops.mapping.model import System

ACTUAL = Entity(System.DATAVERSE, "msdyn_actual", "actual")
STAGED = Entity(System.FINANCE, "ProjActualsImports", "staging row")
LINE = Entity(System.FINANCE, "ProjectIntegrationJournalLines", "journal line")
LINKS = (
    Link(LINE, ("actual",), STAGED, ("id",), "imported from"),
    Link(STAGED, ("id",), ACTUAL, ("id",), "written from"),
    Link(ACTUAL, ("replaces",), ACTUAL, ("id",), "replaces", child_when=lambda row: row["id"] != "closed"),
)
WIDE = Bound(rows=100, depth=10)


class Rows:
    """Rows of both systems, and what was asked for."""

    def __init__(self, *records: Record) -> None:
        self.records = records
        self.asked: list[tuple[str, tuple[str, ...], int]] = []

    async def read(
        self, entity: Entity, columns: Sequence[str], wanted: Iterable[Sequence[Any]]
    ) -> list[Record]:
        values = [tuple(each) for each in wanted]
        self.asked.append((entity.label, tuple(columns), len(values)))
        mine = [each for each in self.records if each.entity == entity]
        return [each for each in mine if tuple(each.columns.get(column) for column in columns) in values]

    def walked(self, start: Record, towards: Towards, bound: Bound = WIDE) -> Walk:
        return asyncio.run(walk([start], LINKS, towards, self.read, bound))


def row(entity: Entity, identity: str, **columns: Any) -> Record:
    return Record(entity, identity, {"id": identity, **columns}, "")


FIRST = row(ACTUAL, "1")
SECOND = row(ACTUAL, "2", replaces="1")
STAGED_SECOND = row(STAGED, "2")
LINE_SECOND = row(LINE, "uspm/j/1", actual="2")


def names(walk: Walk) -> list[tuple[str, str, int]]:
    return [(each.record.entity.label, each.record.identity, each.depth) for each in walk.found]


def test_a_walk_leads_back_step_by_step_and_ends_where_nothing_lies_behind() -> None:
    rows = Rows(FIRST, SECOND, STAGED_SECOND, LINE_SECOND)
    found = rows.walked(LINE_SECOND, Towards.ORIGIN)
    assert names(found) == [("staging row", "2", 1), ("actual", "2", 2), ("actual", "1", 3)]
    assert found.ends == (FIRST,)
    assert [each.of for each in found.found] == [LINE_SECOND.node, STAGED_SECOND.node, SECOND.node]
    assert [each.how for each in found.found] == ["imported from", "written from", "replaces"]


def test_the_same_links_lead_to_what_became_of_a_row() -> None:
    rows = Rows(FIRST, SECOND, STAGED_SECOND, LINE_SECOND)
    found = rows.walked(FIRST, Towards.OUTCOME)
    assert names(found) == [("actual", "2", 1), ("staging row", "2", 2), ("journal line", "uspm/j/1", 3)]


def test_rows_of_a_step_are_asked_for_together_and_no_row_twice() -> None:
    fans = [row(ACTUAL, str(number), replaces="1") for number in range(10, 20)]
    rows = Rows(FIRST, *fans, *(row(STAGED, each.identity) for each in fans))
    found = rows.walked(FIRST, Towards.OUTCOME)
    assert len(found.found) == 20
    assert ("staging row", ("id",), 10) in rows.asked
    circle = (row(ACTUAL, "a", replaces="b"), row(ACTUAL, "b", replaces="a"))
    assert names(Rows(*circle).walked(circle[0], Towards.ORIGIN)) == [("actual", "b", 1)]


def test_of_several_rows_together_each_has_its_own_ends_also_where_ways_meet() -> None:
    other, staged_other = row(ACTUAL, "3"), row(STAGED, "3")
    third, staged_third = row(ACTUAL, "4", replaces="1"), row(STAGED, "4")
    rows = Rows(FIRST, SECOND, STAGED_SECOND, other, staged_other, third, staged_third)
    starts = [STAGED_SECOND, staged_other, staged_third, other]
    found = asyncio.run(walk(starts, LINKS, Towards.ORIGIN, rows.read, WIDE))
    assert [found.ends_of(start) for start in starts] == [(FIRST,), (other,), (FIRST,), (other,)]


def test_a_link_that_holds_of_some_rows_only_is_followed_for_those() -> None:
    closed = row(ACTUAL, "closed", replaces="1")
    found = Rows(FIRST, closed).walked(closed, Towards.ORIGIN)
    assert found.found == ()
    assert found.ends == (closed,)


def test_a_value_that_is_missing_leads_nowhere_and_case_keeps_nothing_apart() -> None:
    unknown = row(LINE, "x", actual=None)
    assert Rows(STAGED_SECOND).walked(unknown, Towards.ORIGIN).found == ()
    upper, lower = row(LINE, "y", actual="ABC "), row(STAGED, "abc")

    async def read(entity: Entity, columns: Sequence[str], wanted: Iterable[Sequence[Any]]) -> list[Record]:
        return [lower] if entity == STAGED else []

    found = asyncio.run(walk([upper], LINKS, Towards.ORIGIN, read, WIDE))
    assert names(found) == [("staging row", "abc", 1)]


def test_a_walk_is_bounded_in_rows_and_in_depth_and_says_so() -> None:
    chain = [row(ACTUAL, str(number), replaces=str(number - 1)) for number in range(30)]
    far = Rows(*chain).walked(chain[-1], Towards.ORIGIN, Bound(rows=100, depth=5))
    assert (len(far.found), far.more) == (5, True)
    fans = [row(ACTUAL, str(number), replaces="1") for number in range(10, 40)]
    wide = Rows(FIRST, *fans).walked(FIRST, Towards.OUTCOME, Bound(rows=7, depth=10))
    assert (len(wide.found), wide.more) == (7, True)
    whole = Rows(FIRST, *fans).walked(FIRST, Towards.OUTCOME, Bound(rows=30, depth=10))
    assert (len(whole.found), whole.more) == (30, False)
