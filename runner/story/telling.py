"""The story from beginning to end: people act in one system, the areas run, the other system follows."""

from collections.abc import Callable, Sequence
from datetime import date

from runner.story import accounting, invoicing, work
from runner.story.cast import find_cast
from runner.story.engagement import Engagement, sign
from runner.wire import Wire

Sync = Callable[[Sequence[str]], None]
"""Runs some areas, all of them at once, and comes back when they have ended."""

START = date(2026, 10, 12)
"""The week after the demo firm's books end."""

SETUP, ESTIMATES, INVOICES = "setup_and_configuration", "estimates_and_actuals", "project_invoices"
EXPENSES, VENDORS, SUBCONTRACTS = "expense_management", "vendor_invoices", "subcontract_purchase_orders"


def tell(wire: Wire, sync: Sync, say: Callable[[str], None]) -> Engagement:
    """Let one project live.

    Args:
        wire: Both systems with the demo seed, in step.
        sync: Runs areas.
        say: Told of each chapter as it begins.

    Raises:
        RunnerError: A system refused what people did, or a job left a message.
    """
    cast = find_cast(wire)
    say("A contract is signed: project, tasks, milestone, people, estimates, a subcontract")
    engagement = sign(wire, cast, START)
    wire.run_job("confirm-subcontract", subcontracts=[engagement.subcontract])
    category = work.make_expense_category(wire, cast)
    sync((SETUP, EXPENSES))
    accounting.set_tax_group(wire, cast.area, engagement.number)
    sync((ESTIMATES, SUBCONTRACTS))

    say("Work comes in: hours, some of them lent by another company; a trip; a vendor's invoice")
    work.book_hours(wire, cast, engagement)
    work.spend(wire, cast, engagement, category)
    work.buy(wire, cast, engagement)
    sync((EXPENSES, VENDORS))
    wire.run_job("auto-approve")
    sync((ESTIMATES,))

    say("Accountants post the integration journals; vouchers and taxes go back; the partner is paid")
    accounting.post_actuals(wire)
    work.receive_and_pay_partner(wire, cast, engagement)
    accounting.bill_between_companies(wire)
    sync((ESTIMATES, VENDORS))
    wire.run_job("auto-approve")
    sync((ESTIMATES, VENDORS))
    accounting.post_actuals(wire)

    say("The customer is billed, and the invoice is corrected once")
    proforma = invoicing.invoice(wire, engagement)
    _bill(wire, sync)
    invoicing.correct(wire, proforma)
    _bill(wire, sync)
    return engagement


def _bill(wire: Wire, sync: Sync) -> None:
    """Bring a confirmed invoice to Finance, post it there, and bring back what became of it."""
    sync((ESTIMATES,))
    accounting.post_actuals(wire)
    sync((INVOICES,))
    accounting.post_invoices(wire)
    sync((ESTIMATES, INVOICES))
