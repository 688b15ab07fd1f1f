"""What a number may be of, and where numbers of that kind stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from projops.lineage.trace import entities as of
from projops.lineage.trace.records import Entity
from projops.mapping.model import System

# Numbers and names by which people know the rows of a map, besides its key.
KNOWN_BY: Mapping[tuple[System, str], tuple[str, ...]] = MappingProxyType(
    {
        (System.FINANCE, of.STAGED.name): ("VoucherNumber",),
        (System.DATAVERSE, of.ACTUAL.name): ("msdyn_vouchernumber",),
        (System.FINANCE, of.PROPOSAL.name): ("Invoice",),
        (System.DATAVERSE, of.INVOICE.name): ("msdyn_customerinvoicenumber",),
        (System.DATAVERSE, of.CONTRACT_LINE.name): ("msdyn_contractlinenumber",),
        (System.DATAVERSE, of.PROJECT.name): ("msdyn_subject",),
    }
)


@dataclass(frozen=True, slots=True)
class Kind:
    """What a number may be of.

    Attributes:
        documents: Where such numbers stand, by entity and column, the most telling first.
        maps: Maps whose rows bear them, the most telling first.
    """

    documents: tuple[tuple[Entity, str], ...] = ()
    maps: tuple[str, ...] = ()


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "voucher": Kind(
            (
                *((document, "Voucher") for document in of.POSTED),
                (of.STAGED, "VoucherNumber"),
                (of.ACTUAL, "msdyn_vouchernumber"),
                (of.ENTRY, "Voucher"),
            ),
            ("actuals",),
        ),
        "invoice": Kind(
            ((of.INVOICED, "InvoiceId"), (of.PROPOSAL, "InvoiceProposalId"), (of.INVOICE, "invoicenumber")),
            ("invoice_proposals", "customer_invoices"),
        ),
        "vendor-invoice": Kind(
            ((of.BOUGHT, "InvoiceNumber"), (of.VENDOR_INVOICE, "msdyn_vendorinvoicenumber")),
            ("vendor_invoices",),
        ),
        "expense": Kind(
            (
                (of.REPORT_LINE, "ExpTransNumber"),
                (of.REPORT, "ExpenseReportNumber"),
                (of.EXPENSE, "msdyn_externalid"),
            ),
            ("expenses",),
        ),
        "project": Kind(maps=("projects",)),
        "contract": Kind(maps=("contract_headers",)),
    }
)
ANY = "any"
