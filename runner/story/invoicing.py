"""The customer is billed: a proforma invoice, and its correction."""

from datetime import timedelta
from typing import Any

from runner.errors import RunnerError
from runner.story.engagement import TIME, Engagement
from runner.wire import Wire

BILLED_HOURS, CORRECTED_HOURS = 8, 6


def invoice(wire: Wire, engagement: Engagement) -> str:
    """Put everything that is unbilled on a proforma invoice and confirm it (R401, R402, R405)."""
    until = engagement.start + timedelta(days=30)
    made = wire.run_job("create-invoice", contract=engagement.contract, until=str(until))
    if made["created"] != 1:
        raise RunnerError(f"The contract {engagement.number} got {made['created']} invoices, not one.")
    [proforma] = made["invoices"]
    _confirm(wire, proforma)
    return str(proforma)


def correct(wire: Wire, confirmed: str) -> str:
    """Bill six hours where eight were billed (R406): credit all, bill anew, leave two hours open."""
    where = f"_msdyn_invoice_value eq {confirmed} and msdyn_transactionclassification eq {TIME}"
    lines = [
        row
        for row in wire.dataverse_rows("msdyn_invoicelinetransactions", where)
        if row["msdyn_quantity"] == 8
    ]
    if len(lines) != 1:
        raise RunnerError(f"The invoice {confirmed} has {len(lines)} lines of {BILLED_HOURS} hours, not one.")
    line: Any = lines[0]["msdyn_invoicelinetransactionid"]
    made = wire.run_job(
        "correct-invoice", invoice=confirmed, lines=[line], quantities={line: str(CORRECTED_HOURS)}
    )
    _confirm(wire, made["invoice"])
    return str(made["invoice"])


def _confirm(wire: Wire, proforma: str) -> None:
    result = wire.run_job("confirm-invoice", invoices=[proforma])
    if result.get("errors"):
        raise RunnerError(f"The invoice {proforma} could not be confirmed: {'; '.join(result['errors'])}")
