"""Which columns of both systems' books the rules of accounting ask for, and what they are called here."""

from collections.abc import Mapping
from dataclasses import dataclass

from projops.mapping import catalog
from projops.mapping.catalog import Table

CLEARING = {"clearing_expense": "ExpenseIntegration", "clearing_procurement": "ProcurementIntegration"}
"""Accounts that posting debits and the integration journal clears: posting type by rule (R903, R1002)."""

OWNER = "msdyn_owningcompany"
OWNER_CODE = "msdyn_owningcompany.cdm_companycode"
ACTUAL = {
    "actual": "msdyn_actualimportid",
    "skips_sync": "msdyn_skipsync",
    "type": "msdyn_transactiontypecode",
    "class": "msdyn_transactionclassification",
    "voucher": "msdyn_vouchernumber",
}
"""Columns of the table `actual`, besides `id`, `company` and `day`, with those of msdyn_actual."""


@dataclass(frozen=True, slots=True)
class Book:
    """One entity set of Finance as the rules see it.

    Attributes:
        name: Table in DuckDB.
        entity: Entity set.
        columns: Columns by the names that they have there, with the fields that they hold.
        company: Field that says a row's company: the column `company`, in lower case.
    """

    name: str
    entity: str
    columns: Mapping[str, str]
    company: str = "dataAreaId"

    @property
    def table(self) -> Table:
        """The entity set in the catalog: one that maps name, or one of Finance's own books."""
        return catalog.finance_table(self.entity)


ENTRIES = Book(
    "entry",
    "GeneralJournalAccountEntries",
    {
        "voucher": "Voucher",
        "day": "AccountingDate",
        "posting_type": "PostingType",
        "currency": "TransactionCurrencyCode",
        "amount": "TransactionCurrencyAmount",
        "accounting_amount": "AccountingCurrencyAmount",
    },
)
STAGED = Book(
    "staged",
    "ProjActualsImports",
    {
        "actual": "ActualsImportId",
        "type": "TransactionType",
        "voucher": "VoucherNumber",
        "journalised": "IsJournalized",
        "proposal": "InvoiceProposalId",
        "accounting_day": "AccountingDate",
        "document_day": "DocumentDate",
        "origin": "ExternalOriginReference",
        "project_company": "ProjectDataAreaId",
        "resourcing_company": "ResourcingCompany",
    },
)
STATES = Book(
    "state",
    "ProjActualsImportStates",
    {
        "actual": "ActualsImportId",
        "processed": "IsProcessed",
        "duplicate": "IsDuplicate",
        "invalid": "IsInvalid",
        "journal": "JournalId",
    },
)
LINES = Book(
    "line",
    "ProjectIntegrationJournalLines",
    {
        "journal": "JournalId",
        "number": "LineNumber",
        "actual": "ActualsImportId",
        "type": "TransactionType",
        "day": "AccountingDate",
        "amount": "Amount",
        "currency": "CurrencyCode",
        "accounting_amount": "AccountingAmount",
        "offset_type": "OffsetPostingType",
        "origin": "ExternalOriginReference",
        "voucher": "Voucher",
        "status": "LineStatus",
        "reason": "MessageText",
    },
)
PROPOSALS = Book(
    "proposal",
    "ProjectInvoiceProposalsV2",
    {"number": "InvoiceProposalId", "status": "ProposalStatus", "day": "InvoiceDate"},
)
PROPOSAL_LINES = Book(
    "proposal_line",
    "ProjectInvoiceProposalLines",
    {"proposal": "InvoiceProposalId", "number": "LineNumber", "actual": "ActualsImportId"},
)
INVOICES = Book(
    "invoice",
    "ProjectCustomerInvoices",
    {"number": "InvoiceId", "proposal": "InvoiceProposalId", "voucher": "Voucher"},
)
MESSAGES = Book(
    "message",
    "ProjectIntegrationMessages",
    {
        "error": "ErrorId",
        "job": "JobName",
        "actual": "ActualsImportId",
        "document": "DocumentNumber",
        "reason": "MessageText",
        "resolved": "Resolved",
    },
)
EXPENSES = Book(
    "expense",
    "ProjExpensesExport",
    {
        "number": "ExpTransNumber",
        "day": "TransDate",
        "amount": "NetAmount",
        "currency": "ExchangeCode",
        "paid_by": "InterCompanyLE",
        "booked": "ProjCostTransExists",
    },
    "ReferenceDataAreaId",
)
PURCHASES = Book(
    "purchase",
    "ProjVendInvoiceLinesExportEntity",
    {
        "number": "ProjTransId",
        "day": "TransDate",
        "amount": "LineAmount",
        "currency": "currencyCode",
        "booked": "ProjItemTransExists",
    },
    "DAreaId",
)
BOOKS = (STATES, LINES, PROPOSALS, PROPOSAL_LINES, INVOICES, MESSAGES, ENTRIES, EXPENSES, PURCHASES, STAGED)
"""In the order in which they are read: what must follow from something else is read after it."""
