"""Which rows may be packed, how they are grouped, and what an import's answers are taken for."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from projops.errors import ConfigurationError, ProtocolError, StopError, UnknownOutcomeError
from projops.load.decide import Action, Kind, Row
from projops.load.packages import Packing, await_imports, may_pack, packing_of
from projops.load.target import Result
from projops.mapping.reader import load_maps
from projops.settings import PROJECT_ROOT
from projops.state.in_flight import Mark
from projops.systems.error_keys import Key
from projops.systems.imports import Import
from projops.systems.packages import ExecutionStatus
from tests.unit.projops.load.memory import BACK, FORTH

MAPS = load_maps(PROJECT_ROOT / "include" / "mappings").maps
TASKS = MAPS["project_tasks"]
SUCCEEDED, PARTLY = ExecutionStatus.SUCCEEDED, ExecutionStatus.PARTIALLY_SUCCEEDED


@dataclass
class Desk:
    """Finance's data management, which says what it is told."""

    status_: ExecutionStatus = SUCCEEDED
    written_: int | ProtocolError = 0
    refused_: Sequence[Key] | ProtocolError = ()
    reason: str = ""
    answers: bool = True
    known: bool = True
    closed: StopError | None = None
    asked: list[str] = field(default_factory=list)

    @property
    def packages(self) -> "Desk":
        return self

    async def upload(self, name: str, package: bytes) -> str:
        self.asked.append(f"upload {len(package) > 0}")
        if self.closed is not None:
            raise self.closed
        return "https://x"

    async def start(self, order: Import, address: str) -> str:
        self.asked.append(f"start {order.company}")
        if not self.answers:
            raise UnknownOutcomeError("No answer came.", remedy="")
        return self.reason

    async def is_known(self, execution: str) -> bool:
        return self.known

    async def status(self, execution: str) -> ExecutionStatus | None:
        self.asked.append(f"status {execution}")
        return self.status_ if self.known else None

    async def ended(self, execution: str) -> ExecutionStatus:
        self.asked.append(f"ended {execution}" if execution == "e1" else "ended")
        return self.status_

    async def refused(self, order: Import, key: Sequence[str], most: int) -> frozenset[Key]:
        assert list(key) == ["ProjectId", "TaskId"]
        if isinstance(self.refused_, ProtocolError):
            raise self.refused_
        return frozenset(self.refused_)

    async def written(self, order: Import) -> int:
        if isinstance(self.written_, ProtocolError):
            raise self.written_
        return self.written_


def packing(desk: Desk, least: int = 2) -> Packing:
    asked: Any = desk
    found = packing_of(asked, TASKS, TASKS.legs[FORTH], least)
    assert found is not None
    return found


def task(number: str, company: str = "uspm", kind: Kind = Kind.CREATE) -> Action:
    identity = {"ProjectId": "P1", "TaskId": number, "dataAreaId": company}
    payload = {"TaskName": f"Task, {number}", "TaskElementId": number, "ParentTaskElementId": None}
    row = Row(f"id {number}", f"key {number}", "h", None, None, identity, payload | {"TaskOutlineLevel": 1})
    return Action(kind, row, columns=("TaskName",))


def test_a_leg_packs_only_where_whole_rows_may_be_upserted() -> None:
    assert {
        name for name, each in MAPS.items() if FORTH in each.legs and not may_pack(each, each.legs[FORTH])
    } == {
        "actuals",  # shared columns
        "customers",
        "vendors",
        "invoice_proposals",  # gated
        "vendor_invoices",  # never creates
    }
    assert not any(may_pack(each, each.legs[BACK]) for each in MAPS.values() if BACK in each.legs)


def test_without_a_threshold_nothing_is_packed() -> None:
    desk: Any = Desk()
    assert packing_of(desk, TASKS, TASKS.legs[FORTH], 0) is None


