"""What people may do to lines of the integration journal: taxes and dimensions, and delete (R609, R611)."""

from decimal import Decimal
from typing import Any

from sandbox.finance.books import Books
from sandbox.finance.rules import staging
from sandbox.finance.rules.integration_journals import JOURNALS, LINES
from sandbox.finance.rules.parameters import read_parameters
from sandbox.finance.rules.taxes import sales_tax
from sandbox.rules.hooks import Caller, Change, Row, Verb, complete, effect, guard
from sandbox.store.defaults import ZERO_GUID

_TAX_GROUPS = frozenset({"SalesTaxGroupId", "SalesTaxItemGroupId"})
_EDITABLE = _TAX_GROUPS | {"DefaultDimensionDisplayValue"}
_UNPOSTED = frozenset({"Draft", "Error", "InvalidActuals"})


def _refuse_create(books: Books, change: Change) -> None:
    """Refuse lines that people make: they come from staged actuals only (R601)."""
    raise books.refused(
        LINES, "Error: Lines of the integration journal come from actuals; import from staging"
    )


def _refuse_edit(books: Books, change: Change) -> None:
    """Refuse what is not editable on a line: only sales tax and dimensions are (R609)."""
    line = change.before
    changed = sorted(name for name, value in change.values.items() if line[name] != value)
    forbidden = [name for name in changed if name not in _EDITABLE]
    if forbidden:
        raise books.refused(
            LINES,
            f"Error: {', '.join(forbidden)} can't be changed on a line of the integration journal; only the "
            "sales tax groups and the financial dimensions can",
        )
    if changed:
        _require_unposted(books, line)


def _refuse_delete(books: Books, change: Change) -> None:
    """Refuse to delete a posted line, or the extra line of a fee or discount by itself (R611, R613)."""
    line = change.before
    if line["SourceActualId"] != ZERO_GUID:
        raise books.refused(
            LINES,
            f"Error: The line with voucher {line['Voucher']} goes with the line of its source actual. Delete "
            "that one",
        )
    for each in (line, *_extras(books, line)):
        _require_unposted(books, each)


def _require_unposted(books: Books, line: Row) -> None:
    if line["LineStatus"] not in _UNPOSTED:
        raise books.refused(
            LINES,
            f"Error: The line with voucher {line['Voucher']} of journal {line['JournalId']} has the status "
            f"{line['LineStatus']} and can't be changed or deleted any more",
        )


def _tax_anew(books: Books, change: Change) -> dict[str, Any]:
    """Reckon the tax of a line whose groups were changed (R609)."""
    line = change.after
    if change.caller is Caller.SYSTEM:
        return {}
    groups = (line["SalesTaxGroupId"], line["SalesTaxItemGroupId"])
    tax = sales_tax(books, line["dataAreaId"], *groups, _taxable(books, line), line["CurrencyCode"])
    return {"SalesTaxAmount": tax.amount}


def _taxable(books: Books, line: Row) -> Decimal:
    """Return what a line's tax is reckoned on: its amount after discount; a discount bears none (R613)."""
    category = read_parameters(books, line["dataAreaId"]).discount_category
    if line["SourceActualId"] != ZERO_GUID:
        return Decimal(0 if line["CategoryId"] == category else line["Amount"])
    discounts = [extra["Amount"] for extra in _extras(books, line) if extra["CategoryId"] == category]
    return Decimal(sum(discounts, line["Amount"]))


def _reopen(books: Books, change: Change) -> None:
    """Let the actual of a deleted line be imported again; its extra lines go too (R611, R613)."""
    line = change.before
    if change.caller is Caller.SYSTEM:
        return
    extras = _extras(books, line)
    for extra in extras:
        books.delete(LINES, extra)
    for each in (line, *extras):
        _uncount(books, each)
    staging.reopen(books, line["dataAreaId"], line["ActualsImportId"])


def _extras(books: Books, line: Row) -> list[dict[str, Any]]:
    """Return the extra lines that were made for the source actual of a line (R613)."""
    return books.find(LINES, dataAreaId=line["dataAreaId"], SourceActualId=line["ActualsImportId"])


def _uncount(books: Books, line: Row) -> None:
    journal = books.first(JOURNALS, dataAreaId=line["dataAreaId"], JournalId=line["JournalId"])
    if journal is not None:
        books.update(JOURNALS, journal, {"NumberOfLines": journal["NumberOfLines"] - 1})


HOOKS = (
    guard(LINES, (Verb.CREATE,), _refuse_create),
    guard(LINES, (Verb.UPDATE,), _refuse_edit),
    guard(LINES, (Verb.DELETE,), _refuse_delete),
    complete(LINES, (Verb.UPDATE,), _tax_anew, _TAX_GROUPS),
    effect(LINES, (Verb.DELETE,), _reopen),
)
