"""A whole tree in one run of its area, in whatever order its rows came; and parents whose key changed."""

from tests.e2e.engine import rows
from tests.e2e.engine.world import World

LEVELS = 5
END, BEFORE = "2026-09-30T00:00:00Z", "2001-01-01T00:00:00Z"
SETUP = (
    "contract_headers",
    "funding_sources",
    "projects",
    "contract_lines",
    "project_tasks",
    "milestones",
)


def a_tree(world: World, end: str) -> dict[str, str]:
    """Contract, funding source, project, five levels of tasks, line, milestone and assignment.

    Each row is touched after its parents were made, the deepest first: change tracking tells children
    before their parents.
    """
    customer = rows.account(world, rows.fresh("C"))
    contract = rows.contract(world, rows.fresh("ORD"), customer)
    rows.funding_source(world, rows.fresh("FS"), contract, customer)
    number = rows.fresh("PRJ")
    project = rows.project(
        world,
        number,
        **{
            "msdyn_scheduledend": end,
            "msdyn_salesorderid@odata.bind": rows.bound("salesorders", contract),
            "msdyn_customer@odata.bind": rows.bound("accounts", customer),
        },
    )
    tasks = _tasks(world, project)
    line = world.create(
        "salesorderdetails",
        **{
            "salesorderid@odata.bind": rows.bound("salesorders", contract),
            "msdyn_project@odata.bind": rows.bound("msdyn_projects", project),
            "msdyn_contractlinenumber": rows.fresh("CL"),
            "sequencenumber": 1,
            "producttypecode": 5,
            "msdyn_linetype": 690970000,
            "msdyn_billingmethod": 192350001,
            "productdescription": "Fixed",
            "msdyn_contractamount": 5000,
        },
    )
    milestone = world.create(
        "msdyn_contractlinescheduleofvalues",
        **{
            "msdyn_milestonenumber": rows.fresh("MS"),
            "msdyn_name": "First",
            "msdyn_amount": 5000,
            "msdyn_milestonedate": "2026-06-30",
            "msdyn_contractlineid@odata.bind": rows.bound("salesorderdetails", line),
            "msdyn_contract@odata.bind": rows.bound("salesorders", contract),
            "msdyn_project@odata.bind": rows.bound("msdyn_projects", project),
            "msdyn_projecttask@odata.bind": rows.bound("msdyn_projecttasks", tasks[-1]),
            "transactioncurrencyid@odata.bind": rows.currency(world),
        },
    )
    assignment = world.create(
        "msdyn_resourceassignments",
        **{
            "msdyn_name": "Work",
            "msdyn_hours": 8,
            "msdyn_projectid@odata.bind": rows.bound("msdyn_projects", project),
            "msdyn_taskid@odata.bind": rows.bound("msdyn_projecttasks", tasks[-1]),
            "msdyn_salescontractlineid@odata.bind": rows.bound("salesorderdetails", line),
            "msdyn_owningcompany@odata.bind": rows.company(world),
        },
    )
    world.change("msdyn_contractlinescheduleofvalues", milestone, msdyn_name="Second")
    for task in reversed(tasks):
        world.change("msdyn_projecttasks", task, msdyn_subject="Touched")
    world.change("msdyn_projects", project, msdyn_description="Touched")
    return {"project": project, "number": number, "assignment": assignment, "milestone": milestone}


def _tasks(world: World, project: str) -> list[str]:
    tasks: list[str] = []
    for level in range(LEVELS):
        facts = {"msdyn_wbsid": ".".join("1" * (level + 1))}
        if tasks:
            facts["msdyn_parenttask@odata.bind"] = rows.bound("msdyn_projecttasks", tasks[-1])
        tasks.append(rows.project_task(world, rows.fresh("T"), project, **facts))
    return tasks


def at_finance(world: World, tree: dict[str, str]) -> tuple[int, ...]:
    """Rows of the tree's project that Finance has: projects, tasks, contract lines, milestones, forecasts."""
    number = tree["number"]
    return tuple(
        len(world.finance_rows(entity_set, f"{column} eq '{number}'"))
        for entity_set, column in (
            ("ProjectsV2", "ProjectId"),
            ("ProjectTasks", "ProjectId"),
            ("ProjectContractLines", "LineProjectId"),
            ("ProjectContractLineMilestones", "ProjectNumber"),
            ("ProjEstimateHoursImport", "ProjectId"),
        )
    )


