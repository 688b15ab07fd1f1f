"""A small firm in Dataverse: two companies, a role with its prices, contracts and projects on demand."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest

from sandbox.dataverse.desk import Desk
from sandbox.dataverse.rules.options import BillingMethod, LineType, OrderType, PriceContext

DAY = "2026-10-31T23:00:00Z"
"""November 1 in Berlin."""


@dataclass(frozen=True)
class Firm:
    """Rows that rules need, by what they are called; all values are GUIDs of Dataverse rows."""

    desk: Desk
    currencies: dict[str, str] = field(default_factory=dict)
    companies: dict[str, str] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    resources: dict[str, str] = field(default_factory=dict)
    role: str = ""
    category: str = ""
    hour: str = ""

    def account(self, number: str, company: str = "USPM") -> str:
        values = {"name": number, "accountnumber": number, "msdyn_company": self.companies[company]}
        return self.desk.create("account", values)

    def contract(self, number: str, shares: dict[str, str] | None = None, currency: str = "USD") -> str:
        """A project contract of USPM; `shares` are percentages by customer, the first one rounds."""
        contract = self.desk.create(
            "salesorder",
            {
                "name": number,
                "ordernumber": number,
                "msdyn_ordertype": OrderType.WORK_BASED,
                "msdyn_company": self.companies["USPM"],
                "msdyn_contractorganizationalunitid": self.units["USPM"],
                "transactioncurrencyid": self.currencies[currency],
                "customerid": self.account(f"{number}-C"),
            },
        )
        for place, (customer, percent) in enumerate((shares or {}).items()):
            self.desk.create(
                "msdyn_projectcontractsplitbillingrule",
                {
                    "msdyn_fundingsourceid": f"{number}-{customer}",
                    "msdyn_projectcontract": contract,
                    "msdyn_customer": self.account(customer),
                    "msdyn_splitpercentage": Decimal(percent),
                    "msdyn_isrounding": place == 0,
                    "msdyn_company": self.companies["USPM"],
                },
            )
        return contract

    def project(self, number: str, contract: str | None = None, **line: Any) -> str:
        """A project of USPM; with a contract on a line of time and material that includes all classes."""
        project = self.desk.create(
            "msdyn_project",
            {
                "msdyn_subject": number,
                "msdyn_projectnumber": number,
                "msdyn_owningcompany": self.companies["USPM"],
                "msdyn_contractorganizationalunitid": self.units["USPM"],
                "transactioncurrencyid": self.currencies["USD"],
            },
        )
        if contract is not None:
            self.line(contract, project, **line)
        return project

    def line(self, contract: str, project: str | None, number: int = 1, **values: Any) -> str:
        """A contract line."""
        line = {
            "salesorderid": contract,
            "sequencenumber": number,
            "msdyn_contractlinenumber": f"{contract[:8]}-{number}",
            "msdyn_linetype": LineType.PROJECT_SERVICE,
            "msdyn_billingmethod": BillingMethod.TIME_AND_MATERIAL,
            "msdyn_project": project,
            "msdyn_includetime": True,
            "msdyn_includeexpense": True,
            "msdyn_includematerial": True,
            "msdyn_includefee": True,
        }
        return self.desk.create("salesorderdetail", line | values)

    def time_entry(self, project: str, minutes: int = 480, **values: Any) -> str:
        """A draft of eight hours."""
        entry = {
            "msdyn_description": "Design",
            "msdyn_project": project,
            "msdyn_date": DAY,
            "msdyn_duration": minutes,
            "msdyn_bookableresource": self.resources["USPM"],
            "msdyn_resourcecategory": self.role,
        }
        return self.desk.create("msdyn_timeentry", entry | values)

    def price_list(self, company: str, context: PriceContext, currency: str, **prices: str) -> str:
        """A price list of a company with the role's price for all (`every`) and by resourcing unit."""
        price_list = self.desk.create(
            "pricelevel",
            {
                "name": f"{company} {context.name} {currency}",
                "msdyn_module": context,
                "msdyn_owningcompany": self.companies[company],
                "transactioncurrencyid": self.currencies[currency],
            },
        )
        for unit, price in prices.items():
            self.desk.create(
                "msdyn_resourcecategorypricelevel",
                {
                    "msdyn_pricelist": price_list,
                    "msdyn_resourcecategory": self.role,
                    "msdyn_organizationalunit": self.units.get(unit),
                    "msdyn_price": Decimal(price),
                },
            )
        return price_list


@pytest.fixture
def firm(desk: Desk) -> Firm:
    """USPM, whose hours cost 100 and sell for 200, and GBPM, whose hours cost 88 GBP (R302, R1201)."""
    return open_firm(desk)


def open_firm(desk: Desk) -> Firm:
    """Create the rows of the firm."""
    firm = Firm(
        desk,
        role=desk.create("bookableresourcecategory", {"name": "Consultant"}),
        category=desk.create("msdyn_transactioncategory", {"msdyn_name": "Travel"}),
        hour=desk.create("uom", {"name": "Hour", "msdyn_symbol": "hr"}),
    )
    for code, rate in {"USD": "1", "GBP": "0.8", "JPY": "150", "KWD": "0.3"}.items():
        currency = {"isocurrencycode": code, "currencyname": code, "currencysymbol": code}
        firm.currencies[code] = desk.create("transactioncurrency", currency | {"exchangerate": Decimal(rate)})
    for code in ("USPM", "GBPM"):
        firm.companies[code] = desk.create("cdm_company", {"cdm_companycode": code, "cdm_name": code})
    for name, company in {"USPM": "USPM", "WEST": "USPM", "GBPM": "GBPM"}.items():
        unit = {"msdyn_name": name, "msdyn_company": firm.companies[company]}
        firm.units[name] = desk.create("msdyn_organizationalunit", unit)
        resource = {"name": f"Ana of {name}", "resourcetype": 3, "msdyn_organizationalunit": firm.units[name]}
        owner = {"msdyn_owningcompany": firm.companies[company]}
        firm.resources[name] = desk.create("bookableresource", resource | owner)
    firm.price_list("USPM", PriceContext.COST, "USD", every="100", GBPM="120")
    firm.price_list("USPM", PriceContext.SALES, "USD", every="200")
    firm.price_list("GBPM", PriceContext.COST, "GBP", every="88")
    return firm
