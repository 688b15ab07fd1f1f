"""Posting of invoice proposals: voucher, customer invoice, and what goes back to Dataverse (R805, R806)."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sandbox.finance.books import Books
from sandbox.finance.rules import on_account, staging, transactions
from sandbox.finance.rules.accounting import profile_rule
from sandbox.finance.rules.billing import LINES
from sandbox.finance.rules.categories import TransactionClass
from sandbox.finance.rules.connections import chunks
from sandbox.finance.rules.documents import DocumentRefusedError, PostingJob, post_documents, total
from sandbox.finance.rules.exchange import accounting_currency, missing_rate, rate
from sandbox.finance.rules.invoicing import CustomerInvoice, Sold, post_invoice
from sandbox.finance.rules.ledger import Entry
from sandbox.finance.rules.periods import accounting_date
from sandbox.finance.rules.proposal_editing import PROPOSALS
from sandbox.finance.rules.proposal_lines import paying_customer
from sandbox.finance.rules.proposals import INVOICED, READY
from sandbox.rules.days import day_of
from sandbox.rules.hooks import Row

EXPORTS = "ProjCustomerInvoiceExports"
_METHOD_OF_CLASS: Mapping[int, str] = {
    TransactionClass.MILESTONE: "FixedPrice",
    TransactionClass.RETAINER: "TimeAndMaterial",
}


@dataclass(frozen=True)
class Bill:
    """A proposal that is posted.

    Attributes:
        invoice: The customer invoice that it becomes.
        lines: Its lines.
        transactions: What they bill that was posted by a journal, by transaction number.
        on_account: Posting type of on-account lines, by transaction class.
    """

    invoice: CustomerInvoice
    lines: Sequence[Row]
    transactions: Mapping[str, Row]
    on_account: Mapping[int, str]

    def entries(self) -> list[Entry]:
        """Return what the lines book: revenue, and the end of what was accrued for it (R805, R705)."""
        return [*self.invoice.revenue(map(self._sold, self.lines)), *self._accruals()]

    def _sold(self, line: Row) -> Sold:
        posting_type = self.on_account.get(line["TransactionClassification"], "InvoicedRevenue")
        return posting_type, *_place(line), line["LineAmount"]

    def _accruals(self) -> Iterator[Entry]:
        for line in self.lines:
            place = _place(line)
            billed = self.billed(line)
            if billed is not None and billed["IsRevenueAccrued"] == "Yes":
                yield _accrual(billed, "WipSalesValue", Decimal(-1), *place)
                yield _accrual(billed, "AccruedRevenue", Decimal(1), *place)

    def billed(self, line: Row) -> Row | None:
        """Return the transaction that a line bills; None of a credit, whose transaction is invoiced."""
        found = self.transactions.get(line["TransId"])
        proposed = found is not None and found["TransactionStatus"] == transactions.PROPOSED
        return found if proposed else None


def post_proposals(books: Books, parameters: Row) -> dict[str, Any]:
    """Post every invoice proposal that has its lines (R805), each by itself.

    Args:
        books: Of the transaction.
        parameters: `company`, or nothing for all companies.

    Returns:
        By company the counts `posted` and `refused`; under `messages` why, one sentence each.

    Raises:
        JobRefusedError: There is no such company.
    """
    return post_documents(books, parameters, _JOB)


def _ready(books: Books, company: str) -> list[dict[str, Any]]:
    return books.find(PROPOSALS, dataAreaId=company, ProposalStatus=READY)


def _post(books: Books, header: Row) -> None:
    """Post a proposal.

    Raises:
        DocumentRefusedError: No exchange rate is known (R607).
        PeriodClosedError: Its date lies in no open period (E12, E13).
        FinanceError: The posting setup lacks an account.
    """
    company, number = str(header["dataAreaId"]), header["InvoiceProposalId"]
    lines = books.find(LINES, dataAreaId=company, InvoiceProposalId=number)
    bill = Bill(
        _invoice(books, header),
        lines,
        _transactions(books, company, lines),
        _on_account_types(books, company),
    )
    net, tax = total(line["LineAmount"] for line in lines), total(line["SalesTaxAmount"] for line in lines)
    row = post_invoice(books, bill.invoice, bill.entries(), net, tax)
    for line in lines:
        _settle(books, bill, line)
    _write_back(books, bill)
    books.insert(EXPORTS, _export(row))
    books.update(PROPOSALS, header, {"Invoice": row["InvoiceId"], "ProposalStatus": INVOICED})


def _invoice(books: Books, header: Row) -> CustomerInvoice:
    company, currency = str(header["dataAreaId"]), str(header["SalesCurrency"])
    contract = str(header["ProjectContractId"])
    day = day_of(header["InvoiceDate"]) or books.now.date()
    return CustomerInvoice(
        company=company,
        number=books.next_number(company, "CustomerInvoice"),
        voucher=books.next_number(company, "CustomerInvoiceVoucher"),
        customer=paying_customer(books, header),
        contract=contract,
        proposal=str(header["InvoiceProposalId"]),
        day=day,
        accounting_day=accounting_date(books, company, day),
        currency=currency,
        rate=required_rate(books, company, currency, day, contract),
        accounting_currency=accounting_currency(books, company),
    )


def required_rate(books: Books, company: str, currency: str, day: date, contract: str = "") -> Decimal:
    """Return the rate of an invoice.

    Raises:
        DocumentRefusedError: None is known (R607).
    """
    known = rate(books, company, currency, day, contract)
    if known is None:
        raise DocumentRefusedError("R607", missing_rate(books, company, currency, day))
    return known


def _transactions(books: Books, company: str, lines: Sequence[Row]) -> dict[str, Row]:
    numbers = [str(line["TransId"]) for line in lines if line["TransId"]]
    return {
        str(row["TransId"]): row
        for part in chunks(numbers)
        for row in books.find(transactions.TRANSACTIONS, dataAreaId=company, TransId=part)
    }


def _on_account_types(books: Books, company: str) -> dict[int, str]:
    """Return where on-account lines go: to revenue, or to the balance sheet by the profile (R805)."""
    return {
        transaction_class: "WipInvoicedOnAccount"
        if profile_rule(books, company, method).get("OnAccountInvoicingToBalance") == "Yes"
        else "InvoicedRevenueOnAccount"
        for transaction_class, method in _METHOD_OF_CLASS.items()
    }


def _place(line: Row) -> tuple[str, str]:
    return str(line["ProjectId"]), str(line["DefaultDimensionDisplayValue"])


def _accrual(transaction: Row, posting_type: str, sign: Decimal, project: str, dimension: str) -> Entry:
    return Entry(
        posting_type,
        sign * transaction["SalesAmount"],
        str(transaction["SalesCurrencyCode"]),
        sign * transaction["SalesAccountingAmount"],
        project,
        dimension,
    )


def _settle(books: Books, bill: Bill, line: Row) -> None:
    """Mark what a line bills as invoiced (R805: nothing is reversed in Finance)."""
    billed = bill.billed(line)
    if line["OnAccountTransId"]:
        on_account.invoiced(books, bill.invoice.company, str(line["OnAccountTransId"]))
    elif billed is not None:
        values = {"TransactionStatus": transactions.FULLY_INVOICED, "InvoiceId": bill.invoice.number}
        books.update(transactions.TRANSACTIONS, billed, values)


def _write_back(books: Books, bill: Bill) -> None:
    """Give the billed sales what Dataverse wants to know of them (R806); a fee is no part of its amount."""
    lines: dict[str, list[Row]] = defaultdict(list)
    for line in bill.lines:
        lines[str(line["ActualsImportId"])].append(line)
    for actual in staging.staged(books, bill.invoice.company, list(lines)):
        own, kind = lines[actual["ActualsImportId"]], actual["TransactionClassification"]
        net = total(line["LineAmount"] for line in own if line["TransactionClassification"] == kind)
        values = {
            "AccountingAmount": bill.invoice.booked(net),
            "ExchangeRate": bill.invoice.rate,
            "VoucherNumber": bill.invoice.voucher,
            "SalesTaxAmount": total(line["SalesTaxAmount"] for line in own),
            "IsJournalized": "Yes",
        }
        books.update(staging.ACTUALS, actual, values)


def _export(invoice: Row) -> dict[str, Any]:
    """Return the row that tells Dataverse of a posted invoice (R806, map customer_invoices)."""
    return {
        "dataAreaId": invoice["dataAreaId"],
        "CustomerInvoiceNumber": invoice["InvoiceId"],
        "InvoiceProposalId": invoice["InvoiceProposalId"],
        "CustomerInvoiceDate": invoice["InvoiceDate"],
        "ProjectContractId": invoice["ProjectContractId"],
        "SalesTaxAmount": invoice["SalesTaxAmount"],
        "InvoiceAmount": invoice["InvoiceAmount"],
        "CurrencyCode": invoice["CurrencyCode"],
    }


_JOB = PostingJob("post-invoice-proposals", "R805", "InvoiceProposalId", _ready, _post)
JOBS = {_JOB.name: post_proposals}
