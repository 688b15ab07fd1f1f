"""Work that was done on a project, and the actuals that record it when it is approved (R302 to R308)."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from sandbox.dataverse.desk import Desk
from sandbox.dataverse.rules.actuals import Role, Row, connect, origin, record, record_many
from sandbox.dataverse.rules.drafts import draft
from sandbox.dataverse.rules.intercompany import record_lending
from sandbox.dataverse.rules.options import BillingType, TransactionClass


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
            return (self.cost_amount / self.quantity).quantize(Decimal("0.0001"), ROUND_HALF_UP)
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
        MissingRowError: When the project does not exist.
    """
    plan = draft(desk, work, billable)
    cost = record(desk, plan.cost)
    unbilled = record_many(desk, plan.unbilled)
    for sale in unbilled:
        connect(desk, sale, Role.UNBILLED_SALES, cost, Role.COST)
    lent = (None, None) if plan.lender is None else record_lending(desk, work, plan.lender, plan.shared, cost)
    recorded = Recorded(cost, tuple(unbilled), *lent)
    if work.origin is not None:
        for row in recorded.rows:
            origin(desk, row, *work.origin)
    return recorded
