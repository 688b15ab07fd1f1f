"""The book of what people made on both sides, over plain HTTP, and of what they expect to find afterwards."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.e2e.engine import rows
from tests.e2e.engine.world import World

_TEXTS = ("Ada O'Neil", "Åsa Öberg", "名前", "🚀 Ops", "100% & more", "plain", "a,b;c", "<tag>")


@dataclass(slots=True)
class Made:
    """A row that people made.

    Attributes:
        number: Its own part of the integration key.
        id: GUID in Dataverse, "" where Finance has the source.
        texts: What its text may read once all is in step; more than one only where both sides changed
            it at times of which nobody can say which came first.
        sides: Systems on which it was changed since both were last in step.
        former: Its numbers since both were last in step: a row that breaks a rule stands under one of them.
    """

    number: str
    id: str
    texts: set[str]
    sides: set[str] = field(default_factory=set)
    former: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of row that people make.

    Attributes:
        map: Map that moves it.
        system: Where it is made.
        entity_set: There.
        key: Column of its number.
        text: Column that people change.
        create: Makes one with a number and a text; gives its GUID.
        removable: Whether people may delete it.
    """

    map: str
    system: str
    entity_set: str
    key: str
    text: str
    create: Callable[["Books", str, str], str]
    removable: bool = False


@dataclass
class Books:
    """What people made, and what they expect.

    Attributes:
        world: Both systems.
        live: Rows by kind and number.
        ever: Numbers of all rows that ever were.
        bad: Numbers of rows that break a rule, so that they must be dead letters.
        settled: Numbers that both sides have had in step.
        conflicts: Numbers of customers that were changed on both sides at once: (Dataverse's, Finance's).
        agreed: GUIDs of the contract that all work is done for, and of its funding source: both stay.
        actuals: GUIDs of actuals, in the order in which they were made.
    """

    world: World
    live: dict[str, dict[str, Made]] = field(default_factory=lambda: {name: {} for name in KINDS})
    ever: set[str] = field(default_factory=set)
    bad: set[str] = field(default_factory=set)
    settled: set[str] = field(default_factory=set)
    conflicts: dict[str, tuple[str, str]] = field(default_factory=dict)
    agreed: tuple[str, str] = ("", "")
    actuals: list[str] = field(default_factory=list)

    def begin(self) -> None:
        """Make two rows of each kind, parents first."""
        for name in ("role", "worker", "unit", "customer", "contract", "source", "project", "task"):
            for place in range(2):
                self.make(name, f"First {name} {place}")
        customer, contract = next(iter(self.live["customer"].values())), self.make("contract", "Work")
        source = rows.funding_source(self.world, rows.fresh("BILL"), contract.id, customer.id)
        self.agreed = (contract.id, source)

    def make(self, name: str, text: str, number: str | None = None) -> Made:
        """Make a row, under a number of its own unless one is given."""
        number = number or rows.fresh(name.upper()[:4])
        made = Made(number, KINDS[name].create(self, number, text), {text}, {KINDS[name].system})
        self.live[name][number] = made
        self.ever.add(number)
        return made

    def rename(self, name: str, made: Made, text: str) -> None:
        """Change a row's text where the row is made."""
        kind = KINDS[name]
        if kind.system == "dataverse":
            self.world.change(kind.entity_set, made.id, **{kind.text: text})
        else:
            self.world.patch(kind.entity_set, {kind.key: made.number}, **{kind.text: text})
        self.note(made, kind.system, text)

    def note(self, made: Made, system: str, text: str) -> None:
        """Expect a text; one written at the other side since the last settlement may win as well."""
        made.texts = {text} if made.sides <= {system} else made.texts | {text}
        made.sides.add(system)

    def remove(self, name: str, made: Made) -> None:
        """Delete a row where it is made."""
        kind = KINDS[name]
        if kind.system == "dataverse":
            self.world.delete(kind.entity_set, made.id)
        else:
            self.world.remove(kind.entity_set, {kind.key: made.number})
        del self.live[name][made.number]

    def in_step(self) -> None:
        """Begin anew: both sides are known to be equal."""
        self.conflicts.clear()
        for kind in self.live.values():
            for made in kind.values():
                made.sides.clear()
                if made.number not in self.bad:
                    made.former.clear()
                self.settled.add(made.number)

    def some(self, name: str, draw: random.Random) -> Made:
        """Choose a row of a kind; the first one is made where there is none."""
        found = [self.live[name][number] for number in sorted(self.live[name]) if number not in self.bad]
        return draw.choice(found) if found else self.make(name, text_of(draw))


def text_of(draw: random.Random) -> str:
    """A text that no other row has."""
    return f"{draw.choice(_TEXTS)} {draw.getrandbits(24):06x}"


def _role(books: Books, number: str, text: str) -> str:
    return rows.role(books.world, number, name=text)


def _worker(books: Books, number: str, text: str) -> str:
    books.world.post("Workers", PersonnelNumber=number, FirstName="New", LastName=text, Name=f"New {text}")
    return ""


def _unit(books: Books, number: str, text: str) -> str:
    books.world.post("UnitsOfMeasure", UnitSymbol=number, UnitDescription=text)
    return ""


def _customer(books: Books, number: str, text: str) -> str:
    return rows.account(books.world, number, name=text)


def _contract(books: Books, number: str, _text: str) -> str:
    customer = books.some("customer", random.Random(number))
    return rows.contract(books.world, number, customer.id)


def _source(books: Books, number: str, text: str) -> str:
    draw = random.Random(number)
    contract, customer = books.some("contract", draw), books.some("customer", draw)
    return rows.funding_source(books.world, number, contract.id, customer.id, msdyn_billtoname=text)


def _project(books: Books, number: str, text: str) -> str:
    draw = random.Random(number)
    contract, customer = books.some("contract", draw), books.some("customer", draw)
    links = {
        "msdyn_salesorderid@odata.bind": rows.bound("salesorders", contract.id),
        "msdyn_customer@odata.bind": rows.bound("accounts", customer.id),
    }
    return rows.project(books.world, number, msdyn_subject=text, **links)


def _task(books: Books, number: str, text: str) -> str:
    project = books.some("project", random.Random(number))
    return rows.project_task(books.world, number, project.id, msdyn_subject=text)


KINDS: Mapping[str, Kind] = {
    "role": Kind(
        "resource_roles",
        "dataverse",
        "bookableresourcecategories",
        "msdyn_resourcecategorynumber",
        "name",
        _role,
        removable=True,
    ),
    "worker": Kind("workers", "finance", "Workers", "PersonnelNumber", "LastName", _worker, removable=True),
    "unit": Kind("units", "finance", "UnitsOfMeasure", "UnitSymbol", "UnitDescription", _unit),
    "customer": Kind("customers", "dataverse", "accounts", "accountnumber", "name", _customer),
    "contract": Kind("contract_headers", "dataverse", "salesorders", "ordernumber", "name", _contract),
    "source": Kind(
        "funding_sources",
        "dataverse",
        "msdyn_projectcontractsplitbillingrules",
        "msdyn_fundingsourceid",
        "msdyn_billtoname",
        _source,
        removable=True,
    ),
    "project": Kind(
        "projects", "dataverse", "msdyn_projects", "msdyn_projectnumber", "msdyn_subject", _project
    ),
    "task": Kind(
        "project_tasks",
        "dataverse",
        "msdyn_projecttasks",
        "msdyn_projecttasknumber",
        "msdyn_subject",
        _task,
    ),
}
