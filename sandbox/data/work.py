"""Planned and done work: resources, assignments, estimates, and the actuals of hours worked so far.

Hours cost 100 and are billed at 200 an hour, as in Microsoft's examples (R302).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache

from sandbox.data.contracts import funding_source_id
from sandbox.data.engagements import Engagement, Line, Project, engagements
from sandbox.data.firm import COMPANIES, Company, Row, currency_id, guid, local_midnight
from sandbox.data.projects import Task, tasks
from sandbox.data.resources import category_id, role_id

_RESOURCES = ("Ana Bowman", "Bernadette Foley", "Chris 'Cris' Naidoo", "Dörte Grün")
_USER = 3  # bookableresource.resourcetype
_HARD_BOOK = 192350001
_APPROVED = 192350002
_TIME, _EXPENSE, _MATERIAL = 192350000, 192350001, 192350002
_COST, _UNBILLED = 192350000, 192350005
_CHARGEABLE, _UNBILLED_CREATED = 192350001, 192350000
_DESIGN, _TRAVEL, _HARDWARE = 0, 4, 8  # places in CATEGORIES
_HOURS = Decimal(8)
_COST_PRICE, _SALES_PRICE = Decimal(100), Decimal(200)
_WORKED = date(2026, 9, 1)
_SYMBOLS = ("hr", "ea")

MAIN_ROLE = 2
"""Place in ROLES of who does most of the work: the consultant."""


@dataclass(frozen=True, slots=True)
class Hours:
    """Eight hours of one resource on one task.

    Attributes:
        engagement: The contract that the project belongs to.
        line: Its contract line.
        project: The project.
        task: A task without children.
        day: When.
    """

    engagement: Engagement
    line: Line
    project: Project
    task: Task
    day: date

    @property
    def name(self) -> str:
        """What ids are made from."""
        return f"{self.task.number}/{self.day}"


def units() -> list[Row]:
    """Rows of uom: hours and each; the others arrive by sync."""
    return [{"uomid": unit_id(symbol), "name": symbol, "msdyn_symbol": symbol} for symbol in _SYMBOLS]


def unit_id(symbol: str) -> str:
    """Return the id of a uom row."""
    return guid("uom", symbol)


def resource_id(company: Company, place: int) -> str:
    """Return the id of a bookableresource row."""
    return guid("bookableresource", f"{company.code}/{place}")


def bookable_resources() -> list[Row]:
    """Rows of bookableresource: the people of each company."""
    return [
        resource_row(company, place, name) for company in COMPANIES for place, name in enumerate(_RESOURCES)
    ]


def resource_row(company: Company, place: int, name: str) -> Row:
    """Return the row of bookableresource of one of a company's people."""
    return {
        "bookableresourceid": resource_id(company, place),
        "name": name,
        "resourcetype": _USER,
        "msdyn_organizationalunit": company.unit_id,
        "msdyn_owningcompany": company.company_id,
        "transactioncurrencyid": currency_id(company.currency),
    }


@lru_cache(maxsize=1)
def hours() -> tuple[Hours, ...]:
    """Return the work done so far: two days on each sold project that is active."""
    return tuple(_hours())


def assignments() -> list[Row]:
    """Rows of msdyn_resourceassignment, one for each piece of work and one still to come."""
    return [
        {
            "msdyn_resourceassignmentid": guid("msdyn_resourceassignment", it.name),
            "msdyn_resourceassignmentnumber": f"RA-{place + 1:06d}",
            "msdyn_name": it.task.subject[:100],
            "msdyn_projectid": it.project.project_id,
            "msdyn_taskid": it.task.task_id,
            "msdyn_bookableresourceid": resource_id(it.project.company, place % len(_RESOURCES)),
            "msdyn_resourcecategory": role_id(MAIN_ROLE),
            "msdyn_transactioncategory": category_id(_DESIGN),
            "msdyn_salescontractlineid": it.line.line_id,
            "msdyn_committype": _HARD_BOOK,
            "msdyn_fromdate": local_midnight(it.day, it.project.company.zone),
            "msdyn_todate": local_midnight(it.day + timedelta(days=1), it.project.company.zone),
            "msdyn_hours": _HOURS,
            "msdyn_plannedcost": _HOURS * _COST_PRICE,
            "msdyn_plannedsales": _HOURS * _SALES_PRICE,
            "transactioncurrencyid": currency_id(it.project.company.currency),
            "msdyn_owningcompany": it.project.company.company_id,
        }
        for place, it in enumerate(hours())
    ]


