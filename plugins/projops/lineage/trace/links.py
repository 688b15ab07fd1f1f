"""Which rows follow from which, as data: a trace walks it towards the origin, or towards the outcome."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

from projops.lineage.trace import entities as of
from projops.lineage.trace.records import Condition, Entity, Link, Values
from projops.mapping.model import Direction, System, TableMap, WriteMode
from projops.mapping.paths import key_paths

_COMPANY = "dataAreaId"
_VOUCHER = (_COMPANY, "Voucher")
_ACTUAL = (_COMPANY, "ActualsImportId")
_NUMBERED = (_COMPANY, "InvoiceProposalId")

# Of two connected actuals the one whose role is later follows from the other (R302, R402, R502, R1004).
_LATER = {
    "Unbilled Sales": 1,
    "Resourcing Unit Cost": 1,
    "Reversing": 1,
    "Replacing": 1,
    "Billed Sales": 2,
    "Inter-Organizational Sales": 2,
}


def _rank(connection: Values, end: int) -> int:
    return _LATER.get(str(connection[f"msdyn_transaction{end}role"]), 0)


def _first_follows(connection: Values) -> bool:
    return _rank(connection, 1) >= _rank(connection, 2)


def _second_follows(connection: Values) -> bool:
    return not _first_follows(connection)


def _holds(column: str, value: str, row: Values) -> bool:
    return bool(row[column] == value)


def _connected(later: str, earlier: str, when: Condition) -> tuple[Link, Link]:
    own = of.ACTUAL.key
    return (
        Link(of.ACTUAL, own, of.CONNECTION, (later,), "connected by", parent_when=when),
        Link(of.CONNECTION, (earlier,), of.ACTUAL, own, "with", child_when=when),
    )


def _entered(entity: Entity) -> Link:
    when = partial(_holds, "msdyn_origintype", entity.name)
    return Link(of.ORIGIN, ("msdyn_origin",), entity, entity.key, "which is", child_when=when)


# From actuals back to what was entered.
_IN_DATAVERSE = (
    Link(of.ACTUAL, of.ACTUAL.key, of.ORIGIN, ("msdyn_transaction",), "recorded from"),
    *map(
        _entered,
        (
            of.TIME_ENTRY,
            of.EXPENSE,
            of.MATERIAL_USAGE,
            of.VENDOR_INVOICE_LINE,
            of.MILESTONE,
            of.JOURNAL_ENTRY,
        ),
    ),
    Link(of.JOURNAL_ENTRY, ("msdyn_timeentry",), of.TIME_ENTRY, of.TIME_ENTRY.key, "of"),
    *_connected("msdyn_transaction1", "msdyn_transaction2", _first_follows),
    *_connected("msdyn_transaction2", "msdyn_transaction1", _second_follows),
    Link(of.ACTUAL, of.ACTUAL.key, of.INVOICE_DETAIL, ("msdyn_billedactual",), "billed by"),
    Link(of.INVOICE_DETAIL, ("msdyn_unbilledactual",), of.ACTUAL, of.ACTUAL.key, "of"),
    Link(of.INVOICE_DETAIL, ("msdyn_milestone",), of.MILESTONE, of.MILESTONE.key, "of"),
    Link(
        of.INVOICE_DETAIL,
        ("msdyn_originalinvoicelinedetail",),
        of.INVOICE_DETAIL,
        of.INVOICE_DETAIL.key,
        "corrects",
    ),
    Link(of.INVOICE_LINE, of.INVOICE_LINE.key, of.INVOICE_DETAIL, ("msdyn_invoicelineid",), "with"),
    Link(of.INVOICE, of.INVOICE.key, of.INVOICE_LINE, ("invoiceid",), "with"),
    Link(of.CUSTOMER_INVOICE, ("msdyn_proformainvoice",), of.INVOICE, of.INVOICE.key, "of"),
    Link(of.VENDOR_INVOICE, of.VENDOR_INVOICE.key, of.VENDOR_INVOICE_LINE, ("msdyn_vendorinvoice",), "with"),
)

# From vouchers back to what is staged, and to the documents that Finance has of its own.
_IN_FINANCE = (
    *(Link(of.ENTRY, _VOUCHER, document, _VOUCHER, "posted by") for document in of.POSTED),
    Link(of.CUSTOMER_TRANSACTION, _VOUCHER, of.INVOICED, _VOUCHER, "owed by"),
    Link(of.VENDOR_TRANSACTION, _VOUCHER, of.REPORT, _VOUCHER, "owed for"),
    Link(of.VENDOR_TRANSACTION, _VOUCHER, of.BOUGHT, _VOUCHER, "owed for"),
    Link(of.JOURNAL_LINE, _ACTUAL, of.STAGED, _ACTUAL, "imported from"),
    Link(of.JOURNAL_LINE, (_COMPANY, "SourceActualId"), of.STAGED, _ACTUAL, "made for"),
    Link(of.STATE, _ACTUAL, of.STAGED, _ACTUAL, "of"),
    Link(of.TRANSACTION, (_COMPANY, "CostActualsImportId"), of.STAGED, _ACTUAL, "cost of"),
    Link(of.TRANSACTION, (_COMPANY, "SalesActualsImportId"), of.STAGED, _ACTUAL, "sales of"),
    Link(of.PROPOSAL_LINE, _ACTUAL, of.STAGED, _ACTUAL, "imported from"),
    Link(of.PROPOSAL, _NUMBERED, of.PROPOSAL_LINE, _NUMBERED, "with"),
    Link(of.INVOICED, _NUMBERED, of.PROPOSAL, _NUMBERED, "of"),
    Link(
        of.EXPORTED_INVOICE, (_COMPANY, "CustomerInvoiceNumber"), of.INVOICED, (_COMPANY, "InvoiceId"), "of"
    ),
    # Between companies there is no proposal: the staging rows know their invoice (R1203).
    Link(
        of.INVOICED,
        (_COMPANY, "InvoiceId"),
        of.STATE,
        _NUMBERED,
        "bills",
        child_when=partial(_holds, "IsIntercompany", "Yes"),
    ),
    Link(of.BOUGHT, (_COMPANY, "HeaderReference"), of.BOUGHT_LINE, (_COMPANY, "HeaderReference"), "with"),
    Link(of.BOUGHT_LINE, ("ActualsImportId",), of.STAGED, ("ActualsImportId",), "bills"),
    Link(
        of.EXPORTED_VENDOR_INVOICE_LINE, ("ProjTransId",), of.BOUGHT_LINE, ("ProjTransId",), "exported from"
    ),
    Link(
        of.EXPORTED_VENDOR_INVOICE,
        (_COMPANY, "VendorInvoiceNum", "InvoiceAccount"),
        of.BOUGHT,
        (_COMPANY, "InvoiceNumber", "InvoiceAccount"),
        "exported from",
    ),
    Link(
        of.REPORT,
        (_COMPANY, "ExpenseReportNumber"),
        of.REPORT_LINE,
        (_COMPANY, "ExpenseReportNumber"),
        "with",
    ),
    Link(of.EXPORTED_EXPENSE, ("ExpTransNumber",), of.REPORT_LINE, ("ExpTransNumber",), "exported from"),
    Link(of.EXPORTED_EXPENSE, ("ExpTransNumber",), of.GENERAL_JOURNAL_LINE, ("Voucher",), "exported from"),
    Link(
        of.RECEIPT,
        (_COMPANY, "ProductReceiptNumber"),
        of.RECEIPT_LINE,
        (_COMPANY, "ProductReceiptNumber"),
        "with",
    ),
    Link(of.RECEIPT_LINE, _ACTUAL, of.STAGED, _ACTUAL, "receives"),
    Link(
        of.ON_ACCOUNT,
        (_COMPANY, "TransId"),
        of.MILESTONE_STAGED,
        (_COMPANY, "ContractLineMilestoneIdentifier"),
        "of",
    ),
)

# What a row belongs to; and, of a project or a contract, what belongs to it.
_PARTS = (
    Link(of.PROJECT, ("msdyn_salesorderid",), of.CONTRACT, of.CONTRACT.key, "under"),
    Link(of.TASK, ("msdyn_project",), of.PROJECT, of.PROJECT.key, "of"),
    Link(of.CONTRACT_LINE, ("salesorderid",), of.CONTRACT, of.CONTRACT.key, "of"),
    Link(of.CONTRACT_LINE, ("msdyn_project",), of.PROJECT, of.PROJECT.key, "for"),
    Link(of.MILESTONE, ("msdyn_contractlineid",), of.CONTRACT_LINE, of.CONTRACT_LINE.key, "of"),
    Link(of.SUBCONTRACT, ("msdyn_project",), of.PROJECT, of.PROJECT.key, "for"),
    Link(of.SUBCONTRACT_LINE, ("msdyn_subcontract",), of.SUBCONTRACT, of.SUBCONTRACT.key, "of"),
)
_BELONGS = tuple(
    Link(child, (column,), parent, parent.key, how)
    for child, column, parent, how in (
        (of.ACTUAL, "msdyn_project", of.PROJECT, "for"),
        (of.ACTUAL, "msdyn_task", of.TASK, "on"),
        (of.ACTUAL, "msdyn_salescontractlineid", of.CONTRACT_LINE, "under"),
        (of.ACTUAL, "msdyn_bookableresource", of.RESOURCE, "by"),
        (of.ACTUAL, "msdyn_accountcustomer", of.ACCOUNT, "billed to"),
        (of.ACTUAL, "msdyn_transactioncategory", of.CATEGORY, "as"),
        (of.ACTUAL, "msdyn_subcontractline", of.SUBCONTRACT_LINE, "ordered by"),
        (of.EXPENSE, "msdyn_project", of.PROJECT, "for"),
        (of.VENDOR_INVOICE_LINE, "msdyn_project", of.PROJECT, "for"),
        (of.INVOICE, "salesorderid", of.CONTRACT, "under"),
        (of.CONTRACT, "customerid", of.ACCOUNT, "with"),
    )
)


def provenance(maps: Iterable[TableMap]) -> tuple[Link, ...]:
    """Give all links along which rows follow from each other, those between a map's two sides among them."""
    return (*_IN_DATAVERSE, *_IN_FINANCE, *(_pair(each) for each in maps))


