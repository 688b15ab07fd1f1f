"""Sales tax of project transactions: which groups a line has, and what they come to (R609)."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sandbox.finance.books import Books
from sandbox.rules.money import money

_PERCENT = Decimal(100)
_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class TaxFacts:
    """What the tax groups of a line depend on; "" for what it does not have.

    Attributes:
        project: Project.
        contract: Project contract.
        customer: Customer who pays.
        category: Project category.
        product: Item number, of material only.
        on_account: Whether the line is an on-account transaction.
    """

    project: str = ""
    contract: str = ""
    customer: str = ""
    category: str = ""
    product: str = ""
    on_account: bool = False


@dataclass(frozen=True, slots=True)
class Tax:
    """Sales tax of a line, in the currency of the line.

    Attributes:
        amount: The whole tax.
        non_recoverable: The part of it that becomes cost (R902, R1002).
    """

    amount: Decimal = _ZERO
    non_recoverable: Decimal = _ZERO


def tax_groups(books: Books, company: str, facts: TaxFacts) -> tuple[str, str]:
    """Return the sales tax group and the item sales tax group of a line (R609).

    The sales tax group is that of the project, the project contract or the customer by the company's
    parameter; with *Search* the first of the three that has one. The item group is the category's;
    for material the product's or the category's by parameter.
    """
    parameters = books.first("ProjectParametersV2", dataAreaId=company) or {}
    method = str(parameters.get("TaxGroupMethod", "Project"))
    return _tax_group(books, company, method, facts), _item_group(books, company, parameters, facts)


def sales_tax(
    books: Books, company: str, tax_group: str, item_group: str, net: Decimal, currency: str
) -> Tax:
    """Return the tax on a net amount, rounded to the currency's coins.

    Groups that have no sales tax code in common, or a missing group, make no tax, as in Finance.
    """
    if not tax_group or not item_group:
        return Tax()
    row = books.first("SalesTaxRates", dataAreaId=company, TaxGroup=tax_group, TaxItemGroup=item_group)
    if row is None:
        return Tax()
    amount = money(net * row["Percent"] / _PERCENT, currency)
    return Tax(amount, money(amount * row["NonRecoverablePercent"] / _PERCENT, currency))


def _tax_group(books: Books, company: str, method: str, facts: TaxFacts) -> str:
    """Return the first tax group among what the method looks at."""
    places = {
        "Project": ("ProjectsV2", "ProjectId", facts.project, "SalesTaxGroupId"),
        "InvoiceProject": (
            "ProjectContractHeaders",
            "ProjectContractId",
            facts.contract,
            "SalesTaxGroupCode",
        ),
        "AccountReceivable": ("CustomersV3", "CustomerAccount", facts.customer, "SalesTaxGroup"),
    }
    asked = places.values() if method == "Search" else [places[method]]
    groups = (_value(books, company, *place) for place in asked)
    return next((group for group in groups if group), "")


def _item_group(books: Books, company: str, parameters: dict[str, Any], facts: TaxFacts) -> str:
    if facts.on_account and parameters.get("TaxItemGroupOnAcc"):
        return str(parameters["TaxItemGroupOnAcc"])
    if facts.product and parameters.get("TaxItemGroupMethod", "ItemNumber") == "ItemNumber":
        return _value(
            books, company, "ReleasedProductsV2", "ItemNumber", facts.product, "SalesSalesTaxItemGroupCode"
        )
    return _value(books, company, "ProjectCategoryEntities", "Category", facts.category, "ItemSalesTaxGroup")


def _value(books: Books, company: str, entity_set: str, key: str, value: str, column: str) -> str:
    """Return a column of the row with a key; "" where nothing is asked for or nothing is there."""
    row = books.first(entity_set, **{"dataAreaId": company, key: value}) if value else None
    return "" if row is None else str(row[column])
