"""Purchase orders of subcontracts: made and changed as the subcontracts arrive (R1101)."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sandbox.finance.books import Books
from sandbox.finance.rules.purchase_categories import line_categories
from sandbox.rules.hooks import Change, Row, Verb, effect, guard
from sandbox.rules.money import money

_SUBCONTRACTS = "SubContractPurchaseOrderHeaders"
_SUBCONTRACT_LINES = "ProjSubContractPurchaseOrderLines"
_SEQUENCE = "PurchaseOrder"


def subcontract_order(books: Books, company: str, number: str) -> dict[str, Any] | None:
    """Return the purchase order of a subcontract; None where there is none."""
    return books.first("PurchaseOrderHeadersV2", dataAreaId=company, ProjSubContractNumber=number)


def order_line(books: Books, company: str, order: str, number: int) -> dict[str, Any] | None:
    """Return a line of a purchase order; None without one."""
    key = {"dataAreaId": company, "PurchaseOrderNumber": order, "LineNumber": number}
    return books.first("PurchaseOrderLinesV2", **key) if order and number else None


def count_quantity(books: Books, line: Row, received: Decimal, invoiced: Decimal) -> None:
    """Add what was received and invoiced of an order line; line, order and subcontract show it.

    Args:
        books: Finance.
        line: A row of PurchaseOrderLinesV2.
        received: Quantity of a product receipt, negative for its correction.
        invoiced: Quantity of a vendor invoice.
    """
    quantities = {
        "ReceivedQuantity": line["ReceivedQuantity"] + received,
        "InvoicedQuantity": line["InvoicedQuantity"] + invoiced,
    }
    books.update("PurchaseOrderLinesV2", line, quantities)
    order = books.get(
        "PurchaseOrderHeadersV2",
        dataAreaId=line["dataAreaId"],
        PurchaseOrderNumber=line["PurchaseOrderNumber"],
    )
    show_status(books, order)


def show_status(books: Books, order: Row) -> None:
    """Derive the status of an order and its lines, and show it on the subcontract."""
    company, number = order["dataAreaId"], order["PurchaseOrderNumber"]
    lines = books.find("PurchaseOrderLinesV2", dataAreaId=company, PurchaseOrderNumber=number)
    canceled = order["PurchaseOrderStatus"] == "Canceled"
    statuses = ["Canceled" if canceled else _line_status(line) for line in lines]
    for line, status in zip(lines, statuses, strict=True):
        _set(books, "PurchaseOrderLinesV2", line, {"PurchaseOrderLineStatus": status})
        _show_line(books, line, status)
    overall = "Canceled" if canceled else _order_status(statuses)
    _set(books, "PurchaseOrderHeadersV2", order, {"PurchaseOrderStatus": overall})
    subcontract = books.first(
        _SUBCONTRACTS, dataAreaId=company, ProjSubContractNumber=order["ProjSubContractNumber"]
    )
    if subcontract is not None:
        _set(books, _SUBCONTRACTS, subcontract, {"PurchaseOrderNumber": number, "PurchStatus": overall})


def _line_status(line: Row) -> str:
    """Return what a line's quantities make it: open, received, invoiced; a canceled one stays so."""
    if line["PurchaseOrderLineStatus"] == "Canceled":
        return "Canceled"
    ordered = line["OrderedPurchaseQuantity"]
    if ordered and line["InvoicedQuantity"] >= ordered:
        return "Invoiced"
    return "Received" if ordered and line["ReceivedQuantity"] >= ordered else "Backorder"


def _order_status(lines: list[str]) -> str:
    """Return the status of an order: that of the line that is furthest back."""
    steps = [status for status in ("Backorder", "Received", "Invoiced") if status in lines]
    return steps[0] if steps else "Backorder"


