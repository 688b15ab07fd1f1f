"""Actuals: recorded, connected with each other and with what they came from, and reversed.

What is recorded here is stored as the system itself writes it: amounts to the currency's coins,
base amounts by the currency's exchange rate, one import id a row, which Finance knows it by.
"""

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Any
from uuid import uuid4

from sandbox.dataverse.desk import Desk, refused
from sandbox.dataverse.rules.options import (
    AdjustmentStatus,
    AmountMethod,
    BillingStatus,
    NteStatus,
    TransactionType,
)
from sandbox.rules.money import money
from sandbox.store.types import instant_text

ACTUAL = "msdyn_actual"
ACTUAL_ID = "msdyn_actualid"

Row = dict[str, Any]

_BASE_SCALE = Decimal("0.0001")
_DAYS = (
    "msdyn_documentdate",
    "msdyn_accountingdate",
    "msdyn_startdatetime",
    "msdyn_enddatetime",
    "msdyn_exchangeratedate",
)
_NEGATED = (
    "msdyn_quantity",
    "msdyn_amount",
    "msdyn_basisquantity",
    "msdyn_basisamount",
    "msdyn_feeamount",
    "msdyn_linediscountamount",
)
_MONEY = ("msdyn_price", "msdyn_amount", "msdyn_basisprice", "msdyn_basisamount")
ACCOUNTED = frozenset(
    {
        "msdyn_vouchernumber",
        "msdyn_accountingamount",
        "msdyn_accountingexchangerate",
        "msdyn_salestaxamount",
        "msdyn_isjournalized",
    }
)
"""What Finance tells about an actual once it has posted it (R704)."""

_OF_THE_ROW_ITSELF = ACCOUNTED | {
    ACTUAL_ID,
    "msdyn_actualimportid",
    "versionnumber",
    "createdon",
    "createdby",
    "modifiedon",
    "modifiedby",
    "overriddencreatedon",
    "importsequencenumber",
    *(f"{name}_base" for name in _MONEY),
}


class Role(StrEnum):
    """What an actual is to the one that it is connected with (msdyn_transaction1role, …2role)."""

    COST = "Cost"
    UNBILLED_SALES = "Unbilled Sales"
    BILLED_SALES = "Billed Sales"
    RESOURCING_UNIT_COST = "Resourcing Unit Cost"
    INTERORGANIZATIONAL_SALES = "Inter-Organizational Sales"
    ORIGINAL = "Original"
    REVERSING = "Reversing"
    REPLACING = "Replacing"


def record(desk: Desk, values: Mapping[str, Any]) -> Row:
    """Create one actual; see `record_many`."""
    return record_many(desk, [values])[0]


