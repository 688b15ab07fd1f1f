"""What a line of the integration journal books: accounts by type and origin of the actual.

R703 says it for billable projects, R115 for internal ones, R1202 for the lender of an intercompany
transaction. An internal project is always accounted as profit and loss: there is nothing to accrue.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sandbox.finance.books import Books
from sandbox.finance.rules.ledger import Entry

Row = Mapping[str, Any]

TIME, EXPENSE, MATERIAL, MILESTONE, FEE, RETAINER = range(192350000, 192350006)
"""Transaction classes as Dataverse numbers them; Retainer is PROPOSED."""

COST, SALES, BILLED_SALES = "Cost", "Sales", "BilledSales"
INTERORG_SALES, RESOURCING_COST = "InterOrgSales", "ResourcingUnitCost"
LENDER_TYPES = frozenset({INTERORG_SALES, RESOURCING_COST})
ON_ACCOUNT_CLASSES = frozenset({MILESTONE, RETAINER})

_DEBIT_OF = {COST: "ProjectCost", RESOURCING_COST: "IntercompanyCost"}
_NO_OFFSET = "ProjectCost"
"""What a blank OffsetPostingType reads as: the first member of its enum."""


def offset_posting_type(actual: Row, internal: bool) -> str:
    """Return what the cost of an actual is credited to (R703, R115).

    A vendor invoice line credits the procurement integration account and an expense the expense
    integration account, which their posting in Finance has debited (R902, R1002). Of an internal
    project only expenses that Finance knows do so, others credit the offset account.

    Args:
        actual: Row of ProjActualsImports.
        internal: Whether its project has no contract.
    """
    if actual["MatchedVendorInvoice"] or actual["VendInvoiceLineProjTransId"] or actual["SubConInvoiceId"]:
        return "ProcurementIntegration"
    if actual["TransactionClassification"] == EXPENSE:
        entered_here = internal and not actual["ExternalOriginReference"]
        return "ExpenseOffset" if entered_here else "ExpenseIntegration"
    return "CostItem" if actual["TransactionClassification"] == MATERIAL else "PayrollAllocation"


def line_entries(line: Row, offset: str, accrued: bool) -> list[Entry]:
    """Return the entries of a journal line (R703, R115, R1202).

    Costs are debited to the project, or to intercompany cost in the lender, against their offset.
    Sales book nothing unless revenue is accrued: then WIP sales value against accrued revenue.
    """
    debit = _DEBIT_OF.get(str(line["TransactionType"]))
    if debit is not None:
        return _pair(line, debit, offset)
    return _pair(line, "WipSalesValue", "AccruedRevenue") if accrued else []


def line_offset(line: Row, actual: Row) -> str:
    """Return the offset that a line names, else that of its actual."""
    named = str(line["OffsetPostingType"])
    return offset_posting_type(actual, not line["ContractId"]) if named == _NO_OFFSET else named


def accrues(books: Books, company: str, line: Row) -> bool:
    """Whether the revenue of a sales line is accrued when it is posted (R703, R1202).

    Unbilled sales by the company's cost and revenue profile for time and material, where their line
    property is chargeable; inter-organizational sales by the relation of lender and borrower.
    """
    if line["TransactionType"] == INTERORG_SALES:
        relation = books.first(
            "IntercompanyProjectRelations",
            LendingLegalEntityId=company,
            BorrowingLegalEntityId=line["ProjectDataAreaId"],
        )
        return relation is not None and relation["AccrueRevenue"] == "Yes"
    if line["TransactionType"] != SALES:
        return False
    rule = profile_rule(books, company, "TimeAndMaterial")
    return rule.get("AccrueRevenue") == "Yes" and _chargeable(books, company, str(line["LinePropertyId"]))


def profile_rule(books: Books, company: str, billing_method: str) -> Row:
    """Return the rule of the company's cost and revenue profile for a billing method; {} without one."""
    parameters = books.first("ProjectIntegrationParameters", dataAreaId=company)
    if parameters is None:
        return {}
    rule = books.first(
        "ProjectRevenueProfileRules",
        dataAreaId=company,
        ProfileId=parameters["CostRevenueProfileId"],
        BillingMethod=billing_method,
    )
    return rule or {}


def _chargeable(books: Books, company: str, line_property: str) -> bool:
    row = books.first("ProjectLineProperties", dataAreaId=company, LinePropertyId=line_property)
    return row is not None and row["IsChargeable"] == "Yes"


def _pair(line: Row, debit: str, credit: str) -> list[Entry]:
    amount, booked = Decimal(line["Amount"]), Decimal(line["AccountingAmount"])
    return [_entry(line, debit, amount, booked), _entry(line, credit, -amount, -booked)]


def _entry(line: Row, posting_type: str, amount: Decimal, booked: Decimal) -> Entry:
    return Entry(
        posting_type,
        amount,
        str(line["CurrencyCode"]),
        booked,
        str(line["ProjectId"]),
        str(line["DefaultDimensionDisplayValue"]),
        str(line["ActualsImportId"]),
        str(line["Description"]),
    )
