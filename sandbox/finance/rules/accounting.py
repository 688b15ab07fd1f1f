"""What a line of the integration journal books: accounts by type and origin of the actual.

R703 says it for billable projects, R115 for internal ones, R1202 for the lender of an intercompany
transaction. An internal project is always accounted as profit and loss: there is nothing to accrue.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sandbox.finance.books import Books
from sandbox.finance.rules.categories import TransactionClass
from sandbox.finance.rules.ledger import Entry

Row = Mapping[str, Any]

COST, SALES, BILLED_SALES = "Cost", "Sales", "BilledSales"
INTERORG_SALES, RESOURCING_COST = "InterOrgSales", "ResourcingUnitCost"
LENDER_TYPES = frozenset({INTERORG_SALES, RESOURCING_COST})
ON_ACCOUNT_CLASSES = frozenset({TransactionClass.MILESTONE, TransactionClass.RETAINER})

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
    if actual["TransactionClassification"] == TransactionClass.EXPENSE:
        entered_here = internal and not actual["ExternalOriginReference"]
        return "ExpenseOffset" if entered_here else "ExpenseIntegration"
    is_material = actual["TransactionClassification"] == TransactionClass.MATERIAL
    return "CostItem" if is_material else "PayrollAllocation"


def line_entries(line: Row, offset: str, accrued: bool) -> list[Entry]:
    """Return the entries of a journal line (R703, R115, R1202).

    Costs are debited to the project, or to intercompany cost in the lender, against their offset.
    Sales book nothing unless revenue is accrued: then WIP sales value against accrued revenue.
    """
    debit = _DEBIT_OF.get(str(line["TransactionType"]))
    if debit is not None:
        return _pair(line, debit, offset)
    return _pair(line, "WipSalesValue", "AccruedRevenue") if accrued else []


def line_offset(line: Row, actual: Row | None) -> str:
    """Return the offset that a line names, else that of the actual that it comes from."""
    named = str(line["OffsetPostingType"])
    if named != _NO_OFFSET or actual is None:
        return named
    return offset_posting_type(actual, not line["ContractId"])


class Accruals:
    """Which sales lines of a company are accrued when they are posted; the setup is looked up once."""

    def __init__(self, books: Books, company: str) -> None:
        """Look up in a company."""
        self._books = books
        self._company = company
        self._known: dict[tuple[str, ...], bool] = {}

    def accrues(self, line: Row) -> bool:
        """Whether a journal line is booked as WIP against accrued revenue (R703, R1202).

        Unbilled sales by the company's cost and revenue profile for time and material, where their
        line property is chargeable and accrues; inter-organizational sales by the relation of lender
        and borrower.
        """
        facts = tuple(str(line[name]) for name in ("TransactionType", "LinePropertyId", "ProjectDataAreaId"))
        if facts not in self._known:
            self._known[facts] = self._look_up(*facts)
        return self._known[facts]

    def _look_up(self, transaction_type: str, line_property: str, borrower: str) -> bool:
        if transaction_type == INTERORG_SALES:
            relation = self._books.first(
                "IntercompanyProjectRelations",
                LendingLegalEntityId=self._company,
                BorrowingLegalEntityId=borrower,
            )
            return relation is not None and relation["AccrueRevenue"] == "Yes"
        if transaction_type != SALES:
            return False
        rule = profile_rule(self._books, self._company, "TimeAndMaterial")
        return rule.get("AccrueRevenue") == "Yes" and self._may_accrue(line_property)

    def _may_accrue(self, line_property: str) -> bool:
        row = self._books.first(
            "ProjectLineProperties", dataAreaId=self._company, LinePropertyId=line_property
        )
        return row is not None and row["IsChargeable"] == "Yes" and bool(row["EnableAccrueRevenue"])


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
