"""Accrued purchases: booked when goods are received, ended when they are invoiced (R1103, R1104; INF).

What was received of an order line stands in layers, one a receipt line. A correction takes from the
newest layer, an invoice from the oldest. The value of a part of a layer is the difference of two
rounded values, so that all parts of a layer add up to what was accrued, to the cent.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from itertools import pairwise

from sandbox.finance.books import Books
from sandbox.finance.rules.documents import accounting_amount, total
from sandbox.finance.rules.ledger import Entry
from sandbox.finance.rules.purchase_orders import order_line
from sandbox.rules.days import NEVER, day_of
from sandbox.rules.hooks import Row
from sandbox.rules.money import money

RECEIPT_LINES, RECEIPTS = "ProductReceiptLines", "ProductReceiptHeaders"


@dataclass(frozen=True, slots=True)
class Layer:
    """What one receipt line brought.

    Attributes:
        quantity: In the unit of the order line.
        price: Of one unit, in the order's currency.
        day: Whose exchange rate holds.
    """

    quantity: Decimal
    price: Decimal
    day: date


@dataclass(frozen=True, slots=True)
class Ordered:
    """An order line whose receipts are accrued.

    Attributes:
        company: Legal entity.
        currency: Of the order.
        project: Project, or "".
        invoiced: Quantity that vendor invoices have billed.
    """

    company: str
    currency: str
    project: str
    invoiced: Decimal


def ordered(books: Books, line: Row) -> Ordered:
    """Return what accruals need to know of a row of PurchaseOrderLinesV2."""
    order = books.get(
        "PurchaseOrderHeadersV2",
        dataAreaId=line["dataAreaId"],
        PurchaseOrderNumber=line["PurchaseOrderNumber"],
    )
    return Ordered(line["dataAreaId"], order["CurrencyCode"], line["ProjectId"], line["InvoicedQuantity"])


def posted_layers(books: Books, line: Row) -> tuple[Layer, ...]:
    """Return the layers of an order line from its posted receipts, oldest first."""
    found = books.find(
        RECEIPT_LINES,
        dataAreaId=line["dataAreaId"],
        PurchaseOrderNumber=line["PurchaseOrderNumber"],
        PurchaseOrderLineNumber=line["LineNumber"],
    )
    numbers = {row["ProductReceiptNumber"] for row in found}
    headers = books.find(
        RECEIPTS, dataAreaId=line["dataAreaId"], ProductReceiptNumber=numbers, ReceiptStatus="Posted"
    )
    days = {row["ProductReceiptNumber"]: day_of(row["AccountingDate"]) or NEVER for row in headers}
    layers: tuple[Layer, ...] = ()
    for row in found:
        if row["ProductReceiptNumber"] in days:
            day = days[row["ProductReceiptNumber"]]
            layers = received(layers, Layer(row["ReceivedQuantity"], row["PurchasePrice"], day))
    return layers


def received(layers: Sequence[Layer], layer: Layer) -> tuple[Layer, ...]:
    """Return the layers after a receipt; a negative quantity takes from the newest ones."""
    if layer.quantity > 0:
        return (*layers, layer)
    kept, missing = list(layers), -layer.quantity
    while kept and missing > 0:
        taken = min(kept[-1].quantity, missing)
        missing -= taken
        kept[-1] = replace(kept[-1], quantity=kept[-1].quantity - taken)
        if not kept[-1].quantity:
            kept.pop()
    return tuple(kept)


def accrue(books: Books, order: Ordered, before: Sequence[Layer], after: Sequence[Layer]) -> list[Entry]:
    """Return the entries of a receipt: Dr purchase receipt / Cr purchase accrual, a correction back.

    Args:
        books: Of the transaction.
        order: The order line; what of it was invoiced already is not accrued any more.
        before: Its layers before the receipt.
        after: Its layers with the receipt.
    """
    old, new = (max(_quantity(layers), order.invoiced) for layers in (before, after))
    if new >= old:
        return _entries(books, order, _parts(after, old, new), 1)
    return _entries(books, order, _parts(before, new, old), -1)


def end_accruals(books: Books, invoice: Row, lines: Sequence[Row]) -> list[Entry]:
    """Return the entries that end the accruals of what an invoice bills; what was not received has none.

    Args:
        books: Of the transaction.
        invoice: Row of VendorInvoiceHeaders; it names the purchase order.
        lines: Its rows of VendorInvoiceLines.
    """
    company, number = invoice["dataAreaId"], invoice["PurchaseOrderNumber"]
    quantities: dict[int, Decimal] = defaultdict(Decimal)
    for line in lines:
        quantities[line["PurchaseOrderLineNumber"]] += line["Quantity"]
    entries: list[Entry] = []
    for line_number, quantity in quantities.items():
        row = order_line(books, company, number, line_number)
        if row is not None:
            begin = row["InvoicedQuantity"]
            parts = _parts(posted_layers(books, row), begin, begin + quantity)
            entries += _entries(books, ordered(books, row), parts, -1)
    return entries


def _quantity(layers: Sequence[Layer]) -> Decimal:
    return total(layer.quantity for layer in layers)


def _parts(layers: Sequence[Layer], begin: Decimal, end: Decimal) -> Iterator[tuple[Layer, Decimal, Decimal]]:
    """Yield which part of each layer lies between two quantities, counted from the oldest."""
    bounds = [Decimal(0)]
    for layer in layers:
        bounds.append(bounds[-1] + layer.quantity)
    for layer, (low, high) in zip(layers, pairwise(bounds), strict=True):
        first, last = max(begin, low) - low, min(end, high) - low
        if first < last:
            yield layer, first, last


def _entries(
    books: Books, order: Ordered, parts: Iterator[tuple[Layer, Decimal, Decimal]], sign: int
) -> list[Entry]:
    entries = []
    for layer, first, last in parts:
        (low, booked_low), (high, booked_high) = (_value(books, order, layer, it) for it in (first, last))
        amount, booked = sign * (high - low), sign * (booked_high - booked_low)
        entries.append(Entry("PurchaseReceipt", amount, order.currency, booked, order.project))
        entries.append(Entry("PurchaseAccrual", -amount, order.currency, -booked, order.project))
    return entries


def _value(books: Books, order: Ordered, layer: Layer, quantity: Decimal) -> tuple[Decimal, Decimal]:
    """Return what the first so many of a layer are worth, in the order's and the accounting currency."""
    amount = money(quantity * layer.price, order.currency)
    return amount, accounting_amount(books, order.company, amount, order.currency, layer.day)
