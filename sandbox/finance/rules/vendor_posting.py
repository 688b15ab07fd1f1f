"""What vendors and employees are owed: costs on a clearing account, tax, and the vendor's balance.

An expense report posts its project costs to the expense integration account (R902), a vendor invoice
to the procurement integration account (R1002); the integration journal takes them from there once the
actuals have come back, so that both accounts net to 0 (R903).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sandbox.finance.books import Books
from sandbox.finance.rules.documents import accounting_amount, total
from sandbox.finance.rules.ledger import Entry, post_voucher
from sandbox.finance.rules.periods import FiscalCalendar, read_calendar
from sandbox.rules.days import noon
from sandbox.rules.hooks import Change, Row, Verb, effect

NO_PROJECT = "PurchaseExpenditure"
"""Posting type of what is bought for no project."""

_CONFIRMED = "Confirmed"


@dataclass(frozen=True, slots=True)
class Cost:
    """What one line costs.

    Attributes:
        posting_type: Where it is debited, a symbol of ProjLedgerPostingType.
        amount: Cost with the tax that cannot be recovered, in `currency`.
        tax: Tax that can be recovered, in `currency`.
        currency: Of the line.
        day: Of the work, which the actual that comes back bears too.
        project: Project, or "".
        contract: Project contract whose fixed rate may hold, or "" (R607).
        text: What was bought.
    """

    posting_type: str
    amount: Decimal
    tax: Decimal
    currency: str
    day: date
    project: str = ""
    contract: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Payable:
    """What a document owes.

    Attributes:
        company: Legal entity that owes.
        vendor: Vendor account that is owed.
        document: Number of the report or invoice.
        voucher: Voucher.
        day: Accounting date.
        approved: Whether it may be paid already (R1006).
    """

    company: str
    vendor: str
    document: str
    voucher: str
    day: date
    approved: bool = True


def post_payable(
    books: Books, payable: Payable, costs: Sequence[Cost], further: Sequence[Entry] = ()
) -> list[Decimal]:
    """Post a document's voucher and its vendor transaction (R902, R1002).

    Args:
        books: Of the transaction.
        payable: What is owed to whom.
        costs: Its lines.
        further: Entries that balance by themselves: accruals of receipts that the invoice ends.

    Returns:
        What each cost came to in the accounting currency, in the order of `costs`.

    Raises:
        DocumentRefusedError: A currency has no exchange rate (R607).
        FinanceError: An account is missing in the posting setup.
        PeriodClosedError: The day of a line lies in a closed period (R604).
    """
    calendar = read_calendar(books, payable.company)
    costed, taxes = zip(*(_debits(books, calendar, cost) for cost in costs), strict=True)
    credits = _balances([*costed, *taxes])
    entries = [*costed, *taxes, *credits, *further]
    post_voucher(books, payable.company, payable.voucher, payable.day, entries, payable.document)
    currency, owed = _owed(books, payable.company, credits)
    books.insert(
        "VendorTransactions",
        {
            "dataAreaId": payable.company,
            "Voucher": payable.voucher,
            "VendorAccountNumber": payable.vendor,
            "InvoiceNumber": payable.document,
            "TransactionDate": noon(payable.day),
            "CurrencyCode": currency,
            "Amount": owed,
            "AccountingAmount": total(entry.accounting_amount for entry in credits),
            "Approved": "Yes" if payable.approved else "No",
        },
    )
    return [entry.accounting_amount for entry in costed]


def project_contract(books: Books, line: Row) -> str:
    """Return the contract of a line's project in the line's own legal entity; "" of another's project."""
    if line["ProjectDataAreaId"].lower() not in {"", line["dataAreaId"].lower()}:
        return ""
    project = books.first("ProjectsV2", dataAreaId=line["dataAreaId"], ProjectId=line["ProjectId"])
    return "" if project is None else str(project["ProjectContractId"])


def _debits(books: Books, calendar: FiscalCalendar, cost: Cost) -> tuple[Entry, Entry]:
    """Return cost and tax at the rate that the integration journal will use: that of the accounting date."""
    day = calendar.accounting_date(cost.day)

    def debit(posting_type: str, amount: Decimal) -> Entry:
        booked = accounting_amount(books, calendar.company, amount, cost.currency, day, cost.contract)
        return Entry(posting_type, amount, cost.currency, booked, cost.project, text=cost.text)

    return debit(cost.posting_type, cost.amount), debit("SalesTax", cost.tax)


def _balances(debits: Sequence[Entry]) -> list[Entry]:
    """Return the vendor's credit, one entry a currency; what is owed is the sum of what was debited."""
    credits = []
    for currency in dict.fromkeys(entry.currency for entry in debits):
        own = [entry for entry in debits if entry.currency == currency]
        owed, booked = total(it.amount for it in own), total(it.accounting_amount for it in own)
        credits.append(Entry("VendorBalance", -owed, currency, -booked))
    return credits


def _owed(books: Books, company: str, credits: Sequence[Entry]) -> tuple[str, Decimal]:
    """Return currency and amount of the vendor transaction; several currencies are owed in the ledger's."""
    if len(credits) == 1:
        return credits[0].currency, credits[0].amount
    ledger = books.get("Ledgers", LegalEntityId=company)
    return str(ledger["AccountingCurrency"]), total(entry.accounting_amount for entry in credits)


def _approve_payment(books: Books, change: Change) -> None:
    """Let a blocked vendor transaction be paid once the project manager has confirmed (R1006).

    A status that leaves Confirmed again blocks it again [?].
    """
    row = change.after
    if not blocks_payments(books, row["dataAreaId"]):
        return
    for owed in books.find(
        "VendorTransactions",
        dataAreaId=row["dataAreaId"],
        VendorAccountNumber=row["InvoiceAccount"],
        InvoiceNumber=row["VendorInvoiceNum"],
    ):
        approved = "Yes" if row["ProjVendInvoiceStatus"] == _CONFIRMED else "No"
        books.update("VendorTransactions", owed, {"Approved": approved})


def blocks_payments(books: Books, company: str) -> bool:
    """Whether payments of project invoices wait for the project manager's confirmation (R1006)."""
    parameters = books.first("ProjectIntegrationParameters", dataAreaId=company)
    return parameters is not None and parameters["BlockVendorPayments"] == "Yes"


HOOKS = (effect("VendInvoiceExportsV2", [Verb.UPDATE], _approve_payment, ["ProjVendInvoiceStatus"]),)
