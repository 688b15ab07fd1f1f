"""Milestones: how a fixed price is billed."""

from datetime import date, timedelta
from decimal import Decimal

from sandbox.data import awkward
from sandbox.data.engagements import Engagement, Line, Project, engagements
from sandbox.data.firm import Row, currency_id, guid, local_midnight
from sandbox.data.projects import tasks

_MILESTONE = 192350003  # msdyn_transactionclassification
_PROJECT_CONTRACT = 192350004  # msdyn_transactiontypecode
_NOT_READY = 192350000
_READY = 192350001
_LEAP_DAY = date(2028, 2, 29)
_CENT = Decimal("0.01")


def milestone_rows() -> list[Row]:
    """Rows of msdyn_contractlinescheduleofvalue: their sum is the line's contract value (R107)."""
    return [row for engagement in engagements() for row in milestone_rows_of(engagement)]


def milestone_rows_of(engagement: Engagement) -> list[Row]:
    """Return the milestones of one contract."""
    return [
        _milestone(engagement, line, line.project, place, amount)
        for line in engagement.lines
        if line.project is not None
        for place, amount in enumerate(_parts(line))
    ]


def _parts(line: Line) -> list[Decimal]:
    """Split the value evenly to the cent; the last part takes what is left."""
    if not line.milestones:
        return []
    part = (line.amount / line.milestones).quantize(_CENT)
    return [*[part] * (line.milestones - 1), line.amount - part * (line.milestones - 1)]


def _milestone(engagement: Engagement, line: Line, project: Project, place: int, amount: Decimal) -> Row:
    number = f"MS-{line.number[4:]}-{place + 1}"
    task = next(iter(tasks(project)))
    day = _LEAP_DAY if place == 3 else engagement.start + timedelta(days=30 * (place + 1))
    return {
        "msdyn_contractlinescheduleofvalueid": guid("milestone", number),
        "msdyn_milestonenumber": number,
        "msdyn_name": awkward.longest(100) if place == 4 else f"Milestone {place + 1} of “{line.number}”",
        "msdyn_description": None if place % 2 else "Bill on acceptance",
        "msdyn_contract": engagement.order_id,
        "msdyn_contractline": line.number,
        "msdyn_contractlineid": line.line_id,
        "msdyn_project": project.project_id,
        "msdyn_projecttask": task.task_id if place == 0 else None,
        "transactioncurrencyid": currency_id(engagement.currency),
        "msdyn_amount": amount,
        "msdyn_price": amount,
        "msdyn_milestonedate": day,
        "msdyn_invoicedate": local_midnight(day, engagement.company.zone),
        "msdyn_invoicestatus": _READY if place == 0 else _NOT_READY,
        "msdyn_transactionclassification": _MILESTONE,
        "msdyn_transactiontypecode": _PROJECT_CONTRACT,
    }
