"""What Finance fills in and refuses while a vendor invoice is entered (R1002, R1007)."""

from decimal import Decimal
from typing import Any

from sandbox.finance.books import Books
from sandbox.finance.rules.purchase_categories import category_of_procurement, category_of_product
from sandbox.finance.rules.purchase_orders import order_line
from sandbox.rules.hooks import Change, Row, Verb, complete, guard
from sandbox.rules.money import money

HEADERS, LINES = "VendorInvoiceHeaders", "VendorInvoiceLines"


def _complete_header(books: Books, change: Change) -> Row:
    """Take the accounts from the order, and who is paid and in which currency from the vendor."""
    row = change.after
    company = row["dataAreaId"]
    order = books.first(
        "PurchaseOrderHeadersV2", dataAreaId=company, PurchaseOrderNumber=row["PurchaseOrderNumber"]
    )
    ordered = order or {"OrderVendorAccountNumber": "", "CurrencyCode": "", "ProjSubContractNumber": ""}
    vendor = row["OrderAccount"] or ordered["OrderVendorAccountNumber"] or row["InvoiceAccount"]
    known = books.first("VendorsV2", dataAreaId=company, VendorAccountNumber=vendor)
    pays = known["InvoiceVendorAccountNumber"] if known is not None else ""
    currency = ordered["CurrencyCode"] or (known["CurrencyCode"] if known is not None else "")
    subcontract = ordered["ProjSubContractNumber"] or row["IsSubcontractInvoice"] == "Yes"
    return {
        "OrderAccount": vendor,
        "InvoiceAccount": row["InvoiceAccount"] or pays or vendor,
        "CurrencyCode": row["CurrencyCode"] or currency,
        "IsSubcontractInvoice": "Yes" if subcontract else "No",
    }


def _complete_line(books: Books, change: Change) -> Row:
    """Take from the order line what the invoice line leaves open, then category, product and amount."""
    header = _header(books, change.after)
    if header is None:
        return {}
    line = {**change.after, **_ordered(books, header, change.after)}
    if not line["LineAmount"]:
        line["LineAmount"] = money(line["Quantity"] * line["UnitPrice"], header["CurrencyCode"])
    if line["ProjectId"]:
        line["ProjectDataAreaId"] = line["ProjectDataAreaId"] or line["dataAreaId"]
        line["ProjectCategoryId"] = line["ProjectCategoryId"] or _category(books, line)
    if line["ItemNumber"] and not line["ProductNumber"]:
        line["ProductNumber"] = _product(books, line)
    return line


def _ordered(books: Books, header: Row, line: Row) -> dict[str, Any]:
    """Return what the order line says where the invoice line says nothing."""
    found = order_line(
        books, header["dataAreaId"], header["PurchaseOrderNumber"], line["PurchaseOrderLineNumber"]
    )
    if found is None:
        return {}
    subcontract_line = books.first(
        "ProjSubContractPurchaseOrderLines",
        dataAreaId=header["dataAreaId"],
        ProjSubContractLineNumber=found["ProjSubContractLineNumber"],
    )
    said = {
        "ItemNumber": found["ItemNumber"],
        "ProcurementCategoryName": found["ProcurementProductCategoryName"],
        "Description": found["LineDescription"],
        "Quantity": max(found["ReceivedQuantity"] - found["InvoicedQuantity"], Decimal(0)),
        "UnitSymbol": found["PurchaseUnitSymbol"],
        "UnitPrice": found["PurchasePrice"],
        "ProjectId": found["ProjectId"],
        "ProjectCategoryId": found["ProjectCategoryId"],
        "ActivityNumber": found["ActivityNumber"],
        "SubcontractLineNumber": found["ProjSubContractLineNumber"],
        "RoleId": "" if subcontract_line is None else subcontract_line["SubConRoleID"],
    }
    return {name: value for name, value in said.items() if not line[name]}


def _category(books: Books, line: Row) -> str:
    """Return a line's project category: the product's, or the procurement category's (R1007)."""
    if line["ItemNumber"] and not line["ProcurementCategoryName"]:
        return category_of_product(books, line["dataAreaId"], line["ItemNumber"])
    return category_of_procurement(books, line["dataAreaId"], line["ProcurementCategoryName"])


def _product(books: Books, line: Row) -> str:
    product = books.first("ReleasedProductsV2", dataAreaId=line["dataAreaId"], ItemNumber=line["ItemNumber"])
    return "" if product is None else str(product["ProductNumber"])


def _header(books: Books, line: Row) -> dict[str, Any] | None:
    return books.first(HEADERS, dataAreaId=line["dataAreaId"], HeaderReference=line["HeaderReference"])


def _check_header(books: Books, change: Change) -> None:
    """Refuse a vendor that does not exist, and any change of an invoice that is posted."""
    row = change.after
    if "Posted" in (change.before.get("InvoiceStatus"), change.values.get("InvoiceStatus")):
        raise books.refused(
            HEADERS,
            f"Error: Vendor invoice {row['InvoiceNumber']} is posted by the job post-vendor-invoices only",
        )
    for column in ("InvoiceAccount", "OrderAccount"):
        vendor = row[column]
        known = books.first("VendorsV2", dataAreaId=row["dataAreaId"], VendorAccountNumber=vendor)
        if vendor and known is None:
            raise books.refused(HEADERS, f"Error: Vendor account {vendor} does not exist")


def _check_line(books: Books, change: Change) -> None:
    """Refuse a line without its invoice, of a posted one, or on a project that does not exist."""
    line = change.after
    header = _header(books, line)
    if header is None:
        raise books.refused(LINES, f"Error: Vendor invoice {line['HeaderReference']} does not exist")
    if header["InvoiceStatus"] == "Posted":
        raise books.refused(
            LINES, f"Error: Vendor invoice {header['InvoiceNumber']} is posted and can't be changed"
        )
    company, project = line["ProjectDataAreaId"] or line["dataAreaId"], line["ProjectId"]
    if project and books.first("ProjectsV2", dataAreaId=company, ProjectId=project) is None:
        raise books.refused(
            LINES, f"Error: Project {project} does not exist in the company {company.upper()}"
        )


_ALL = (Verb.CREATE, Verb.UPDATE, Verb.DELETE)
HOOKS = (
    guard(HEADERS, _ALL, _check_header),
    guard(LINES, _ALL, _check_line),
    complete(HEADERS, [Verb.CREATE], _complete_header),
    complete(LINES, [Verb.CREATE], _complete_line),
)
