"""Business events: which there are, when they happen, and what they say [D, L].

Finance has hundreds; these are the ones whose processes are here. Members are those that live systems send.
"""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.execution_context import Json, date, escaped, milliseconds
from sandbox.finance.events.message import Origin
from sandbox.rules.hooks import Change, Row, Verb

_SMALLEST_CONTROL_NUMBER = 5_637_144_576  # as seen: they are taken from record ids [L]


@dataclass(frozen=True, slots=True)
class BusinessEvent:
    """A business event of the catalog.

    Attributes:
        event_id: Its id.
        happens: Whether a write to `table` is what it tells of.
        table: Entity set whose rows show it.
        payload: Its own members, from the row as it is then.
    """

    event_id: str
    table: str
    happens: Callable[[Change], bool]
    payload: Callable[[Row], Json]


def _confirmed_order(row: Row) -> Json:
    number = row["PurchaseOrderNumber"]
    return {
        "LegalEntity": row["dataAreaId"].lower(),
        "PurchaseJournal": f"{number}-1",
        "PurchaseOrderDate": date(row["AccountingDate"]),
        "PurchaseOrderNumber": number,
        "PurchaseType": "Purch",
        "TransactionCurrencyCode": row["CurrencyCode"],
        "VendorAccount": row["OrderVendorAccountNumber"],
    }


def _posted_invoice(row: Row) -> Json:
    return {
        "InvoiceAccount": row["VendorAccountNumber"],
        "InvoiceDate": date(row["TransactionDate"]),
        "InvoiceId": row["InvoiceNumber"],
        "LegalEntity": row["dataAreaId"].lower(),
        "TransactionCurrencyAmount": row["Amount"],
        "TransactionCurrencyCode": row["CurrencyCode"],
        "Voucher": row["Voucher"],
    }


_ALL = (
    BusinessEvent(
        "PurchaseOrderConfirmedBusinessEvent",
        "PurchaseOrderHeadersV2",
        lambda change: change.turned("DocumentApprovalStatus", "Confirmed"),
        _confirmed_order,
    ),
    BusinessEvent(
        "VendorInvoicePostedBusinessEvent",
        "VendorTransactions",
        lambda change: change.verb is Verb.CREATE and bool(change.values["InvoiceNumber"]),
        _posted_invoice,
    ),
)
BUSINESS_EVENTS: Mapping[str, BusinessEvent] = {each.event_id: each for each in _ALL}
"""The catalog of business events, by id."""


def business_event(event: BusinessEvent, row: Mapping[str, Any], origin: Origin, control_number: int) -> str:
    """Write a business event.

    Args:
        event: Which.
        row: The row that shows it, as it is now.
        origin: Who tells.
        control_number: Grows from event to event, with gaps [D].
    """
    body = {
        "BusinessEventId": event.event_id,
        "BusinessEventLegalEntity": row["dataAreaId"].lower(),
        "ContextRecordSubject": "",
        "ControlNumber": _SMALLEST_CONTROL_NUMBER + control_number,
        "EventId": str(uuid.uuid4()).upper(),
        "EventTime": f"/Date({milliseconds(origin.at)})/",
        "EventTimeIso8601": origin.at.isoformat().replace("+00:00", "Z"),
        "InitiatingUserAADObjectId": f"{{{origin.user_id.upper()}}}",
        "MajorVersion": 0,
        "MinorVersion": 0,
        "ParentContextRecordSubjects": [],
        **event.payload(row),
    }
    return escaped(dict(sorted(body.items()))).decode()
