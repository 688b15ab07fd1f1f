"""A contract is signed: its lines, the project with its tasks, who is booked, and what it will cost."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from runner.story.cast import Cast
from runner.wire import Wire

TIME, EXPENSE, MATERIAL = 192350000, 192350001, 192350002
_WORK_BASED, _PROJECT_LINE, _PROJECT_SERVICE = 192350001, 690970000, 5
_TIME_AND_MATERIAL, _FIXED_PRICE = 192350000, 192350001
_DRAFT, _HARD_BOOK = 192350000, 192350001
_COST, _UNBILLED = 192350000, 192350005
_READY, _CHARGEABLE = 192350001, 192350001
_TASKS = ("Build", "Configure", "Review", "Lead")
MILESTONE_AMOUNT = 5000


@dataclass(frozen=True, slots=True)
class Engagement:
    """What was signed: ids of Dataverse, numbers of both systems.

    Attributes:
        number: Contract number.
        contract: Id of the contract.
        time_line: Id of the line of time and material.
        fixed_line: Id of the line at a fixed price.
        project: Id of the project.
        project_number: Its number.
        tasks: Ids of the tasks that work is booked on, by subject.
        milestone: Id of the milestone.
        subcontract: Id of the subcontract.
        subcontract_line: Id of its line.
        start: First day of work.
    """

    number: str
    contract: str
    time_line: str
    fixed_line: str
    project: str
    project_number: str
    tasks: Mapping[str, str]
    milestone: str
    subcontract: str
    subcontract_line: str
    start: date

    @property
    def serial(self) -> str:
        """The digits that all numbers of the engagement share."""
        return self.number[4:9]

    def task_number(self, subject: str) -> str:
        """Number of a task that work is booked on."""
        return f"T{self.serial}-1.{_TASKS.index(subject)}"


def bound(name: str, entity_set: str, row_id: str) -> dict[str, str]:
    """Say that a lookup leads to a row."""
    return {f"{name}@odata.bind": f"/{entity_set}({row_id})"}


def next_serial(wire: Wire) -> int:
    """Number a new engagement behind those of earlier stories."""
    taken = wire.dataverse_rows("salesorders", "startswith(ordernumber,'ORD-91')")
    return 91001 + len(taken)


def sign(wire: Wire, cast: Cast, start: date) -> Engagement:
    """Create contract, lines, project, tasks, milestone, assignment, estimates and a subcontract."""
    serial = next_serial(wire)
    company = bound("msdyn_company", "cdm_companies", cast.seller["cdm_companyid"])
    owner = bound("msdyn_owningcompany", "cdm_companies", cast.seller["cdm_companyid"])
    currency = bound("transactioncurrencyid", "transactioncurrencies", cast.currency["transactioncurrencyid"])
    number = f"ORD-{serial}-STORY1"
    contract = wire.create_dataverse("salesorders", _contract(number, cast) | company | currency)
    project_number = f"PRJ-{serial}-STORY1"
    project = wire.create_dataverse(
        "msdyn_projects", _project(project_number, contract, cast, start) | owner | currency
    )
    lines = [
        wire.create_dataverse("salesorderdetails", _line(serial, place, contract, project) | currency)
        for place in (1, 2)
    ]
    tasks = _tasks(wire, serial, project, start)
    milestone = wire.create_dataverse(
        "msdyn_contractlinescheduleofvalues",
        _milestone(serial, contract, lines[1], project, start) | currency,
    )
    planned = {**bound("msdyn_salescontractlineid", "salesorderdetails", lines[0]), **owner, **currency}
    _plan(wire, serial, cast, (project, tasks["Build"]), start, planned)
    subcontract, subcontract_line = _subcontract(wire, serial, cast, project, tasks["Review"], start)
    return Engagement(
        number=number,
        contract=contract,
        time_line=lines[0],
        fixed_line=lines[1],
        project=project,
        project_number=project_number,
        tasks=tasks,
        milestone=milestone,
        subcontract=subcontract,
        subcontract_line=subcontract_line,
        start=start,
    )


def _contract(number: str, cast: Cast) -> dict[str, Any]:
    return {
        "ordernumber": number,
        "name": f"Rollout for {cast.customer['name']}"[:300],
        "msdyn_ordertype": _WORK_BASED,
        "msdyn_psastate": _DRAFT,
        "msdyn_psastatusreason": _DRAFT,
        **bound("customerid_account", "accounts", cast.customer["accountid"]),
        **bound(
            "msdyn_contractorganizationalunitid",
            "msdyn_organizationalunits",
            cast.unit["msdyn_organizationalunitid"],
        ),
    }


def _project(number: str, contract: str, cast: Cast, start: date) -> dict[str, Any]:
    return {
        "msdyn_projectnumber": number,
        "msdyn_subject": f"Rollout at {cast.customer['name']}"[:200],
        "msdyn_istemplate": False,
        "msdyn_scheduledstart": f"{start}T00:00:00Z",
        "msdyn_scheduledend": f"{start + timedelta(days=60)}T00:00:00Z",
        **bound("msdyn_customer", "accounts", cast.customer["accountid"]),
        **bound("msdyn_salesorderid", "salesorders", contract),
        **bound(
            "msdyn_contractorganizationalunitid",
            "msdyn_organizationalunits",
            cast.unit["msdyn_organizationalunitid"],
        ),
    }


def _line(serial: int, place: int, contract: str, project: str) -> dict[str, Any]:
    fixed = place == 2
    amount = MILESTONE_AMOUNT if fixed else 20000
    return {
        "sequencenumber": place,
        "lineitemnumber": place,
        "msdyn_contractlinenumber": f"CLN-{serial}-{place}",
        "salesorderdetailname": "Fixed price" if fixed else "Time and material",
        "productdescription": "Go-live at a fixed price" if fixed else "Work by the hour",
        "producttypecode": _PROJECT_SERVICE,
        "msdyn_linetype": _PROJECT_LINE,
        "msdyn_billingmethod": _FIXED_PRICE if fixed else _TIME_AND_MATERIAL,
        "msdyn_includetime": not fixed,
        "msdyn_includeexpense": not fixed,
        "msdyn_includematerial": not fixed,
        "msdyn_includefee": False,
        "quantity": 1,
        "priceperunit": amount,
        "extendedamount": amount,
        "msdyn_contractamount": amount,
        **bound("salesorderid", "salesorders", contract),
        **bound("msdyn_project", "msdyn_projects", project),
    }


def _tasks(wire: Wire, serial: int, project: str, start: date) -> dict[str, str]:
    """A summary task and those that work is booked on, below it."""
    shared = {
        "msdyn_islinetask": False,
        "msdyn_scheduledstart": f"{start}T00:00:00Z",
        "msdyn_scheduledend": f"{start + timedelta(days=30)}T00:00:00Z",
        **bound("msdyn_project", "msdyn_projects", project),
    }
    summary = wire.create_dataverse(
        "msdyn_projecttasks",
        {"msdyn_projecttasknumber": f"T{serial}-1", "msdyn_subject": "Rollout", "msdyn_wbsid": "1", **shared},
    )
    below = bound("msdyn_parenttask", "msdyn_projecttasks", summary)
    return {
        subject: wire.create_dataverse(
            "msdyn_projecttasks",
            {
                "msdyn_projecttasknumber": f"T{serial}-1.{place}",
                "msdyn_subject": subject,
                "msdyn_wbsid": f"1.{place + 1}",
                **shared,
                **below,
            },
        )
        for place, subject in enumerate(_TASKS)
    }


def _milestone(serial: int, contract: str, line: str, project: str, start: date) -> dict[str, Any]:
    return {
        "msdyn_milestonenumber": f"MS-{serial}-1",
        "msdyn_name": "Go-live",
        "msdyn_amount": MILESTONE_AMOUNT,
        "msdyn_milestonedate": str(start),
        "msdyn_invoicedate": f"{start}T00:00:00Z",
        "msdyn_invoicestatus": _READY,
        **bound("msdyn_contract", "salesorders", contract),
        **bound("msdyn_contractlineid", "salesorderdetails", line),
        **bound("msdyn_project", "msdyn_projects", project),
    }


def _plan(
    wire: Wire, serial: int, cast: Cast, where: tuple[str, str], start: date, shared: Mapping[str, str]
) -> None:
    """Book somebody on a task, and estimate its travel and its hardware, cost and sales (R202, R203)."""
    project, task = where
    wire.create_dataverse(
        "msdyn_resourceassignments",
        {
            "msdyn_resourceassignmentnumber": f"RA-{serial}",
            "msdyn_name": "Build",
            "msdyn_hours": 8,
            "msdyn_plannedcost": 800,
            "msdyn_plannedsales": 1600,
            "msdyn_committype": _HARD_BOOK,
            "msdyn_fromdate": f"{start}T00:00:00Z",
            "msdyn_todate": f"{start + timedelta(days=1)}T00:00:00Z",
            **bound("msdyn_projectid", "msdyn_projects", project),
            **bound("msdyn_taskid", "msdyn_projecttasks", task),
            **_booked_as(cast),
            **bound("msdyn_bookableresourceid", "bookableresources", cast.resource["bookableresourceid"]),
            **shared,
        },
    )
    for name, kind in (("Travel", EXPENSE), ("Hardware", MATERIAL)):
        cost = None
        for side, price in ((_COST, 100), (_UNBILLED, 120)):
            line: dict[str, Any] = {
                "msdyn_estimatelinenumber": f"EL-{serial}-{name[0]}{side % 10}",
                "msdyn_description": name,
                "msdyn_transactionclassification": kind,
                "msdyn_transactiontypecode": side,
                "msdyn_quantity": 2,
                "msdyn_price": price,
                "msdyn_amount": 2 * price,
                "msdyn_startdatetime": f"{start}T00:00:00Z",
                "msdyn_enddatetime": f"{start + timedelta(days=1)}T00:00:00Z",
                **bound("msdyn_project", "msdyn_projects", project),
                **bound("msdyn_task", "msdyn_projecttasks", task),
                **_category(cast, name),
                **shared,
            }
            if cost is not None:
                line |= {"msdyn_billingtype": _CHARGEABLE} | bound(
                    "msdyn_originestimateline", "msdyn_estimatelines", cost
                )
            cost = wire.create_dataverse("msdyn_estimatelines", line)


def _subcontract(
    wire: Wire, serial: int, cast: Cast, project: str, task: str, start: date
) -> tuple[str, str]:
    """Buy four hours of somebody else's time."""
    shared = {
        **bound("msdyn_project", "msdyn_projects", project),
        **bound("msdyn_owningcompany", "cdm_companies", cast.seller["cdm_companyid"]),
    }
    subcontract = wire.create_dataverse(
        "msdyn_subcontracts",
        {
            "msdyn_subcontractnumber": f"SUB-{serial}",
            "msdyn_name": "Review by a partner",
            "msdyn_date": str(start),
            **bound("msdyn_vendor", "accounts", cast.vendor["accountid"]),
            **bound("transactioncurrencyid", "transactioncurrencies", cast.currency["transactioncurrencyid"]),
            **shared,
        },
    )
    line = wire.create_dataverse(
        "msdyn_subcontractlines",
        {
            "msdyn_subcontractlinenumber": f"SUBL-{serial}-1",
            "msdyn_name": "Review",
            "msdyn_transactionclassification": TIME,
            "msdyn_quantity": 4,
            "msdyn_price": 90,
            "msdyn_deliverydate": str(start + timedelta(days=10)),
            **bound("msdyn_subcontract", "msdyn_subcontracts", subcontract),
            **bound("msdyn_task", "msdyn_projecttasks", task),
            **bound("msdyn_unit", "uoms", cast.hour["uomid"]),
            **_booked_as(cast),
            **shared,
        },
    )
    return subcontract, line


def _booked_as(cast: Cast) -> dict[str, str]:
    return {
        **bound(
            "msdyn_resourcecategory",
            "bookableresourcecategories",
            cast.role["bookableresourcecategoryid"],
        ),
        **_category(cast, "Design"),
    }


def _category(cast: Cast, name: str) -> dict[str, str]:
    category = cast.categories[name]["msdyn_transactioncategoryid"]
    return bound("msdyn_transactioncategory", "msdyn_transactioncategories", category)