def test_rows_of_one_company_go_together_and_few_go_alone() -> None:
    actions = [
        task("1"),
        task("2", "GBSI"),
        task("3", kind=Kind.DELETE),
        task("4", "USPM", Kind.UPDATE),
        task("5"),
    ]
    [parcel] = packing(Desk()).parcels(actions)
    assert (parcel.company, list(parcel.places)) == ("uspm", [0, 3, 4])
    assert "dataAreaId" not in parcel.columns
    assert set(parcel.columns) >= {"ProjectId", "TaskId", "TaskName", "ParentTaskElementId"}
    assert "project_tasks" in parcel.execution
    assert packing(Desk(), least=4).parcels(actions) == []


def test_rows_that_say_nothing_of_an_enum_go_apart_from_those_that_do() -> None:
    roles, asked = MAPS["resource_roles"], Desk()
    desk: Any = asked
    found = packing_of(desk, roles, roles.legs[FORTH], 1)
    assert found is not None
    rows = [
        Row(n, n, "h", None, None, {"RoleId": n}, {"Description": n, "IsCategoryDisabled": disabled})
        for n, disabled in (("1", "False"), ("2", None), ("3", "True"))
    ]
    parcels = found.parcels([Action(Kind.CREATE, row) for row in rows])
    assert [(list(each.places), each.columns) for each in parcels] == [
        ([0, 2], ("RoleId", "Description", "IsCategoryDisabled")),
        ([1], ("RoleId", "Description")),
    ]


@pytest.mark.parametrize(
    ("desk", "results"),
    [
        (Desk(written_=3), ["written", "written", "written"]),
        (Desk(written_=2), ["look_again", "look_again", "look_again"]),  # nobody knows which was not
        (Desk(written_=-1), ["look_again", "look_again", "look_again"]),
        (Desk(written_=ProtocolError("No counts.", remedy="")), ["look_again", "look_again", "look_again"]),
        (Desk(PARTLY, 2, [("p1", "B")]), ["written", None, "written"]),
        (Desk(PARTLY, 2, [("P9", "b")]), ["look_again", "look_again", "look_again"]),
        (Desk(ExecutionStatus.FAILED, 0), ["look_again", "look_again", "look_again"]),
        (Desk(ExecutionStatus.FAILED, 0, [("P1", "a"), ("P1", "b"), ("P1", "c")]), [None, None, None]),
        (Desk(PARTLY, 2, ProtocolError("No file.", remedy="")), ["look_again", "look_again", "look_again"]),
        (Desk(reason="Another import is under way."), [None, None, None]),
        (Desk(closed=ConfigurationError("No right to import.")), [None, None, None]),
        (Desk(closed=ProtocolError("A host that keeps no files.")), [None, None, None]),
        (Desk(answers=False, known=False), ["look_again", "look_again", "look_again"]),
        (Desk(answers=False, written_=3), ["written", "written", "written"]),
    ],
    ids=[
        "all",
        "too few",
        "no count",
        "no list of counts",
        "one refused, in another case",
        "an unknown key refused",
        "failed",
        "all refused",
        "no file",
        "not taken on",
        "no right to import",
        "files kept elsewhere",
        "nobody knows of it",
        "lost answer",
    ],
)
async def test_only_what_is_certain_is_an_outcome(desk: Desk, results: list[str | None]) -> None:
    [parcel] = packing(desk).parcels([task("a"), task("b"), task("c")])
    outcomes = await packing(desk).send(parcel)
    assert [outcomes[place].result if place in outcomes else None for place in range(3)] == [
        Result(each) if each else None for each in results
    ]


async def test_imports_of_silent_writers_are_awaited_once_each_and_unknown_ones_never() -> None:
    known, unknown = Desk(), Desk(known=False)
    marks = [Mark(FORTH, True, [], execution) for execution in ("e1", None, "e1")]
    for desk in (known, unknown):
        packages: Any = desk
        await await_imports(packages, marks)
    assert known.asked == ["status e1", "ended e1"]
    assert unknown.asked == ["status e1"]