def estimate_lines() -> list[Row]:
    """Rows of msdyn_estimateline: travel and hardware of each project, cost and sales lines (R203)."""
    return [
        row
        for it in hours()[::2]
        for kind, category, price in (
            (_EXPENSE, _TRAVEL, Decimal("125.5")),
            (_MATERIAL, _HARDWARE, Decimal(80)),
        )
        for row in _estimate(it, kind, category, price)
    ]


def time_entries() -> list[Row]:
    """Rows of msdyn_timeentry, approved."""
    return [
        {
            "msdyn_timeentryid": guid("msdyn_timeentry", it.name),
            "msdyn_description": f"{it.task.subject[:60]}, day {place + 1}",
            "msdyn_bookableresource": resource_id(it.project.company, place % len(_RESOURCES)),
            "msdyn_date": local_midnight(it.day, it.project.company.zone),
            "msdyn_duration": int(_HOURS * 60),
            "msdyn_entrystatus": _APPROVED,
            "msdyn_project": it.project.project_id,
            "msdyn_projecttask": it.task.task_id,
            "msdyn_resourcecategory": role_id(MAIN_ROLE),
            "msdyn_transactioncategory": category_id(_DESIGN),
        }
        for place, it in enumerate(hours())
    ]


def actuals() -> list[Row]:
    """Rows of msdyn_actual: cost, and unbilled sales on lines of time and material (R302, R305)."""
    return [row for place, it in enumerate(hours()) for row in _actuals(it, place)]


def connections() -> list[Row]:
    """Rows of msdyn_transactionconnection: unbilled sales with their costs (R302)."""
    return [
        {
            "msdyn_transactionconnectionid": guid("msdyn_transactionconnection", it.name),
            "msdyn_name": "Unbilled Sales - Cost",
            "msdyn_transaction1": actual_id(it, _UNBILLED),
            "msdyn_transaction1id": actual_id(it, _UNBILLED),
            "msdyn_transaction1role": "Unbilled Sales",
            "msdyn_transaction1type": "msdyn_actual",
            "msdyn_transaction2": actual_id(it, _COST),
            "msdyn_transaction2id": actual_id(it, _COST),
            "msdyn_transaction2role": "Cost",
            "msdyn_transaction2type": "msdyn_actual",
        }
        for it in hours()
        if not it.line.fixed_price
    ]


def origins() -> list[Row]:
    """Rows of msdyn_transactionorigin: actuals with the time entries that they come from."""
    return [
        {
            "msdyn_transactionoriginid": guid("msdyn_transactionorigin", f"{it.name}/{kind}"),
            "msdyn_name": "msdyn_timeentry",
            "msdyn_origin": guid("msdyn_timeentry", it.name),
            "msdyn_originid": guid("msdyn_timeentry", it.name),
            "msdyn_origintype": "msdyn_timeentry",
            "msdyn_transaction": actual_id(it, kind),
            "msdyn_transactionid": actual_id(it, kind),
            "msdyn_transactiontype": "msdyn_actual",
        }
        for it in hours()
        for kind in ((_COST,) if it.line.fixed_price else (_COST, _UNBILLED))
    ]


def actual_id(work: Hours, kind: int) -> str:
    """Return the id of a piece of work's actual of a transaction type."""
    return guid("msdyn_actual", f"{work.name}/{kind}")


