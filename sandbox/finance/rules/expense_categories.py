"""Expense categories: shared categories that a legal entity may use in Expense (R901)."""

from typing import Any

from sandbox.finance.books import Books
from sandbox.finance.rules.categories import NUMBERS, TRANSACTION_CATEGORIES
from sandbox.rules.hooks import Change, Row, Verb, effect, guard

_EXPENSE = str(NUMBERS["Expense"])


def transaction_category(books: Books, category: str) -> str:
    """Return the transaction category that a category was made of: TCN-0000001000-D3B43 of its -4 (R110).

    Empty where the accountants made the category by themselves.
    """
    head, _, number = category.rpartition("-")
    known = books.first(TRANSACTION_CATEGORIES, CategoryId=head) if number.isdigit() else None
    return "" if known is None else str(known["CategoryId"])


def expense_category(books: Books, company: str, transaction: str) -> str:
    """Return the active expense category of a transaction category in a legal entity, "" without one."""
    row = books.first(
        "ProjExpenseCategoriesExport",
        dataAreaId=company,
        TransactionCategoryId=transaction,
        IsInactive="No",
    )
    return "" if row is None or not transaction else str(row["CostType"])


def require_usable(books: Books, company: str, category: str) -> Row:
    """Return the export row of an expense category that a project's legal entity may use (R901).

    Raises:
        FinanceError: The category is not one of that legal entity.
    """
    row = books.first("ProjExpenseCategoriesExport", dataAreaId=company, CostType=category, IsInactive="No")
    if row is None:
        raise books.refused(
            "ExpenseReportLines",
            f"Error: The expense category '{category}' is not active in the company {company.upper()} of the "
            "project. Choose an expense category of that company, or create it there",
        )
    return row


def _require_shared(books: Books, change: Change) -> None:
    """Refuse a category for Expense whose shared category is not meant for it (R901)."""
    row = change.after
    if row["UseInExpense"] != "Yes":
        return
    name = _shared_id(row)
    shared = books.first("SharedCategories", CategoryId=name)
    if shared is None or shared["UseInExpense"] != "Yes":
        raise books.refused(
            "Categories",
            f"Error: The shared category '{name}' cannot be used in Expense. Set 'Can be used in Expense' on "
            "it first",
        )
    if transaction_category(books, name) and not name.endswith(f"-{_EXPENSE}"):
        raise books.refused(
            "Categories",
            f"Error: The shared category '{name}' is not of the class Expense. Choose the category that ends "
            f"in -{_EXPENSE}",
        )


def _export(books: Books, change: Change) -> None:
    """Show a saved expense category to Dataverse, one row a legal entity (R901)."""
    row = change.after
    shared = books.first("SharedCategories", CategoryId=_shared_id(row))
    exported = _exported(books, row)
    if row["UseInExpense"] != "Yes" or shared is None:
        _deactivate(books, exported)
        return
    values = {
        "CostTxt": row["CategoryName"] or shared["CategoryName"],
        "TransactionCategoryId": transaction_category(books, shared["CategoryId"]),
        "ExpType": shared["ExpenseType"],
        "IsInactive": "No",
    }
    if exported is None:
        key = {"dataAreaId": row["dataAreaId"], "CostType": row["CategoryId"]}
        books.insert("ProjExpenseCategoriesExport", key | values)
    else:
        books.update("ProjExpenseCategoriesExport", exported, values)


def _retire(books: Books, change: Change) -> None:
    """Show Dataverse that an expense category was deleted: its expenses stay, hence inactive."""
    _deactivate(books, _exported(books, change.before))


def _follow_shared(books: Books, change: Change) -> None:
    """Let the legal entities' expense categories follow a change of their shared category."""
    name = change.after["CategoryId"]
    own = books.find("Categories", SharedCategoryId="", CategoryId=name)
    for row in [*books.find("Categories", SharedCategoryId=name), *own]:
        usable = change.after["UseInExpense"] == "Yes"
        exported = _exported(books, row)
        if exported is not None and row["UseInExpense"] == "Yes":
            values = {"ExpType": change.after["ExpenseType"], "IsInactive": "No" if usable else "Yes"}
            books.update("ProjExpenseCategoriesExport", exported, values)


def _shared_id(row: Row) -> str:
    return str(row["SharedCategoryId"] or row["CategoryId"])


def _exported(books: Books, row: Row) -> dict[str, Any] | None:
    key = {"dataAreaId": row["dataAreaId"], "CostType": row["CategoryId"]}
    return books.first("ProjExpenseCategoriesExport", **key)


def _deactivate(books: Books, exported: Row | None) -> None:
    if exported is not None and exported["IsInactive"] != "Yes":
        books.update("ProjExpenseCategoriesExport", exported, {"IsInactive": "Yes"})


HOOKS = (
    guard("Categories", [Verb.CREATE, Verb.UPDATE], _require_shared, ["UseInExpense", "SharedCategoryId"]),
    effect(
        "Categories",
        [Verb.CREATE, Verb.UPDATE],
        _export,
        ["UseInExpense", "SharedCategoryId", "CategoryName"],
    ),
    effect("Categories", [Verb.DELETE], _retire),
    effect("SharedCategories", [Verb.UPDATE], _follow_shared, ["ExpenseType", "UseInExpense"]),
)
