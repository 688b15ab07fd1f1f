"""What people do on both sides, over plain HTTP, and the book of what they expect to find afterwards."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from tests.e2e.engine import rows
from tests.e2e.engine.world import World

_CUSTOMER = "msdyn_customer@odata.bind"
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
    """

    number: str
    id: str
    texts: set[str]
    sides: set[str] = field(default_factory=set)


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
    """

    world: World
    live: dict[str, dict[str, Made]] = field(default_factory=lambda: {name: {} for name in KINDS})
    ever: set[str] = field(default_factory=set)
    bad: set[str] = field(default_factory=set)
    settled: set[str] = field(default_factory=set)
    conflicts: dict[str, tuple[str, str]] = field(default_factory=dict)

    def begin(self) -> None:
        """Make two rows of each kind, parents first."""
        for name in ("role", "worker", "unit", "customer", "contract", "source", "project", "task"):
            for place in range(2):
                self.make(name, f"First {name} {place}")

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
REMOVABLE = [name for name, kind in KINDS.items() if kind.removable]
Act: TypeAlias = Callable[[Books, random.Random], None]


def _create(books: Books, draw: random.Random) -> None:
    books.make(draw.choice(list(KINDS)), text_of(draw))


def _create_many(books: Books, draw: random.Random) -> None:
    name = draw.choice(("role", "source", "worker", "customer"))
    for _ in range(draw.randint(8, 25)):
        books.make(name, text_of(draw))


def _rename(books: Books, draw: random.Random) -> None:
    name = draw.choice([each for each in KINDS if each != "contract"])
    made = books.some(name, draw)
    if made.number not in books.conflicts:
        books.rename(name, made, text_of(draw))


def _remove(books: Books, draw: random.Random) -> None:
    name = draw.choice(REMOVABLE)
    books.remove(name, books.some(name, draw))


def _recreate(books: Books, draw: random.Random) -> None:
    """The same key under another GUID."""
    name = draw.choice(REMOVABLE)
    made = books.some(name, draw)
    books.remove(name, made)
    books.make(name, text_of(draw), made.number)


def _rekey(books: Books, draw: random.Random) -> None:
    """The same row under another key, where deletes propagate."""
    made = books.some("source", draw)
    number = rows.fresh("SOUR")
    books.world.change(KINDS["source"].entity_set, made.id, msdyn_fundingsourceid=number)
    del books.live["source"][made.number]
    books.live["source"][number] = Made(number, made.id, made.texts, made.sides)
    books.ever.add(number)


def _rename_in_finance(books: Books, draw: random.Random) -> None:
    made = _known_customer(books, draw)
    if made is not None:
        text = text_of(draw)
        books.world.patch("CustomersV3", rows.customer_key(made.number), OrganizationName=text)
        books.note(made, "finance", text)


def _rename_on_both_sides(books: Books, draw: random.Random) -> None:
    """A conflict: nothing else touches the customer until both sides are in step again."""
    made = _known_customer(books, draw)
    if made is not None and not made.sides:
        here, there = text_of(draw), text_of(draw)
        books.rename("customer", made, here)
        books.world.patch("CustomersV3", rows.customer_key(made.number), OrganizationName=there)
        books.note(made, "finance", there)
        books.conflicts[made.number] = (here, there)


def _known_customer(books: Books, draw: random.Random) -> Made | None:
    known = books.live["customer"].keys() & books.settled - books.conflicts.keys()
    return books.live["customer"][draw.choice(sorted(known))] if known else None


def _tree_upside_down(books: Books, draw: random.Random) -> None:
    """Tasks whose parents were made after them, so that change tracking tells the children first."""
    project = books.some("project", draw)
    leaf, root = rows.fresh("TASK"), rows.fresh("TASK")
    texts = {leaf: text_of(draw), root: text_of(draw)}
    ids = {
        each: rows.project_task(books.world, each, project.id, msdyn_subject=texts[each]) for each in texts
    }
    link = {"msdyn_parenttask@odata.bind": rows.bound("msdyn_projecttasks", ids[root])}
    books.world.change("msdyn_projecttasks", ids[leaf], msdyn_wbsid="1.1", **link)
    books.world.change("msdyn_projecttasks", ids[root], msdyn_wbsid="1")
    for each, text in texts.items():
        books.live["task"][each] = Made(each, ids[each], {text}, {"dataverse"})
        books.ever.add(each)


def _spoil(books: Books, draw: random.Random) -> None:
    """A funding source whose customer, which Finance insists on, is taken away."""
    made = books.some("source", draw)
    books.world.change(KINDS["source"].entity_set, made.id, **{_CUSTOMER: None})
    books.bad.add(made.number)


def _mend(books: Books, draw: random.Random) -> None:
    if books.bad:
        number = draw.choice(sorted(books.bad))
        books.bad.remove(number)
        customer = rows.bound("accounts", books.some("customer", draw).id)
        books.world.change(
            KINDS["source"].entity_set, books.live["source"][number].id, **{_CUSTOMER: customer}
        )


_ACTS: Sequence[tuple[Act, int]] = (
    (_create, 6),
    (_create_many, 2),
    (_rename, 8),
    (_remove, 2),
    (_recreate, 2),
    (_rekey, 1),
    (_rename_in_finance, 3),
    (_rename_on_both_sides, 2),
    (_tree_upside_down, 1),
    (_spoil, 1),
    (_mend, 1),
)
ACTS: Mapping[str, Act] = {act.__name__.strip("_"): act for act, _ in _ACTS}
WEIGHTS: Mapping[str, int] = {act.__name__.strip("_"): weight for act, weight in _ACTS}