def _hours() -> Iterator[Hours]:
    for engagement in engagements():
        line = engagement.lines[0]
        if line.project is None or not line.project.active or len(engagement.customers) > 1:
            continue
        leaves = [task for task in tasks(line.project) if task.leaf]
        for place, task in enumerate(leaves[:2]):
            yield Hours(engagement, line, line.project, task, _WORKED + timedelta(days=place))


def _estimate(work: Hours, kind: int, category: int, price: Decimal) -> Iterator[Row]:
    company = work.project.company
    for side, factor in ((_COST, 1), (_UNBILLED, 2)):
        if side == _UNBILLED and work.line.fixed_price:
            continue
        row: Row = {
            "msdyn_estimatelineid": guid("msdyn_estimateline", f"{work.name}/{kind}/{side}"),
            "msdyn_estimatelinenumber": f"EL-{work.task.number[1:6]}-{kind % 10}{side % 10}",
            "msdyn_originestimateline": guid("msdyn_estimateline", f"{work.name}/{kind}/{_COST}")
            if side == _UNBILLED
            else None,
            "msdyn_description": "Travel" if kind == _EXPENSE else "Hardware",
            "msdyn_project": work.project.project_id,
            "msdyn_task": work.task.task_id,
            "msdyn_transactioncategory": category_id(category),
            "msdyn_transactionclassification": kind,
            "msdyn_transactiontypecode": side,
            "msdyn_billingtype": _CHARGEABLE if side == _UNBILLED else None,
            "msdyn_salescontractlineid": work.line.line_id,
            "msdyn_quantity": Decimal(2),
            "msdyn_price": price * factor,
            "msdyn_amount": 2 * price * factor,
            "transactioncurrencyid": currency_id(company.currency),
            "msdyn_startdatetime": local_midnight(work.day, company.zone),
            "msdyn_enddatetime": local_midnight(work.day, company.zone),
            "msdyn_owningcompany": company.company_id,
        }
        yield row


def _actuals(work: Hours, place: int) -> Iterator[Row]:
    yield _actual(work, place, _COST, _COST_PRICE)
    if not work.line.fixed_price:
        sales: Row = {
            "msdyn_billingtype": _CHARGEABLE,
            "msdyn_billingstatus": _UNBILLED_CREATED,
            "msdyn_accountcustomer": work.engagement.customers[0].account_id,
            "msdyn_contractcustomer": funding_source_id(work.engagement, 0),
        }
        yield _actual(work, place, _UNBILLED, _SALES_PRICE) | sales


def _actual(work: Hours, place: int, kind: int, price: Decimal) -> Row:
    company = work.project.company
    day = local_midnight(work.day, company.zone)
    currency = company.currency if kind == _COST else work.engagement.currency
    return {
        "msdyn_actualid": actual_id(work, kind),
        "msdyn_actualimportid": actual_id(work, kind),
        "msdyn_description": work.task.subject[:60],
        "msdyn_transactiontypecode": kind,
        "msdyn_transactionclassification": _TIME,
        "msdyn_project": work.project.project_id,
        "msdyn_task": work.task.task_id,
        "msdyn_salescontract": work.engagement.order_id,
        "msdyn_salescontractlineid": work.line.line_id,
        "msdyn_salescontractline": work.line.number,
        "msdyn_resourcecategory": role_id(MAIN_ROLE),
        "msdyn_transactioncategory": category_id(_DESIGN),
        "msdyn_bookableresource": resource_id(company, place % len(_RESOURCES)),
        "msdyn_resourceorganizationalunitid": company.unit_id,
        "msdyn_contractorganizationalunitid": company.unit_id,
        "msdyn_unit": unit_id("hr"),
        "msdyn_quantity": _HOURS,
        "msdyn_price": price,
        "msdyn_amount": _HOURS * price,
        "transactioncurrencyid": currency_id(currency),
        "msdyn_documentdate": day,
        "msdyn_startdatetime": day,
        "msdyn_enddatetime": day,
        "msdyn_accountingdate": day,
        "msdyn_exchangeratedate": day,
        "msdyn_owningcompany": company.company_id,
        "msdyn_resourcingcompany": company.company_id,
        "msdyn_skipsync": False,
    }
