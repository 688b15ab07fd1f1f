"""What goes wrong ends as one sentence on a task, writes nothing by halves, and is mended by clearing it."""

import json
from collections.abc import Callable
from contextlib import closing

import httpx
import pytest

from projops.state import StateStore, alerts
from projops.state.audit import actions
from projops.state.dead_letters import live
from runner.api import AirflowApi
from runner.changes import CHANGES, edit
from runner.comparison import compare
from runner.layout import free_port
from runner.moves import run_until_in_step
from runner.sandbox import CLIENT_ID, CLIENT_SECRET, TENANT
from runner.stack import Stack, connect
from runner.waiting import until
from runner.wire import Wire
from tests.stack import FRAME, ended, writes

pytestmark = [
    pytest.mark.usefixtures("framed"),
    pytest.mark.parametrize("stack", ["postgres"], indirect=True, scope="session"),
]

Run = Callable[..., tuple[str, str]]
AREA = "setup_and_configuration"
REPLAY = "replay_dead_letters"
AREAS = tuple(area for step in FRAME for area in step)
LOAD = "contract_headers__dataverse_to_finance.load"
CONTRACT = next(each for each in CHANGES if each.map == "contract_headers")


def reasons(api: AirflowApi, run_id: str, area: str = AREA) -> dict[str, str]:
    """Why the tasks of a run failed, by task."""
    failed = (reason.partition(": ") for reason in api.failures(area, run_id))
    return {task_id: reason for task_id, _, reason in failed}


def states(api: AirflowApi, run_id: str, area: str = AREA) -> dict[str, str]:
    return {task.task_id: task.state for task in api.tasks(area, run_id)}


def lead_to(api: AirflowApi, system: str, address: str, secret: str) -> None:
    extra = json.dumps({"tenant_id": TENANT, "authority": address})
    fields = {"host": address, "login": CLIENT_ID, "password": secret, "extra": extra}
    api.put_connection(f"{system}_default", system, fields)


def clear_and_wait(stack: Stack, api: AirflowApi, run_id: str) -> str:
    api.clear_failed(AREA, run_id)
    return ended(stack, api, AREA, run_id)


def test_a_system_that_is_down_is_named_and_clearing_finishes_the_run(
    stack: Stack, api: AirflowApi, run: Run, wire: Wire
) -> None:
    edit(CONTRACT, stack.layout.mappings, wire, "before the outage")
    before = writes(stack)
    nowhere = f"http://127.0.0.1:{free_port()}"
    lead_to(api, "finance", nowhere, secret=CLIENT_SECRET)
    run_id, state = run(AREA, maps=["contract_headers"])
    assert state == "failed"
    ((task_id, reason),) = reasons(api, run_id).items()
    assert task_id == LOAD
    assert nowhere.removeprefix("http://") in reason or "finance_default" in reason
    assert "Traceback" not in reason
    assert writes(stack) == before
    connect(api, stack.sandbox)
    assert clear_and_wait(stack, api, run_id) == "success"
    assert [str(each) for each in compare(stack.layout.mappings, AREAS, wire)] == []


@pytest.mark.parametrize(("system", "failing"), [("dataverse", "detect"), ("finance", LOAD)])
def test_a_wrong_secret_fails_at_once_and_names_the_connection(
    stack: Stack, api: AirflowApi, run: Run, wire: Wire, system: str, failing: str
) -> None:
    edit(CONTRACT, stack.layout.mappings, wire, f"before the secret of {system} was changed")
    before = writes(stack)
    lead_to(api, system, getattr(stack.sandbox, system), secret="not-it")
    run_id, state = run(AREA, maps=["contract_headers"])
    assert state == "failed"
    ((task_id, reason),) = reasons(api, run_id).items()
    assert task_id == failing
    assert f"{system}_default" in reason
    assert "AADSTS7000215" in reason
    assert "not-it" not in reason
    assert {task.try_number for task in api.tasks(AREA, run_id) if task.task_id == failing} == {1}
    assert writes(stack) == before
    told(stack, [f"authentication:{system}_default"])
    connect(api, stack.sandbox)
    assert clear_and_wait(stack, api, run_id) == "success"
    told(stack, [])
    assert [str(each) for each in compare(stack.layout.mappings, AREAS, wire)] == []


def told(stack: Stack, causes: list[str]) -> None:
    """Wait until these are the alerts about credentials: the callbacks of tasks run after their ends."""

    def are_open() -> bool | None:
        with closing(StateStore(stack.layout.state_url)) as store, store.reading() as connection:
            known = alerts.open_causes(connection)
        return [each for each in known if each.startswith("authentication")] == causes or None

    until(are_open, f"alerts of {causes}", 60, stack.processes)


