"""What people do on both sides, over plain HTTP: they make, change and delete rows, and spoil some."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from tests.chaos import billing
from tests.chaos.books import KINDS, Books, Made, text_of
from tests.e2e.engine import rows

CUSTOMER = "msdyn_customer@odata.bind"
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
    books.live["source"][number] = replace(made, number=number, former=made.former | {made.number})
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
    books.world.change(KINDS["source"].entity_set, made.id, **{CUSTOMER: None})
    books.bad.add(made.number)


def _mend(books: Books, draw: random.Random) -> None:
    if books.bad:
        number = draw.choice(sorted(books.bad))
        books.bad.remove(number)
        customer = rows.bound("accounts", books.some("customer", draw).id)
        books.world.change(
            KINDS["source"].entity_set, books.live["source"][number].id, **{CUSTOMER: customer}
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
    (billing.work, 3),
    (billing.bill, 3),
    (billing.describe, 2),
    (billing.post, 3),
)
ACTS: Mapping[str, Act] = {act.__name__.strip("_"): act for act, _ in _ACTS}
WEIGHTS: Mapping[str, int] = {act.__name__.strip("_"): weight for act, weight in _ACTS}
