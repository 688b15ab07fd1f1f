"""Work that another unit or company lends to a project: what it cost them, what they sell it for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.dataverse.desk import Desk
from sandbox.dataverse.rules.actuals import Role, Row, connect, record
from sandbox.dataverse.rules.engagement import Engagement
from sandbox.dataverse.rules.options import BillingType, TransactionClass, TransactionType
from sandbox.dataverse.rules.prices import Price, cost_price

if TYPE_CHECKING:
    from sandbox.dataverse.rules.work import Work


@dataclass(frozen=True, slots=True)
class Lending:
    """Who lends a resource to a project.

    Attributes:
        company: Id of the resourcing company.
        unit: Id of the resourcing unit; None where only the company is known.
        intercompany: Whether the company is another one than the project's: only then does Finance
            hear of it (R502).
    """

    company: str | None
    unit: str | None
    intercompany: bool


def lending(desk: Desk, work: "Work", terms: Engagement) -> Lending | None:
    """Return who lends the work's resource; None where the project's own unit does the work."""
    company = work.resourcing_company or _company(desk, work.resourcing_unit) or terms.company
    # Of another company no unit may be known: the project's own did not do the work.
    unit = work.resourcing_unit or (terms.unit if company == terms.company else None)
    if unit == terms.unit and company == terms.company:
        return None
    return Lending(company, unit, intercompany=company != terms.company)


def record_lending(
    desk: Desk, work: "Work", lender: Lending, shared: Mapping[str, Any], cost: Row
) -> tuple[Row, Row]:
    """Record the lender's side: resourcing unit cost and inter-organizational sales (R502, R1201).

    The lender sells at what the work costs the project. Its own cost comes from its price lists for
    time; of expenses, material and whatever a vendor has billed it is that same amount (R905, R1008).

    Args:
        desk: Dataverse.
        work: What was done.
        lender: Who lent the resource.
        shared: What the project's own actuals say too.
        cost: The project's cost actual.

    Returns:
        Resourcing unit cost and inter-organizational sales, connected with the cost and each other.
    """
    sold = Price(cost["msdyn_price"], cost["transactioncurrencyid"], cost["msdyn_pricelist"])
    own_list = work.classification is TransactionClass.TIME and work.vendor_invoice_line is None
    spent = cost_price(desk, work, lender.company) if own_list else sold
    theirs = {**shared, "msdyn_owningcompany": lender.company, "msdyn_skipsync": not lender.intercompany}
    bought = {"msdyn_transactiontypecode": TransactionType.RESOURCING_UNIT_COST, **_priced(spent)}
    billed = {
        "msdyn_transactiontypecode": TransactionType.INTERORGANIZATIONAL_SALES,
        "msdyn_billingtype": BillingType.CHARGEABLE,
        **_priced(sold),
        **_amount_of(cost),
    }
    resourcing = record(desk, {**theirs, **bought, **({} if own_list else _amount_of(cost))})
    sales = record(desk, {**theirs, **billed})
    connect(desk, resourcing, Role.RESOURCING_UNIT_COST, cost, Role.COST)
    connect(desk, sales, Role.INTERORGANIZATIONAL_SALES, cost, Role.COST)
    connect(desk, sales, Role.INTERORGANIZATIONAL_SALES, resourcing, Role.RESOURCING_UNIT_COST)
    return resourcing, sales


def _company(desk: Desk, unit: str | None) -> str | None:
    return desk.get("msdyn_organizationalunit", unit)["msdyn_company"] if unit is not None else None


def _priced(price: Price) -> Row:
    return {
        "msdyn_price": price.amount,
        "msdyn_pricelist": price.price_list,
        "transactioncurrencyid": price.currency,
    }


def _amount_of(cost: Row) -> Row:
    return {"msdyn_amount": cost["msdyn_amount"], "msdyn_amountmethod": cost["msdyn_amountmethod"]}
