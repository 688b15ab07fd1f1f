"""What people may change on an invoice proposal: sales tax, and nothing else (R801, R804, R807)."""

from decimal import Decimal
from typing import Any

from sandbox.finance.books import Books
from sandbox.finance.rules.billing import LINES
from sandbox.finance.rules.taxes import sales_tax
from sandbox.finance.rules.transactions import TRANSACTIONS
from sandbox.rules.hooks import Caller, Change, Row, Verb, complete, guard
from sandbox.store.defaults import ZERO_GUID

PROPOSALS = "ProjectInvoiceProposalsV2"
_FEE = "Revenue"  # transaction type
TAX_GROUPS = frozenset({"SalesTaxGroupId", "SalesTaxItemGroupId"})


def _only_taxes(books: Books, change: Change) -> None:
    """Let people change the tax groups of a line until its proposal is posted (R807)."""
    others = sorted(name for name, value in change.values.items() if _differs(change, name, value))
    if others:
        raise books.refused(
            LINES,
            f"Error: {', '.join(others)} can't be changed on a line of an invoice proposal; only its sales "
            "tax groups can. Correct the invoice in Project Operations instead",
        )
    line = change.before
    proposal = books.first(
        PROPOSALS, dataAreaId=line["dataAreaId"], InvoiceProposalId=line["InvoiceProposalId"]
    )
    if proposal is not None and proposal["ProposalStatus"] == "Posted":
        raise books.refused(LINES, f"Error: Invoice proposal {line['InvoiceProposalId']} is posted")


def _differs(change: Change, name: str, value: object) -> bool:
    return name not in TAX_GROUPS and change.before[name] != value


def _refuse_by_hand(books: Books, _change: Change) -> None:
    """Refuse lines that people create or delete one by one (R802, R804)."""
    raise books.refused(
        LINES,
        "Error: Lines of an invoice proposal come from billed sales by import from staging; delete them "
        "all at once with Delete all",
    )


def _new_tax(books: Books, change: Change) -> dict[str, Any]:
    """Reckon the tax of a line whose groups were changed (R807)."""
    if change.caller is Caller.SYSTEM:
        return {}
    line = change.after
    groups = str(line["SalesTaxGroupId"]), str(line["SalesTaxItemGroupId"])
    tax = sales_tax(books, line["dataAreaId"], *groups, _taxable(books, line), line["CurrencyCode"])
    return {"SalesTaxAmount": tax.amount}


def _taxable(books: Books, line: Row) -> Decimal:
    """Return what a line's tax is reckoned on: its amount after discount; a discount bears none (R613)."""
    extra = _extra_type(books, line)
    if extra is not None:
        return Decimal(line["LineAmount"] if extra == _FEE else 0)
    place = {name: line[name] for name in ("dataAreaId", "InvoiceProposalId", "ActualsImportId")}
    discounts = (
        row["LineAmount"] for row in books.find(LINES, **place) if _extra_type(books, row) not in (None, _FEE)
    )
    return Decimal(sum(discounts, line["LineAmount"]))


def _extra_type(books: Books, line: Row) -> str | None:
    """Return the transaction type of a fee or a discount, which was made for another transaction."""
    if not line["TransId"]:
        return None
    billed = books.get(TRANSACTIONS, dataAreaId=line["dataAreaId"], TransId=line["TransId"])
    return None if billed["SourceActualsImportId"] == ZERO_GUID else str(billed["TransactionType"])


def _refuse_delete(books: Books, change: Change) -> None:
    """Refuse to delete a proposal: it follows the confirmed proforma invoice (R801)."""
    raise books.refused(
        PROPOSALS,
        f"Error: Invoice proposal {change.before['InvoiceProposalId']} came from Project Operations and "
        "can't be deleted in Finance. Delete its lines, or correct the invoice in Project Operations",
    )


HOOKS = (
    guard(LINES, (Verb.UPDATE,), _only_taxes),
    guard(LINES, (Verb.CREATE, Verb.DELETE), _refuse_by_hand),
    complete(LINES, (Verb.UPDATE,), _new_tax, TAX_GROUPS),
    guard(PROPOSALS, (Verb.DELETE,), _refuse_delete),
)
