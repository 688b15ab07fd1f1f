"""Confirmed invoices with their actuals and connections, as confirmation leaves them."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.e2e.engine import rows
from tests.e2e.engine.world import Value, World

UNBILLED, BILLED = 192350005, 192350006
_TIME, _CHARGEABLE, _MULTIPLY = 192350000, 192350001, 192350000
_CONFIRMED = 192350002
_A_MESSAGE = 1000


@dataclass(frozen=True)
class Invoice:
    """A confirmed invoice of a contract of USPM.

    Attributes:
        number: Number, in Finance that of the proposal.
        id: GUID.
        billed: GUIDs of the billed sales actuals.
        unbilled: GUIDs of the unbilled sales actuals that they bill, one for each.
        connections: GUIDs of what connects the two.
    """

    number: str
    id: str
    billed: Sequence[str]
    unbilled: Sequence[str]
    connections: Sequence[str]


def contract_in_step(world: World) -> tuple[str, str]:
    """A contract of USPM that Finance has too, and its funding source."""
    customer = rows.account(world, rows.fresh("C"))
    contract = rows.contract(world, rows.fresh("ORD"), customer)
    source = rows.funding_source(world, rows.fresh("FS"), contract, customer)
    world.forth("customers", "contract_headers", "funding_sources")
    return contract, source


def header(world: World, contract: str, source: str, **values: Value) -> tuple[str, str]:
    """The header of a confirmed invoice; gives number and GUID."""
    number = rows.fresh("INV")
    facts = {
        "invoicenumber": number,
        "name": number,
        "msdyn_projectinvoicestatus": _CONFIRMED,
        "msdyn_ordertype": 192350001,
        "msdyn_invoicedate": "2026-10-31",
        "salesorderid@odata.bind": rows.bound("salesorders", contract),
        "msdyn_contractcustomer@odata.bind": rows.bound("msdyn_projectcontractsplitbillingrules", source),
        "msdyn_company@odata.bind": rows.company(world),
        "transactioncurrencyid@odata.bind": rows.currency(world),
    }
    return number, world.create("invoices", **(facts | values))


def confirmed(world: World, contract: str, source: str, lines: int) -> Invoice:
    """An invoice of so many hours at 200, each unbilled, billed and connected."""
    number, invoice = header(world, contract, source)
    unbilled = actuals(world, contract, lines, UNBILLED)
    link = {"msdyn_invoice@odata.bind": rows.bound("invoices", invoice)}
    billed = actuals(world, contract, lines, BILLED, link)
    connections = connected(world, billed, unbilled)
    return Invoice(number, invoice, billed, unbilled, connections)


def actuals(
    world: World, contract: str, count: int, kind: int, values: Mapping[str, Value] | None = None
) -> list[str]:
    """Actuals as an import makes them, which direct creation may not (R309); gives their GUIDs."""
    facts = {
        "msdyn_transactiontypecode": kind,
        "msdyn_transactionclassification": _TIME,
        "msdyn_billingtype": _CHARGEABLE,
        "msdyn_amountmethod": _MULTIPLY,
        "msdyn_skipsync": False,
        "msdyn_quantity": 1,
        "msdyn_price": 200,
        "msdyn_amount": 200,
        "msdyn_documentdate": "2026-10-30T05:00:00Z",
        "msdyn_salescontract@odata.bind": rows.bound("salesorders", contract),
        "msdyn_owningcompany@odata.bind": rows.company(world),
        "transactioncurrencyid@odata.bind": rows.currency(world),
    }
    made = [str(uuid.uuid4()) for _ in range(count)]
    own = [{"msdyn_actualid": each, "msdyn_actualimportid": str(uuid.uuid4())} for each in made]
    _create_many(world, "msdyn_actual", [facts | each | dict(values or {}) for each in own])
    return made


def connected(world: World, billed: Sequence[str], unbilled: Sequence[str]) -> list[str]:
    """The connection of each billed with its unbilled actual; gives their GUIDs."""
    made = [str(uuid.uuid4()) for _ in billed]
    connections = [
        {
            "msdyn_transactionconnectionid": each,
            "msdyn_transaction1": one,
            "msdyn_transaction1role": "Billed Sales",
            "msdyn_transaction1type": "msdyn_actual",
            "msdyn_transaction2": two,
            "msdyn_transaction2role": "Unbilled Sales",
            "msdyn_transaction2type": "msdyn_actual",
        }
        for each, one, two in zip(made, billed, unbilled, strict=True)
    ]
    _create_many(world, "msdyn_transactionconnection", connections)
    return made


def at_finance(world: World, invoice: Invoice) -> list[Value]:
    """The proposal's header as Finance holds it."""
    return list(world.finance_rows("ProjectInvoiceProposalsV2", f"InvoiceProposalId eq '{invoice.number}'"))


def _create_many(world: World, table: str, targets: Sequence[Mapping[str, Value]]) -> None:
    typed = [{"@odata.type": f"Microsoft.Dynamics.CRM.{table}", **each} for each in targets]
    for start in range(0, len(typed), _A_MESSAGE):
        world.create_many(f"{table}s", typed[start : start + _A_MESSAGE])
