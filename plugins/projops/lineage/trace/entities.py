"""Which rows of both systems a trace knows, and the few columns of each that matter.

Of Finance's own books the shapes are PROPOSED (see `mapping/catalog/finance_books.json`): an environment
that lacks one of them says so, and the trace goes on without it.
"""

from __future__ import annotations

from projops.lineage.trace.records import Entity, Values
from projops.mapping.model import System

_MADE = ("msdyn_quantity", "msdyn_price", "msdyn_amount")
_KNOWN: dict[tuple[System, str], Entity] = {}


def entity_of(system: System, name: str) -> Entity:
    """Give what a trace knows of a table or entity set; of one that it does not name, the key alone."""
    return _KNOWN.get((system, name), Entity(system, name, name))


def remark_of(entity: Entity, row: Values) -> str:
    """Say what must be known of a row besides its columns; "" of most rows."""
    if entity is JOURNAL_LINE and not row["ActualsImportId"]:
        return "for the ledger alone: a fee or a discount, which has no actual of its own (R613)"
    return ""


def _dataverse(name: str, label: str, facts: str, *values: str) -> Entity:
    return _known(Entity(System.DATAVERSE, name, label, tuple(facts.split()), values))


def _finance(name: str, label: str, facts: str, *values: str) -> Entity:
    return _known(Entity(System.FINANCE, name, label, tuple(facts.split()), values))


def _known(entity: Entity) -> Entity:
    return _KNOWN.setdefault((entity.system, entity.name), entity)


# What work is entered as.
TIME_ENTRY = _dataverse(
    "msdyn_timeentry", "time entry", "msdyn_date msdyn_entrystatus", "msdyn_description", "msdyn_duration"
)
EXPENSE = _dataverse(
    "msdyn_expense",
    "expense",
    "msdyn_externalid msdyn_transactiondate msdyn_expensestatus",
    "msdyn_name",
    *_MADE,
)
MATERIAL_USAGE = _dataverse(
    "msdyn_materialusagelog",
    "material usage",
    "msdyn_externalid msdyn_transactiondate msdyn_usagestatus",
    "msdyn_quantity",
    "msdyn_price",
)
VENDOR_INVOICE = _dataverse(
    "msdyn_projectvendorinvoice",
    "vendor invoice",
    "msdyn_vendorinvoicenumber msdyn_invoicedate statuscode",
    "msdyn_description",
)
VENDOR_INVOICE_LINE = _dataverse(
    "msdyn_projectvendorinvoiceline",
    "vendor invoice line",
    "msdyn_externalinvoiceline msdyn_verificationstatus",
    "msdyn_description",
    *_MADE,
)
MILESTONE = _dataverse(
    "msdyn_contractlinescheduleofvalue",
    "milestone",
    "msdyn_milestonenumber msdyn_milestonedate msdyn_invoicestatus",
    "msdyn_name",
    "msdyn_amount",
)
JOURNAL_ENTRY = _dataverse(
    "msdyn_journalline",
    "journal line of Dataverse",
    "msdyn_transactiontypecode msdyn_documentdate msdyn_isposted",
    "msdyn_description",
    *_MADE,
)

# What it becomes in Dataverse.
ORIGIN = _dataverse("msdyn_transactionorigin", "transaction origin", "msdyn_origintype")
ACTUAL = _dataverse(
    "msdyn_actual",
    "actual",
    "msdyn_transactiontypecode msdyn_transactionclassification msdyn_documentdate msdyn_billingstatus"
    " msdyn_adjustmentstatus msdyn_skipsync msdyn_vouchernumber",
    "msdyn_description",
    *_MADE,
)
CONNECTION = _dataverse(
    "msdyn_transactionconnection", "connection", "msdyn_transaction1role msdyn_transaction2role"
)
INVOICE_DETAIL = _dataverse(
    "msdyn_invoicelinetransaction",
    "invoice line detail",
    "msdyn_transactionclassification msdyn_documentdate msdyn_correction",
    "msdyn_description",
    *_MADE,
)
INVOICE_LINE = _dataverse(
    "invoicedetail", "invoice line", "lineitemnumber", "invoicedetailname", "extendedamount"
)
INVOICE = _dataverse(
    "invoice",
    "proforma invoice",
    "invoicenumber msdyn_projectinvoicestatus msdyn_customerinvoicenumber",
    "name",
    "totalamount",
)
CUSTOMER_INVOICE = _dataverse(
    "msdyn_customerinvoice",
    "customer invoice of Dataverse",
    "msdyn_customerinvoicenumber msdyn_customerinvoicedate msdyn_invoicestatus",
    "msdyn_totalamount",
)

