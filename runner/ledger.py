"""What the ledger must show when all is well: vouchers balance, clearing accounts stand at zero."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal

from runner.wire import Row, Wire

_ENTRIES = "GeneralJournalAccountEntries"
_CLEARING = {"expense": "ExpenseIntegration", "procurement": "ProcurementIntegration"}
_NO_ACTUAL = "00000000-0000-0000-0000-000000000000"
_CENT = Decimal("0.01")
_POSTED = "LineStatus eq Microsoft.Dynamics.DataEntities.ProjIntegrationLineStatus'Posted'"


def clearing_accounts(wire: Wire) -> dict[str, dict[str, Decimal]]:
    """Add up the ledger entries on each company's clearing accounts (R903, R1002)."""
    entries = wire.finance_rows(_ENTRIES)
    return {
        company["LegalEntityId"]: {name: _balance(entries, company, kind) for name, kind in _CLEARING.items()}
        for company in wire.finance_rows("LegalEntities")
    }


def unbalanced(wire: Wire) -> list[str]:
    """Name the vouchers, and the companies, whose debits are not their credits."""
    entries = wire.finance_rows(_ENTRIES)
    vouchers = _sums((f"{entry['dataAreaId']} {entry['Voucher']}", entry) for entry in entries)
    companies = _sums((f"all of {entry['dataAreaId']}", entry) for entry in entries)
    return [f"{name}: {total}" for name, total in {**vouchers, **companies}.items() if total != 0]


def without_their_voucher(wire: Wire) -> list[str]:
    """Name the posted journal lines whose actual in Dataverse does not have their voucher (R704).

    Extra lines of a fee or a discount stand for no actual of their own (R613).
    """
    known = {
        row["msdyn_actualimportid"]: row["msdyn_vouchernumber"]
        for row in wire.dataverse_rows("msdyn_actuals")
    }
    posted = wire.finance_rows("ProjectIntegrationJournalLines", _POSTED)
    return [
        f"{line['Voucher']} of actual {line['ActualsImportId']}"
        for line in posted
        if line["ActualsImportId"] != _NO_ACTUAL and known.get(line["ActualsImportId"]) != line["Voucher"]
    ]


def _balance(entries: list[Row], company: Row, posting_type: str) -> Decimal:
    code = company["LegalEntityId"].casefold()
    amounts = (
        Decimal(entry["AccountingCurrencyAmount"])
        for entry in entries
        if entry["dataAreaId"].casefold() == code and entry["PostingType"] == posting_type
    )
    balance = sum(amounts, Decimal(0))
    cents = balance.quantize(_CENT)
    return cents if cents == balance else balance  # less than a cent is not nothing


def _sums(entries: Iterable[tuple[str, Row]]) -> Mapping[str, Decimal]:
    totals: dict[str, Decimal] = defaultdict(Decimal)
    for name, entry in entries:
        totals[name] += Decimal(entry["AccountingCurrencyAmount"])
    return totals
