"""Who takes part: rows of the demo firm that a new engagement refers to, found over the wire."""

from collections.abc import Mapping
from dataclasses import dataclass

from runner.errors import RunnerError
from runner.wire import Row, Wire

CUSTOMER, VENDOR = 3, 11  # account.customertypecode
_ROLE = "Consultant"
_CATEGORIES = ("Design", "Travel", "Hardware")


@dataclass(frozen=True, slots=True)
class Cast:
    """Rows of Dataverse by what they are in the story.

    Attributes:
        seller: The company that sells, USPM.
        lender: The company that lends a resource, GBPM.
        customer: Who pays, an account of the seller.
        vendor: Who is paid, an account of the seller that is a vendor.
        role: What people are booked as.
        categories: Transaction categories by name.
        resource: Somebody of the seller.
        lent: Somebody of the lender.
        currency: The seller's currency.
        hour: The unit of time.
        unit: The seller's contracting unit.
        product: Something that is bought, a product of the seller.
    """

    seller: Row
    lender: Row
    customer: Row
    vendor: Row
    role: Row
    categories: Mapping[str, Row]
    resource: Row
    lent: Row
    currency: Row
    hour: Row
    unit: Row
    product: Row

    @property
    def area(self) -> str:
        """The seller's code as Finance spells it."""
        return str(self.seller["cdm_companycode"]).lower()


def find_cast(wire: Wire) -> Cast:
    """Look up everybody.

    Raises:
        RunnerError: Somebody is missing; the reference data has not arrived.
    """
    companies = {row["cdm_companycode"]: row for row in wire.dataverse_rows("cdm_companies")}
    seller, lender = companies["USPM"], companies["GBPM"]
    mine = f"_msdyn_company_value eq {seller['cdm_companyid']}"
    return Cast(
        seller=seller,
        lender=lender,
        customer=_first(wire, "accounts", f"{mine} and customertypecode eq {CUSTOMER}", "accountnumber"),
        vendor=_first(wire, "accounts", _outside(mine), "accountnumber"),
        role=_first(wire, "bookableresourcecategories", f"name eq '{_ROLE}'", "name"),
        categories={
            name: _first(wire, "msdyn_transactioncategories", f"msdyn_name eq '{name}'", "msdyn_name")
            for name in _CATEGORIES
        },
        resource=_somebody(wire, seller),
        lent=_somebody(wire, lender),
        currency=_first(wire, "transactioncurrencies", "isocurrencycode eq 'USD'", "isocurrencycode"),
        hour=_first(wire, "uoms", "msdyn_symbol eq 'hr'", "msdyn_symbol"),
        unit=_first(wire, "msdyn_organizationalunits", mine, "msdyn_name"),
        product=_first(
            wire, "products", f"_msdyn_companyid_value eq {seller['cdm_companyid']}", "msdyn_productnumber"
        ),
    )


def _outside(company: str) -> str:
    """Vendors that are no company of the firm, and invoice in its currency."""
    return (
        f"{company} and customertypecode eq {VENDOR} and startswith(accountnumber,'US-V')"
        " and transactioncurrencyid/isocurrencycode eq 'USD'"
    )


def _somebody(wire: Wire, company: Row) -> Row:
    mine = f"_msdyn_owningcompany_value eq {company['cdm_companyid']}"
    return _first(wire, "bookableresources", mine, "name")


def _first(wire: Wire, entity_set: str, where: str, order: str) -> Row:
    rows = wire.dataverse_rows(entity_set, where)
    if not rows:
        raise RunnerError(f"{entity_set} has no row with {where}: has the reference data arrived?")
    return min(rows, key=lambda row: str(row[order]))
