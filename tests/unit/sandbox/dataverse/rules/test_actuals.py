"""Actuals as they are stored, connected and reversed."""

from decimal import Decimal

import pytest

from sandbox.dataverse.desk import Desk
from sandbox.dataverse.errors import ApiError
from sandbox.dataverse.rules.actuals import ACTUAL, Role, connected, record, record_many, reverse
from sandbox.dataverse.rules.options import AdjustmentStatus, BillingStatus
from sandbox.store.types import instant_text
from tests.unit.sandbox.dataverse.rules.conftest import DAY, Firm


@pytest.mark.parametrize(
    ("currency", "price", "amount", "base"),
    [
        ("USD", "33.335", "100.01", "100.0100"),
        ("JPY", "33.335", "100", "0.6667"),
        ("KWD", "0.3335", "1.001", "3.3367"),
    ],
)
def test_an_amount_is_rounded_to_the_coins_of_its_currency(
    desk: Desk, firm: Firm, currency: str, price: str, amount: str, base: str
) -> None:
    row = record(
        desk,
        {
            "msdyn_quantity": Decimal(3),
            "msdyn_price": Decimal(price),
            "transactioncurrencyid": firm.currencies[currency],
            "msdyn_documentdate": DAY,
        },
    )
    assert (row["msdyn_amount"], row["msdyn_amount_base"]) == (Decimal(amount), Decimal(base))
    assert row["exchangerate"] in {Decimal(1), Decimal(150), Decimal("0.3")}
    dates = ("msdyn_accountingdate", "msdyn_startdatetime", "msdyn_enddatetime", "msdyn_exchangeratedate")
    assert {row[name] for name in dates} == {DAY}
    assert (row["statecode"], row["msdyn_skipsync"]) == (0, False)


def test_what_is_given_stays_and_rows_come_back_in_their_order(desk: Desk) -> None:
    rows = record_many(desk, [{"msdyn_description": str(it), "msdyn_amount": Decimal(it)} for it in range(3)])
    assert [row["msdyn_description"] for row in rows] == ["0", "1", "2"]
    assert [row["msdyn_amount"] for row in rows] == [Decimal(0), Decimal(1), Decimal(2)]
    assert {row["msdyn_documentdate"] for row in rows} == {instant_text(desk.now)}
    assert len({row["msdyn_actualimportid"] for row in rows}) == 3


def test_a_reversal_negates_and_forgets_what_finance_told(desk: Desk) -> None:
    original = record(
        desk,
        {
            "msdyn_quantity": Decimal("1.5"),
            "msdyn_price": Decimal(10),
            "msdyn_billingstatus": BillingStatus.UNBILLED_SALES_CREATED,
            "msdyn_vouchernumber": "V-1",
            "msdyn_isjournalized": True,
            "msdyn_documentdate": DAY,
            "msdyn_feeamount": Decimal(2),
            "msdyn_linediscountamount": Decimal("0.5"),
        },
    )
    reversing = reverse(desk, original, skip_sync=True)
    assert (reversing["msdyn_feeamount"], reversing["msdyn_linediscountamount"]) == (-2, Decimal("-0.5"))
    assert (reversing["msdyn_quantity"], reversing["msdyn_amount"]) == (Decimal("-1.5"), Decimal(-15))
    assert (reversing["msdyn_price"], reversing["msdyn_documentdate"]) == (Decimal(10), DAY)
    assert (reversing["msdyn_vouchernumber"], reversing["msdyn_isjournalized"]) == (None, False)
    assert (reversing["msdyn_adjustmentstatus"], reversing["msdyn_skipsync"]) == (
        AdjustmentStatus.UNADJUSTABLE,
        True,
    )
    stored = desk.get(ACTUAL, original["msdyn_actualid"])
    assert stored["msdyn_adjustmentstatus"] == AdjustmentStatus.ADJUSTED
    assert stored["msdyn_billingstatus"] == reversing["msdyn_billingstatus"]
    assert connected(desk, reversing, Role.REVERSING, Role.ORIGINAL) == [stored]
    with pytest.raises(ApiError, match="has been adjusted already"):
        reverse(desk, stored)


def test_what_was_kept_from_finance_is_reversed_apart_from_it(desk: Desk) -> None:
    kept = record(desk, {"msdyn_amount": Decimal(1), "msdyn_skipsync": True})
    assert reverse(desk, kept)["msdyn_skipsync"]


def test_a_price_in_base_currency_is_rounded_half_away_from_zero(desk: Desk, firm: Firm) -> None:
    price = {"msdyn_quantity": Decimal(1), "msdyn_price": Decimal("0.0002")}
    row = record(desk, price | {"transactioncurrencyid": firm.currencies["GBP"]})
    assert row["msdyn_price_base"] == Decimal("0.0003")  # 0.0002 / 0.8 = 0.00025
