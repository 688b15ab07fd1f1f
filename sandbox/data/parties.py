"""Customers and vendors.

Most customers live in Finance and come to Dataverse by sync; some were won in Dataverse and go the
other way; a few are known on both sides, and equal.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from functools import lru_cache

from sandbox.data import awkward
from sandbox.data.firm import COMPANIES, Company, Row, currency_id, guid

PER_COMPANY = 60
_VENDORS = 30
_DATAVERSE_ONLY = 10
_BOTH = 6
_NAME_LENGTH = 160
_CUSTOMER = 3  # account.customertypecode
_PROSPECT = 8
_NOT_ON_HOLD = 192350000

_PLACES = ("Northwind", "Adventure", "Fabrikam", "Litware", "Tailspin", "Wingtip", "Proseware", "Lamna")
_TRADES = ("Traders", "Works", "Logistics", "Energy", "Hospital", "Bank", "Foods", "Media", "Rail")
_BILLS_TO = {3: 4, 4: 12, 30: 31, 31: 32, 40: 41, 41: 40}
"""Who pays for whom, by place in the list: chains of three, and two who pay for each other."""


class Side(Enum):
    """Where a customer is known at the start."""

    FINANCE = "finance"
    DATAVERSE = "dataverse"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer of one company.

    Attributes:
        company: The company that it buys from.
        account: Customer account, at most 20 characters.
        name: Name of the organization, at most 160 characters.
        currency: Sales currency.
        side: Where it is known at the start.
        bills_to: Account of the customer that pays for it, or None.
        place: Place in its company's list, from 0.
    """

    company: Company
    account: str
    name: str
    currency: str
    side: Side
    bills_to: str | None
    place: int

    @property
    def account_id(self) -> str:
        """Id of the account row."""
        return account_id(self.company, self.account)

    @property
    def email(self) -> str:
        """Address for mail."""
        return f"office{self.place}@{self.company.area}.example.com"


def account_id(company: Company, account: str) -> str:
    """Return the id of the account row of a customer."""
    return guid("account", f"{company.code}/{account}")


@lru_cache(maxsize=1)
def customers() -> tuple[Customer, ...]:
    """Return all customers of all companies."""
    return tuple(_customer(company, place) for company in COMPANIES for place in range(PER_COMPANY))


def dataverse_customers(company: Company) -> list[Customer]:
    """Return the customers of `company` that Dataverse knows: the ones that contracts may have."""
    return [it for it in customers() if it.company == company and it.side is not Side.FINANCE]


def finance_customers() -> list[Row]:
    """Rows of CustomersV3."""
    return [finance_customer_row(it) for it in customers() if it.side is not Side.DATAVERSE]


def accounts() -> list[Row]:
    """Rows of account: customers known to Dataverse, and a prospect that is none yet."""
    prospect: Row = {
        "accountid": guid("account", "prospect"),
        "name": "Woodgrove Prospect",
        "customertypecode": _PROSPECT,
        "transactioncurrencyid": currency_id("USD"),
    }
    return [*(account_row(it) for it in customers() if it.side is not Side.FINANCE), prospect]


def vendors() -> list[Row]:
    """Rows of VendorsV2; some are paid through another vendor."""
    return [_vendor(company, place) for company in COMPANIES for place in range(_VENDORS)]


def _customer(company: Company, place: int) -> Customer:
    pays = _BILLS_TO.get(place)
    return Customer(
        company=company,
        account=_account_number(company, place),
        name=_name(company, place),
        currency=_currency(company, place),
        side=_side(place),
        bills_to=None if pays is None else _account_number(company, pays),
        place=place,
    )


def _side(place: int) -> Side:
    if place < _DATAVERSE_ONLY:
        return Side.DATAVERSE
    return Side.BOTH if place < _DATAVERSE_ONLY + _BOTH else Side.FINANCE


def _account_number(company: Company, place: int) -> str:
    odd = {2: 0, 9: 1, 11: 2, 20: 3, 21: 4, 22: 5}.get(place)
    if odd is not None:
        return f"{company.prefix}-{awkward.ACCOUNTS[odd]}"
    return f"{company.prefix}-{place + 1:03d}"


def _name(company: Company, place: int) -> str:
    """Spread the awkward names over all sides, each company beginning with another."""
    if place == 8:
        return awkward.longest(_NAME_LENGTH)
    if place % 2 == 0 and place // 2 < len(awkward.NAMES):
        shift = COMPANIES.index(company) * 5
        return awkward.NAMES[(place // 2 + shift) % len(awkward.NAMES)]
    first, second = _PLACES[place % len(_PLACES)], _TRADES[place % len(_TRADES)]
    return f"{first} {second} {company.city}"


def _currency(company: Company, place: int) -> str:
    """Dataverse has three currencies at the start; the others come with customers of Finance."""
    if place > 50:
        return ("SEK", "CHF", "JPY", "NOK")[place % 4]
    return company.currency


def _credit_limit(place: int) -> Decimal:
    return awkward.AMOUNTS[place % len(awkward.AMOUNTS)] if place % 3 == 0 else Decimal(place * 1000)


def finance_customer_row(it: Customer) -> Row:
    """Return the row of CustomersV3."""
    return {
        "dataAreaId": it.company.area,
        "CustomerAccount": it.account,
        "OrganizationName": it.name,
        "CustomerGroupId": "30",
        "PartyType": "Organization",
        "SalesCurrencyCode": it.currency,
        "InvoiceAccount": it.bills_to or "",
        "PaymentTerms": "Net30",
        "LanguageId": "en-us",
        "OnHoldStatus": "All" if it.place % 17 == 16 else "No",
        "CreditLimit": _credit_limit(it.place),
        "PrimaryContactEmail": it.email,
        "AddressCity": it.company.city,
        "AddressCountryRegionId": it.company.country,
    }


def account_row(it: Customer) -> Row:
    """Return the row of account."""
    return {
        "accountid": it.account_id,
        "accountnumber": it.account,
        "name": it.name,
        "msdyn_company": it.company.company_id,
        "transactioncurrencyid": currency_id(it.currency),
        "customertypecode": _CUSTOMER,
        "msdyn_billingaccount": None if it.bills_to is None else account_id(it.company, it.bills_to),
        "msdyn_onholdstatus": _NOT_ON_HOLD,
        "creditlimit": _credit_limit(it.place),
        "emailaddress1": it.email,
    }


def _vendor(company: Company, place: int) -> Row:
    number = f"{company.prefix}-V{place + 1:03d}"
    name = f"{_TRADES[place % len(_TRADES)]} Supplies {place + 1} {company.city}"
    if place % 3 == 0:
        name = awkward.NAMES[(place // 3 + COMPANIES.index(company)) % len(awkward.NAMES)]
    return {
        "dataAreaId": company.area,
        "VendorAccountNumber": number,
        "VendorOrganizationName": name,
        "VendorGroupId": "20",
        "VendorPartyType": "Organization",
        "CurrencyCode": company.currency if place % 5 else "SEK",
        "InvoiceVendorAccountNumber": f"{company.prefix}-V{place:03d}" if place % 10 == 7 else "",
        "DefaultPaymentTermsName": "Net30",
        "LanguageId": company.language,
        "OnHoldStatus": "Payment" if place == 5 else "No",
        "AddressCity": company.city,
        "AddressCountryRegionId": company.country,
    }
