from decimal import Decimal
from pathlib import Path

import pandas as pd  # type: ignore[import-untyped]
import pytest

from projops.validate.arithmetic import products, sums
from projops.validate.rows import validate_table
from projops.validate.written import read_expectations
from tests.golden.frames import source_frame
from tests.unit.projops.validate.test_rows import FORTH, LOADED

ROOT = Path(__file__).parents[4]
ACTUALS = LOADED.maps["actuals"]


@pytest.mark.parametrize(
    ("quantity", "price", "amount", "right"),
    [
        ("8", "200", "1600.0000000000000000", True),
        ("-8", "200", "-1600", True),
        ("1.33333", "100", "133.33", True),
        ("1.33333", "100", "133.34", False),
        ("1.33333", "100", "133.333", True),
        ("3.7", "1199.9", "4440", True),
        ("1", "44.31", "44.4", False),
        ("2", "0.005", "0.01", True),
        ("1", "0.005", "0.01", True),
        ("0", "200", "0", True),
        ("8", "200", "0", False),
    ],
)
def test_a_product_may_be_rounded_in_its_last_digit(
    quantity: str, price: str, amount: str, right: bool
) -> None:
    factors = [column("1", quantity), column("1", price)]
    assert products(factors, column("1", amount)).tolist() == [True, right]


def column(*texts: str) -> pd.Series:
    return pd.Series([Decimal(text) for text in texts], dtype=object)


def test_a_product_of_many_digits_is_exact() -> None:
    """More than the 28 digits to which Python's decimals are rounded by default."""
    factor = "1234567890123456789.0000000000000001"
    exact = "1524157875323883675019051998750190767.91357802469135780000000000000001"
    wrong = f"{exact[:-1]}2"
    right = column(exact, wrong)
    assert products([column(factor, factor), column(factor, factor)], right).tolist() == [True, False]


def test_a_sum_is_exact() -> None:
    parts = [column("0.1", "0.1", "99999999999999999999.9999"), column("0.2", "0.2", "0.0001")]
    assert sums(parts, column("0.30", "0.31", "100000000000000000000")).tolist() == [True, False, True]


def test_only_actuals_that_are_quantity_times_price_are_judged_so() -> None:
    base = {
        "msdyn_transactiontypecode": 192350000,
        "msdyn_quantity": "8",
        "msdyn_price": "100",
        "msdyn_documentdate": "2026-10-31T12:00:00Z",
    }
    rows = [
        {**base, "_id": "product", "msdyn_amountmethod": 192350000, "msdyn_amount": "800"},
        {**base, "_id": "other", "msdyn_amountmethod": 192350000, "msdyn_amount": "801"},
        {**base, "_id": "fixed", "msdyn_amountmethod": 192350001, "msdyn_amount": "5000"},
        {**base, "_id": "without", "msdyn_amountmethod": None, "msdyn_amount": "5000"},
        {**base, "_id": "none", "msdyn_amountmethod": 192350000, "msdyn_amount": None},
    ]
    keyed = [{"_key": row["_id"], **row} for row in rows]
    leg = ACTUALS.legs[FORTH]
    rules = read_expectations(ROOT / "include" / "expectations", ACTUALS, leg)
    validated = validate_table(ACTUALS, leg, source_frame(ACTUALS, leg, keyed), rules)
    assert [(row["_id"], row["rule"]) for row in validated.rejects.to_pylist()] == [("other", "amount")]
