"""What the firm's work costs and sells for: price lists of each company, and its parameters.

An hour of a consultant costs 100 and is billed at 200 (R302); in the United Kingdom it costs 88 pounds,
for which the company in the United States pays 120 dollars (R1201).
"""

from collections.abc import Iterator
from decimal import Decimal

from sandbox.data.firm import COMPANIES, Company, Row, currency_id, guid
from sandbox.data.resources import CATEGORIES, ROLES, category_id, role_id
from sandbox.data.work import MAIN_ROLE, unit_id

COST, SALES = 192350000, 192350002
"""Context of a price list."""

_AT_COST, _MARKUP = 192350000, 192350001
_NAMES = {COST: "Cost", SALES: "Sales"}
_MAIN = {COST: Decimal(100), SALES: Decimal(200)}
_OWN_COST = {"GBPM": Decimal(88)}
TRANSFER = (("USPM", "GBPM", Decimal(120)), ("GBPM", "USPM", Decimal(95)))
"""Who buys, who lends, what an hour of a consultant costs the buyer."""

_STEP = Decimal("7.5")  # a role above or below the consultant costs so much more or less, and sells for twice
_FOREIGN = (("GBPM", "EUR"),)  # contracts in another currency than the company's
_RESOLD = (("Travel", None), ("Hotel", None), ("Software licences", Decimal(10)), ("Hardware", Decimal(10)))
"""Categories that are sold at cost, or with a markup in per cent."""


def dataverse_rows() -> dict[str, list[Row]]:
    """Return price lists, their lines and the companies' parameters by table, parents first."""
    return {
        "pricelevel": [_price_list(*it) for it in _lists()],
        "msdyn_resourcecategorypricelevel": list(_role_prices()),
        "msdyn_transactioncategorypricelevel": list(_category_prices()),
        "msdyn_projectparameter": [_parameters(company) for company in COMPANIES],
    }


def price_list_id(company: Company, context: int, currency: str) -> str:
    """Return the id of a pricelevel row."""
    return guid("pricelevel", f"{company.code}/{context}/{currency}")


def _lists() -> Iterator[tuple[Company, int, str]]:
    for company in COMPANIES:
        yield company, COST, company.currency
        yield company, SALES, company.currency
        yield from ((company, SALES, currency) for code, currency in _FOREIGN if code == company.code)


def _price_list(company: Company, context: int, currency: str) -> Row:
    return {
        "pricelevelid": price_list_id(company, context, currency),
        "name": f"{_NAMES[context]} {company.code} {currency}",
        "msdyn_module": context,
        "msdyn_owningcompany": company.company_id,
        "transactioncurrencyid": currency_id(currency),
    }


def _role_prices() -> Iterator[Row]:
    for company, context, currency in _lists():
        price_list = price_list_id(company, context, currency)
        for role in range(len(ROLES)):
            yield _role_line(price_list, role, role_price(company, context, role), currency)
    for buyer, lender, price in TRANSFER:
        company, lending = (next(it for it in COMPANIES if it.code == code) for code in (buyer, lender))
        price_list = price_list_id(company, COST, company.currency)
        yield _role_line(price_list, MAIN_ROLE, price, company.currency, lending.unit_id)


def role_price(company: Company, context: int, role: int) -> Decimal:
    """Return what an hour of a role costs a company, or sells for, in the currency of its price list."""
    main = _OWN_COST.get(company.code, _MAIN[COST]) if context == COST else _MAIN[context]
    factor = 1 if context == COST else 2
    return main + (role - MAIN_ROLE) * _STEP * factor


def _role_line(price_list: str, role: int, price: Decimal, currency: str, unit: str | None = None) -> Row:
    return {
        "msdyn_resourcecategorypricelevelid": guid("role price", f"{price_list}/{role}/{unit}"),
        "msdyn_name": ROLES[role],
        "msdyn_pricelist": price_list,
        "msdyn_resourcecategory": role_id(role),
        "msdyn_organizationalunit": unit,
        "msdyn_unit": unit_id("hr"),
        "msdyn_price": price,
        "transactioncurrencyid": currency_id(currency),
    }


def _category_prices() -> Iterator[Row]:
    for company, context, currency in _lists():
        for name, markup in _RESOLD if context == SALES else ():
            price_list = price_list_id(company, context, currency)
            yield {
                "msdyn_transactioncategorypricelevelid": guid("category price", f"{price_list}/{name}"),
                "msdyn_name": name,
                "msdyn_pricelist": price_list,
                "msdyn_transactioncategory": category_id(CATEGORIES.index(name)),
                "msdyn_pricingmethod": _AT_COST if markup is None else _MARKUP,
                "msdyn_percent": markup,
                "transactioncurrencyid": currency_id(currency),
            }


def _parameters(company: Company) -> Row:
    return {
        "msdyn_projectparameterid": guid("msdyn_projectparameter", company.code),
        "msdyn_name": company.code,
        "msdyn_owningcompany": company.company_id,
        "msdyn_manualvendorinvoiceverification": False,
        "msdyn_costpricelist": price_list_id(company, COST, company.currency),
        "msdyn_salespricelist": price_list_id(company, SALES, company.currency),
        "msdyn_defaultorganizationalunit": company.unit_id,
    }
