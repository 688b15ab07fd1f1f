"""What the firm sells and does: contracts with their customers and lines, projects with their tasks.

One engagement is one contract; the plan is made once from the seed, and the row generators of
`contracts`, `projects` and `milestones` write it down.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from random import Random

from sandbox.data import awkward
from sandbox.data.firm import COMPANIES, SEED, TODAY, Company, guid
from sandbox.data.parties import Customer, dataverse_customers

CONTRACTS_PER_COMPANY = 36
INTERNAL_PROJECTS_PER_COMPANY = 8
_NAME_LENGTH = 200  # msdyn_project.msdyn_subject
_CHECK = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_KINDS = ("Rollout", "Migration", "Managed services", "Assessment", "Integration", "Training", "Upgrade")
_LEAP_DAY = date(2028, 2, 29)
_WINTER_TIME = date(2026, 11, 1)  # the day after Berlin's clocks were a week in winter time


@dataclass(frozen=True, slots=True)
class Project:
    """A project of one company.

    Attributes:
        company: Owning company.
        number: Project number as Finance keeps it, at most 20 characters.
        name: Subject, at most 200 characters.
        start: First day.
        days: Length in days.
        customer: Customer, or None for an internal project (R115).
        contract: Number of the contract, or None for an internal project.
        active: False for a project that was closed (R113).
        template: Whether it is a template, which no map sends.
    """

    company: Company
    number: str
    name: str
    start: date
    days: int
    customer: Customer | None = None
    contract: str | None = None
    active: bool = True
    template: bool = False

    @property
    def project_id(self) -> str:
        """Id of the msdyn_project row."""
        return guid("msdyn_project", self.number)

    @property
    def end(self) -> date:
        """Last day."""
        return self.start + timedelta(days=self.days)


@dataclass(frozen=True, slots=True)
class Line:
    """A contract line.

    Attributes:
        number: Contract line number.
        sequence: Place in the contract, from 1.
        fixed_price: Fixed price, else time and material (R104).
        amount: Contract value.
        project: The project that the line pays for, or None.
        milestones: How many milestones a fixed price is billed in; 0 without a project (R107).
    """

    number: str
    sequence: int
    fixed_price: bool
    amount: Decimal
    project: Project | None
    milestones: int

    @property
    def line_id(self) -> str:
        """Id of the salesorderdetail row."""
        return guid("salesorderdetail", self.number)


@dataclass(frozen=True, slots=True)
class Engagement:
    """A project contract.

    Attributes:
        company: Company that sells.
        number: Contract number, at most 20 characters.
        name: Name.
        currency: Sales currency.
        customers: Who pays; the first is the contract's customer.
        start: First day.
        lines: Contract lines.
    """

    company: Company
    number: str
    name: str
    currency: str
    customers: tuple[Customer, ...]
    start: date
    lines: tuple[Line, ...] = field(default=())

    @property
    def order_id(self) -> str:
        """Id of the salesorder row."""
        return guid("salesorder", self.number)

    @property
    def total(self) -> Decimal:
        """Sum of the contract lines."""
        return sum((line.amount for line in self.lines), Decimal(0))


@lru_cache(maxsize=1)
def engagements() -> tuple[Engagement, ...]:
    """Return all project contracts."""
    random = Random(SEED)
    return tuple(
        _engagement(company, place, random) for company in COMPANIES for place in range(CONTRACTS_PER_COMPANY)
    )


def projects() -> list[Project]:
    """Return all projects: those of contract lines, internal ones, and a template."""
    sold = {
        line.project.number: line.project
        for engagement in engagements()
        for line in engagement.lines
        if line.project is not None
    }
    internal = [
        _internal(company, place) for company in COMPANIES for place in range(INTERNAL_PROJECTS_PER_COMPANY)
    ]
    template = Project(COMPANIES[0], "PRJ-90001-TMPL01", "Template: ERP rollout", TODAY, 90, template=True)
    return [*sold.values(), *internal, template]


def _engagement(company: Company, place: int, random: Random) -> Engagement:
    serial = COMPANIES.index(company) * 1000 + place + 1
    number = f"ORD-{serial:05d}-{_check(random)}"
    payers = random.sample(dataverse_customers(company), 1 + place % 3)
    start = TODAY + timedelta(days=random.randint(-300, 120))
    project = _sold_project(company, place, number, payers[0], start, random)
    return Engagement(
        company=company,
        number=number,
        name=_contract_name(company, place),
        currency="EUR" if company.code == "GBPM" and place % 9 == 8 else company.currency,
        customers=tuple(payers),
        start=start,
        lines=_lines(serial, place, project, random),
    )


def _check(random: Random) -> str:
    """Return the end of a number as Dataverse draws it: six letters and digits."""
    return "".join(random.choices(_CHECK, k=6))


def _contract_name(company: Company, place: int) -> str:
    if place < len(awkward.NAMES):
        return awkward.NAMES[place]
    return (
        awkward.longest(300) if place == 20 else f"{_KINDS[place % len(_KINDS)]} {place + 1} {company.city}"
    )


def _sold_project(
    company: Company, place: int, contract: str, customer: Customer, start: date, random: Random
) -> Project:
    serial = COMPANIES.index(company) * 1000 + place + 1
    begin = {3: _LEAP_DAY, 4: _WINTER_TIME, 5: date(2026, 3, 29)}.get(place, start)
    return Project(
        company=company,
        number=f"PRJ-{serial:05d}-{_check(random)}",
        name=_project_name(company, place),
        start=begin,
        days=random.randint(30, 400),
        customer=customer,
        contract=contract,
        active=place % 12 != 7,
    )


def _project_name(company: Company, place: int) -> str:
    if place == 10:
        return awkward.longest(_NAME_LENGTH)
    if place % 2 == 1 and place // 2 < len(awkward.NAMES):
        return awkward.NAMES[place // 2]
    return f"{_KINDS[place % len(_KINDS)]} at {company.city} {place + 1}"


def _internal(company: Company, place: int) -> Project:
    serial = 50_000 + COMPANIES.index(company) * 100 + place
    name = f"Internal {_KINDS[place % len(_KINDS)].lower()} {place + 1}"
    return Project(company, f"PRJ-{serial}-INTERN", name, TODAY - timedelta(days=40 * place), 180)


def _lines(serial: int, place: int, project: Project, random: Random) -> tuple[Line, ...]:
    """A time-and-material line and a fixed price on the project, and now and then one without."""
    count = 1 + place % 3
    lines = []
    for sequence in range(1, count + 1):
        fixed = (place + sequence) % 2 == 0
        bound = project if sequence < 3 else None
        amount = Decimal(random.randint(50_000, 90_000_000)).scaleb(-2)
        if place < len(awkward.AMOUNTS) and sequence == 1:
            amount = awkward.AMOUNTS[place]
        lines.append(
            Line(
                number=f"CLN-{serial:05d}-{sequence}",
                sequence=sequence,
                fixed_price=fixed,
                amount=amount,
                project=bound,
                milestones=1 + random.randint(1, 4) if fixed and bound is not None else 0,
            )
        )
    if place == 6:
        return (Line(f"CLN-{serial:05d}-1", 1, True, awkward.MOST_MONEY, project, 1),)
    return tuple(lines)