def _show_line(books: Books, line: Row, status: str) -> None:
    subcontract_line = books.first(
        _SUBCONTRACT_LINES,
        dataAreaId=line["dataAreaId"],
        ProjSubContractLineNumber=line["ProjSubContractLineNumber"],
    )
    if subcontract_line is not None:
        values = {"PurchId": line["PurchaseOrderNumber"], "PurchStatus": status}
        _set(books, _SUBCONTRACT_LINES, subcontract_line, values)


def _set(books: Books, entity_set: str, row: Row, values: Mapping[str, Any]) -> None:
    """Write what differs, so that rows which stay as they are show no change."""
    changed = {name: value for name, value in values.items() if row[name] != value}
    if changed:
        books.update(entity_set, row, changed)


def _require_vendor(books: Books, change: Change) -> None:
    vendor = change.after["OrderAccount"]
    if books.first("VendorsV2", dataAreaId=change.after["dataAreaId"], VendorAccountNumber=vendor) is None:
        raise _missing(books, _SUBCONTRACTS, "OrderAccount", "Vendor account", vendor)


def _require_subcontract(books: Books, change: Change) -> None:
    company, number = change.after["dataAreaId"], change.after["SubcontractNumber"]
    if books.first(_SUBCONTRACTS, dataAreaId=company, ProjSubContractNumber=number) is None:
        raise _missing(books, _SUBCONTRACT_LINES, "SubcontractNumber", "Subcontract", number)


def _missing(books: Books, entity_set: str, column: str, what: str, value: str) -> Exception:
    """Return the error of a foreign reference, worded as for all other references."""
    return books.refused(
        entity_set,
        f"Error: The value '{value}' in field '{column}' is not found in the related table '{what}'. "
        f"{what} {value} does not exist",
    )


def _refuse_own(books: Books, change: Change) -> None:
    """Refuse orders of subcontracts that are made or deleted in Finance: Dataverse masters them (R1101)."""
    number = change.after["ProjSubContractNumber"]
    if number:
        raise books.refused(
            "PurchaseOrderHeadersV2",
            f"Error: The purchase order of subcontract {number} follows the subcontract. Create, change or "
            "cancel the subcontract in Project Operations instead",
        )


def _order_subcontract(books: Books, change: Change) -> None:
    """Create or change the purchase order of a subcontract; confirmed with it (R1101)."""
    row = change.after
    order = subcontract_order(books, row["dataAreaId"], row["ProjSubContractNumber"])
    values = _order_values(row)
    if order is None:
        number = {"PurchaseOrderNumber": books.next_number(row["dataAreaId"], _SEQUENCE)}
        key = {name: row[name] for name in ("dataAreaId", "ProjSubContractNumber")}
        order = books.insert("PurchaseOrderHeadersV2", number | key | _vendor_values(books, row) | values)
    else:
        other = order["OrderVendorAccountNumber"] != row["OrderAccount"]
        order = books.update(
            "PurchaseOrderHeadersV2", order, values | (_vendor_values(books, row) if other else {})
        )
    show_status(books, order)


def _vendor_values(books: Books, row: Row) -> dict[str, Any]:
    """Return what an order takes from its vendor once: language and currency (R1101)."""
    vendor = books.get("VendorsV2", dataAreaId=row["dataAreaId"], VendorAccountNumber=row["OrderAccount"])
    return {
        "OrderVendorAccountNumber": row["OrderAccount"],
        "LanguageId": vendor["LanguageId"],
        "CurrencyCode": vendor["CurrencyCode"],
    }


def _order_values(row: Row) -> dict[str, Any]:
    """Return what of an order follows its subcontract; it is confirmed with it (R1101)."""
    approved = "Draft" if row["SubConStatus"] == "Draft" else "Confirmed"
    return {
        "PurchaseOrderName": row["SubConName"],
        "PurchaseOrderStatus": "Canceled" if row["SubConStatus"] == "Canceled" else "Backorder",
        "DocumentApprovalStatus": approved,
        "ProjectId": row["ProjId"],
        "AccountingDate": row["AccountingDate"],
    }


