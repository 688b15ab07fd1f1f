"""The ledger's independent look: a cent off is seen, and named by its voucher."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, cast

import pytest

from runner.ledger import clearing_accounts, unbalanced, without_their_voucher
from runner.wire import Wire

ACTUAL = "10000000-0000-0000-0000-000000000000"


class Ledger:
    """Rows in place of both systems."""

    def __init__(self, entries: Sequence[tuple[str, str, str]] = (), voucher: str | None = None) -> None:
        self.sets: dict[str, list[dict[str, Any]]] = {
            "LegalEntities": [{"LegalEntityId": "DEMF"}],
            "GeneralJournalAccountEntries": [
                {
                    "dataAreaId": "demf",
                    "Voucher": number,
                    "PostingType": kind,
                    "AccountingCurrencyAmount": Decimal(amount),
                }
                for number, kind, amount in entries
            ],
            "ProjectIntegrationJournalLines": [{"Voucher": "V1", "ActualsImportId": ACTUAL}],
        }
        self.actuals = [{"msdyn_actualimportid": ACTUAL, "msdyn_vouchernumber": voucher}]

    def finance_rows(self, entity_set: str, where: str | None = None) -> list[dict[str, Any]]:
        return self.sets[entity_set]

    def dataverse_rows(self, entity_set: str) -> list[dict[str, Any]]:
        return self.actuals


def test_clearing_accounts_add_up_by_company() -> None:
    ledger = Ledger([("V1", "ExpenseIntegration", "120.10"), ("V2", "ExpenseIntegration", "-120.00")])
    assert clearing_accounts(cast(Wire, ledger)) == {
        "DEMF": {"expense": Decimal("0.10"), "procurement": Decimal("0.00")}
    }


def test_less_than_a_cent_on_a_clearing_account_is_not_rounded_away() -> None:
    ledger = Ledger([("V1", "ExpenseIntegration", "120.004"), ("V2", "ExpenseIntegration", "-120")])
    assert clearing_accounts(cast(Wire, ledger))["DEMF"]["expense"] == Decimal("0.004")


def test_a_voucher_that_does_not_balance_is_named_even_where_the_total_does() -> None:
    entries = [("V1", "ProjectCost", "800.01"), ("V1", "PayrollAllocation", "-800.00")]
    assert unbalanced(cast(Wire, Ledger(entries))) == ["demf V1: 0.01", "all of demf: 0.01"]
    entries.append(("V2", "ProjectCost", "-0.01"))
    assert unbalanced(cast(Wire, Ledger(entries))) == ["demf V1: 0.01", "demf V2: -0.01"]


@pytest.mark.parametrize(
    ("voucher", "found"), [("V1", []), (None, [f"V1 of actual {ACTUAL}"]), ("V2", [f"V1 of actual {ACTUAL}"])]
)
def test_an_actual_without_its_line_s_voucher_is_named(voucher: str | None, found: list[str]) -> None:
    assert without_their_voucher(cast(Wire, Ledger(voucher=voucher))) == found
