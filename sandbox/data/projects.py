"""Projects and their task trees."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from sandbox.data import awkward
from sandbox.data.engagements import Project, projects
from sandbox.data.firm import Row, currency_id, guid, local_midnight
from sandbox.data.resources import CATEGORIES, ROLES, category_id, role_id

_PHASES = ("Prepare", "Explore", "Realize", "Deploy")
_STEPS = ("Plan", "Workshops & notes", "Build", "Test")
_WORK = ("Configure", "Review", "Document")
_SUBJECT_LENGTH = 450
_IN_PROGRESS = 1  # msdyn_project.msdyn_overallprojectstatus: green


@dataclass(frozen=True, slots=True)
class Task:
    """One node of a project's tree.

    Attributes:
        project: Its project.
        wbs: Place in the work breakdown structure, e.g. 2.1.3.
        subject: Name, at most 450 characters.
        start: First day.
        days: Length in days.
        leaf: Whether work is booked on it.
    """

    project: Project
    wbs: str
    subject: str
    start: date
    days: int
    leaf: bool

    @property
    def number(self) -> str:
        """Task number: the project's serial and the place in the tree, at most 20 characters."""
        return f"T{self.project.number[4:9]}-{self.wbs}"

    @property
    def task_id(self) -> str:
        """Id of the msdyn_projecttask row."""
        return guid("msdyn_projecttask", self.number)


def project_rows() -> list[Row]:
    """Rows of msdyn_project."""
    return [project_row(it, place) for place, it in enumerate(projects())]


def task_rows() -> list[Row]:
    """Rows of msdyn_projecttask, parents before children."""
    return [task_row(task, place) for project in projects() for place, task in enumerate(tasks(project))]


def tasks(project: Project) -> Iterator[Task]:
    """Yield the tree of a project, three levels deep, in the order of its structure."""
    phases = 2 + len(project.name) % 3
    days = max(1, project.days // phases)
    for phase in range(phases):
        begin = project.start + timedelta(days=phase * days)
        subject = awkward.longest(_SUBJECT_LENGTH) if project.days % 50 == 0 else _PHASES[phase]
        yield Task(project, f"{phase + 1}", subject, begin, days, leaf=False)
        for step in range(2):
            wbs = f"{phase + 1}.{step + 1}"
            deep = phase == 1 and step == 1
            name = _STEPS[(phase + step) % len(_STEPS)]
            yield Task(project, wbs, name, begin + timedelta(days=step), max(1, days // 2), leaf=not deep)
            if deep:
                yield from _work(project, wbs, begin)


def _work(project: Project, parent: str, begin: date) -> Iterator[Task]:
    for place, name in enumerate(_WORK):
        subject = awkward.NAMES[project.days % len(awkward.NAMES)] if place == 1 else name
        yield Task(project, f"{parent}.{place + 1}", subject, begin + timedelta(days=place), 2, leaf=True)


def project_row(project: Project, place: int) -> Row:
    """Return the row of msdyn_project."""
    zone = project.company.zone
    started = project.contract is not None and place % 4 == 0
    return {
        "msdyn_projectid": project.project_id,
        "msdyn_projectnumber": project.number,
        "msdyn_subject": project.name,
        "msdyn_description": None if place % 3 == 0 else f"Scope {place + 1}: 100% of it\t(tab)",
        "msdyn_owningcompany": project.company.company_id,
        "msdyn_contractorganizationalunitid": project.company.unit_id,
        "transactioncurrencyid": currency_id(project.company.currency),
        "msdyn_customer": None if project.customer is None else project.customer.account_id,
        "msdyn_salesorderid": None if project.contract is None else guid("salesorder", project.contract),
        "msdyn_calendarid": guid("calendar", project.company.code),
        "msdyn_istemplate": project.template,
        "msdyn_overallprojectstatus": _IN_PROGRESS,
        "msdyn_scheduledstart": local_midnight(project.start, zone),
        "msdyn_scheduledend": local_midnight(project.end, zone),
        "msdyn_actualstart": local_midnight(project.start, zone) if started else None,
        "msdyn_actualend": None if project.active else local_midnight(project.end, zone),
        "msdyn_plannedhours": Decimal(project.days * 6),
        "statecode": 0 if project.active else 1,
        "statuscode": 1 if project.active else 2,
    }


def task_row(task: Task, place: int) -> Row:
    """Return the row of msdyn_projecttask."""
    parent, _, _ = task.wbs.rpartition(".")
    zone = task.project.company.zone
    return {
        "msdyn_projecttaskid": task.task_id,
        "msdyn_projecttasknumber": task.number,
        "msdyn_subject": task.subject,
        "msdyn_project": task.project.project_id,
        "msdyn_parenttask": guid("msdyn_projecttask", f"T{task.project.number[4:9]}-{parent}")
        if parent
        else None,
        "msdyn_wbsid": task.wbs,
        "msdyn_islinetask": False,
        "msdyn_autoscheduling": True,
        "msdyn_scheduledstart": local_midnight(task.start, zone),
        "msdyn_scheduledend": local_midnight(task.start + timedelta(days=task.days), zone),
        "msdyn_effort": Decimal(task.days * 6) if task.leaf else Decimal(0),
        "msdyn_progress": Decimal(place % 11 * 10),
        "msdyn_resourcecategory": role_id(place % len(ROLES)) if task.leaf else None,
        "msdyn_transactioncategory": category_id(place % len(CATEGORIES)) if task.leaf else None,
        "transactioncurrencyid": currency_id(task.project.company.currency),
    }