def _order_line(books: Books, change: Change) -> None:
    """Create or change the order line of a subcontract line (R1101)."""
    row = change.after
    order = subcontract_order(books, row["dataAreaId"], row["SubcontractNumber"])
    if order is None:
        raise books.refused(
            change.table, f"Error: The subcontract {row['SubcontractNumber']} has no purchase order"
        )
    company, number = order["dataAreaId"], order["PurchaseOrderNumber"]
    lines = books.find("PurchaseOrderLinesV2", dataAreaId=company, PurchaseOrderNumber=number)
    own = row["ProjSubContractLineNumber"]
    line = next((it for it in lines if it["ProjSubContractLineNumber"].lower() == own.lower()), None)
    values = _line_values(books, row, order)
    if line is None:
        last = max((it["LineNumber"] for it in lines), default=0)
        key = {"dataAreaId": company, "PurchaseOrderNumber": number, "LineNumber": last + 1}
        books.insert("PurchaseOrderLinesV2", key | values | {"ProjSubContractLineNumber": own})
    else:
        books.update("PurchaseOrderLinesV2", line, values)
    show_status(books, order)


def _line_values(books: Books, row: Row, order: Row) -> dict[str, Any]:
    categories = line_categories(books, row)
    settings = _order_settings(books, row)
    return {
        "LineDescription": row["Name"] or row["SubConWriteInName"],
        "ItemNumber": row["ItemId"],
        "ProcurementProductCategoryName": categories.procurement,
        "ProjectId": row["ProjId"],
        "ProjectCategoryId": categories.project,
        "ActivityNumber": row["ActivityNumber"],
        "OrderedPurchaseQuantity": row["PurchQty"],
        "PurchaseUnitSymbol": row["PurchUnit"],
        "PurchasePrice": row["PurchPrice"],
        "LineAmount": money(row["PurchQty"] * row["PurchPrice"], order["CurrencyCode"]),
        "RequestedDeliveryDate": row["DeliveryDate"],
        "ReceivingSiteId": settings["ProcurementSiteId"],
        "ReceivingWarehouseId": settings["ProcurementWarehouseId"],
        "PurchaseOrderLineStatus": "Canceled" if row["SubConLineStatus"] == "Canceled" else "Backorder",
    }


def _order_settings(books: Books, row: Row) -> Row:
    """Return site and warehouse of a released product from its default order settings (R1102)."""
    none = {"ProcurementSiteId": "", "ProcurementWarehouseId": ""}
    if not row["ItemId"]:
        return none
    settings = books.first(
        "ProductDefaultOrderSettings", dataAreaId=row["dataAreaId"], ItemNumber=row["ItemId"]
    )
    return none if settings is None else settings


_HEADER_COLUMNS = ("SubConName", "OrderAccount", "ProjId", "AccountingDate", "SubConState", "SubConStatus")
_LINE_COLUMNS = (
    "Name", "SubConWriteInName", "SubConTransClass", "SubConRoleID", "SubConTransCategory", "ItemId",
    "PurchQty", "PurchUnit", "PurchPrice", "DeliveryDate", "ProjId", "ActivityNumber", "SubConLineStatus",
)  # fmt: skip

HOOKS = (
    guard(_SUBCONTRACTS, [Verb.CREATE, Verb.UPDATE], _require_vendor, ["OrderAccount"]),
    effect(_SUBCONTRACTS, [Verb.CREATE, Verb.UPDATE], _order_subcontract, _HEADER_COLUMNS),
    guard(_SUBCONTRACT_LINES, [Verb.CREATE, Verb.UPDATE], _require_subcontract, ["SubcontractNumber"]),
    effect(_SUBCONTRACT_LINES, [Verb.CREATE, Verb.UPDATE], _order_line, _LINE_COLUMNS),
    guard("PurchaseOrderHeadersV2", [Verb.CREATE, Verb.DELETE], _refuse_own),
)