# What Finance makes of it.
STAGED = _finance(
    "ProjActualsImports",
    "staging row",
    "dataAreaId ActualsImportId TransactionType ProjectId VoucherNumber IsJournalized",
    "Description",
    "Quantity",
    "Amount",
    "AccountingAmount",
)
STATE = _finance(
    "ProjActualsImportStates",
    "state of a staging row",
    "dataAreaId IsProcessed JournalId JournalLineNumber InvoiceProposalId InvoiceProposalLineNumber",
)
JOURNAL_LINE = _finance(
    "ProjectIntegrationJournalLines",
    "integration journal line",
    "dataAreaId JournalId LineNumber TransactionType ProjectId AccountingDate Voucher LineStatus",
    "Description",
    "Quantity",
    "Amount",
    "CurrencyCode",
    "AccountingAmount",
)
TRANSACTION = _finance(
    "ProjectTransactions",
    "project transaction",
    "dataAreaId TransId ProjectId TransactionType CostVoucher SalesVoucher TransactionStatus",
    "CostAmount",
    "SalesAmount",
)
ENTRY = _finance(
    "GeneralJournalAccountEntries",
    "ledger entry",
    "dataAreaId Voucher LineNumber AccountingDate MainAccountId PostingType DocumentNumber",
    "Description",
    "TransactionCurrencyAmount",
    "TransactionCurrencyCode",
    "AccountingCurrencyAmount",
)
PROPOSAL_LINE = _finance(
    "ProjectInvoiceProposalLines",
    "invoice proposal line",
    "dataAreaId InvoiceProposalId LineNumber TransId ProjectId OnAccountTransId",
    "Description",
    "Quantity",
    "LineAmount",
    "CurrencyCode",
)
PROPOSAL = _finance(
    "ProjectInvoiceProposalsV2", "invoice proposal", "dataAreaId InvoiceProposalId Invoice ProposalStatus"
)
INVOICED = _finance(
    "ProjectCustomerInvoices",
    "customer invoice",
    "dataAreaId InvoiceId InvoiceProposalId AccountingDate Voucher IsIntercompany",
    "CustomerAccountNumber",
    "InvoiceAmount",
    "CurrencyCode",
)
EXPORTED_INVOICE = _finance(
    "ProjCustomerInvoiceExports",
    "exported customer invoice",
    "dataAreaId CustomerInvoiceNumber InvoiceProposalId CustomerInvoiceDate",
    "InvoiceAmount",
)
CUSTOMER_TRANSACTION = _finance(
    "CustomerTransactions", "customer transaction", "dataAreaId Voucher InvoiceId", "Amount", "CurrencyCode"
)
VENDOR_TRANSACTION = _finance(
    "VendorTransactions",
    "vendor transaction",
    "dataAreaId Voucher InvoiceNumber Approved",
    "Amount",
    "CurrencyCode",
)

