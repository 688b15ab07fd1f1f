"""Actions of entities: `POST Set(key)/Microsoft.Dynamics.DataEntities.Name`.

Those of data management are bound to their set and stand in `packages/actions.py`; the one here is bound to
a row, and runs in the transaction of the write that calls it, so that a changeset may hold it.
"""

from collections.abc import Callable, Mapping
from typing import Any

from sandbox.finance.books import Books
from sandbox.finance.errors import FinanceError

RowAction = Callable[[Books, Mapping[Any, Any]], object]

_ORDERS = "PurchaseOrderHeadersV2"


def confirm_order(books: Books, order: Mapping[Any, Any]) -> None:
    """Confirm a purchase order that is open [?]: name and effect of the action are not documented.

    Raises:
        FinanceError: It is canceled, or confirmed already.
    """
    number = order["PurchaseOrderNumber"]
    if order["PurchaseOrderStatus"] == "Canceled":
        raise FinanceError(400, f"Purchase order {number} is canceled and cannot be confirmed.")
    if order["DocumentApprovalStatus"] == "Confirmed":
        raise FinanceError(400, f"Purchase order {number} is confirmed already.")
    books.update(_ORDERS, order, {"DocumentApprovalStatus": "Confirmed"})


ROW_ACTIONS: Mapping[tuple[str, str], RowAction] = {(_ORDERS, "confirm"): confirm_order}
