"""Customer invoices of projects: voucher, customer transaction, invoice journal (R805).

An invoice proposal and an intercompany invoice are posted alike; they differ in what their lines book.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from sandbox.finance.books import Books
from sandbox.finance.rules.ledger import Entry, post_voucher
from sandbox.rules.days import noon
from sandbox.rules.money import money

INVOICES = "ProjectCustomerInvoices"

Sold = tuple[str, str, str, Decimal]
"""What a line sells: posting type, project, dimensions, net amount in the currency of the invoice."""


@dataclass(frozen=True, slots=True)
class CustomerInvoice:
    """A customer invoice that is posted.

    Attributes:
        company: Legal entity that bills.
        number: Invoice number.
        voucher: Voucher.
        customer: Customer account.
        contract: Project contract, or "".
        proposal: Invoice proposal, or "" of an intercompany invoice.
        day: Invoice date.
        accounting_day: Date of the voucher.
        currency: Of its lines.
        rate: Accounting currency per one unit of `currency`.
        accounting_currency: Of the company's ledger.
        intercompany: Whether it bills another legal entity of the firm.
    """

    company: str
    number: str
    voucher: str
    customer: str
    contract: str
    proposal: str
    day: date
    accounting_day: date
    currency: str
    rate: Decimal
    accounting_currency: str
    intercompany: bool = False

    def booked(self, amount: Decimal) -> Decimal:
        """Return an amount of the invoice in the accounting currency."""
        return money(amount * self.rate, self.accounting_currency)

    def entry(self, posting_type: str, amount: Decimal, project: str = "", dimension: str = "") -> Entry:
        """Return an entry at the rate of the invoice; a debit is positive."""
        return Entry(posting_type, amount, self.currency, self.booked(amount), project, dimension)

    def revenue(self, sold: Iterable[Sold]) -> list[Entry]:
        """Return one credit an account, project and dimension.

        Each is converted once, so that an invoice of many lines leaves no more to rounding than others.
        """
        sums: dict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
        for posting_type, project, dimension, amount in sold:
            sums[posting_type, project, dimension] += amount
        return [self.entry(kind, -amount, *place) for (kind, *place), amount in sums.items()]


def summed(entries: Iterable[Entry]) -> list[Entry]:
    """Add up entries of one account, project, dimension and currency, each as it was booked."""
    sums: dict[tuple[str, ...], Entry] = {}
    for entry in entries:
        key = entry.posting_type, entry.project, entry.dimension, entry.currency
        known = sums.get(key)
        sums[key] = entry if known is None else _added(known, entry)
    return list(sums.values())


def _added(one: Entry, other: Entry) -> Entry:
    return replace(
        one,
        amount=one.amount + other.amount,
        accounting_amount=one.accounting_amount + other.accounting_amount,
    )


def post_invoice(
    books: Books, invoice: CustomerInvoice, entries: Iterable[Entry], net: Decimal, tax: Decimal
) -> dict[str, Any]:
    """Post an invoice: the customer owes net and tax, the tax is due, and what the lines book (R805).

    Args:
        books: Of the transaction.
        invoice: The invoice.
        entries: What its lines book; with net and tax they balance.
        net: Sum of its lines.
        tax: Sales tax.

    Returns:
        The row of ProjectCustomerInvoices.

    Raises:
        FinanceError: The voucher does not balance, or the posting setup lacks an account.
    """
    owed = invoice.entry("CustomerBalance", net + tax)
    due = invoice.entry("SalesTax", -tax)
    booked = [owed, due, *summed(entries)]
    post_voucher(books, invoice.company, invoice.voucher, invoice.accounting_day, booked, invoice.number)
    return _record(books, invoice, owed, tax)


def _record(books: Books, invoice: CustomerInvoice, owed: Entry, tax: Decimal) -> dict[str, Any]:
    """Write the customer transaction and the invoice journal."""
    shared = {
        "dataAreaId": invoice.company,
        "InvoiceId": invoice.number,
        "Voucher": invoice.voucher,
        "CustomerAccountNumber": invoice.customer,
        "CurrencyCode": invoice.currency,
    }
    books.insert(
        "CustomerTransactions",
        shared
        | {
            "TransactionDate": noon(invoice.accounting_day),
            "Amount": owed.amount,
            "AccountingAmount": owed.accounting_amount,
        },
    )
    return books.insert(
        INVOICES,
        shared
        | {
            "InvoiceProposalId": invoice.proposal,
            "ProjectContractId": invoice.contract,
            "InvoiceDate": noon(invoice.day),
            "AccountingDate": noon(invoice.accounting_day),
            "InvoiceAmount": owed.amount,
            "SalesTaxAmount": tax,
            "ExchangeRate": invoice.rate,
            "IsIntercompany": "Yes" if invoice.intercompany else "No",
        },
    )
