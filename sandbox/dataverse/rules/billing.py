"""How work is billed: by its billing type, and to each of the contract's customers their share."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sandbox.dataverse.desk import Desk, refused
from sandbox.dataverse.rules.engagement import Engagement
from sandbox.dataverse.rules.options import AmountMethod, BillingType
from sandbox.rules.money import money, split

_HUNDRED = Decimal(100)
_QUANTITY = Decimal("0.0001")  # what actuals carry to Finance


@dataclass(frozen=True, slots=True)
class Payer:
    """One who pays for a contract.

    Attributes:
        customer: Id of the account.
        contract_customer: Id of the contract-customer row (funding source), None where there is none.
        percent: Share of everything.
        rounding: Whether differences of rounding are theirs (R308).
    """

    customer: str | None
    contract_customer: str | None = None
    percent: Decimal = _HUNDRED
    rounding: bool = True


@dataclass(frozen=True, slots=True)
class Part:
    """A quantity of work that is billed in one way.

    Attributes:
        quantity: In the unit of the work.
        billing_type: How.
    """

    quantity: Decimal
    billing_type: BillingType


@dataclass(frozen=True, slots=True)
class Portion:
    """What one payer is to pay of one part.

    Attributes:
        payer: Who.
        billing_type: How.
        quantity: Their share of the quantity, four digits after the point.
        amount: Their share of the amount.
        amount_method: Quantity by price, unless rounding made the amount another one.
    """

    payer: Payer
    billing_type: BillingType
    quantity: Decimal
    amount: Decimal
    amount_method: AmountMethod


def parts(quantity: Decimal, billing_type: BillingType, billable: Decimal | None) -> tuple[Part, ...]:
    """Return what is billed how, as the approver decides.

    Without a billable quantity all has the billing type of the work (R302). With one, that much is
    chargeable, and what is left of the work is not (R303); more than was worked is all chargeable (R304).

    Raises:
        ApiError: When the billable quantity is negative.
    """
    if billable is None:
        return (Part(quantity, billing_type),)
    if billable < 0:
        raise refused(f"The billable quantity {billable} is negative: give 0 or more.")
    chargeable = (Part(billable, BillingType.CHARGEABLE),) if billable else ()
    left = (Part(quantity - billable, BillingType.NON_CHARGEABLE),) if quantity > billable else ()
    return chargeable + left


def payers(desk: Desk, terms: Engagement) -> tuple[Payer, ...]:
    """Return who pays for a contract: its contract customers, else its customer.

    Raises:
        ApiError: When the shares of the contract customers do not add up to 100 %.
    """
    contract = terms.contract
    if contract is None:
        return ()
    rows = desk.find("msdyn_projectcontractsplitbillingrule", msdyn_projectcontract=contract["salesorderid"])
    if not rows:
        return (Payer(contract["customerid"]),)
    if len(rows) == 1:
        return (_payer(rows[0], _HUNDRED),)
    found = tuple(_payer(row, row["msdyn_splitpercentage"] or Decimal(0)) for row in rows)
    total = sum((payer.percent for payer in found), Decimal(0))
    if total != _HUNDRED:
        raise refused(
            f"The customers of contract {contract['ordernumber']} share {total.normalize():f} % of it:"
            " set their split percentages so that they add up to 100."
        )
    return found


def portions(part: Part, who: Sequence[Payer], price: Decimal, currency: str) -> Iterator[Portion]:
    """Yield one portion a payer; their amounts add up to that of the whole part (R308).

    Args:
        part: What is billed.
        who: The payers, whose shares add up to 100 %.
        price: Of one unit.
        currency: ISO code that amounts are rounded for.
    """
    rounding = next((place for place, payer in enumerate(who) if payer.rounding), 0)
    shares = [payer.percent for payer in who]
    quantities = _split_quantity(part.quantity, shares, rounding)
    amounts = split(money(part.quantity * price, currency), shares, currency, rounding)
    for payer, quantity, amount in zip(who, quantities, amounts, strict=True):
        follows = money(quantity * price, currency) == amount
        method = AmountMethod.QUANTITY_BY_PRICE if follows else AmountMethod.FIXED_PRICE
        yield Portion(payer, part.billing_type, quantity, amount, method)


def _payer(row: Mapping[str, Any], percent: Decimal) -> Payer:
    return Payer(
        customer=row["msdyn_customer"],
        contract_customer=row["msdyn_projectcontractsplitbillingruleid"],
        percent=percent,
        rounding=bool(row["msdyn_isrounding"]),
    )


def _split_quantity(quantity: Decimal, shares: Sequence[Decimal], rounding: int) -> list[Decimal]:
    if len(shares) == 1:
        return [quantity]
    found = [(quantity * share / 100).quantize(_QUANTITY, ROUND_HALF_UP) for share in shares]
    found[rounding] += quantity - sum(found, Decimal(0))
    return found
