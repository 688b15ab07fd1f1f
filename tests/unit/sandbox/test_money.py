"""Amounts by the coins of their currency."""

from decimal import Decimal

import pytest

from sandbox.rules.money import decimals, money, split


@pytest.mark.parametrize(
    ("currency", "digits"), [("USD", 2), ("eur", 2), ("JPY", 0), ("RWF", 0), ("VUV", 0), ("KWD", 3)]
)
def test_a_currency_has_as_many_digits_as_iso_4217_says(currency: str, digits: int) -> None:
    assert decimals(currency) == digits


def test_halves_go_away_from_zero() -> None:
    assert [money(Decimal(it), "USD") for it in ("0.125", "-0.125", "0.135")] == [
        Decimal("0.13"),
        Decimal("-0.13"),
        Decimal("0.14"),
    ]


def test_r308_what_rounding_leaves_over_goes_to_one_share() -> None:
    thirds = [Decimal("33.33"), Decimal("33.33"), Decimal("33.34")]
    assert split(Decimal("100.01"), thirds, "USD", rounding=1) == [
        Decimal("33.33"),
        Decimal("33.34"),
        Decimal("33.34"),
    ]