def test_a_tree_made_at_once_arrives_in_one_run(world: World) -> None:
    tree = a_tree(world, END)
    world.forth("customers")
    moved = world.forth(*SETUP)
    assert sum(each.loaded for each in moved.values()) == 1 + 1 + 1 + LEVELS + 1 + 1
    assert at_finance(world, tree) == (1, LEVELS, 1, 1, 0)
    assert world.forth("hour_estimates")["hour_estimates__dataverse_to_finance"].loaded == 1
    assert at_finance(world, tree) == (1, LEVELS, 1, 1, 1)
    assert world.sql("select * from dead_letter where status = 'parked'") == []


def test_parked_children_go_in_the_run_that_brings_their_parent(world: World) -> None:
    """The project breaks a rule; its tasks, line and milestone wait. Nothing but the project changes then."""
    tree = a_tree(world, BEFORE)
    world.forth("customers")
    world.forth(*SETUP)
    assert at_finance(world, tree) == (0, 0, 0, 0, 0)
    parked = "select map, count(*) as number from dead_letter where status = 'parked' group by map"
    waiting = {row["map"]: row["number"] for row in world.sql(parked)}
    assert waiting == {"project_tasks": LEVELS, "contract_lines": 1, "milestones": 1}

    world.change("msdyn_projects", tree["project"], msdyn_scheduledend=END)
    moved = world.forth(*SETUP)
    assert sum(each.loaded for each in moved.values()) == 1 + LEVELS + 1 + 1
    assert at_finance(world, tree) == (1, LEVELS, 1, 1, 0)
    assert world.sql("select * from dead_letter where status in ('open', 'parked')") == []


def test_across_areas_children_wait_and_go_with_the_next_run_of_their_own(world: World) -> None:
    tree = a_tree(world, END)
    assert world.forth("hour_estimates")["hour_estimates__dataverse_to_finance"].parked == 1
    world.forth("customers", *SETUP)
    assert at_finance(world, tree) == (1, LEVELS, 1, 1, 0)
    assert world.forth("hour_estimates")["hour_estimates__dataverse_to_finance"].loaded == 1


def test_a_task_of_a_project_with_a_new_number_is_set_aside_by_name_until_the_project_moved(
    world: World,
) -> None:
    number, renamed = rows.fresh("PRJ"), rows.fresh("PRJ")
    project = rows.project(world, number)
    world.forth("projects")
    world.change("msdyn_projects", project, msdyn_projectnumber=renamed)
    rows.project_task(world, rows.fresh("T"), project)
    assert world.forth("project_tasks")["project_tasks__dataverse_to_finance"].failed == 1
    [letter] = world.letters("project_tasks")
    assert letter["rule"] == "parent_key_changed"
    assert number.lower() in letter["message"]
    assert renamed.lower() in letter["message"]
    world.forth("projects", "project_tasks")
    assert world.letters("project_tasks") == []
    assert len(world.finance_rows("ProjectTasks", f"ProjectId eq '{renamed}'")) == 1


def test_a_customer_that_names_an_account_with_a_new_number_is_set_aside_by_name_until_it_has_its_old_one(
    world: World,
) -> None:
    payer, renamed, number = rows.fresh("P"), rows.fresh("P"), rows.fresh("C")
    rows.customer(world, payer)
    world.sync("customers")
    there = rows.at_dataverse(world, payer)
    assert there is not None
    world.change("accounts", there["accountid"], accountnumber=renamed)
    rows.customer(world, number, InvoiceAccount=payer)
    with world.batch("customers", "finance_to_dataverse") as stages:
        assert stages.load(stages.staged()).failed == 1
    [letter] = world.letters("customers")
    assert letter["rule"] == "parent_key_changed"
    assert f"accountnumber {renamed}" in letter["message"]
    world.change("accounts", there["accountid"], accountnumber=payer)
    world.sync("customers")
    assert world.letters("customers") == []
    child = rows.at_dataverse(world, number)
    assert child is not None
    assert child["_msdyn_billingaccount_value"] == there["accountid"]
