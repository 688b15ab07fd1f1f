"""What goes wrong is told once, with what to do; it is taken back when it is over, and told again after that.

Each cause is brought about in the systems, the settings or the files, and met by the tasks and callbacks that
Airflow runs; what people get is read at a webhook.
"""

import json
import shutil
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from projops.orchestration.operators import BrokenMapOperator, ExtractOperator, StageOperator
from projops.reconcile.model import Scope
from projops.reconcile.reconciliation import begin, finish, reconcile_map
from projops.run import LegRef
from runner.layout import free_port
from runner.sandbox import CLIENT_ID, TENANT
from tests.e2e.engine import rows
from tests.e2e.engine.airflow_tasks import Site, site_of
from tests.e2e.engine.world import TOKEN, World
from tests.receivers import Webhook, webhook

SETUP = "setup_and_configuration"
ROLES = "resource_roles"
LEG = LegRef(ROLES, "dataverse_to_finance")
Steps = Iterator[None]


@pytest.fixture(scope="module")
def hook() -> Iterator[Webhook]:
    with webhook() as running:
        yield running


@pytest.fixture(autouse=True)
def untold(world: World, hook: Webhook) -> None:
    """Nobody has been told of anything."""
    hook.posts.clear()
    for table in ("alert", "delivery", "task_failure"):
        world.sql(f"delete from {table}")


@pytest.fixture
def site(untold: None, world: World, hook: Webhook, tmp_path: Path) -> Iterator[Site]:
    with site_of(world, hook, tmp_path) as site:
        yield site


def wrong_secret(site: Site) -> Steps:
    """All that signs in to Dataverse fails: here that is detect, in two areas."""
    extra = {"tenant_id": TENANT, "authority": site.world.sandbox.dataverse}
    site.connect("dataverse", login=CLIENT_ID, password="wrong", extra=extra)
    site.run(SETUP, ROLES)
    site.run("reference_data", "units")
    yield
    site.connect("dataverse")
    site.run(SETUP, ROLES)
    site.run("reference_data", "units")


def dataverse_down(site: Site) -> Steps:
    site.connect("dataverse", host=f"http://127.0.0.1:{free_port()}")
    site.run(SETUP, ROLES)
    yield
    site.connect("dataverse")
    site.run(SETUP, ROLES)


def finance_fails(site: Site) -> Steps:
    """Finance answers, but not to what is written."""
    rows.role(site.world, rows.fresh("ROLE"))
    site.world.faults({"system": "finance", "entity": "$batch", "status": 500})
    site.run(SETUP, ROLES)
    yield
    site.world.no_faults()
    site.run(SETUP, ROLES)


def throttled(site: Site) -> Steps:
    rows.role(site.world, rows.fresh("ROLE"))
    site.world.faults({"system": "finance", "entity": "$batch", "status": 429, "retry_after": 3600})
    site.run(SETUP, ROLES)
    yield
    site.world.no_faults()
    site.world.sql("update throttle set not_before = null, paced_until = null")  # the hour is over
    site.run(SETUP, ROLES)


def breaker(site: Site) -> Steps:
    """Its rows are dead letters as well: the breaker is the cause, and told alone."""
    site.set(breaker_rows=2)
    found = site.world.dataverse_rows("msdyn_projects", "msdyn_istemplate eq false")[:3]
    for row in found:
        site.world.change("msdyn_projects", row["msdyn_projectid"], msdyn_scheduledend="2001-01-01T00:00:00Z")
    site.run(SETUP, "projects")
    yield
    for row in found:
        end = row["msdyn_scheduledend"]
        site.world.change("msdyn_projects", row["msdyn_projectid"], msdyn_scheduledend=end)
    site.run(SETUP, "projects")


def mass_delete(site: Site) -> Steps:
    customer = rows.account(site.world, rows.fresh("C"))
    contract = rows.contract(site.world, rows.fresh("ORD"), customer)
    made = [rows.funding_source(site.world, rows.fresh("FS"), contract, customer) for _ in range(2)]
    site.world.forth("customers", "contract_headers", "funding_sources")
    site.set(delete_rows=1, delete_share=0)
    for guid in made:
        site.world.delete("msdyn_projectcontractsplitbillingrules", guid)
    site.run(SETUP, "funding_sources")
    yield
    site.world.approve("funding_sources")
    site.run(SETUP, "funding_sources")