# What Finance has of its own.
REPORT = _finance(
    "ExpenseReports",
    "expense report",
    "dataAreaId ExpenseReportNumber ExpenseReportStatus PostingDate Voucher",
    "Purpose",
)
REPORT_LINE = _finance(
    "ExpenseReportLines",
    "expense report line",
    "dataAreaId ExpTransNumber ExpenseReportNumber ProjectId TransactionDate",
    "AdditionalInformation",
    "Amount",
    "CurrencyCode",
)
EXPORTED_EXPENSE = _finance(
    "ProjExpensesExport",
    "exported expense",
    "ReferenceDataAreaId ExpTransNumber ProjId TransDate",
    "AdditionalInformation",
    "Amount",
)
BOUGHT = _finance(
    "VendorInvoiceHeaders",
    "vendor invoice of Finance",
    "dataAreaId HeaderReference InvoiceNumber InvoiceStatus PostingDate IsIntercompany Voucher",
    "InvoiceAccount",
    "InvoiceDescription",
)
BOUGHT_LINE = _finance(
    "VendorInvoiceLines",
    "vendor invoice line of Finance",
    "dataAreaId HeaderReference InvoiceLineNumber ProjectId ProjTransId SubcontractLineNumber",
    "Description",
    "Quantity",
    "LineAmount",
)
EXPORTED_VENDOR_INVOICE = _finance(
    "VendInvoiceExportsV2",
    "exported vendor invoice",
    "dataAreaId VendorInvoiceNum ProjVendInvoiceStatus",
    "InvoiceAccount",
    "Description",
)
EXPORTED_VENDOR_INVOICE_LINE = _finance(
    "ProjVendInvoiceLinesExportEntity",
    "exported vendor invoice line",
    "ProjDataAreaId ProjTransId VendorInvoiceNum ProjId",
    "Description",
    "LineAmount",
)
RECEIPT = _finance(
    "ProductReceiptHeaders",
    "product receipt",
    "dataAreaId ProductReceiptNumber PurchaseOrderNumber ReceiptStatus Voucher",
)
RECEIPT_LINE = _finance(
    "ProductReceiptLines",
    "product receipt line",
    "dataAreaId ProductReceiptNumber LineNumber PurchaseOrderNumber ProjSubContractLineNumber",
    "ReceivedQuantity",
)
GENERAL_JOURNAL_LINE = _finance(
    "GeneralJournalLines",
    "general journal line",
    "dataAreaId JournalBatchNumber LineNumber ProjectId Voucher IsPosted",
    "Text",
    "Quantity",
    "CostPrice",
)
PACKING_SLIP_LINE = _finance(
    "PackingSlipLines",
    "packing slip line",
    "dataAreaId PackingSlipNumber LineNumber ProjectId ItemNumber Voucher IsPosted",
    "Quantity",
    "CostPrice",
)
EXPORTED_USAGE = _finance(
    "ProjMaterialUsageExports",
    "exported material usage",
    "dataAreaId MaterialUsageId ProjectId ItemNumber PackingSlipDate",
    "Quantity",
)
MILESTONE_STAGED = _finance(
    "ProjectContractLineMilestones",
    "milestone of Finance",
    "dataAreaId ContractLineMilestoneIdentifier ProjectNumber TransStatus",
    "Description",
    "Amount",
)
ON_ACCOUNT = _finance(
    "ProjectOnAccountTransactions",
    "on-account transaction",
    "dataAreaId TransId ProjID TransactionOrigin TransStatus",
    "Description",
    "Amount",
)

# What Finance posts: each has the voucher of its ledger entries; the most telling first.
POSTED = (JOURNAL_LINE, INVOICED, REPORT, BOUGHT, RECEIPT, GENERAL_JOURNAL_LINE, PACKING_SLIP_LINE)

# What work is done for.
PROJECT = _dataverse("msdyn_project", "project", "msdyn_projectnumber statecode", "msdyn_subject")
TASK = _dataverse("msdyn_projecttask", "project task", "msdyn_projecttasknumber msdyn_wbsid", "msdyn_subject")
CONTRACT = _dataverse("salesorder", "contract", "ordernumber msdyn_psastate msdyn_psastatusreason", "name")
CONTRACT_LINE = _dataverse(
    "salesorderdetail", "contract line", "msdyn_contractlinenumber sequencenumber", "salesorderdetailname"
)
SUBCONTRACT = _dataverse("msdyn_subcontract", "subcontract", "msdyn_subcontractnumber", "msdyn_name")
SUBCONTRACT_LINE = _dataverse(
    "msdyn_subcontractline", "subcontract line", "msdyn_subcontractlinenumber", "msdyn_name", "msdyn_quantity"
)
RESOURCE = _dataverse("bookableresource", "resource", "", "name")
ACCOUNT = _dataverse("account", "account", "accountnumber", "name")
CATEGORY = _dataverse(
    "msdyn_transactioncategory", "transaction category", "msdyn_transactioncategorynumber", "msdyn_name"
)