def record_many(desk: Desk, rows: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Create actuals and return them as stored, in the order given.

    Args:
        desk: Dataverse.
        rows: Stored values by logical name. What is missing is filled in: an import id, the amount
            (quantity by price, in the currency's coins), the currency's exchange rate and base
            amounts, and all dates from `msdyn_documentdate`, or from now.
    """
    ids = desk.create_many(ACTUAL, completed(desk, rows))
    stored = desk.by_id(ACTUAL, ids)
    return [stored[row_id] for row_id in ids]


def completed(desk: Desk, rows: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Return values of actuals with all that follows from them: see `record_many`."""
    currencies = desk.by_id("transactioncurrency", (row.get("transactioncurrencyid") for row in rows))
    return [
        _filled(row, currencies.get(row.get("transactioncurrencyid") or ""), instant_text(desk.now))
        for row in rows
    ]


def connect(desk: Desk, first: Row, first_role: str, second: Row, second_role: str) -> str:
    """Connect two actuals, each in its role (R302: Unbilled Sales / Cost); return the connection's id."""
    return desk.create("msdyn_transactionconnection", connection(first, first_role, second, second_role))


def connection(first: Row, first_role: str, second: Row, second_role: str) -> Row:
    """Return the values of a transaction connection between two actuals.

    The text columns are what table maps carry (M2 [L]); the lookups beside them are PROPOSED names
    of the documented polymorphic ones.
    """
    return {
        "msdyn_name": f"{first_role} - {second_role}",
        "msdyn_transaction1": first[ACTUAL_ID],
        "msdyn_transaction1id": first[ACTUAL_ID],
        "msdyn_transaction1role": str(first_role),
        "msdyn_transaction1type": ACTUAL,
        "msdyn_transaction2": second[ACTUAL_ID],
        "msdyn_transaction2id": second[ACTUAL_ID],
        "msdyn_transaction2role": str(second_role),
        "msdyn_transaction2type": ACTUAL,
    }


def origin(desk: Desk, actual: Row, table: str, row_id: str) -> str:
    """Note the row that an actual came from: a time entry, an expense, …; return the origin's id."""
    return desk.create("msdyn_transactionorigin", origin_row(actual, table, row_id))


def origin_row(actual: Mapping[str, Any], table: str, row_id: str) -> Row:
    """Return the values of the transaction origin that leads from an actual to the row it came from."""
    return {
        "msdyn_name": table,
        "msdyn_origin": row_id,
        "msdyn_originid": row_id,
        "msdyn_origintype": table,
        "msdyn_transaction": actual[ACTUAL_ID],
        "msdyn_transactionid": actual[ACTUAL_ID],
        "msdyn_transactiontype": ACTUAL,
    }


def of_origin(desk: Desk, row_id: str) -> list[Row]:
    """Return the actuals that came from a row, reversals left out."""
    found = desk.find("msdyn_transactionorigin", msdyn_originid=row_id)
    return list(desk.by_id(ACTUAL, (it["msdyn_transactionid"] for it in found)).values())


def connected(desk: Desk, actual: Row, role: str, other_role: str) -> list[Row]:
    """Return the actuals that are connected with this one: it in `role`, they in `other_role`."""
    row_id = actual[ACTUAL_ID]
    table = "msdyn_transactionconnection"
    seconds = desk.find(
        table,
        msdyn_transaction1id=row_id,
        msdyn_transaction1role=str(role),
        msdyn_transaction2role=str(other_role),
    )
    firsts = desk.find(
        table,
        msdyn_transaction2id=row_id,
        msdyn_transaction2role=str(role),
        msdyn_transaction1role=str(other_role),
    )
    ids = [it["msdyn_transaction2id"] for it in seconds] + [it["msdyn_transaction1id"] for it in firsts]
    return list(desk.by_id(ACTUAL, ids).values())


def reversal(actual: Row, skip_sync: bool = False) -> Row:
    """Return the values of the actual that takes another one back (R306, R402).

    Quantity and amount are negated, price, dates and references are the same; it cannot be adjusted
    itself, and has nothing yet of what Finance tells of posted actuals.

    Args:
        actual: The stored row.
        skip_sync: Keep it from Finance (R501); a reversal of an actual kept from it is kept too.
    """
    copied = {name: value for name, value in actual.items() if name not in _OF_THE_ROW_ITSELF}
    negated = {name: -actual[name] for name in _NEGATED if actual.get(name) is not None}
    return {
        **copied,
        **negated,
        "msdyn_adjustmentstatus": AdjustmentStatus.UNADJUSTABLE,
        "msdyn_skipsync": skip_sync or bool(actual.get("msdyn_skipsync")),
    }


def reverse(
    desk: Desk, actual: Row, skip_sync: bool = False, billing_status: BillingStatus | None = None
) -> Row:
    """Take an actual back: a reversal connected with it as Reversing / Original, itself Adjusted.

    Args:
        desk: Dataverse.
        actual: The stored row.
        skip_sync: Keep the reversal from Finance (R501).
        billing_status: New billing status of both; without it both have that of the original.

    Returns:
        The reversal as stored.

    Raises:
        ApiError: When the actual has been adjusted already.
    """
    if actual["msdyn_adjustmentstatus"] is not None:
        raise refused(
            f"Actual {actual[ACTUAL_ID]} has been adjusted already: correct the actual that replaced it."
        )
    status = {} if billing_status is None else {"msdyn_billingstatus": billing_status}
    desk.update(ACTUAL, actual[ACTUAL_ID], {"msdyn_adjustmentstatus": AdjustmentStatus.ADJUSTED, **status})
    reversing = record(desk, {**reversal(actual, skip_sync), **status})
    connect(desk, reversing, Role.REVERSING, actual, Role.ORIGINAL)
    return reversing


def invoiceable(actual: Mapping[str, Any]) -> bool:
    """Whether an invoice may take this actual: open unbilled sales, within their limit (R310)."""
    return (
        actual["msdyn_transactiontypecode"] == TransactionType.UNBILLED_SALES
        and actual["msdyn_adjustmentstatus"] is None
        and actual["msdyn_billingstatus"]
        in {None, BillingStatus.UNBILLED_SALES_CREATED, BillingStatus.READY_TO_INVOICE}
        and actual["msdyn_ntestatus"] != NteStatus.FAILED
    )


def _filled(values: Mapping[str, Any], currency: Mapping[str, Any] | None, now: str) -> Row:
    row: Row = {"msdyn_amountmethod": AmountMethod.QUANTITY_BY_PRICE, "msdyn_actualimportid": str(uuid4())}
    row |= {name: value for name, value in values.items() if value is not None}
    if "msdyn_amount" not in row and {"msdyn_quantity", "msdyn_price"} <= row.keys():
        code = currency["isocurrencycode"] if currency else ""
        row["msdyn_amount"] = money(row["msdyn_quantity"] * row["msdyn_price"], code)
    day = row.get("msdyn_documentdate", now)
    return {**dict.fromkeys(_DAYS, day), **row, **_in_base_currency(row, currency)}


def _in_base_currency(row: Row, currency: Mapping[str, Any] | None) -> Row:
    """Dataverse keeps an amount in the organisation's currency too: divided by the currency's rate."""
    rate = currency["exchangerate"] if currency else None
    if not rate:
        return {}
    base = {
        f"{name}_base": (row[name] / rate).quantize(_BASE_SCALE, ROUND_HALF_UP)
        for name in _MONEY
        if row.get(name) is not None
    }
    return {"exchangerate": rate, **base}
