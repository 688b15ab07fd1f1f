"""All areas under the real scheduler: everything arrives, only what changed moves, and a project lives."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime

import httpx
import pytest

from projops.mapping.reader import load_maps
from runner.api import AirflowApi
from runner.changes import make_changes
from runner.comparison import compare
from runner.ledger import clearing_accounts, unbalanced, without_their_voucher
from runner.moves import Waiting, all_runs, counts_of, run_areas, run_until_in_step, what_waits
from runner.stack import AREAS, RECONCILIATION, Stack
from runner.story.telling import tell
from runner.wire import Wire

LOADED = "airflow.projops.rows.loaded."


@pytest.mark.parametrize("stack", ["sqlite"], indirect=True, scope="session")
@pytest.mark.usefixtures("first_rounds")
class TestAllAreas:
    def test_every_row_arrives_as_the_maps_say_and_a_further_round_moves_nothing(
        self, stack: Stack, wire: Wire, first_rounds: list[int]
    ) -> None:
        assert first_rounds[0] > 1000
        assert first_rounds[-1] == 0
        assert what_waits(stack) == Waiting(0, 0, ())
        assert [str(each) for each in compare(stack.layout.mappings, AREAS, wire)] == []

    def test_task_processes_tell_what_they_have_moved(
        self, stack: Stack, api: AirflowApi, measured: list[str]
    ) -> None:
        """The counters add up to what the state knows of the same runs."""
        told: Counter[str] = Counter()
        for name, _, value in (line.partition(":") for line in measured):
            if name.startswith(LOADED):
                told[name.removeprefix(LOADED)] += int(value.removesuffix("|c"))
        counts = counts_of(stack, all_runs(api))
        assert told == {".".join(leg): found.loaded for leg, found in counts.items() if found.loaded}
        names = {line.partition(":")[0].partition(".customers.")[0] for line in measured}
        stages = {f"airflow.projops.stage.{each}" for each in ("extract", "validate", "transform", "load")}
        assert stages | {"airflow.projops.batch", "airflow.projops.legs.in_step"} <= names

    def test_exactly_the_changed_rows_move(self, stack: Stack, api: AirflowApi, wire: Wire) -> None:
        before = set(all_runs(api))
        changed = make_changes(stack.layout.mappings, wire, f"{datetime.now(UTC):%H:%M:%S}")
        run_until_in_step(stack, print)
        counts = counts_of(stack, [run for run in all_runs(api) if run not in before])
        assert {leg: found.loaded for leg, found in counts.items() if found.loaded} == dict(changed)

    def test_a_project_lives_to_its_corrected_invoice(
        self, stack: Stack, api: AirflowApi, wire: Wire
    ) -> None:
        tell(wire, lambda areas: run_areas(stack, areas, print), print)
        assert run_until_in_step(stack, print) == [0]
        assert what_waits(stack) == Waiting(0, 0, ())
        assert [str(each) for each in compare(stack.layout.mappings, AREAS, wire)] == []
        maps = load_maps(stack.layout.mappings).maps.values()
        legs = {(each.map, leg.value) for each in maps if each.enabled for leg in each.legs}
        counts = counts_of(stack, all_runs(api))
        assert {leg for leg, found in counts.items() if found.read} == legs

    def test_the_ledger_balances_and_the_clearing_accounts_stand_at_zero(self, wire: Wire) -> None:
        assert unbalanced(wire) == []
        assert without_their_voucher(wire) == []
        accounts = clearing_accounts(wire)
        assert set(accounts) >= {"USPM", "GBPM", "DEMF"}
        assert {str(amount) for balances in accounts.values() for amount in balances.values()} == {"0.00"}

    def test_a_row_edited_at_the_target_is_named_by_the_reconciliation_and_repaired(
        self, stack: Stack, api: AirflowApi, wire: Wire, run: Callable[..., tuple[str, str]]
    ) -> None:
        """Everything else is in step, and the books hold: the verdict says nothing of them."""
        project = wire.finance_rows("ProjectsV2")[0]
        number, company = project["ProjectId"], project["dataAreaId"]
        edited = "Planted <b>here</b>"
        address = f"ProjectsV2(dataAreaId='{company}',ProjectId='{number}')"
        wire.change_finance(address, {"Description": edited})
        api.unpause(RECONCILIATION)
        run_id, state = run(RECONCILIATION)
        assert state == "failed"
        [reason] = api.failures(RECONCILIATION, run_id)
        assert reason.startswith(
            "verdict: Drift of 1 row: both systems differ there, and nothing explains it."
        )
        assert "books" not in reason
        assert "Not compared" not in reason
        report = report_link(stack, run_id)
        assert report.startswith(f"{stack.airflow.address}/projops/reports/")
        assert httpx.get(report, follow_redirects=True, trust_env=False).status_code == 401
        shown = {user: read_as(stack, user, report).text for user in ("admin", "viewer")}
        assert "Planted &lt;b&gt;here&lt;/b&gt;" in shown["admin"]
        assert "Planted" not in shown["viewer"]
        assert all(f"{number.lower()} / {company.lower()}" in page for page in shown.values())
        parquet = f"{report}/differences.parquet"
        assert [read_as(stack, user, parquet).status_code for user in shown] == [200, 403]

        assert run(RECONCILIATION, maps=["projects"], repair=True)[1] == "success"
        [repaired] = wire.finance_rows("ProjectsV2", f"ProjectId eq '{number}'")
        assert repaired["Description"] == project["Description"]


def read_as(stack: Stack, user: str, address: str) -> httpx.Response:
    """Sign in to Airflow as `admin` or `viewer`, and read a page."""
    body = {"username": user, "password": stack.airflow.passwords[user]}
    token = httpx.post(f"{stack.airflow.address}/auth/token", json=body, trust_env=False).json()[
        "access_token"
    ]
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.get(address, headers=headers, follow_redirects=True, timeout=60, trust_env=False)


def report_link(stack: Stack, run_id: str) -> str:
    """Read where the page of the task `verdict` in Airflow's UI leads to."""
    path = f"/api/v2/dags/{RECONCILIATION}/dagRuns/{run_id}/taskInstances/verdict/links"
    found = read_as(stack, "viewer", f"{stack.airflow.address}{path}").json()
    link: str = found["extra_links"]["Report"]
    return link
