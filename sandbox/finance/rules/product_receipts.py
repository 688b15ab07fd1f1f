"""Product receipts of subcontracts: made from posted actuals, then posted (R1103)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from sandbox.finance.books import Books
from sandbox.finance.rules.connections import chunks
from sandbox.finance.rules.documents import (
    DocumentRefusedError,
    PostingJob,
    legal_entities,
    post_documents,
)
from sandbox.finance.rules.ledger import Entry, post_voucher
from sandbox.finance.rules.periods import accounting_date
from sandbox.finance.rules.purchase_orders import count_quantity, order_line
from sandbox.finance.rules.receipt_accruals import (
    RECEIPT_LINES,
    RECEIPTS,
    Layer,
    accrue,
    ordered,
    posted_layers,
    received,
)
from sandbox.rules.days import day_of, noon
from sandbox.rules.hooks import Change, Row, Verb, guard

_ORDER_LINES, _JOURNAL_LINES = "PurchaseOrderLinesV2", "ProjectIntegrationJournalLines"


def generate_product_receipts(books: Books, parameters: Row) -> dict[str, Any]:
    """Make a receipt an order and accounting date from posted actuals: job generate-product-receipts.

    Returns:
        By company code the counts `receipts` and `lines`, and `messages`, which is empty.

    Raises:
        JobRefusedError: The job names a company that does not exist.
    """
    counts = {company.upper(): _generate(books, company) for company in legal_entities(books, parameters)}
    return {**counts, "messages": []}


def post_product_receipts(books: Books, parameters: Row) -> dict[str, Any]:
    """Post all receipts that were made: job post-product-receipts."""
    job = PostingJob("post-product-receipts", "R1103", "ProductReceiptNumber", _drafts, _post)
    return post_documents(books, parameters, job)


def _generate(books: Books, company: str) -> Mapping[str, int]:
    lines = _subcontract_lines(books, company)
    planned = {name: _receipted(books, line) for name, line in lines.items()}
    groups: dict[tuple[str, str], list[tuple[Row, Row]]] = defaultdict(list)
    for actual in _new_costs(books, company, lines):
        name = actual["SubcontractLine"].lower()
        line = lines[name]
        # The reversal of a cost that the vendor has billed meanwhile takes no receipt back (R1104).
        if actual["Quantity"] < 0 and planned[name] + actual["Quantity"] < line["InvoicedQuantity"]:
            continue
        planned[name] += actual["Quantity"]
        groups[line["PurchaseOrderNumber"], actual["AccountingDate"]].append((actual, line))
    for (order, day), received_lines in groups.items():
        _write_receipt(books, company, order, day, received_lines)
    return {"receipts": len(groups), "lines": sum(map(len, groups.values()))}


def _subcontract_lines(books: Books, company: str) -> dict[str, Row]:
    """Return the order lines of subcontracts by subcontract line number, lower case."""
    return {
        line["ProjSubContractLineNumber"].lower(): line
        for line in books.find(_ORDER_LINES, dataAreaId=company)
        if line["ProjSubContractLineNumber"] and line["PurchaseOrderLineStatus"] != "Canceled"
    }


def _new_costs(books: Books, company: str, lines: Iterable[str]) -> list[dict[str, Any]]:
    """Return posted costs on subcontract lines without a receipt, additions before reversals.

    Each is its staging row with the accounting date of its posted journal line. Costs that come from
    a vendor invoice line were received before.
    """
    costs = {
        row["ActualsImportId"]: row
        for row in books.find(
            "ProjActualsImports", dataAreaId=company, SubcontractLine=list(lines), TransactionType="Cost"
        )
        if not row["VendInvoiceLineProjTransId"]
    }
    done: set[str] = set()
    days: dict[str, str] = {}
    for part in chunks(list(costs)):
        mine = {"dataAreaId": company, "ActualsImportId": part}
        done |= {row["ActualsImportId"] for row in books.find(RECEIPT_LINES, **mine)}
        posted = books.find(_JOURNAL_LINES, LineStatus="Posted", **mine)
        days |= {row["ActualsImportId"]: row["AccountingDate"] for row in posted}
    new = [row | {"AccountingDate": days[key]} for key, row in costs.items() if key in days.keys() - done]
    return sorted(new, key=lambda row: (row["Quantity"] < 0, row["AccountingDate"]))


def _receipted(books: Books, line: Row) -> Decimal:
    """Return what the receipts of an order line add up to, posted or not."""
    rows = books.find(
        RECEIPT_LINES,
        dataAreaId=line["dataAreaId"],
        PurchaseOrderNumber=line["PurchaseOrderNumber"],
        PurchaseOrderLineNumber=line["LineNumber"],
    )
    return sum((row["ReceivedQuantity"] for row in rows), Decimal(0))


def _write_receipt(
    books: Books, company: str, order: str, day: str, lines: Sequence[tuple[Row, Row]]
) -> None:
    number = books.next_number(company, "ProductReceipt")
    key = {"dataAreaId": company.lower(), "ProductReceiptNumber": number, "PurchaseOrderNumber": order}
    books.insert(RECEIPTS, key | {"AccountingDate": day})
    for place, (actual, line) in enumerate(lines, start=1):
        values = {
            "LineNumber": place,
            "PurchaseOrderLineNumber": line["LineNumber"],
            "ReceivedQuantity": actual["Quantity"],
            "ProjSubContractLineNumber": line["ProjSubContractLineNumber"],
            "PurchasePrice": line["PurchasePrice"],
            "ActualsImportId": actual["ActualsImportId"],
        }
        books.insert(RECEIPT_LINES, key | values)


def _drafts(books: Books, company: str) -> Sequence[Row]:
    return books.find(RECEIPTS, dataAreaId=company, ReceiptStatus="Draft")


def _post(books: Books, receipt: Row) -> None:
    """Post a receipt: accrue what was received, and let order and subcontract show it (R1103)."""
    company, number = receipt["dataAreaId"], receipt["ProductReceiptNumber"]
    wanted = day_of(receipt["AccountingDate"])
    if wanted is None:
        raise DocumentRefusedError("R1103", f"Product receipt {number} has no accounting date. Enter it.")
    day = accounting_date(books, company, wanted)
    entries: list[Entry] = []
    for line in _by_order_line(books, receipt):
        entries += _receive(books, line, day)
    voucher = books.next_number(company, "ProductReceiptVoucher")
    post_voucher(books, company, voucher, day, entries, number)
    posted = {"ReceiptStatus": "Posted", "Voucher": voucher, "AccountingDate": noon(day)}
    books.update(RECEIPTS, receipt, posted)


def _by_order_line(books: Books, receipt: Row) -> list[list[Row]]:
    lines: dict[int, list[Row]] = defaultdict(list)
    for line in books.find(
        RECEIPT_LINES,
        dataAreaId=receipt["dataAreaId"],
        ProductReceiptNumber=receipt["ProductReceiptNumber"],
    ):
        lines[line["PurchaseOrderLineNumber"]].append(line)
    return list(lines.values())


def _receive(books: Books, lines: Sequence[Row], day: date) -> list[Entry]:
    """Count the receipt lines of one order line, and return what they accrue."""
    first = lines[0]
    row = order_line(
        books, first["dataAreaId"], first["PurchaseOrderNumber"], first["PurchaseOrderLineNumber"]
    )
    if row is None:
        raise DocumentRefusedError(
            "R1103", f"Purchase order {first['PurchaseOrderNumber']} has no line for the receipt."
        )
    order, layers, entries = ordered(books, row), posted_layers(books, row), []
    for line in lines:
        after = received(layers, Layer(line["ReceivedQuantity"], line["PurchasePrice"], day))
        entries += accrue(books, order, layers, after)
        layers = after
    quantity = sum((line["ReceivedQuantity"] for line in lines), Decimal(0))
    count_quantity(books, row, received=quantity, invoiced=Decimal(0))
    return entries


def _refuse_manual(books: Books, change: Change) -> None:
    """Refuse receipts of a subcontract's order that people enter themselves (R1103)."""
    order = books.first(
        "PurchaseOrderHeadersV2",
        dataAreaId=change.after["dataAreaId"],
        PurchaseOrderNumber=change.after["PurchaseOrderNumber"],
    )
    if order is not None and order["ProjSubContractNumber"]:
        raise books.refused(
            change.table,
            f"Error: Product receipts of purchase order {order['PurchaseOrderNumber']} are generated from "
            f"the actuals of subcontract {order['ProjSubContractNumber']}. Use 'Generate product receipt'",
        )


_ALL = (Verb.CREATE, Verb.UPDATE, Verb.DELETE)
HOOKS = (guard(RECEIPTS, _ALL, _refuse_manual), guard(RECEIPT_LINES, _ALL, _refuse_manual))
JOBS = {
    "generate-product-receipts": generate_product_receipts,
    "post-product-receipts": post_product_receipts,
}
