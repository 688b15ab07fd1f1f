"""Which price of which list work has."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from sandbox.dataverse.desk import Desk
from sandbox.dataverse.rules.options import PriceContext, PricingMethod, TransactionClass
from sandbox.dataverse.rules.prices import cost_price, day_meant, sales_price
from sandbox.dataverse.rules.work import Work
from tests.unit.sandbox.dataverse.rules.conftest import DAY, Firm


@pytest.fixture
def hour(firm: Firm) -> Work:
    """One hour for a contract in dollars."""
    project = firm.project("P1", firm.contract("C1"))
    return Work(project, TransactionClass.TIME, Decimal(1), DAY, role=firm.role, unit=firm.hour)


@pytest.fixture
def trip(hour: Work, firm: Firm) -> Work:
    """A trip that cost 40 pounds."""
    return replace(
        hour,
        classification=TransactionClass.EXPENSE,
        role=None,
        category=firm.category,
        cost_price=Decimal(40),
        cost_currency=firm.currencies["GBP"],
    )


def sales_list(desk: Desk) -> str:
    return str(desk.find("pricelevel", msdyn_module=PriceContext.SALES)[0]["pricelevelid"])


def test_the_price_for_the_resourcing_unit_goes_before_that_for_all(
    desk: Desk, hour: Work, firm: Firm
) -> None:
    assert cost_price(desk, hour).amount == 100
    assert cost_price(desk, replace(hour, resourcing_unit=firm.units["WEST"])).amount == 100
    assert cost_price(desk, replace(hour, resourcing_unit=firm.units["GBPM"])).amount == 120
    own = cost_price(desk, replace(hour, resourcing_unit=firm.units["GBPM"]), firm.companies["GBPM"])
    assert (own.amount, own.currency) == (Decimal(88), firm.currencies["GBP"])


def test_what_is_given_goes_before_every_list(desk: Desk, hour: Work, firm: Firm) -> None:
    assert cost_price(desk, replace(hour, cost_price=Decimal(7))).amount == 7
    assert cost_price(desk, replace(hour, cost_price=Decimal(7))).currency == firm.currencies["USD"]
    assert sales_price(desk, replace(hour, sales_price=Decimal(9))).amount == 9


def test_without_a_price_work_is_worth_nothing(desk: Desk, hour: Work, firm: Firm) -> None:
    stranger = replace(hour, role=None)
    assert {cost_price(desk, stranger).amount, sales_price(desk, stranger).amount} == {Decimal(0)}
    assert cost_price(desk, stranger).currency == firm.currencies["USD"]


def test_a_list_holds_only_while_it_is_in_force(desk: Desk, hour: Work) -> None:
    price_list = sales_list(desk)
    desk.update("pricelevel", price_list, {"begindate": "2026-11-01", "enddate": "2026-11-01"})
    assert sales_price(desk, hour).amount == 200
    desk.update("pricelevel", price_list, {"begindate": "2026-11-02", "enddate": None})
    assert sales_price(desk, hour).amount == 0
    desk.update("pricelevel", price_list, {"begindate": None, "statecode": 1})
    assert sales_price(desk, hour).amount == 0


def test_the_contract_s_own_list_goes_first_and_the_company_s_default_last(
    desk: Desk, hour: Work, firm: Firm
) -> None:
    fallback = firm.price_list("GBPM", PriceContext.SALES, "USD", every="150")
    desk.create(
        "msdyn_projectparameter",
        {"msdyn_owningcompany": firm.companies["USPM"], "msdyn_salespricelist": fallback},
    )
    assert sales_price(desk, hour).amount == 200
    desk.update("pricelevel", sales_list(desk), {"statecode": 1})
    assert sales_price(desk, hour).amount == 150
    agreed = firm.price_list("USPM", PriceContext.SALES, "USD", every="180")
    contract = desk.get("msdyn_project", hour.project)["msdyn_salesorderid"]
    desk.update("salesorder", contract, {"pricelevelid": agreed})
    assert sales_price(desk, hour).amount == 180


def test_a_list_in_the_contract_s_currency_goes_before_one_to_convert(desk: Desk, firm: Firm) -> None:
    project = firm.project("P1", firm.contract("C1", currency="GBP"))
    hour = Work(project, TransactionClass.TIME, Decimal(1), DAY, role=firm.role)
    assert sales_price(desk, hour).amount == 160
    firm.price_list("USPM", PriceContext.SALES, "GBP", every="170")
    assert sales_price(desk, hour).amount == 170


@pytest.mark.parametrize(
    ("pricing", "amount"),
    [
        ({"msdyn_pricingmethod": PricingMethod.AT_COST}, "50"),
        ({"msdyn_pricingmethod": PricingMethod.MARKUP_OVER_COST, "msdyn_percent": Decimal(10)}, "55"),
        ({"msdyn_pricingmethod": PricingMethod.PRICE_PER_UNIT, "msdyn_price": Decimal("12.5")}, "12.5"),
    ],
)
def test_a_category_sells_at_cost_with_a_markup_or_at_a_price(
    desk: Desk, trip: Work, pricing: dict[str, Any], amount: str
) -> None:
    desk.create(
        "msdyn_transactioncategorypricelevel",
        {"msdyn_pricelist": sales_list(desk), "msdyn_transactioncategory": trip.category, **pricing},
    )
    assert sales_price(desk, trip).amount == Decimal(amount)


def test_a_product_has_the_price_of_its_unit(desk: Desk, hour: Work, firm: Firm) -> None:
    product = desk.create("product", {"name": "Cable", "productnumber": "CABLE"})
    cable = replace(hour, classification=TransactionClass.MATERIAL, product=product)
    assert sales_price(desk, cable).amount == 0
    item = {"pricelevelid": sales_list(desk), "productid": product, "uomid": firm.hour}
    desk.create("productpricelevel", {**item, "amount": Decimal("3.25")})
    assert sales_price(desk, cable).amount == Decimal("3.25")
    assert sales_price(desk, replace(cable, unit=None)).amount == 0


@pytest.mark.parametrize(
    ("stamp", "day"),
    [
        ("2026-10-31T23:00:00Z", "2026-11-01"),
        ("2026-11-01T04:00:00Z", "2026-11-01"),
        ("2026-10-31T12:00:00Z", "2026-10-31"),
        ("2026-10-31T13:00:00Z", "2026-11-01"),
        ("2026-10-31", "2026-10-31"),
    ],
)
def test_a_midnight_of_any_zone_means_its_own_day(stamp: str, day: str) -> None:
    assert day_meant(stamp) == day
