"""Approved time has actuals; canceled, it has none that count."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from sandbox.dataverse.desk import Desk
from sandbox.dataverse.errors import ApiError
from sandbox.dataverse.rules.actuals import ACTUAL, Role, connected, of_origin
from sandbox.dataverse.rules.options import (
    AdjustmentStatus,
    BillingStatus,
    BillingType,
    EntryStatus,
    TransactionType,
)
from sandbox.dataverse.rules.time import TIME_ENTRY
from sandbox.dataverse.rules.time_jobs import approve_time, cancel_approval, submit_time
from tests.unit.sandbox.conftest import as_user
from tests.unit.sandbox.dataverse.rules.conftest import Firm

STATUS = "msdyn_entrystatus"


@pytest.fixture
def entry(desk: Desk, firm: Firm) -> Iterator[str]:
    """Eight submitted hours on a line of time and material."""
    row_id = firm.time_entry(firm.project("P1", firm.contract("C1")))
    submit_time(desk, {})
    yield row_id


def amounts(rows: list[dict[str, Any]]) -> list[tuple[int, Decimal, Decimal]]:
    return [(it["msdyn_transactiontypecode"], it["msdyn_quantity"], it["msdyn_amount"]) for it in rows]


def test_r302_a_person_approves_by_the_status(desk: Desk, entry: str) -> None:
    as_user(desk, TIME_ENTRY, entry, {STATUS: EntryStatus.APPROVED})
    assert amounts(of_origin(desk, entry)) == [
        (TransactionType.COST, Decimal(8), Decimal(800)),
        (TransactionType.UNBILLED_SALES, Decimal(8), Decimal(1600)),
    ]
    assert all(line["msdyn_isposted"] for line in desk.find("msdyn_journalline"))
    assert all(journal["msdyn_isposted"] for journal in desk.find("msdyn_journal"))


def test_r303_the_job_says_what_is_billable(desk: Desk, entry: str) -> None:
    assert approve_time(desk, {"billable_quantity": 6}) == {"approved": 1, "errors": []}
    _, *sales = of_origin(desk, entry)
    assert [(it["msdyn_billingtype"], it["msdyn_amount"]) for it in sales] == [
        (BillingType.CHARGEABLE, Decimal(1200)),
        (BillingType.NON_CHARGEABLE, Decimal(400)),
    ]


def test_r302_approval_has_the_prices_of_the_submission(desk: Desk, firm: Firm) -> None:
    dear = firm.time_entry(firm.project("P1", firm.contract("C1")))
    submit_time(desk, {"cost_price": 110, "sales_price": "250.5"})
    approve_time(desk, {"entries": [dear]})
    assert [it[2] for it in amounts(of_origin(desk, dear))] == [Decimal(880), Decimal(2004)]


def test_an_entry_that_cannot_be_approved_does_not_stop_others(desk: Desk, entry: str, firm: Firm) -> None:
    split = firm.project("P2", firm.contract("C2", {"A": "50", "B": "50"}))
    broken = firm.time_entry(split)
    submit_time(desk, {})
    [share, _] = desk.find("msdyn_projectcontractsplitbillingrule")
    desk.update(
        "msdyn_projectcontractsplitbillingrule",
        share["msdyn_projectcontractsplitbillingruleid"],
        {"msdyn_splitpercentage": Decimal(40)},
    )
    report = approve_time(desk, {})
    assert report["approved"] == 1
    assert "customers of contract C2 share 90 %" in report["errors"][0]
    assert of_origin(desk, broken) == []
    assert len(of_origin(desk, entry)) == 2


def test_r306_canceled_approval_takes_all_actuals_back(desk: Desk, entry: str) -> None:
    approve_time(desk, {})
    originals = of_origin(desk, entry)
    assert cancel_approval(desk, {"entries": [entry]}) == {"canceled": 1, "errors": []}
    assert desk.get(TIME_ENTRY, entry)[STATUS] == EntryStatus.DRAFT
    for original in of_origin(desk, entry):
        assert original["msdyn_adjustmentstatus"] == AdjustmentStatus.ADJUSTED
        assert original["msdyn_billingstatus"] == BillingStatus.CANCELED
        [reversing] = connected(desk, original, Role.ORIGINAL, Role.REVERSING)
        assert reversing["msdyn_adjustmentstatus"] == AdjustmentStatus.UNADJUSTABLE
        assert reversing["msdyn_quantity"] == -original["msdyn_quantity"]
        assert reversing["msdyn_amount"] == -original["msdyn_amount"]
        assert reversing["msdyn_actualimportid"] != original["msdyn_actualimportid"]
        assert not reversing["msdyn_skipsync"]
    assert sum(it["msdyn_amount"] for it in desk.find(ACTUAL)) == 0
    assert len(originals) == 2


def test_r306_recall_waits_for_the_approver(desk: Desk, entry: str) -> None:
    as_user(desk, TIME_ENTRY, entry, {STATUS: EntryStatus.APPROVED})
    as_user(desk, TIME_ENTRY, entry, {STATUS: EntryStatus.RECALL_REQUESTED})
    as_user(desk, TIME_ENTRY, entry, {STATUS: EntryStatus.APPROVED})
    assert len(desk.find(ACTUAL)) == 2
    as_user(desk, TIME_ENTRY, entry, {STATUS: EntryStatus.RECALL_REQUESTED})
    assert cancel_approval(desk, {}) == {"canceled": 1, "errors": []}
    assert len(desk.find(ACTUAL)) == 4
    as_user(desk, TIME_ENTRY, entry, {STATUS: EntryStatus.SUBMITTED})
    as_user(desk, TIME_ENTRY, entry, {STATUS: EntryStatus.APPROVED})
    current = [it for it in desk.find(ACTUAL) if it["msdyn_adjustmentstatus"] is None]
    assert [it[2] for it in amounts(current)] == [Decimal(800), Decimal(1600)]


@pytest.mark.parametrize(
    "status", [BillingStatus.CUSTOMER_INVOICE_CREATED, BillingStatus.CUSTOMER_INVOICE_POSTED]
)
def test_r306_what_is_invoiced_cannot_be_canceled(desk: Desk, entry: str, status: BillingStatus) -> None:
    approve_time(desk, {})
    _, sale = of_origin(desk, entry)
    desk.update(ACTUAL, sale["msdyn_actualid"], {"msdyn_billingstatus": status})
    on_invoice = "Time entry 'Design' cannot be canceled: it is on an invoice"
    with pytest.raises(ApiError, match=on_invoice), desk.savepoint():
        as_user(desk, TIME_ENTRY, entry, {STATUS: EntryStatus.DRAFT})
    report = cancel_approval(desk, {"entries": [entry]})
    assert (report["canceled"], len(report["errors"])) == (0, 1)
    assert desk.get(TIME_ENTRY, entry)[STATUS] == EntryStatus.APPROVED
    assert len(desk.find(ACTUAL)) == 2


def test_what_was_adjusted_or_never_approved_cannot_be_canceled(desk: Desk, entry: str) -> None:
    assert cancel_approval(desk, {"entries": [entry]})["errors"] == [
        "Time entry 'Design' is not approved: there is nothing to cancel."
    ]
    approve_time(desk, {})
    cost, _ = of_origin(desk, entry)
    desk.update(ACTUAL, cost["msdyn_actualid"], {"msdyn_adjustmentstatus": AdjustmentStatus.ADJUSTED})
    [message] = cancel_approval(desk, {"entries": [entry]})["errors"]
    assert message.endswith("its cost has been adjusted already.")


def test_r306_what_was_recorded_is_taken_back_though_its_project_is_gone(desk: Desk, entry: str) -> None:
    assert approve_time(desk, {})["approved"] == 1
    desk.delete("msdyn_project", desk.get(TIME_ENTRY, entry)["msdyn_project"])
    as_user(desk, TIME_ENTRY, entry, {STATUS: EntryStatus.DRAFT})
    assert sum(it["msdyn_amount"] for it in desk.find(ACTUAL)) == 0
    assert len(desk.find(ACTUAL)) == 4
