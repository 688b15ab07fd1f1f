"""What a leg asks of both systems and of the state, counted stage by stage: never more than it was.

The sandbox's own count of operations stands beside what went over the wire and what the state was asked.
With more rows a stage sends more bytes and no more requests or statements, as long as they are one chunk;
a leg with nothing to move asks for exactly what is written here.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from tests.counting import Count, Traffic, counted_statements, counted_traffic
from tests.e2e.engine import rows
from tests.e2e.engine.world import Stages, World

FEW, MANY = 12, 72
# Whoever waits for a turn, or for Finance's job, asks again until it has come: how often is no cost of ours.
THROTTLING = ("throttle",)  # the beginning of the names of three tables
WAITING = "GetExecutionSummaryStatus DataManagementDefinitionGroups"
# Of a row more: statements, and bytes of bodies sent and received, all stages together.
STATEMENTS, SENT, RECEIVED = 0.1, 700, 1500
_ASKED_FIRST = {"GET WhoAmI": 1, "GET msdyn_dualwriteruntimeconfigs": 1}
_EXPORT = {
    "ExportToPackage DataManagementDefinitionGroups": 3,
    "GET DataManagementDefinitionGroupDetails": 3,
    "GET DataManagementDefinitionGroups": 3,
    "GetExportedPackageUrl DataManagementDefinitionGroups": 3,
    "GET LegalEntities": 1,
}
NOTHING = {
    "resource_roles": {"extract": _ASKED_FIRST | {"GET bookableresourcecategories": 1}, "load": _ASKED_FIRST},
    "customers": {"extract": _ASKED_FIRST | _EXPORT, "load": _ASKED_FIRST},  # an export a company
}
# What reads the rows, where they are read by pages, and what writes them.
MOVES = {
    "resource_roles": ("GET bookableresourcecategories", "POST ResourceCategoriesShared"),
    "customers": (None, "UpsertMultiple accounts"),
}


@dataclass
class Work:
    """What a stage has cost.

    Attributes:
        traffic: What went over the wire.
        statements: Statements to the state.
        operations: What the sandbox was asked: verb and entity, and how often; parts of a batch count singly.
        rows: How many rows it has read or written then.
    """

    traffic: Traffic
    statements: Count
    operations: Counter[str] = field(default_factory=Counter)
    rows: Counter[str] = field(default_factory=Counter)


Works = dict[str, Work]


@dataclass(frozen=True)
class Moved:
    """What each stage of a map's leg has cost with nothing to move, with few rows and with many."""

    map: str
    nothing: Works
    few: Works
    many: Works


def make_roles(world: World, number: int) -> None:
    keys = [rows.fresh("COUNT") for _ in range(number)]
    facts = {"@odata.type": "Microsoft.Dynamics.CRM.bookableresourcecategory"}
    named = [{"msdyn_resourcecategorynumber": key, "name": f"Role {key}"} for key in keys]
    if named:
        world.create_many("bookableresourcecategories", [facts | each for each in named])


def make_customers(world: World, number: int) -> None:
    for _ in range(number):
        rows.customer(world, rows.fresh("COUNT"))


LEGS: dict[tuple[str, str], Callable[[World, int], None]] = {
    ("resource_roles", "dataverse_to_finance"): make_roles,
    ("customers", "finance_to_dataverse"): make_customers,
}


@pytest.fixture(scope="module", params=LEGS, ids=lambda leg: leg[0])
def moved(request: pytest.FixtureRequest, shared_world: World) -> Moved:
    """What each stage has cost with nothing to move, with few rows and with many."""
    map_id, leg = request.param
    move(shared_world, map_id, leg, FEW)  # what is looked up once, or remembered, is no cost of a row
    nothing, few, many = (move(shared_world, map_id, leg, number) for number in (0, FEW, MANY))
    return Moved(map_id, nothing, few, many)


def move(world: World, map_id: str, leg: str, number: int) -> Works:
    """Make rows and move them, and nothing else; give what each stage has cost."""
    LEGS[map_id, leg](world, number)
    works: Works = {}
    with world.batch(map_id, leg) as stages:
        with counted(world, stages, works, "extract"):
            staged = stages.extract()
        with counted(world, stages, works, "validate"):
            staged = stages.validate(staged)
        with counted(world, stages, works, "transform"):
            staged = stages.transform(staged)
        with counted(world, stages, works, "load"):
            outcome = stages.load(staged)
    assert outcome.loaded == number, outcome
    return works


@contextmanager
def counted(world: World, stages: Stages, works: Works, stage: str) -> Iterator[None]:
    world.forget_requests()
    state = stages.engine.state.engine
    with counted_traffic() as traffic, counted_statements(state, THROTTLING) as statements:
        yield
    work = works[stage] = Work(traffic, statements)
    for each in world.control.get("/sandbox/stats?writes=false").json()["requests"]:
        work.operations[f"{each['verb']} {each['entity']}"] += each["count"]
        work.rows[f"{each['verb']} {each['entity']}"] += each["rows"]


def test_a_leg_with_nothing_to_move_asks_for_exactly_this(moved: Moved) -> None:
    for stage, work in moved.nothing.items():
        del work.operations[WAITING]
        assert work.operations == NOTHING[moved.map].get(stage, {}), stage


def test_each_row_is_read_once_and_written_once(moved: Moved) -> None:
    reads, writes = MOVES[moved.map]
    for works, number in ((moved.few, FEW), (moved.many, MANY)):
        assert works["load"].rows[writes] == number
        assert reads is None or works["extract"].rows[reads] == number


def test_more_rows_of_a_chunk_cost_neither_requests_nor_statements(moved: Moved) -> None:
    for stage, few in moved.few.items():
        many = moved.many[stage]
        assert asked(many) <= asked(few), stage
        assert (many.statements.number - few.statements.number) / (MANY - FEW) <= STATEMENTS, stage


def asked(work: Work) -> int:
    """How many requests it took, but for those that only waited."""
    return work.traffic.requests - work.operations[WAITING]


def test_a_row_more_is_so_many_bytes_on_the_wire(moved: Moved) -> None:
    few, many = ([work.traffic for work in works.values()] for works in (moved.few, moved.many))
    assert 0 < sum(each.sent for each in many) - sum(each.sent for each in few) <= SENT * (MANY - FEW)
    more = sum(each.received for each in many) - sum(each.received for each in few)
    assert 0 < more <= RECEIVED * (MANY - FEW)