def test_dead_letters_are_replayed_from_a_form_and_their_fate_is_told(
    stack: Stack, api: AirflowApi, run: Run, wire: Wire
) -> None:
    project = wire.dataverse_rows("msdyn_projects", "msdyn_istemplate eq false")[0]

    def ends(day: str) -> None:
        wire.change_dataverse("msdyn_projects", project["msdyn_projectid"], {"msdyn_scheduledend": day})

    ends("2001-01-01T00:00:00Z")
    assert run(AREA, maps=["projects"])[1] == "success"
    replays, state = run(REPLAY, map="projects")
    assert state == "failed"
    told = reasons(api, replays, REPLAY)
    assert list(told) == ["report"]
    assert told["report"].startswith("Still there: ")
    assert states(api, replays, REPLAY)["run"] == "success"

    ends(project["msdyn_scheduledend"])
    replays, state = run(REPLAY, map="projects")
    assert state == "success"
    assert any("moved by batch" in line or "in step at batch" in line for line in report(api, replays))
    with closing(StateStore(stack.layout.state_url)) as store, store.begin() as connection:
        assert live(connection, "projects") == []
        replayed = [row["actor"] for row in actions(connection) if row["action"] == "replay"]
    assert replayed == ["admin", "admin"]


def test_a_replay_of_what_is_not_there_fails_with_one_sentence(api: AirflowApi, run: Run) -> None:
    replays, state = run(REPLAY, numbers=[999_999])
    assert state == "failed"
    assert reasons(api, replays, REPLAY)["choose"].startswith("There is no dead letter 999999.")
    assert run(REPLAY)[1] == "success"


def report(api: AirflowApi, run_id: str) -> list[str]:
    return api.log(REPLAY, run_id, "report", 1)


def test_an_unknown_company_is_named(stack: Stack, api: AirflowApi, run: Run) -> None:
    before = writes(stack)
    run_id, state = run(AREA, companies=["nope"])
    assert state == "failed"
    (reason,) = reasons(api, run_id).values()
    assert "nope" in reason
    assert writes(stack) == before


def test_a_load_that_was_overtaken_finishes_when_it_is_cleared(
    stack: Stack, api: AirflowApi, run: Run, wire: Wire
) -> None:
    edit(CONTRACT, stack.layout.mappings, wire, "one")
    refuse(stack, [{"system": "finance", "entity": "$batch", "status": 403, "message": "No rights today"}])
    first, state = run(AREA, maps=["contract_headers"])
    assert state == "failed"
    assert states(api, first)[LOAD] == "failed"
    refuse(stack, [])
    edit(CONTRACT, stack.layout.mappings, wire, "two")
    assert run(AREA, maps=["contract_headers"])[1] == "success"
    assert clear_and_wait(stack, api, first) == "success"
    assert any("superseded" in line for line in api.log(AREA, first, LOAD, 2))
    assert [str(each) for each in compare(stack.layout.mappings, AREAS, wire)] == []


def test_a_broken_map_is_one_failing_task_and_the_others_run(stack: Stack, api: AirflowApi, run: Run) -> None:
    file = stack.layout.mappings / AREA / "resource_roles.yaml"
    good = file.read_text()
    assert "name, required" in good
    file.write_text(good.replace("name, required", "nmae, required"))
    try:
        wait_for_task(stack, api, "resource_roles__broken", there=True)
        run_id, state = run(AREA)
    finally:
        file.write_text(good)
    assert state == "failed"
    ((task_id, reason),) = reasons(api, run_id).items()
    assert task_id == "resource_roles__broken"
    assert "resource_roles.yaml:" in reason
    assert "nmae" in reason
    others = states(api, run_id)
    assert others["projects__dataverse_to_finance.load"] in {"success", "skipped"}
    assert "resource_roles__dataverse_to_finance.load" not in others
    wait_for_task(stack, api, "resource_roles__broken", there=False)
    assert run_until_in_step(stack, print, FRAME)[-1] == 0


def wait_for_task(stack: Stack, api: AirflowApi, task_id: str, *, there: bool) -> None:
    until(
        lambda: (task_id in api.task_ids(AREA)) is there or None,
        f"the task {task_id} to {'appear' if there else 'go'}",
        120,
        stack.processes,
    )


def refuse(stack: Stack, rules: list[dict[str, object]]) -> None:
    answer = httpx.put(f"{stack.sandbox.control}/sandbox/faults", json=rules, trust_env=False)
    answer.raise_for_status()


@pytest.mark.parametrize(("system", "said"), [("dataverse", "environment's id"), ("finance", "USPM")])
def test_the_test_button_signs_in_and_says_what_is_wrong(
    stack: Stack, api: AirflowApi, system: str, said: str
) -> None:
    address = getattr(stack.sandbox, system)
    extra = json.dumps({"tenant_id": TENANT, "authority": address})
    fields = {"host": address, "login": CLIENT_ID, "extra": extra}
    passed, message = api.test_connection("tried", system, {**fields, "password": CLIENT_SECRET})
    assert passed, message
    assert said in message
    passed, message = api.test_connection("tried", system, {**fields, "password": "not-it"})
    assert not passed
    assert "AADSTS7000215" in message
