"""Which procurement category and project category something bought for a project has."""

from dataclasses import dataclass

from sandbox.finance.books import Books
from sandbox.finance.rules.categories import PROJECT, default_category
from sandbox.finance.rules.documents import DocumentRefusedError
from sandbox.rules.hooks import Row

_TYPES = {"Time": "Hour", "Expense": "Expense", "Material": "Item"}
"""Category type by class of a subcontract line."""


@dataclass(frozen=True, slots=True)
class PurchaseCategories:
    """Categories of an order line.

    Attributes:
        procurement: Name of the procurement category; empty for a released product.
        project: Id of the project category.
    """

    procurement: str
    project: str


def category_of_procurement(books: Books, company: str, procurement: str) -> str:
    """Return the project category of a procurement category; not mapped: the Item default (R1007)."""
    mapped = (
        books.first(
            "ProcurementCategoryProjectCategories", dataAreaId=company, ProcurementCategoryName=procurement
        )
        if procurement
        else None
    )
    found = "" if mapped is None else str(mapped["ProjectCategoryId"])
    return found or _default(books, company, "Item")


def category_of_product(books: Books, company: str, item: str) -> str:
    """Return the project category of a released product, else the Item default."""
    product = books.first("ReleasedProductsV2", dataAreaId=company, ItemNumber=item)
    found = "" if product is None else str(product["ProjectCategoryId"])
    return found or _default(books, company, "Item")


def purchase_category(books: Books, line: Row) -> Row:
    """Return the project category of a vendor invoice line (R1007).

    That which it names; else its procurement category's, and of one that has none the Item default.

    Raises:
        DocumentRefusedError: There is no such project category in the company.
    """
    company = line["dataAreaId"]
    named = line["ProjectCategoryId"] or category_of_procurement(
        books, company, line["ProcurementCategoryName"]
    )
    found = books.first(PROJECT, dataAreaId=company, Category=named) if named else None
    if found is None:
        raise DocumentRefusedError(
            "R1007",
            f"Line {line['InvoiceLineNumber']} has no project category: '{named}' is none of the company "
            f"{company.upper()}. Map its procurement category, or set the default category for items in "
            "the project parameters.",
        )
    return found


def line_categories(books: Books, line: Row) -> PurchaseCategories:
    """Return the categories of a subcontract line (R1102).

    Time and expense have them from *Project subcontract categories*; the entry that names the line's
    role and transaction category goes before one that leaves them open. Material has its product's.
    Without an entry the project category is the default of the parameters [?].
    """
    company, kind = line["dataAreaId"], line["SubConTransClass"]
    if line["ItemId"]:
        return PurchaseCategories("", category_of_product(books, company, line["ItemId"]))
    entry = _subcontract_category(books, line)
    if entry is not None:
        return PurchaseCategories(entry["ProcurementCategoryName"], entry["ProjectCategoryId"])
    return PurchaseCategories("", _default(books, company, _TYPES[kind]))


def _subcontract_category(books: Books, line: Row) -> Row | None:
    """Return the entry of *Project subcontract categories* that says most about a line; none of material."""
    kind = _TYPES[line["SubConTransClass"]]
    if kind == "Item":
        return None
    role, category = line["SubConRoleID"].lower(), line["SubConTransCategory"].lower()
    fitting = [
        row
        for row in books.find(
            "ProjectSubcontractCategories", dataAreaId=line["dataAreaId"], TransactionType=kind
        )
        if row["RoleId"].lower() in {"", role} and row["TransactionCategoryId"].lower() in {"", category}
    ]
    return max(
        fitting, key=lambda row: (row["RoleId"] != "", row["TransactionCategoryId"] != ""), default=None
    )


def _default(books: Books, company: str, category_type: str) -> str:
    return default_category(books, company, category_type) or ""
