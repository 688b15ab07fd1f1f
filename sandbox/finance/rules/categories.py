"""Categories: what a transaction category of Project Operations becomes in Finance.

A transaction category makes shared categories by itself, one for each type (R110). From these an
accountant makes the project categories of a legal entity (R111), which transactions bear (R606).
"""

from enum import IntEnum

from sandbox.finance.books import Books
from sandbox.rules.hooks import Change, Row, Verb, effect, guard

TRANSACTION_CATEGORIES = "ProjectTransactionCategories"
SHARED = "SharedCategories"
PROJECT = "ProjectCategoryEntities"


class TransactionClass(IntEnum):
    """Transaction classification of an actual, as it comes: the number of the option (columns 2.1)."""

    TIME = 192350000
    EXPENSE = 192350001
    MATERIAL = 192350002
    MILESTONE = 192350003
    FEE = 192350004
    RETAINER = 192350005  # PROPOSED
    TAX = 690970002


NUMBERS = {"Hour": 1, "Fee": 2, "Item": 3, "Expense": 4, "OnAccount": 5}
"""What follows the transaction category in the id of its shared category, by category type (R110)."""

TYPES: dict[int, str] = {
    TransactionClass.TIME: "Hour",
    TransactionClass.EXPENSE: "Expense",
    TransactionClass.MATERIAL: "Item",
    TransactionClass.FEE: "Fee",
    TransactionClass.MILESTONE: "OnAccount",
    TransactionClass.RETAINER: "OnAccount",
}
"""Category type by transaction class (columns 2.1)."""

DEFAULTS = {
    "Hour": "EmplCategory",
    "Expense": "CostCategory",
    "Item": "ItemCategory",
    "Fee": "RevenueCategory",
    "OnAccount": "OnAccountCategory",
}
"""Parameter with the default project category, by category type (R114)."""

_NAMES = {"OnAccount": "On-account"}


def shared_category(transaction_category: str, category_type: str) -> str:
    """Return the id of a shared category: `TCN-0000001000-D3B43-1` for hours (R110)."""
    return f"{transaction_category}-{NUMBERS[category_type]}"


def project_category(
    books: Books, company: str, transaction_category: str, transaction_class: int
) -> str | None:
    """Return the project category of a transaction in a legal entity (R606).

    Returns:
        That of the transaction category and the transaction's class; without a transaction category
        the default of the parameters; None where the one that is needed does not exist. On-account
        transactions have the default too as long as they have no categories of their own (C1).
    """
    category_type = TYPES.get(transaction_class)
    if category_type is None:
        return None
    if not transaction_category:
        return default_category(books, company, category_type)
    wanted = shared_category(transaction_category, category_type)
    found = books.first(PROJECT, dataAreaId=company, Category=wanted)
    if found is None and category_type == "OnAccount":
        return default_category(books, company, category_type)
    return None if found is None else str(found["Category"])


def default_category(books: Books, company: str, category_type: str) -> str | None:
    """Return the default project category of a type from the parameters (R114), None without one."""
    parameters = books.first("ProjectParametersV2", dataAreaId=company)
    return None if parameters is None else str(parameters[DEFAULTS[category_type]]) or None


def _share(books: Books, change: Change) -> None:
    """Make the shared categories of a transaction category, or name them anew (R110)."""
    for category_type in _types_in_use(books):
        _keep(books, change.after, category_type)


def _turn_on_account(books: Books, change: Change) -> None:
    """Add the on-account category to every transaction category, with the feature (R110, C1)."""
    if change.turned("OnAccountCategoryFeature", "Yes"):
        for row in books.find(TRANSACTION_CATEGORIES):
            _keep(books, row, "OnAccount")


def _types_in_use(books: Books) -> list[str]:
    """Four types; five with the feature for project categories of on-account transactions (C1)."""
    feature = books.first("ProjectIntegrationParameters", OnAccountCategoryFeature="Yes")
    return [name for name in NUMBERS if name != "OnAccount" or feature is not None]


def _keep(books: Books, category: Row, category_type: str) -> None:
    key = {"CategoryId": shared_category(category["CategoryId"], category_type)}
    name = f"{category['Name']} {_NAMES.get(category_type, category_type)}"
    known = books.first(SHARED, **key)
    if known is None:
        books.insert(SHARED, {**key, "CategoryName": name, "UseInProject": "Yes"})
    elif known["CategoryName"] != name:
        books.update(SHARED, known, {"CategoryName": name})


def _require_shared(books: Books, change: Change) -> None:
    """Refuse a project category that is made of no shared category, or of one of another type (R111)."""
    row = change.after
    category, category_type = row["Category"], row["TransactionType"]
    shared = books.first(SHARED, CategoryId=category)
    if shared is None or shared["UseInProject"] != "Yes":
        raise books.refused(
            PROJECT,
            f"Error: There is no shared category '{category}' that can be used in Project. Choose one that a "
            "transaction category of Project Operations has made",
        )
    number = str(shared["CategoryId"]).rpartition("-")[2]
    if _is_synced(books, shared) and number != str(NUMBERS[category_type]):
        raise books.refused(
            PROJECT, f"Error: The shared category '{category}' is not of the type {category_type}"
        )
    if not row["CategoryGroup"]:
        raise books.refused(PROJECT, "Error: Field 'CategoryGroup' must be filled in")


def _is_synced(books: Books, shared: Row) -> bool:
    """Whether a transaction category has made the shared category; accountants may make others."""
    head = str(shared["CategoryId"]).rpartition("-")[0]
    return books.first(TRANSACTION_CATEGORIES, CategoryId=head) is not None


HOOKS = (
    effect(TRANSACTION_CATEGORIES, (Verb.CREATE, Verb.UPDATE), _share, ("Name",)),
    effect(
        "ProjectIntegrationParameters",
        (Verb.CREATE, Verb.UPDATE),
        _turn_on_account,
        ("OnAccountCategoryFeature",),
    ),
    guard(PROJECT, (Verb.CREATE,), _require_shared),
)
