"""Filling a store with so many actuals and all that they refer to, in constant memory."""

from collections.abc import Callable, Iterator

from sandbox.data import demo, ledgers, prices, resources, work
from sandbox.data.contracts import CONFIRMED, funding_source_rows, line_row, order_row
from sandbox.data.firm import COMPANIES, SEED, Row
from sandbox.data.milestones import milestone_rows_of
from sandbox.data.parties import account_row, finance_customer_row
from sandbox.data.projects import project_row, task_row, tasks
from sandbox.data.scale.actuals import Books, record
from sandbox.data.scale.chance import Chance
from sandbox.data.scale.plan import Plan, plan_firm
from sandbox.data.scale.terms import terms_of
from sandbox.data.scale.work import work_on
from sandbox.data.work import resource_row
from sandbox.dataverse.rules.actuals import ACTUAL
from sandbox.store import Store

MOST_ACTUALS = 50_000_000
_BATCH = 10_000  # actuals that are held at once
_MOST_A_WORK = 16  # actuals that a piece of work makes at most: two payers, two billing types, lent, canceled
_STEPS = 20  # how often progress is told


def seed_scale(store: Store, actuals: int, tell: Callable[[str], None]) -> None:
    """Fill an empty `store` with so many actuals and what they refer to, the same rows every time.

    Args:
        store: Both systems.
        actuals: Rows of msdyn_actual, exactly.
        tell: Hears now and then how far it has come.
    """
    plan = plan_firm(actuals)
    for entity_set, rows in _finance_rows(plan).items():
        store.bulk_insert(store.finance[entity_set], rows)
    for table, found in _reference_rows(plan):
        store.bulk_insert(store.dataverse[table], found)
    done = 0
    for books in recorded(plan, actuals):
        for table, waiting in books.items():
            store.bulk_insert(store.dataverse[table], waiting)
        before, done = done, done + len(books[ACTUAL])
        if done * _STEPS // actuals > before * _STEPS // actuals:
            tell(f"{done:,} of {actuals:,} actuals")


def _finance_rows(plan: Plan) -> dict[str, list[Row]]:
    """The reference data of the demo, and the customers of the plan."""
    rows = demo.finance_rows()
    customers = [finance_customer_row(it) for it in plan.customers]
    return rows | {"CustomersV3": [*rows["CustomersV3"], *customers]}


def _reference_rows(plan: Plan) -> Iterator[tuple[str, Iterator[Row]]]:
    """Yield table by table what actuals refer to, parents first."""
    yield "cdm_company", iter(ledgers.companies())
    yield "transactioncurrency", iter(ledgers.transaction_currencies())
    yield "msdyn_organizationalunit", iter(ledgers.organizational_units())
    yield "account", (account_row(it) for it in plan.customers)
    yield "bookableresourcecategory", iter(resources.roles())
    yield "msdyn_transactioncategory", iter(resources.transaction_categories())
    yield "uom", iter(work.units())
    for table, rows in prices.dataverse_rows().items():
        yield table, iter(rows)
    yield (
        "bookableresource",
        (
            resource_row(it, place, name)
            for it in COMPANIES
            for place, name in enumerate(plan.people[it.code])
        ),
    )
    yield "salesorder", (order_row(it, place, CONFIRMED) for place, it in enumerate(plan.engagements))
    yield (
        "msdyn_projectcontractsplitbillingrule",
        (row for it in plan.engagements for row in funding_source_rows(it)),
    )
    yield "msdyn_project", (project_row(site.project, place) for place, site in enumerate(plan.sites))
    yield "salesorderdetail", (line_row(it, line) for it in plan.engagements for line in it.lines)
    yield (
        "msdyn_projecttask",
        (task_row(task, place) for site in plan.sites for place, task in enumerate(tasks(site.project))),
    )
    yield (
        "msdyn_contractlinescheduleofvalue",
        (row for it in plan.engagements for row in milestone_rows_of(it)),
    )


def recorded(plan: Plan, actuals: int) -> Iterator[dict[str, list[Row]]]:
    """Yield what is recorded, by table, until there are so many actuals.

    The last project takes what others left: it is internal, where work makes one actual each.
    """
    books = Books()
    for place, site in enumerate(plan.sites):
        until = min(books.recorded + site.actuals, actuals - _MOST_A_WORK)
        if site is plan.sites[-1]:
            until = actuals
        terms, people = terms_of(site), len(plan.people[site.project.company.code])
        works = work_on(site, people, Chance(SEED + place))
        while books.recorded < until:
            record(books, terms, next(works))
            if len(books.rows[ACTUAL]) >= _BATCH:
                yield books.take()
    yield books.take()
