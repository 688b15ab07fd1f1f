"""The demo's price lists give the prices of the worked examples."""

from decimal import Decimal

from sandbox.data.firm import COMPANIES, currency_id
from sandbox.data.prices import dataverse_rows, price_list_id
from sandbox.data.resources import ROLES, role_id
from sandbox.data.work import MAIN_ROLE

COST, SALES = 192350000, 192350002
ROWS = dataverse_rows()
USPM, GBPM, DEMF = COMPANIES


def main_price(price_list: str, unit: str | None = None) -> object:
    [price] = [
        row["msdyn_price"]
        for row in ROWS["msdyn_resourcecategorypricelevel"]
        if row["msdyn_pricelist"] == price_list
        and row["msdyn_resourcecategory"] == role_id(MAIN_ROLE)
        and row["msdyn_organizationalunit"] == unit
    ]
    return price


def test_an_hour_costs_100_and_sells_for_200() -> None:
    for company in (USPM, DEMF):
        assert main_price(price_list_id(company, COST, company.currency)) == Decimal(100)
        assert main_price(price_list_id(company, SALES, company.currency)) == Decimal(200)


def test_a_british_hour_costs_88_pounds_and_the_american_company_120_dollars() -> None:
    assert main_price(price_list_id(GBPM, COST, "GBP")) == Decimal(88)
    assert main_price(price_list_id(USPM, COST, "USD"), GBPM.unit_id) == Decimal(120)


def test_every_company_has_lists_for_cost_and_sales_and_prices_above_nothing() -> None:
    for company in COMPANIES:
        contexts = {
            row["msdyn_module"]
            for row in ROWS["pricelevel"]
            if row["msdyn_owningcompany"] == company.company_id
            and row["transactioncurrencyid"] == currency_id(company.currency)
        }
        assert contexts == {COST, SALES}
    prices = [row["msdyn_price"] for row in ROWS["msdyn_resourcecategorypricelevel"]]
    assert all(isinstance(price, Decimal) and price > 0 for price in prices)
    assert len(prices) == 7 * len(ROLES) + 2
