"""Clearing accounts: what posting debits there, the integration journal takes off again (R903, R1002)."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import duckdb

from projops.reconcile.accounting.books import CLEARING
from projops.reconcile.model import Invariant
from projops.systems.quoting import decimal_text

_CLAIMS = {
    "clearing_expense": "The expense integration account stands at zero (R903).",
    "clearing_procurement": "The procurement integration account stands at zero (R1002).",
}
_BALANCES = """
SELECT company, posting_type, currency, sum(amount), sum(accounting_amount)
FROM entry WHERE posting_type IN ('ExpenseIntegration', 'ProcurementIntegration') AND by_its_end(day)
GROUP BY company, posting_type, currency
"""
_WAITING = """
SELECT company, posting_type, currency, sum(amount), count(*), min(number, 3)
FROM open_item GROUP BY company, posting_type, currency
"""


@dataclass(slots=True)
class _Account:
    """A clearing account of a company.

    Attributes:
        balance: In the accounting currency.
        entries: The same in each transaction currency.
        waiting: Cost of the documents that no posted journal has taken off, by transaction currency.
        documents: How many documents those are.
        first: Numbers of some of them.
    """

    balance: Decimal = Decimal(0)
    entries: dict[str, Decimal] = field(default_factory=dict)
    waiting: dict[str, Decimal] = field(default_factory=dict)
    documents: int = 0
    first: list[str] = field(default_factory=list)

    @property
    def is_explained(self) -> bool:
        """Whether the documents that wait make up all that stands on the account."""
        return _not_zero(self.entries) == _not_zero(self.waiting)


def clearing(books: duckdb.DuckDBPyConnection, companies: Sequence[str]) -> Iterator[Invariant]:
    """Say of each company whether its clearing accounts stand at zero, and if not, what is still to come.

    A balance that documents which have not come back make up to the last digit merely waits: a document
    is open by what its posting debited less what posted journal lines of its number have taken off.

    Args:
        books: With the tables and views of `rules`.
        companies: Codes in lower case.
    """
    accounts = _accounts(books)
    for company in companies:
        for name, posting_type in CLEARING.items():
            yield _judged(name, company, accounts[company, posting_type])


def _accounts(books: duckdb.DuckDBPyConnection) -> defaultdict[tuple[str, str], _Account]:
    accounts: defaultdict[tuple[str, str], _Account] = defaultdict(_Account)
    for company, kind, currency, amount, balance in books.execute(_BALANCES).fetchall():
        account = accounts[company, kind]
        account.entries[currency] = amount
        account.balance += balance
    for company, kind, currency, amount, documents, first in books.execute(_WAITING).fetchall():
        account = accounts[company, kind]
        account.waiting[currency] = amount
        account.documents += documents
        account.first += first
    return accounts


def _judged(name: str, company: str, account: _Account) -> Invariant:
    if account.balance == 0:
        return Invariant(name, company, True, False, "", _CLAIMS[name])
    stands = f"It stands at {decimal_text(account.balance)} in the accounting currency."
    if account.is_explained:
        pending = f"{stands} {_listed(account)} not come back: {_remedy(name)}"
        return Invariant(name, company, True, True, _subject(name), pending)
    rest = f"{_listed(account)} not come back, which explains a part at most." if account.documents else ""
    look = "No document that waits explains it: see the entries of the account in Finance."
    return Invariant(name, company, False, False, _subject(name), f"{stands} {rest or look}")


def _subject(name: str) -> str:
    return f"{name.removeprefix('clearing_')} integration account"


def _listed(account: _Account) -> str:
    first = ", ".join(sorted(account.first))
    more = (
        f" and {account.documents - len(account.first)} more"
        if account.documents > len(account.first)
        else ""
    )
    have = "have" if account.documents > 1 else "has"
    return f"{first}{more} {have}"


def _remedy(name: str) -> str:
    source = "expenses" if name == "clearing_expense" else "vendor_invoice_lines"
    return (
        f"let the maps {source} and actuals run, then import from staging and post the integration journal "
        "in Finance."
    )


def _not_zero(amounts: dict[str, Decimal]) -> dict[str, Decimal]:
    return {currency: amount for currency, amount in amounts.items() if amount}