def belongings() -> tuple[Link, ...]:
    """Give the links from a row to what it belongs to."""
    return (*_PARTS, *_BELONGS)


def parts() -> tuple[Link, ...]:
    """Give the links from a project, a contract, a subcontract to what belongs to it."""
    return _PARTS


def _pair(table_map: TableMap) -> Link:
    """Give the link between both rows of a map: the side that the other one's row is created on follows."""
    makes = [leg.direction for leg in table_map.legs.values() if leg.write is not WriteMode.UPDATE_ONLY]
    child = System.FINANCE if Direction.DATAVERSE_TO_FINANCE in makes else System.DATAVERSE
    parent = System.DATAVERSE if child is System.FINANCE else System.FINANCE
    ends = {System.DATAVERSE: table_map.dataverse, System.FINANCE: table_map.finance}
    return Link(
        of.entity_of(child, ends[child]),
        key_paths(table_map, child),
        of.entity_of(parent, ends[parent]),
        key_paths(table_map, parent),
        f"written by map {table_map.map} from",
    )


def columns_of(entity: Entity, links: Iterable[Link]) -> Iterator[str]:
    """Yield the columns and paths of an entity that links look at."""
    for link in links:
        if link.child == entity:
            yield from link.child_columns
        if link.parent == entity:
            yield from link.parent_columns
