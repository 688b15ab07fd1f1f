"""Work that was done on a project, and the actuals that record it when it is approved (R302 to R308)."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from sandbox.dataverse.desk import Desk
from sandbox.dataverse.rules.actuals import Role, Row, connect, origin, record, record_many
from sandbox.dataverse.rules.billing import Part, parts, payers, portions
from sandbox.dataverse.rules.engagement import Engagement, engagement
from sandbox.dataverse.rules.intercompany import Lending, lending, record_lending
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


@dataclass(frozen=True, slots=True)
class Work:
    """Time, an expense or material on a project. Ids are GUIDs of Dataverse rows.

    Attributes:
        project: Project.
        classification: Time, expense or material.
        quantity: In `unit`; hours for time.
        date: Time stamp of the day as Dataverse keeps a UserLocal date; of a date-only source its
            noon in UTC, which is that day everywhere (`noon`).
        task: Project task.
        role: Resource role.
        resource: Bookable resource who did it.
        category: Transaction category.
        product: Product of a catalog.
        writein_product: Name of a product that no catalog has.
        unit: Unit of the quantity.
        cost_price: Cost of a unit; None for that of the price lists.
        cost_amount: Cost of all where it is not quantity by price.
        cost_currency: Currency of the cost that is given; None for the project's.
        sales_price: Price of a unit in the contract's currency; None for that of the price lists.
        billing_type: None for that of the role (time) or the category.
        resourcing_company: Company whose resource it is; None for that of the unit, else the project's.
        resourcing_unit: Unit whose resource it is; None for the project's contracting unit.
        vendor: Account of the vendor who did it.
        description: What was done.
        external_description: What the customer reads.
        origin: Table and id of the row that this work comes from.
        vendor_invoice_line: Vendor invoice line that bills it.
        subcontract_line: Subcontract line that ordered it.
        external_origin_reference: What Finance calls its origin (R505).
    """

    project: str
    classification: TransactionClass
    quantity: Decimal
    date: str
    task: str | None = None
    role: str | None = None
    resource: str | None = None
    category: str | None = None
    product: str | None = None
    writein_product: str | None = None
    unit: str | None = None
    cost_price: Decimal | None = None
    cost_amount: Decimal | None = None
    cost_currency: str | None = None
    sales_price: Decimal | None = None
    billing_type: BillingType | None = None
    resourcing_company: str | None = None
    resourcing_unit: str | None = None
    vendor: str | None = None
    description: str | None = None
    external_description: str | None = None
    origin: tuple[str, str] | None = None
    vendor_invoice_line: str | None = None
    subcontract_line: str | None = None
    external_origin_reference: str | None = None

    @property
    def given_cost(self) -> Decimal | None:
        """The cost of a unit as it was given; None where price lists have to tell it."""
        if self.cost_price is None and self.cost_amount is not None and self.quantity:
            return (self.cost_amount / self.quantity).quantize(Decimal("0.0001"))
        return self.cost_price


@dataclass(frozen=True, slots=True)
class Recorded:
    """The actuals of one piece of work, as stored.

    Attributes:
        cost: Cost to the project.
        unbilled: Unbilled sales, one a billing type and contract customer; none where work is not billed.
        resourcing_cost: What it cost the unit or company that lent the resource, if another one.
        interorg_sales: What that unit or company sold it for.
    """

    cost: Row
    unbilled: tuple[Row, ...] = ()
    resourcing_cost: Row | None = None
    interorg_sales: Row | None = None

    @property
    def rows(self) -> tuple[Row, ...]:
        """All of them."""
        lent = (self.resourcing_cost, self.interorg_sales)
        return (self.cost, *self.unbilled, *(row for row in lent if row is not None))


def record_work(desk: Desk, work: Work, billable: Decimal | None = None) -> Recorded:
    """Record approved work as actuals, connected with each other and with what it came from.

    Work on a time-and-material line has a cost and unbilled sales (R302), any other only a cost
    (R305); work of another unit or company has resourcing cost and inter-organizational sales too (R502).

    Args:
        desk: Dataverse.
        work: What was done.
        billable: How much of it is chargeable, as the approver says; None for what its billing type says.

    Raises:
        ApiError: When the billable quantity or the customers' shares do not hold.
        LookupError: When the project does not exist.
    """
    terms = engagement(desk, work.project, work.classification)
    lender = lending(desk, work, terms)
    shared = _shared(work, terms, lender)
    cost = record(desk, {**shared, **_contract(terms), **_cost(desk, work, terms, lender)})
    sales = _unbilled(desk, work, terms, billable)
    unbilled = record_many(desk, [{**shared, **_contract(terms), **sale} for sale in sales])
    for sale in unbilled:
        connect(desk, sale, Role.UNBILLED_SALES, cost, Role.COST)
    lent = record_lending(desk, work, lender, shared, cost) if lender is not None else (None, None)
    recorded = Recorded(cost, tuple(unbilled), *lent)
    if work.origin is not None:
        for row in recorded.rows:
            origin(desk, row, *work.origin)
    return recorded


def _shared(work: Work, terms: Engagement, lender: Lending | None) -> Row:
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
        "msdyn_resourceorganizationalunitid": work.resourcing_unit or terms.unit,
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


def _cost(desk: Desk, work: Work, terms: Engagement, lender: Lending | None) -> Row:
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


def _unbilled(desk: Desk, work: Work, terms: Engagement, billable: Decimal | None) -> Iterator[Row]:
    """Yield the values of unbilled sales: one a billing type and payer, none but for time and material."""
    if not terms.time_and_material:
        return
    price = sales_price(desk, work, terms)
    code = _code(desk, price.currency)
    who = payers(desk, terms)
    billed: tuple[Part, ...] = parts(work.quantity, _billing_type(desk, work), billable)
    for part in billed:
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


def _billing_type(desk: Desk, work: Work) -> BillingType:
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
    return "" if currency is None else desk.get("transactioncurrency", currency)["isocurrencycode"]
