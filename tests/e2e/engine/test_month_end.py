"""Closing a month: after the story it can be closed; each obstacle planted alone is named alone."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest

from projops import pausing
from projops.cli import main
from projops.state import dead_letters
from projops.state.dead_letters import Letter, Origin
from tests.e2e.engine.books import ACTUALS, ENTRIES, LINES, Cell, overwritten
from tests.e2e.engine.told import Told
from tests.e2e.engine.world import Row, World

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True, scope="module")

COST, TIME = 192350000, 192350000
FORTH, BACK = "dataverse_to_finance", "finance_to_dataverse"
Obstacle = tuple[str, str]
Asked = Callable[..., tuple[int, list[dict[str, Any]]]]


@pytest.fixture
def asked(told: Told, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Asked:
    """Ask the command line whether October can be closed; give its exit code and its gates."""
    monkeypatch.setattr("projops.commands.status.open_engine", told.world.engine)

    def ask(*more: str) -> tuple[int, list[dict[str, Any]]]:
        monkeypatch.setattr("sys.argv", ["projops", "status", "--period", "2026-10", "--json", *more])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(str(ended.value.code or 0)), json.loads(capsys.readouterr().out)

    return ask


@pytest.fixture(scope="module")
def built(told: Told) -> Row:
    """Eight hours of October, as Dataverse has their cost."""
    [cost] = [row for row in told.actuals(COST, TIME) if row["msdyn_description"].startswith("Build")]
    return cost


def test_after_the_story_october_can_be_closed_in_every_company(told: Told, asked: Asked) -> None:
    told.world.forget_requests()
    before = told.world.sql("select map, leg, watermark, batch from leg order by map, leg")
    code, gates = asked()
    assert code == 0
    assert {gate["sentence"] for gate in gates} == {
        f"{company} 2026-10 can be closed." for company in ("USPM", "GBPM", "DEMF")
    }
    assert told.world.writes() == []
    assert told.world.sql("select map, leg, watermark, batch from leg order by map, leg") == before


@contextmanager
def paused(told: Told, _: Row) -> Iterator[Obstacle]:
    with told.world.engine() as engine:
        pausing.pause(engine, ["expenses"], None, "anna", "A test")
        yield "paused", f"expenses {BACK}"
        pausing.resume(engine, ["expenses"], None, "anna")
    told.world.sync("expenses")  # what changed during the pause is read


@contextmanager
def changed_in_dataverse(told: Told, cost: Row) -> Iterator[Obstacle]:
    told.world.correct(cost["msdyn_actualid"], msdyn_externaldescription="Told later")
    yield "pending", f"actuals {FORTH}"
    told.world.forth("actuals")


@contextmanager
def changed_behind_everybody_s_back(told: Told, cost: Row) -> Iterator[Obstacle]:
    where = f"\"msdyn_actualid\" = '{cost['msdyn_actualid']}'"
    with overwritten(told.databases.sandbox, Cell(ACTUALS, "msdyn_externaldescription", where, "Silence")):
        yield "drift", f"actuals {FORTH}"


@contextmanager
def unposted(told: Told, cost: Row) -> Iterator[Obstacle]:
    [line] = _lines(told.world, cost)
    where = f"\"ActualsImportId\" = '{cost['msdyn_actualimportid']}'"
    with overwritten(told.databases.sandbox, Cell(LINES, "LineStatus", where, "Error")):
        yield "lines_posted", f"journal {line['JournalId']} line {line['LineNumber']}"


@contextmanager
def on_a_clearing_account(told: Told, cost: Row) -> Iterator[Obstacle]:
    [line] = _lines(told.world, cost)
    where = f"\"Voucher\" = '{line['Voucher']}' AND \"PostingType\" = 'PayrollAllocation'"
    with overwritten(told.databases.sandbox, Cell(ENTRIES, "PostingType", where, "ProcurementIntegration")):
        yield "clearing_procurement", "procurement integration account"


@contextmanager
def told_by_a_job(told: Told, _: Row) -> Iterator[Obstacle]:
    key = {"dataAreaId": "uspm", "MessageId": "M1"}
    message = {"JobName": "post-expense-reports", "DocumentNumber": "EXP-9", "MessageText": "No account."}
    told.world.post("ProjectIntegrationMessages", **key, **message, Resolved="No")
    yield "messages_resolved", "EXP-9"
    told.world.remove("ProjectIntegrationMessages", key)


@contextmanager
def set_aside(told: Told, _: Row) -> Iterator[Obstacle]:
    project = json.dumps([told.engagement.project_number.lower(), "uspm"], separators=(",", ":"))
    letter = Letter(told.engagement.project, project, "open", "load", "refused", "Finance refuses it.")
    with told.world.engine() as engine, engine.state.begin() as connection:
        dead_letters.record(connection, Origin("projects", FORTH, 1, "1.0.0.3"), [letter])
    yield "dead_letter", f"projects {FORTH}"
    with told.world.engine() as engine, engine.state.begin() as connection:
        dead_letters.resolve(connection, "projects", FORTH, [letter.source_id], "A test is over.")


@contextmanager
def not_read_since(told: Told, _: Row) -> Iterator[Obstacle]:
    mine = "map = 'customer_invoices' and leg = 'finance_to_dataverse'"
    [before] = told.world.sql(f"select committed_at from leg where {mine}")
    told.world.sql(f"update leg set committed_at = '2020-01-01 00:00:00.000000' where {mine}")
    yield "behind", f"customer_invoices {BACK}"
    told.world.sql(f"update leg set committed_at = :at where {mine}", at=before["committed_at"])


@pytest.mark.parametrize(
    "planted",
    [
        paused,
        changed_in_dataverse,
        changed_behind_everybody_s_back,
        unposted,
        on_a_clearing_account,
        told_by_a_job,
        set_aside,
        not_read_since,
    ],
)
def test_an_obstacle_planted_alone_is_named_alone(
    told: Told, asked: Asked, built: Row, planted: Callable[[Told, Row], AbstractContextManager[Obstacle]]
) -> None:
    with planted(told, built) as expected:
        code, [gate] = asked("--company", "USPM")
        assert [(each["kind"], each["subject"]) for each in gate["obstacles"]] == [expected]
        assert gate["sentence"] == "USPM 2026-10 cannot be closed: 1 thing stands in the way."
        assert code == 3


def test_when_all_of_that_is_mended_october_can_be_closed_after_all(asked: Asked) -> None:
    assert asked("--company", "uspm")[0] == 0


def test_what_is_no_company_or_no_month_is_said_in_a_sentence(
    told: Told, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("projops.commands.status.open_engine", told.world.engine)
    for arguments, sentence in (
        (("--period", "2026-10", "--company", "XXXX"), "Company xxxx is no legal entity of Finance."),
        (("--period", "October"), "October is no month. Write it like 2026-10."),
        (("--company", "USPM"), "--company goes with --period"),
    ):
        monkeypatch.setattr("sys.argv", ["projops", "status", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code == 1
        assert sentence in capsys.readouterr().err


def _lines(world: World, cost: Row) -> list[Row]:
    mine = f"ActualsImportId eq {cost['msdyn_actualimportid']}"
    return world.finance_rows("ProjectIntegrationJournalLines", mine)
