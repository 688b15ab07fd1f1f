"""What the actuals of a piece of work will say, before they are recorded (R301)."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from sandbox.dataverse.desk import Desk
from sandbox.dataverse.rules.actuals import Row
from sandbox.dataverse.rules.billing import parts, payers, portions
from sandbox.dataverse.rules.engagement import Engagement, engagement
from sandbox.dataverse.rules.intercompany import Lending, lending
from sandbox.dataverse.rules.options import (
    AmountMethod,
    BillingStatus,
    BillingType,
    CustomerType,
    TransactionClass,
    TransactionType,
)
from sandbox.dataverse.rules.prices import cost_price, sales_price
from sandbox.rules.money import money

if TYPE_CHECKING:
    from sandbox.dataverse.rules.work import Work


@dataclass(frozen=True, slots=True)
class Draft:
    """The project's own side of a piece of work, as stored values by logical name.

    Attributes:
        shared: What all actuals of the work say alike, the lender's too.
        cost: The cost.
        unbilled: Unbilled sales, one a billing type and payer.
        lender: Who lends the resource, None where nobody does.
    """

    shared: Row
    cost: Row
    unbilled: tuple[Row, ...]
    lender: Lending | None


def draft(desk: Desk, work: "Work", billable: Decimal | None = None) -> Draft:
    """Return what work costs and how it is billed, by the terms of its project.

    Args:
        desk: Dataverse.
        work: What was done.
        billable: How much of it is chargeable; None for what its billing type says.

    Raises:
        ApiError: When the billable quantity or the customers' shares do not hold.
        MissingRowError: When the project does not exist.
    """
    terms = engagement(desk, work.project, work.classification)
    lender = lending(desk, work, terms)
    shared = _shared(work, terms, lender)
    own = {**shared, **_contract(terms)}
    sales = _unbilled(desk, work, terms, billable)
    return Draft(
        shared=shared,
        cost=own | _cost(desk, work, lender),
        unbilled=tuple(own | sale for sale in sales),
        lender=lender,
    )


def _shared(work: "Work", terms: Engagement, lender: Lending | None) -> Row:
    """Return what all actuals of the work say alike."""
    return {
        "msdyn_description": work.description,
        "msdyn_externaldescription": work.external_description,
        "msdyn_transactionclassification": work.classification,
        "msdyn_documentdate": work.date,
        "msdyn_project": work.project,
        "msdyn_task": work.task,
        "msdyn_resourcecategory": work.role,
        "msdyn_bookableresource": work.resource,
        "msdyn_transactioncategory": work.category,
        "msdyn_product": work.product,
        "msdyn_writeinproduct": work.writein_product,
        "msdyn_unit": work.unit,
        "msdyn_quantity": work.quantity,
        "msdyn_owningcompany": terms.company,
        "msdyn_resourcingcompany": lender.company if lender is not None else terms.company,
        "msdyn_isintercompany": lender is not None and lender.intercompany,
        "msdyn_contractorganizationalunitid": terms.unit,
        "msdyn_resourceorganizationalunitid": lender.unit if lender is not None else terms.unit,
        "msdyn_accountvendor": work.vendor,
        "msdyn_vendortype": None if work.vendor is None else CustomerType.ACCOUNT,
        "msdyn_vendorinvoiceline": work.vendor_invoice_line,
        "msdyn_subcontractline": work.subcontract_line,
        "msdyn_externaloriginreference": work.external_origin_reference,
    }


def _contract(terms: Engagement) -> Row:
    """Return what the project's own actuals say of the contract."""
    if terms.contract is None or terms.line is None:
        return {}
    return {
        "msdyn_salescontract": terms.contract["salesorderid"],
        "msdyn_salescontractline": terms.line["msdyn_contractlinenumber"],
        "msdyn_salescontractlineid": terms.line["salesorderdetailid"],
        "msdyn_accountcustomer": terms.contract["customerid"],
        "msdyn_customertype": CustomerType.ACCOUNT,
    }


def _cost(desk: Desk, work: "Work", lender: Lending | None) -> Row:
    price = cost_price(desk, work)
    code = _code(desk, price.currency)
    follows = work.cost_amount in {None, money(work.quantity * price.amount, code)}
    return {
        "msdyn_transactiontypecode": TransactionType.COST,
        "msdyn_price": price.amount,
        "msdyn_pricelist": price.price_list,
        "msdyn_amount": work.cost_amount,
        "msdyn_amountmethod": AmountMethod.QUANTITY_BY_PRICE if follows else AmountMethod.FIXED_PRICE,
        "transactioncurrencyid": price.currency,
        # The lender's actuals bring the cost to Finance, by its intercompany invoice (R501, R1203).
        "msdyn_skipsync": lender is not None and lender.intercompany,
    }


def _unbilled(desk: Desk, work: "Work", terms: Engagement, billable: Decimal | None) -> Iterator[Row]:
    """Yield the values of unbilled sales: one a billing type and payer, none but for time and material."""
    if not terms.time_and_material:
        return
    price = sales_price(desk, work, terms)
    code = _code(desk, price.currency)
    who = payers(desk, terms)
    for part in parts(work.quantity, _billing_type(desk, work), billable):
        for portion in portions(part, who, price.amount, code):
            yield {
                "msdyn_transactiontypecode": TransactionType.UNBILLED_SALES,
                "msdyn_billingtype": portion.billing_type,
                "msdyn_billingstatus": BillingStatus.UNBILLED_SALES_CREATED,
                "msdyn_quantity": portion.quantity,
                "msdyn_price": price.amount,
                "msdyn_pricelist": price.price_list,
                "msdyn_amount": portion.amount,
                "msdyn_amountmethod": portion.amount_method,
                "transactioncurrencyid": price.currency,
                "msdyn_contractcustomer": portion.payer.contract_customer,
                "msdyn_accountcustomer": portion.payer.customer,
            }


def _billing_type(desk: Desk, work: "Work") -> BillingType:
    """Return how work is billed: as it says itself, else as its role or category says."""
    if work.billing_type is not None:
        return work.billing_type
    if work.classification is TransactionClass.TIME:
        table, row_id = "bookableresourcecategory", work.role
    else:
        table, row_id = "msdyn_transactioncategory", work.category
    found = desk.get(table, row_id)["msdyn_billingtype"] if row_id is not None else None
    return BillingType.CHARGEABLE if found is None else BillingType(found)


def _code(desk: Desk, currency: str | None) -> str:
    return "" if currency is None else str(desk.get("transactioncurrency", currency)["isocurrencycode"])
