"""Pieces of work on the projects of a scale seed: when, who, what, how much."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from sandbox.data import awkward
from sandbox.data.firm import TODAY
from sandbox.data.prices import TRANSFER
from sandbox.data.projects import tasks
from sandbox.data.resources import CATEGORIES, ROLES
from sandbox.data.scale.chance import Chance
from sandbox.data.scale.plan import FIRST_DAY, Site
from sandbox.data.work import MAIN_ROLE
from sandbox.dataverse.rules.options import TransactionClass

_HOURS = tuple(Decimal(half) / 2 for half in (16, 16, 16, 15, 8, 4, 2, 6, 10, 3, 1, 12, 17, 20, 24))
_TIME_CATEGORIES = tuple(CATEGORIES.index(name) for name in ("Development", "Design", "Testing", "Training"))
_EXPENSES = tuple(CATEGORIES.index(name) for name in ("Travel", "Hotel"))
_MATERIALS = tuple(CATEGORIES.index(name) for name in ("Software licences", "Hardware"))
_ROLES = (MAIN_ROLE, *(place for place in range(len(ROLES) - 1) if place != MAIN_ROLE))
_EXPENSE, _MATERIAL = 11, 6  # per cent of all work
_LENT, _CANCELED, _PARTLY, _MORE, _FREE = 4, 2, 5, 1, 3  # per cent of the work in question
_UNDESCRIBED, _EXTERNAL = 30, 12  # per cent
_DIMES = 100_000  # prices of expenses and material end below so many tenths

_VERBS = ("Configure", "Review", "Fix", "Test", "Document", "Migrate", "Plan", "Discuss", "Deploy", "Train")
_THINGS = (
    "interfaces", "reports", "user roles", "the data model", "month end", "invoices & credit notes",
    "the mobile app", "master data", "integrations", "the upgrade", "säkerhet och behörigheter",
)  # fmt: skip
_TAILS = ("", "", ", first round", " with the customer", "; see the minutes of the last meeting",
          " – follow-up, as agreed with the steering committee")  # fmt: skip
_TEXTS = (
    *(f"{verb} {thing}{tail}" for tail in _TAILS[1:] for verb in _VERBS for thing in _THINGS),
    *awkward.NAMES,
    awkward.longest(100),
)
"""What work is called, the usual ones first; the last ones are awkward. No longer than time entries and
journal lines allow, which actuals come from."""


@dataclass(frozen=True, slots=True)
class Work:
    """A piece of work that was approved.

    Attributes:
        task: The task, None where it is on none.
        day: When.
        classification: Time, expense or material.
        quantity: Hours, or pieces.
        role: Place in ROLES; None but for time.
        category: Place in CATEGORIES.
        person: Place among the resources of the company whose resource it is.
        cost: What one costs where no price list says so, in the project's company's currency.
        billable: How much of it the approver said is chargeable, None for all of it (R303, R304).
        chargeable: Whether it is billed at all.
        lender: Place in TRANSFER of who lends the resource, None for nobody.
        canceled: Whether its approval was canceled (R306).
        description: What was done.
        external: What the customer reads.
    """

    task: str | None
    day: date
    classification: TransactionClass
    quantity: Decimal
    role: int | None
    category: int
    person: int
    cost: Decimal | None
    billable: Decimal | None
    chargeable: bool
    lender: int | None
    canceled: bool
    description: str | None
    external: str | None


def work_on(site: Site, people: int, chance: Chance) -> Iterator[Work]:
    """Yield work on a project without end: more of it lately, more by the first of so many people."""
    leaves = [task.task_id for task in tasks(site.project) if task.leaf]
    first = max(site.project.start, FIRST_DAY)
    last = min(site.project.end, TODAY - timedelta(days=1))
    days = max(1, (last - first).days + 1)
    lenders = _lenders(site)
    # People work on few projects: those of this one stand together in the list.
    team = chance.number(people)
    while True:
        day = last - timedelta(days=chance.low(days))
        person = (team + chance.low(min(people, 40))) % people
        material = not _in_foreign_currency(site) and chance.happens(_EXPENSE + _MATERIAL)
        make = _bought if material else _worked
        work = make(leaves, day, person, lenders, chance)
        # Internal work makes one actual each, so that there can be as many as are asked for.
        yield work if site.engagement is not None else replace(work, canceled=False)


def _worked(leaves: Sequence[str], day: date, person: int, lenders: Sequence[int], chance: Chance) -> Work:
    hours = chance.favourite(_HOURS)
    lender = chance.pick(lenders) if lenders and chance.happens(_LENT) else None
    return Work(
        task=chance.favourite(leaves),
        day=day,
        classification=TransactionClass.TIME,
        quantity=hours,
        role=MAIN_ROLE if lender is not None else chance.favourite(_ROLES),
        category=chance.favourite(_TIME_CATEGORIES),
        person=person,
        cost=None,
        billable=_billable(hours, chance),
        chargeable=not chance.happens(_FREE),
        lender=lender,
        canceled=chance.happens(_CANCELED),
        description=_text(chance, _UNDESCRIBED),
        external=_text(chance, 100 - _EXTERNAL),
    )


def _bought(leaves: Sequence[str], day: date, person: int, _lenders: Sequence[int], chance: Chance) -> Work:
    """Travel or material, from an entry journal: it is on a task now and then."""
    expense = chance.number(_EXPENSE + _MATERIAL) < _EXPENSE
    return Work(
        task=chance.pick(leaves) if chance.happens(40) else None,
        day=day,
        classification=TransactionClass.EXPENSE if expense else TransactionClass.MATERIAL,
        quantity=Decimal(1 if expense else 1 + chance.low(40)),
        role=None,
        category=chance.favourite(_EXPENSES if expense else _MATERIALS),
        person=person,
        cost=Decimal(1 + chance.low(_DIMES)) / 10,
        billable=None,
        chargeable=not chance.happens(_FREE),
        lender=None,
        canceled=False,
        description=_text(chance, _UNDESCRIBED),
        external=None,
    )


def _billable(hours: Decimal, chance: Chance) -> Decimal | None:
    if chance.happens(_PARTLY):
        return (hours / 2).quantize(Decimal("0.1"))
    return hours + 1 if chance.happens(_MORE) else None


def _text(chance: Chance, missing: int) -> str | None:
    return None if chance.happens(missing) else chance.favourite(_TEXTS)


def _lenders(site: Site) -> tuple[int, ...]:
    """Return who lends to a project, by place in TRANSFER; nobody lends to an internal one."""
    company = site.project.company.code if site.engagement is not None else None
    return tuple(place for place, (buyer, *_) in enumerate(TRANSFER) if buyer == company)


def _in_foreign_currency(site: Site) -> bool:
    return site.engagement is not None and site.engagement.currency != site.project.company.currency
