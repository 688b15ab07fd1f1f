"""What work costs and sells for: price lists of a company, the most fitting line first."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

from sandbox.dataverse.desk import Desk
from sandbox.dataverse.rules.currencies import rate
from sandbox.dataverse.rules.engagement import Engagement, engagement
from sandbox.dataverse.rules.options import PriceContext, PricingMethod, TransactionClass

if TYPE_CHECKING:
    from sandbox.dataverse.rules.work import Work

_SCALE = Decimal("0.0001")
_TO_NOON = timedelta(hours=11, minutes=59)


@dataclass(frozen=True, slots=True)
class Price:
    """A price of one unit.

    Attributes:
        amount: At most four digits after the point.
        currency: Id of the transactioncurrency row, None where none is known.
        price_list: Id of the pricelevel row that it stands in, None for a price that was given.
    """

    amount: Decimal
    currency: str | None
    price_list: str | None = None


def cost_price(desk: Desk, work: "Work", company: str | None = None) -> Price:
    """Return what one unit of the work costs a company; the project's owner what was given, if it was.

    Args:
        desk: Dataverse.
        work: What was done, by whom; its resourcing unit's own price goes before the price for all.
        company: Whose price lists count; without it those of the project's owner, for whom work of
            another company costs its transfer price (R1201).

    Returns:
        The price; 0 in the project's currency where no list has one, as Dataverse does [?].
    """
    project = desk.get("msdyn_project", work.project)
    if company is None and work.given_cost is not None:
        return Price(work.given_cost, work.cost_currency or project["transactioncurrencyid"])
    buyer = company or project["msdyn_owningcompany"]
    unit = project["msdyn_contractorganizationalunitid"] if company is None else work.resourcing_unit
    for price_list in _lists(desk, PriceContext.COST, buyer, unit, work.date):
        line = _line(desk, price_list, work)
        if line is not None:
            return _listed(line, price_list)
    return Price(Decimal(0), project["transactioncurrencyid"])


def sales_price(desk: Desk, work: "Work", terms: Engagement | None = None) -> Price:
    """Return what one unit of the work sells for, in the contract's currency; what was given, if it was.

    Args:
        desk: Dataverse.
        work: What was done.
        terms: Who pays, if already known.

    Returns:
        The price; 0 where no list has one, as Dataverse does [?].
    """
    terms = terms or engagement(desk, work.project, work.classification)
    if work.sales_price is not None:
        return Price(work.sales_price, terms.currency)
    first = terms.contract["pricelevelid"] if terms.contract else None
    lists = _lists(desk, PriceContext.SALES, terms.company, terms.unit, work.date)
    # Stable: of equally fitting lists those in the contract's currency come first.
    own = sorted(lists, key=lambda it: it["transactioncurrencyid"] != terms.currency)
    for price_list in [*([] if first is None else [desk.get("pricelevel", first)]), *own]:
        line = _line(desk, price_list, work)
        if line is not None:
            return _converted(desk, _sold(desk, work, line, price_list), terms, work.date)
    return Price(Decimal(0), terms.currency)


def day_meant(stamp: str) -> str:
    """Return the day that a time stamp stands for: `2026-10-31T23:00:00Z` is November 1 in Berlin.

    A midnight of any zone from UTC-12 to UTC+11 lies within half a day of its day's noon in UTC.
    """
    instant = datetime.fromisoformat(stamp.replace("Z", "+00:00"))
    return (instant + _TO_NOON).date().isoformat()


def _lists(
    desk: Desk,
    context: PriceContext,
    company: str | None,
    unit: str | None,
    date: str,
) -> Iterator[Mapping[str, Any]]:
    """Yield price lists in the order in which they are asked: the unit's, the company's, the default."""
    day = day_meant(date)
    found = [
        it
        for it in desk.find("pricelevel", msdyn_module=context, msdyn_owningcompany=company, statecode=0)
        if it["msdyn_organizationalunit"] in {unit, None} and _in_force(it, day)
    ]
    yield from sorted(found, key=lambda it: it["msdyn_organizationalunit"] is None)
    parameters = desk.first("msdyn_projectparameter", msdyn_owningcompany=company)
    default = "msdyn_costpricelist" if context is PriceContext.COST else "msdyn_salespricelist"
    if parameters is not None and parameters[default] is not None:
        yield desk.get("pricelevel", parameters[default])


def _in_force(price_list: Mapping[str, Any], day: str) -> bool:
    return (price_list["begindate"] or "") <= day <= (price_list["enddate"] or "9999-12-31")


def _line(desk: Desk, price_list: Mapping[str, Any], work: "Work") -> Mapping[str, Any] | None:
    """Return the line of a price list that fits the work: by product, by role, else by category."""
    list_id = price_list["pricelevelid"]
    if work.product is not None:
        lines = desk.find("productpricelevel", productid=work.product, pricelevelid=list_id)
        return next((it for it in lines if it["uomid"] in {work.unit, None}), None)
    if work.classification is TransactionClass.TIME:
        if work.role is None:
            return None
        lines = desk.find(
            "msdyn_resourcecategorypricelevel", msdyn_resourcecategory=work.role, msdyn_pricelist=list_id
        )
        own = [it for it in lines if it["msdyn_organizationalunit"] in {work.resourcing_unit, None}]
        return min(own, key=lambda it: it["msdyn_organizationalunit"] is None, default=None)
    if work.category is None:
        return None
    return desk.first(
        "msdyn_transactioncategorypricelevel",
        msdyn_transactioncategory=work.category,
        msdyn_pricelist=list_id,
    )


def _listed(line: Mapping[str, Any], price_list: Mapping[str, Any]) -> Price:
    amount = line["amount"] if "amount" in line else line["msdyn_price"]
    currency = line["transactioncurrencyid"] or price_list["transactioncurrencyid"]
    return Price(amount or Decimal(0), currency, price_list["pricelevelid"])


def _sold(desk: Desk, work: "Work", line: Mapping[str, Any], price_list: Mapping[str, Any]) -> Price:
    method = line.get("msdyn_pricingmethod")
    if method not in {PricingMethod.AT_COST, PricingMethod.MARKUP_OVER_COST}:
        return _listed(line, price_list)
    cost = cost_price(desk, work)
    markup = (line["msdyn_percent"] or Decimal(0)) if method == PricingMethod.MARKUP_OVER_COST else Decimal(0)
    return Price(cost.amount * (100 + markup) / 100, cost.currency, price_list["pricelevelid"])


def _converted(desk: Desk, price: Price, terms: Engagement, date: str) -> Price:
    """Bring a price into the contract's currency, at the rate of the day."""
    amount = price.amount
    if price.currency is not None and terms.currency is not None:
        amount *= rate(desk, terms.company, price.currency, terms.currency, day_meant(date))
    return Price(amount.quantize(_SCALE, ROUND_HALF_UP), terms.currency or price.currency, price.price_list)
