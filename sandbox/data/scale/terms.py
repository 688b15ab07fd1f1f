"""On which terms work on a project is recorded: who pays, in which currency, by which price lists."""

from dataclasses import dataclass
from functools import lru_cache

from sandbox.data.contracts import funding_source_id, shares
from sandbox.data.engagements import Engagement, Line
from sandbox.data.firm import COMPANIES, Company, Row, currency_id
from sandbox.data.prices import price_list_id
from sandbox.data.scale.plan import Site
from sandbox.dataverse.rules.billing import Payer
from sandbox.dataverse.rules.options import CustomerType, PriceContext


@dataclass(frozen=True, slots=True)
class Terms:
    """What is the same for all work on a project.

    Attributes:
        company: Its company.
        code: Currency of the contract, of the company for an internal project.
        payers: Who pays for time and material; nobody for a fixed price and an internal project (R305).
        project: What all actuals say of the project.
        contract: What its own actuals say of the contract.
        cost_list: Price list of costs.
        sales_list: Price list and currency of sales.
    """

    company: Company
    code: str
    payers: tuple[Payer, ...]
    project: Row
    contract: Row
    cost_list: Row
    sales_list: Row


def terms_of(site: Site) -> Terms:
    """Return the terms of a project."""
    company, engagement, line = site.project.company, site.engagement, site.line
    code = company.currency if engagement is None else engagement.currency
    sales = price_list_id(company, PriceContext.SALES, code)
    return Terms(
        company=company,
        code=code,
        payers=() if engagement is None or line is None or line.fixed_price else _payers(engagement),
        project={
            "msdyn_project": site.project.project_id,
            "msdyn_owningcompany": company.company_id,
            "msdyn_contractorganizationalunitid": company.unit_id,
        },
        contract={} if engagement is None or line is None else _contract(engagement, line),
        cost_list={"msdyn_pricelist": price_list_id(company, PriceContext.COST, company.currency)},
        sales_list={"msdyn_pricelist": sales, "transactioncurrencyid": currency_id(code)},
    )


@lru_cache(maxsize=len(COMPANIES))
def company_of(code: str) -> Company:
    """Return the company with a code."""
    return next(it for it in COMPANIES if it.code == code)


def _payers(engagement: Engagement) -> tuple[Payer, ...]:
    count = len(engagement.customers)
    return tuple(
        Payer(customer.account_id, funding_source_id(engagement, place), share, rounding=place == 0)
        for place, (customer, share) in enumerate(zip(engagement.customers, shares(count), strict=True))
    )


def _contract(engagement: Engagement, line: Line) -> Row:
    return {
        "msdyn_salescontract": engagement.order_id,
        "msdyn_salescontractline": line.number,
        "msdyn_salescontractlineid": line.line_id,
        "msdyn_accountcustomer": engagement.customers[0].account_id,
        "msdyn_customertype": int(CustomerType.ACCOUNT),
    }
