"""What one currency is worth in another, as Dataverse knows it.

Finance's exchange rates arrive by sync and go first: those of the rate type of the company's ledger
(DOC advanced-configuration/currencyconversion). Without one the currencies' own rates are used, units of
each per unit of the organization's currency.
"""

from decimal import ROUND_HALF_UP, Decimal

from sandbox.dataverse.desk import Desk

_DIGITS = Decimal("1E-10")


def rate(desk: Desk, company: str | None, origin: str, target: str, day: str) -> Decimal:
    """Return what one unit of a currency is worth in another on a day.

    Args:
        desk: Dataverse.
        company: Id of the company whose ledger says which rates count.
        origin: Id of the currency to convert from.
        target: Id of the currency to convert to.
        day: ISO date.
    """
    if origin == target:
        return Decimal(1)
    theirs, ours = desk.get("transactioncurrency", origin), desk.get("transactioncurrency", target)
    ledger = desk.first("msdyn_ledger", msdyn_company=company) if company else None
    if ledger is not None and ledger["msdyn_exchangeratetype"]:
        codes = (theirs["isocurrencycode"], ours["isocurrencycode"])
        quoted = _quoted(desk, ledger["msdyn_exchangeratetype"], *codes, day)
        if quoted is not None:
            return quoted
    return Decimal(ours["exchangerate"]) / Decimal(theirs["exchangerate"])


def _quoted(desk: Desk, rate_type: str, origin: str, target: str, day: str) -> Decimal | None:
    """Return the quoted rate, or the reciprocal of the opposite pair, as Finance does (R607)."""
    direct = _latest(desk, rate_type, origin, target, day)
    if direct is not None:
        return direct
    opposite = _latest(desk, rate_type, target, origin, day)
    return None if not opposite else (1 / opposite).quantize(_DIGITS, ROUND_HALF_UP)


def _latest(desk: Desk, rate_type: str, origin: str, target: str, day: str) -> Decimal | None:
    pair = {"msdyn_fromcurrencycode": origin, "msdyn_tocurrencycode": target}
    quotes = [
        row
        for row in desk.find("msdyn_currencyexchangerate", msdyn_exchangeratetypename=rate_type, **pair)
        if (row["msdyn_validfrom"] or "") <= day <= (row["msdyn_validto"] or "9999-12-31")
    ]
    if not quotes:
        return None
    latest = max(quotes, key=lambda row: row["msdyn_validfrom"] or "")
    return Decimal(latest["msdyn_exchangerate"]) / _units(desk, rate_type, pair)


def _units(desk: Desk, rate_type: str, pair: dict[str, str]) -> Decimal:
    """Return for how many units a pair is quoted: yen by the hundred."""
    kind = desk.first("msdyn_exchangeratetype", msdyn_name=rate_type)
    if kind is None:
        return Decimal(1)
    found = desk.first(
        "msdyn_currencyexchangeratepair", msdyn_exchangeratetype=kind["msdyn_exchangeratetypeid"], **pair
    )
    return Decimal((found or {}).get("msdyn_conversionfactor") or 1)