def broken_map(site: Site) -> Steps:
    mappings = site.own("mappings")
    file = mappings / SETUP / f"{ROLES}.yaml"
    text = file.read_text()
    file.write_text(text.replace("RoleId", "NoSuchField"))
    site.task(BrokenMapOperator(task_id="broken", message="lint"), SETUP, "run", f"{ROLES}__broken", {})
    yield
    file.write_text(text)
    site.watch()


def refused_rows(site: Site) -> Steps:
    """Finance refuses as many rows of one kind as the rule says."""
    for _ in range(2):
        rows.role(site.world, rows.fresh("ROLE"))
    refused = {"system": "finance", "entity": "ResourceCategoriesShared", "in_batch": True, "verb": "POST"}
    site.world.faults({**refused, "status": 400, "message": "Infolog: Warning: The role is not wanted."})
    site.run(SETUP, ROLES)
    yield
    site.world.no_faults()
    site.world.replay(ROLES)
    site.run(SETUP, ROLES)


def parked_for_long(site: Site) -> Steps:
    customer = rows.account(site.world, rows.fresh("C"))
    rows.contract(site.world, rows.fresh("ORD"), customer)
    before = len(site.hook.posts)
    site.run(SETUP, "contract_headers")
    site.watch()
    assert len(site.hook.posts) == before  # it may yet arrive
    site.age("dead_letter", "first_seen", "status = 'parked'")
    site.watch()
    yield
    site.world.forth("customers")
    site.run(SETUP, "contract_headers")


def drift(site: Site) -> Steps:
    """Somebody changes at Finance what Dataverse owns."""
    number = rows.fresh("ROLE")
    rows.role(site.world, number)
    site.run(SETUP, ROLES)
    key = {"RoleId": number}
    before = site.world.finance_row("ResourceCategoriesShared", f"RoleId eq '{number}'")["Description"]
    site.world.patch("ResourceCategoriesShared", key, Description="Meddled with")
    reconcile(site)
    yield
    site.world.patch("ResourceCategoriesShared", key, Description=before)
    reconcile(site)


def late(site: Site) -> Steps:
    """Nothing has failed, and yet nothing runs."""
    rows.role(site.world, rows.fresh("ROLE"))
    site.age("leg", "committed_at", f"map = '{ROLES}'")
    site.age("look", "quiet_at", f"map = '{ROLES}'")
    site.watch()
    yield
    site.run(SETUP, ROLES)


def staging_lost(site: Site) -> Steps:
    rows.role(site.world, rows.fresh("ROLE"))
    params = {"maps": [ROLES], "companies": None, "mode": "incremental"}
    run, first = uuid.uuid4().hex, ExtractOperator(task_id="extract", leg=LEG)
    staged = site.task(first, SETUP, run, f"{LEG}.extract", params)
    shutil.rmtree(Path(site.world.settings.staging) / ROLES)
    operator = StageOperator(task_id="validate", stage="validate", staged=staged)
    site.task(operator, SETUP, run, f"{LEG}.validate", params)
    yield
    site.run(SETUP, ROLES)


def wrong_environment(site: Site) -> Steps:
    """As after copying production to test."""
    rows.role(site.world, rows.fresh("ROLE"))
    site.connect("finance", host=site.world.sandbox.finance.replace("127.0.0.1", "localhost"))
    site.run(SETUP, ROLES)
    yield
    site.connect("finance")
    site.run(SETUP, ROLES)


def budget_used_up(site: Site) -> Steps:
    site.set(request_budget=1)
    site.watch()
    yield
    site.set(request_budget=10_000_000)
    site.watch()


def reconcile(site: Site) -> None:
    scope = Scope(maps=(ROLES,))
    with site.world.engine() as engine:
        number = begin(engine, "test", uuid.uuid4().hex, scope)
        reconcile_map(engine, number, ROLES, scope)
        finish(engine, number)
    site.watch()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # Postgres: the next two
