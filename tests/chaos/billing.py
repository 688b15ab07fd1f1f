"""Work that is done, billed and posted: what project managers and accountants do between the runs."""

import random

from tests.chaos.books import Books, text_of
from tests.e2e.engine import invoices, rows
from tests.e2e.engine.world import World

_DRAFT, _CONFIRMED = 192350000, 192350002
# Proposals get their lines by a second import, once what they bill is posted (R802).
_JOBS = ("import-from-staging", "post-integration-journal", "import-from-staging")


def work(books: Books, draw: random.Random) -> None:
    """Hours of unbilled sales."""
    books.actuals += invoices.actuals(books.world, books.agreed[0], draw.randint(1, 8), invoices.UNBILLED)


def bill(books: Books, draw: random.Random) -> None:
    """An invoice that is confirmed once all that it bills is there, as by a confirmation."""
    world, (contract, source), lines = books.world, books.agreed, draw.randint(1, 6)
    _, invoice = invoices.header(world, contract, source, msdyn_projectinvoicestatus=_DRAFT)
    unbilled = invoices.actuals(world, contract, lines, invoices.UNBILLED)
    link = {"msdyn_invoice@odata.bind": rows.bound("invoices", invoice)}
    billed = invoices.actuals(world, contract, lines, invoices.BILLED, link)
    invoices.connected(world, billed, unbilled)
    world.change("invoices", invoice, msdyn_projectinvoicestatus=_CONFIRMED)
    books.actuals += [*unbilled, *billed]


def describe(books: Books, draw: random.Random) -> None:
    """A change of an actual, posted or not."""
    if books.actuals:
        books.world.correct(draw.choice(books.actuals), msdyn_description=text_of(draw))


def post(books: Books, _draw: random.Random) -> None:
    """Finance's jobs: no request of theirs passes the board of faults."""
    keep_books(books.world)


def keep_books(world: World) -> None:
    """Import what has arrived of USPM, and post it (R601, R701)."""
    for job in _JOBS:
        world.job(job)
