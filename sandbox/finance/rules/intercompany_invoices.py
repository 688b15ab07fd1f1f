"""Intercompany customer invoices: the lender bills what its people did for another company (R1203)."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sandbox.finance.books import Books
from sandbox.finance.rules import integration_journals, staging
from sandbox.finance.rules.accounting import INTERORG_SALES
from sandbox.finance.rules.documents import PostingJob, post_documents, total
from sandbox.finance.rules.exchange import accounting_currency
from sandbox.finance.rules.import_setup import RELATIONS, read_setup
from sandbox.finance.rules.intercompany_vendor_invoices import create_pending
from sandbox.finance.rules.invoicing import CustomerInvoice, post_invoice
from sandbox.finance.rules.ledger import Entry
from sandbox.finance.rules.periods import accounting_date
from sandbox.finance.rules.proposal_lines import tax_values
from sandbox.finance.rules.proposal_posting import required_rate
from sandbox.finance.rules.taxes import TaxFacts
from sandbox.rules.hooks import Row

_ACCRUALS = ("WipSalesValue", "AccruedRevenue")


def post_intercompany_invoices(books: Books, parameters: Row) -> dict[str, Any]:
    """Bill to each borrower what is posted and not billed yet, one invoice a currency (R1203).

    Args:
        books: Of the transaction.
        parameters: `company`, the lender, or nothing for all companies.

    Returns:
        By lender the counts `posted` (borrowers billed) and `refused`; under `messages` why.

    Raises:
        JobRefusedError: There is no such company.
    """
    return post_documents(books, parameters, _JOB)


def _due(books: Books, lender: str) -> list[dict[str, Any]]:
    """Return the relations of a lender in which something waits to be billed."""
    relations = books.find(RELATIONS, LendingLegalEntityId=lender)
    return [relation for relation in relations if _unbilled(books, relation)]


def _unbilled(books: Books, relation: Row) -> list[dict[str, Any]]:
    """Return the lender's posted inter-organizational sales that no invoice bills yet."""
    lender = str(relation["LendingLegalEntityId"])
    lines = books.find(
        integration_journals.LINES,
        dataAreaId=lender,
        TransactionType=INTERORG_SALES,
        LineStatus="Posted",
        ProjectDataAreaId=relation["BorrowingLegalEntityId"],
    )
    open_states = books.find(staging.STATES, dataAreaId=lender, InvoiceProposalId="")
    unbilled = {state["ActualsImportId"] for state in open_states}
    return [line for line in lines if line["ActualsImportId"] in unbilled]


def _post(books: Books, relation: Row) -> None:
    """Bill everything of a relation.

    Raises:
        DocumentRefusedError: No exchange rate is known (R607).
        PeriodClosedError: Today lies in no open period (E12, E13).
        FinanceError: The relation or the posting setup lacks an account.
    """
    lines = _unbilled(books, relation)
    for currency in dict.fromkeys(str(line["CurrencyCode"]) for line in lines):
        _bill(books, relation, currency, [line for line in lines if line["CurrencyCode"] == currency])


def _bill(books: Books, relation: Row, currency: str, lines: Sequence[Row]) -> None:
    invoice = _invoice(books, relation, currency)
    billed = list(_billed_lines(books, invoice, lines))
    net = total(line["LineAmount"] for line in billed)
    tax = total(line["SalesTaxAmount"] for line in billed)
    row = post_invoice(books, invoice, _entries(books, invoice, lines), net, tax)
    for number, line in enumerate(lines, start=1):
        place = {"InvoiceProposalId": invoice.number, "InvoiceProposalLineNumber": number}
        staging.mark(books, invoice.company, line["ActualsImportId"], **place)
    create_pending(books, row, relation, billed)


def _invoice(books: Books, relation: Row, currency: str) -> CustomerInvoice:
    lender, day = str(relation["LendingLegalEntityId"]), books.now.date()
    return CustomerInvoice(
        company=lender.lower(),
        number=books.next_number(lender, "CustomerInvoice"),
        voucher=books.next_number(lender, "CustomerInvoiceVoucher"),
        customer=str(relation["CustomerAccountNumber"]),
        contract="",
        proposal="",
        day=day,
        accounting_day=accounting_date(books, lender, day),
        currency=currency,
        rate=required_rate(books, lender, currency, day),
        accounting_currency=accounting_currency(books, lender),
        intercompany=True,
    )


def _billed_lines(
    books: Books, invoice: CustomerInvoice, lines: Sequence[Row]
) -> Iterator[Mapping[str, Any]]:
    """Yield the lines of the invoice, in the columns of ProjectInvoiceProposalLines."""
    setup = read_setup(books, invoice.company)
    for line in lines:
        facts = TaxFacts(customer=invoice.customer, category=str(line["CategoryId"]))
        yield {
            "ActualsImportId": line["ActualsImportId"],
            "ProjectId": line["ProjectId"],
            "CategoryId": line["CategoryId"],
            "TransactionClassification": line["TransactionClassification"],
            "TransactionDate": line["TransactionDate"],
            "Quantity": line["Quantity"],
            "SalesPrice": line["UnitPrice"],
            "LineAmount": line["Amount"],
            "CurrencyCode": line["CurrencyCode"],
            "Description": line["Description"],
            **tax_values(setup, facts, line["Amount"], invoice.currency),
        }


def _entries(books: Books, invoice: CustomerInvoice, lines: Sequence[Row]) -> Iterator[Entry]:
    """Yield intercompany revenue, and the end of what posting the lines had accrued (R1202).

    Both bear the dimensions that posting gave to the lines (R610).
    """
    yield from invoice.revenue(
        (
            "IntercompanyRevenue",
            str(line["ProjectId"]),
            str(line["DefaultDimensionDisplayValue"]),
            line["Amount"],
        )
        for line in lines
    )
    for line in lines:
        accrued = books.find(
            "GeneralJournalAccountEntries",
            dataAreaId=invoice.company,
            Voucher=line["Voucher"],
            PostingType=_ACCRUALS,
        )
        for entry in accrued:
            yield Entry(
                str(entry["PostingType"]),
                -entry["TransactionCurrencyAmount"],
                str(entry["TransactionCurrencyCode"]),
                -entry["AccountingCurrencyAmount"],
                str(entry["ProjectId"]),
                str(entry["DefaultDimensionDisplayValue"]),
            )


_JOB = PostingJob("post-intercompany-invoices", "R1203", "BorrowingLegalEntityId", _due, _post)
JOBS = {_JOB.name: post_intercompany_invoices}