@pytest.mark.parametrize(
    ("steps", "cause", "remedy"),
    [
        (wrong_secret, "authentication:dataverse_default", "Check login, password"),
        (dataverse_down, "unavailable:dataverse_default", "whether the system is up"),
        (finance_fails, "unavailable:finance_default", "whether the system is up"),
        (throttled, "throttled:finance_default", "smaller `limits`"),
        (breaker, "stopped:projects:dataverse_to_finance", "correct the source or the mapping"),
        (mass_delete, "approval:funding_sources:dataverse_to_finance", "approve them, or dismiss"),
        (broken_map, f"mapping:include/mappings/{SETUP}/{ROLES}.yaml", "Correct the file at that line"),
        (refused_rows, f"dead_letters:{ROLES}:", "replay the group"),
        (parked_for_long, "parked:contract_headers:dataverse_to_finance", "mend what holds those back"),
        (drift, f"drift:{ROLES}", "Repair it there"),
        (late, f"late:{SETUP}", "paused or a run of it hangs"),
        (staging_lost, "staging", "Clear the extract task"),
        (wrong_environment, "environment", "Correct the connection"),
        (budget_used_up, "budget:", "PROJOPS_REQUEST_BUDGET"),  # then comes the day, which may end meanwhile
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_cause_is_told_once_and_taken_back_and_told_again(
    site: Site, steps: Callable[[Site], Steps], cause: str, remedy: str
) -> None:
    for round_ in range(2):
        going = steps(site)
        next(going)
        site.watch()
        site.watch()
        told = site.hook.posts[2 * round_ :]
        assert len(told) == 1, [each["text"] for each in told]
        [kept] = site.world.sql("select * from alert where resolved_at is null")
        assert kept["cause"].startswith(cause)
        assert kept["title"] in told[0]["text"]
        assert remedy in kept["remedy"]
        assert_tells(told[0], kept)
        next(going, None)
        site.watch()
        assert site.world.sql("select cause from alert where resolved_at is null") == []
        over = site.hook.posts[2 * round_ + 1 :]
        assert [each["text"] for each in over] == [f"[Project Operations Sync] Over: {kept['title']}"]
    assert site.world.sql("select count(*) as n from alert") == [{"n": 2}]


def assert_tells(post: Any, kept: dict[str, Any]) -> None:
    """A message says what happened, what that means and what to do, and leads to the page."""
    said = json.dumps(post, ensure_ascii=False)
    assert "What it means" in said
    assert "What to do" in said
    assert f"https://airflow.example.com/projops/{kept['page']}".split("?")[0] in said
    assert TOKEN not in said


def test_watches_side_by_side_tell_a_cause_once(site: Site) -> None:
    """As when all legs of a run fail within a moment."""
    site.connect("dataverse", host=f"http://127.0.0.1:{free_port()}")
    with ThreadPoolExecutor(4) as pool:
        for run in [pool.submit(site.run, SETUP, ROLES) for _ in range(4)]:
            run.result()
    assert len(site.hook.posts) == 1


def test_a_rule_may_stop_the_map(world: World, hook: Webhook, tmp_path: Path) -> None:
    """Two rules about one cause are one alert, with what both of them want."""
    more = f"  strict: {{when: dead_letters, maps: [{ROLES}], rows: 2, minutes: 60, action: stop}}"
    with site_of(world, hook, tmp_path, more) as site:
        steps = refused_rows(site)
        next(steps)
        site.watch()
        assert len(hook.posts) == 1
        [pause] = world.sql(f"select * from pause where map = '{ROLES}'")
        assert (pause["paused_by"], bool(pause["at_once"])) == ("alert rule dead_letters, strict", True)
        [line] = world.sql("select * from audit where action = 'stop'")
        assert line["subject"] == ROLES
        world.sql("update pause set resumed_at = paused_at")  # a person lets it go on
        site.watch()
        assert len(world.sql("select * from audit where action = 'stop'")) == 1
        next(steps, None)
