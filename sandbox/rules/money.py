"""Amounts: rounded to what a currency's coins allow, half away from zero as both systems do [?]."""

from decimal import ROUND_HALF_UP, Decimal

_DECIMALS = {
    **dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF".split(), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}


def decimals(currency: str) -> int:
    """Return how many digits after the point an amount of a currency has (ISO 4217)."""
    return _DECIMALS.get(currency.upper(), 2)


def money(amount: Decimal, currency: str) -> Decimal:
    """Return an amount as it is booked in a currency: JPY 0 digits, USD 2, KWD 3."""
    return amount.quantize(Decimal(1).scaleb(-decimals(currency)), ROUND_HALF_UP)


def split(amount: Decimal, shares: list[Decimal], currency: str, rounding: int = 0) -> list[Decimal]:
    """Split an amount by percentages; what rounding leaves over goes to one share (R308).

    Args:
        amount: The whole.
        shares: Percentages that add up to 100.
        currency: Whose coins count.
        rounding: Place of the share that takes the difference.

    Returns:
        Amounts in the order of `shares`, whose sum is `amount`.
    """
    parts = [money(amount * share / 100, currency) for share in shares]
    parts[rounding] += amount - sum(parts, Decimal(0))
    return parts
