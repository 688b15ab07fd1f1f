"""What billing must have left behind once all is posted: each actual once, each line once, in order.

Read over plain HTTP, apart from the mapping files; the ledger itself is judged by `runner.ledger`.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from runner.ledger import unbalanced, without_their_voucher
from runner.wire import Row, Wire
from tests.e2e.engine.invoices import BILLED
from tests.e2e.engine.world import World

_NOBODY = "00000000-0000-0000-0000-000000000000"
_COMPANY = "uspm"  # the one whose jobs run
_KEYS = {
    "ProjActualsImports": "ActualsImportId",
    "ProjCDSTransactionRelationshipImports": "ConnectionId",
    "ProjectInvoiceProposalsV2": "InvoiceProposalId",
}
_CREATING = frozenset({"POST", "ImportFromPackage"})  # one row, or many as a data package


@dataclass(frozen=True, slots=True)
class Billed:
    """What both systems hold of work and bills.

    Attributes:
        actuals: Dataverse's actuals that are to be in Finance, by import id.
        imports: Rows of Finance's import table.
        lines: Lines of the integration journals, but for those that stand for no actual (R613).
        bills: Import ids of the billed actuals and ids of their connections, by number of the invoice.
        order: Place of the first write of a row of those three entity sets, by its key.
    """

    actuals: Mapping[str, Row]
    imports: Sequence[Row]
    lines: Sequence[Row]
    bills: Mapping[str, Sequence[str]]
    order: Mapping[str, int]


def read_billed(wire: Wire, world: World) -> Billed:
    """Read both systems, and the sandbox's log of writes."""
    actuals = wire.dataverse_rows("msdyn_actuals", "msdyn_skipsync eq false")
    lines = wire.finance_rows("ProjectIntegrationJournalLines")
    return Billed(
        {str(row["msdyn_actualimportid"]): row for row in actuals},
        wire.finance_rows("ProjActualsImports"),
        [line for line in lines if line["ActualsImportId"] != _NOBODY],
        _bills(wire, actuals),
        _order(world),
    )


def lost(found: Billed, made: Sequence[str]) -> Iterator[str]:
    """Name actuals that are gone, did not arrive or were not posted.

    Args:
        found: What both systems hold.
        made: GUIDs of all actuals that people made.
    """
    held = {str(row["msdyn_actualid"]) for row in found.actuals.values()}
    yield from (f"actuals: {each} has gone from its source" for each in made if each not in held)
    imported = {row["ActualsImportId"] for row in found.imports}
    yield from (f"actuals: import {each} is not in Finance" for each in found.actuals.keys() - imported)
    posted = {line["ActualsImportId"] for line in found.lines if line["LineStatus"] == "Posted"}
    for row in found.imports:
        actual = found.actuals.get(row["ActualsImportId"])
        if actual is not None and _is_journalized(row, actual) and row["ActualsImportId"] not in posted:
            yield f"actuals: import {row['ActualsImportId']} has no posted journal line"


def doubled(found: Billed) -> Iterator[str]:
    """Name actuals that stand twice in Finance or where nobody made them; lines and vouchers that do."""
    for row in found.imports:
        if row["ActualsImportId"] not in found.actuals:
            yield f"actuals: nobody made import {row['ActualsImportId']}"
    counted = {
        "actual": Counter(row["ActualId"] for row in found.imports),
        "journal line of import": Counter(line["ActualsImportId"] for line in found.lines),
        "voucher": Counter((line["dataAreaId"], line["Voucher"]) for line in found.lines),
    }
    for what, counts in counted.items():
        yield from (
            f"actuals: {what} {each} stands {count} times" for each, count in counts.items() if count > 1
        )


def out_of_order(found: Billed) -> Iterator[str]:
    """Name headers that were in Finance before something that they bill (R802, R803)."""
    for number, parts in found.bills.items():
        header = found.order.get(number)
        late = [each for each in parts if header is not None and found.order.get(each, header) > header]
        if late:
            yield f"invoice_proposals: {number} came to Finance before {', '.join(late)}, which it bills"


def wrong_in_the_ledger(wire: Wire) -> Iterator[str]:
    """Name what does not balance, and posted lines whose actual does not have their voucher."""
    yield from (f"ledger: {each}" for each in unbalanced(wire))
    yield from (f"actuals: Dataverse lacks voucher {each}" for each in without_their_voucher(wire))


def _is_journalized(row: Row, actual: Row) -> bool:
    """Whether the actual gets a line of the journal: billed sales go to the proposals instead (R601)."""
    return str(row["dataAreaId"]).lower() == _COMPANY and actual["msdyn_transactiontypecode"] != BILLED


def _bills(wire: Wire, actuals: Sequence[Row]) -> Mapping[str, Sequence[str]]:
    numbers = {row["invoiceid"]: row["invoicenumber"] for row in wire.dataverse_rows("invoices")}
    connections = {
        row["msdyn_transaction1"]: row["msdyn_transactionconnectionid"]
        for row in wire.dataverse_rows("msdyn_transactionconnections")
    }
    found: dict[str, list[str]] = defaultdict(list)
    for row in actuals:
        if row["msdyn_transactiontypecode"] == BILLED and row["_msdyn_invoice_value"] in numbers:
            own = (row["msdyn_actualimportid"], connections.get(row["msdyn_actualid"]))
            found[numbers[row["_msdyn_invoice_value"]]] += [each for each in own if each]
    return found


def _order(world: World) -> Mapping[str, int]:
    """Where each row was created; what the log has dropped came earlier than all that it holds."""
    order: dict[str, int] = {}
    for entry in world.writes():
        key = _KEYS.get(entry["entity"])
        if key is not None and entry["verb"] in _CREATING and entry["commit"] is not None:
            order.setdefault(entry["values"][key], entry["seq"])
    return order
