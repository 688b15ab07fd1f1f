"""Invoices as they come in: work that is posted, its billed sales, and the proposal that bills them."""

from decimal import Decimal
from typing import Any

from sandbox.finance.books import Books
from sandbox.finance.rules.posting import post_journals
from sandbox.finance.rules.proposal_posting import post_proposals
from sandbox.finance.rules.proposals import import_lines
from sandbox.store import WriteUnit
from tests.unit.sandbox.finance.rules.accounts import (
    add_actual,
    add_contract,
    add_journal,
    add_line,
    add_proposal,
    bill_in_dataverse,
    connect,
    set_up,
)

ONE_LINE = {"proposals": 1, "proposals_waiting": 0, "proposal_lines": 1}
WAITING = {"proposals": 0, "proposals_waiting": 1, "proposal_lines": 0}


NUMBER = {"proposal": "INV-01", "company": "USPM"}


def open_firm(books: Books) -> Books:
    """Set the company up with a contract that is taxed."""
    set_up(books)
    add_contract(books, tax_group="STATE")
    category = {"Category": "TCN-0000001000-D3B43-1", "ItemSalesTaxGroup": "FULL"}
    books.insert("ProjectCategoryEntities", {"dataAreaId": "uspm"} | category)
    return books


def sell(books: Books, name: str, amount: str, line: dict[str, Any] | None = None, **values: Any) -> None:
    """Let unbilled sales come in, and post them in a journal of their own."""
    journal = add_journal(books, number=f"J-{name}")
    sales = add_actual(books, name, "Sales", amount, **values)
    add_line(books, journal, sales, **{"Voucher": f"V-{name}", **(line or {})})
    post_journals(books, {"company": "uspm"})


def bill(books: Books, name: str, amount: str, invoice: str = "INV-01", **values: Any) -> None:
    """Let the billed sales of some unbilled sales come in."""
    add_actual(books, f"{name} billed", "BilledSales", amount, InvoiceProposalId=invoice, **values)
    connect(books, f"{name} billed", "Billed Sales", name, "Unbilled Sales")


def propose(books: Books, unit: WriteUnit, count: int = 1, number: str = "INV-01", **header: Any) -> None:
    """Let the header of an invoice come in, of which Dataverse counts so many billed sales."""
    bill_in_dataverse(unit, books, number, count)
    add_proposal(books, number, **header)


def post(books: Books) -> Any:
    """Take the lines of the proposals and post them."""
    import_lines(books, "uspm")
    return post_proposals(books, {"company": "uspm"})


def lines(books: Books, number: str = "INV-01") -> list[tuple[Decimal, Decimal]]:
    """Return amount and tax of the lines of a proposal."""
    rows = books.find("ProjectInvoiceProposalLines", InvoiceProposalId=number)
    return [(row["LineAmount"], row["SalesTaxAmount"]) for row in rows]
