"""What the firm of a scale seed sells: customers, contracts and projects, and how much work each has.

A few projects have most of the work and a few customers most of the projects (Zipf). The plan is small
against what is recorded on it, and is all that is held in memory.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from sandbox.data import awkward
from sandbox.data.engagements import Engagement, Line, Project
from sandbox.data.firm import COMPANIES, SEED, TODAY, Company
from sandbox.data.parties import Customer, Side
from sandbox.data.resources import workers
from sandbox.data.scale.chance import Chance, zipf_shares

FIRST_DAY = date(2025, 1, 1)
"""No work is older: Finance's exchange rates and fiscal periods begin here."""

_MOST_PROJECTS = 45_000  # numbers of projects have five digits, those from 50,000 on are taken
_ACTUALS_A_PROJECT = 400
_ACTUALS_A_CUSTOMER = 3_000
_ACTUALS_A_RESOURCE = 2_500
_FEWEST_PROJECTS, _FEWEST_CUSTOMERS, _FEWEST_RESOURCES = 12, 3, 8
_COMPANIES = (60, 85, 100)  # per cent of the contracts, added up: United States, Germany, United Kingdom
_ORDER = (0, 2, 1)  # places of those in COMPANIES
_INTERNAL, _FIXED_PRICE, _SHARED, _FOREIGN = 6, 30, 12, 20  # per cent
_ON_HOLD = 17  # every seventeenth customer of the demo is on hold
_KINDS = ("Rollout", "Migration", "Managed services", "Assessment", "Integration", "Training", "Upgrade")
_NAMES = ("Northwind", "Fabrikam", "Adventure", "Litware", "Tailspin", "Wingtip", "Proseware", "Lamna")
_ENDS = ("AB", "GmbH", "Ltd", "Inc.", "& Sons", "Energy", "Health", "Logistics", "Bank", "Public Services")
_CHECK = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class Site:
    """A project that work is recorded on.

    Attributes:
        project: The project.
        engagement: The contract that pays for it, None for an internal project.
        actuals: How many actuals it is to have, or a few more.
    """

    project: Project
    engagement: Engagement | None
    actuals: int

    @property
    def line(self) -> Line | None:
        """The contract line that pays for the project."""
        return None if self.engagement is None else self.engagement.lines[0]


@dataclass(frozen=True, slots=True)
class Plan:
    """The firm.

    Attributes:
        customers: Known on both sides, and equal.
        people: Names of the bookable resources by company code.
        sites: Projects, the largest first; the last ones are internal.
    """

    customers: tuple[Customer, ...]
    people: dict[str, tuple[str, ...]]
    sites: tuple[Site, ...]

    @property
    def engagements(self) -> Iterator[Engagement]:
        """The contracts."""
        return (site.engagement for site in self.sites if site.engagement is not None)


def plan_firm(actuals: int) -> Plan:
    """Plan the firm that has so many actuals."""
    chance = Chance(SEED)
    count = max(_FEWEST_CUSTOMERS, actuals // _ACTUALS_A_CUSTOMER // len(COMPANIES))
    customers = {it.code: tuple(_customers(it, count, chance)) for it in COMPANIES}
    projects = min(_MOST_PROJECTS, max(_FEWEST_PROJECTS, actuals // _ACTUALS_A_PROJECT))
    internal = max(1, projects * _INTERNAL // 100)
    shares = zipf_shares(actuals, projects)
    # Every so many projects there is an internal one, so that those are of all sizes too.
    inside = set(range(projects - 1, -1, -(projects // internal)))
    sites = [
        _internal(serial + 1, share, chance)
        if serial in inside
        else _sold(serial + 1, share, customers, chance)
        for serial, share in enumerate(shares)
    ]
    people = max(_FEWEST_RESOURCES, actuals // _ACTUALS_A_RESOURCE // len(COMPANIES))
    return Plan(
        customers=tuple(it for company in COMPANIES for it in customers[company.code]),
        people={it.code: tuple(_people(people, chance)) for it in COMPANIES},
        sites=tuple(sorted(sites, key=lambda site: site.engagement is None)),
    )


def _company(chance: Chance) -> Company:
    drawn = chance.number(100)
    place = next(place for place, below in enumerate(_COMPANIES) if drawn < below)
    return COMPANIES[_ORDER[place]]


def _customers(company: Company, count: int, chance: Chance) -> Iterator[Customer]:
    """Yield customers; their names are few, as those of branches of one customer are alike."""
    for number in range(count):
        name = f"{chance.favourite(_NAMES)} {chance.favourite(_ENDS)}"
        yield Customer(
            company=company,
            account=f"{company.prefix}-C{number + 1:05d}",
            name=chance.pick(awkward.NAMES) if chance.happens(3) else name,
            currency=company.currency,
            side=Side.BOTH,
            bills_to=None,
            place=number // (_ON_HOLD - 1) * _ON_HOLD + number % (_ON_HOLD - 1),
        )


def _people(count: int, chance: Chance) -> Iterator[str]:
    names = [str(worker["Name"]) for worker in workers()]
    return (chance.pick(names) for _ in range(count))


def _sold(serial: int, actuals: int, customers: dict[str, tuple[Customer, ...]], chance: Chance) -> Site:
    company = _company(chance)
    known = customers[company.code]
    first = chance.low(len(known))
    count = 2 if chance.happens(_SHARED) else 1
    payers = tuple(known[(first + place) % len(known)] for place in range(count))
    number = f"ORD-{serial:05d}-{_check(chance)}"
    project = _project(company, serial, chance, (payers[0], number))
    engagement = Engagement(
        company=company,
        number=number,
        name=f"{chance.favourite(_KINDS)} {payers[0].name}",
        currency="EUR" if company.code == "GBPM" and chance.happens(_FOREIGN) else company.currency,
        customers=payers,
        start=project.start,
        lines=tuple(_lines(serial, project, chance)),
    )
    return Site(project, engagement, actuals)


def _internal(serial: int, actuals: int, chance: Chance) -> Site:
    return Site(_project(_company(chance), serial, chance), None, actuals)


def _project(
    company: Company, serial: int, chance: Chance, sold: tuple[Customer, str] | None = None
) -> Project:
    start = TODAY - timedelta(days=30 + chance.low((TODAY - FIRST_DAY).days - 30))
    name = f"{chance.favourite(_KINDS)} {serial}"
    return Project(
        company=company,
        number=f"PRJ-{serial:05d}-{_check(chance)}",
        name=name if sold is None else f"{name} at {sold[0].name}",
        start=start,
        days=60 + chance.low(600),
        customer=None if sold is None else sold[0],
        contract=None if sold is None else sold[1],
    )


def _lines(serial: int, project: Project, chance: Chance) -> Iterator[Line]:
    """Yield the line that pays for the project, and now and then others that pay for none."""
    for sequence in range(1, 2 + chance.low(3)):
        fixed = chance.happens(_FIXED_PRICE)
        yield Line(
            number=f"CLN-{serial:05d}-{sequence}",
            sequence=sequence,
            fixed_price=fixed,
            amount=Decimal(50_000 + chance.low(90_000_000)).scaleb(-2),
            project=project if sequence == 1 else None,
            milestones=1 + chance.number(4) if fixed and sequence == 1 else 0,
        )


def _check(chance: Chance) -> str:
    return "".join(chance.pick(_CHECK) for _ in range(6))
